"""
Distortions of recordings: changes of tempo, pitch and speed, noise, reverberation, filters, compression, MP3.

Fingerprints are trained and evaluated with these distortions. All functions take and return mono audio, shape (n,),
float32. A change of tempo or speed by a ratio moves time t to t / ratio and gives n / ratio samples; other distortions
do not change times and length.
"""

from fractions import Fraction
from io import BytesIO
from math import ceil
from typing import cast

import av
import av.filter
import numpy as np
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from recsys.arrays import F32

MAX_DENOMINATOR = 200  # of a resampling ratio: speeds are exact within about 0.003
DECAY = np.log(1000)  # reverberation time: the level falls by 60 dB, a factor of 1,000
FRAME = 1_152  # samples per frame given to libav
COMPRESSOR = "threshold=0.06:ratio=6:attack=5:release=120:makeup=3"


def with_tempo(sound: F32, rate_hz: int, ratio: float) -> F32:
    """Change the tempo by a ratio from .5 to 2 at the same pitch; above 1 is faster."""
    return _fitted(_filtered(sound, rate_hz, "atempo", f"{ratio:.6f}"), round(len(sound) / ratio))


def with_speed(sound: F32, ratio: float) -> F32:
    """Change the speed by a ratio, which changes pitch and tempo together, as on a turntable."""
    step = Fraction(ratio).limit_denominator(MAX_DENOMINATOR)
    return np.asarray(resample_poly(sound, step.denominator, step.numerator), np.float32)


def with_pitch(sound: F32, rate_hz: int, semitones: float) -> F32:
    """Shift the pitch by semitones at the same tempo."""
    step = float(Fraction(2 ** (semitones / 12)).limit_denominator(MAX_DENOMINATOR))
    return _fitted(with_tempo(with_speed(sound, step), rate_hz, 1 / step), len(sound))


def with_background(sound: F32, background: F32, snr_db: float, rng: np.random.Generator) -> F32:
    """
    Mix in background audio at a signal-to-noise ratio.

    Args:
        sound: The audio to distort; its level does not change.
        background: Noise, speech or other music, shape (n_background,); it starts at a random position and is repeated
            if it is shorter than the sound. Silence changes nothing.
        snr_db: Level of the sound above the background [dB].
        rng: Random generator for the position.
    """
    start = int(rng.integers(len(background)))
    mixed_in = np.resize(np.roll(background, -start), len(sound))
    power = float(np.square(mixed_in, dtype=np.float64).mean())
    target = float(np.square(sound, dtype=np.float64).mean()) * 10 ** (-snr_db / 10)
    return sound + mixed_in * np.float32(np.sqrt(target / power) if power else 0)


def white_noise(n: int, rng: np.random.Generator) -> F32:
    """Return white noise, which has equal power at all frequencies, shape (n,), float32."""
    return rng.standard_normal(n, np.float32)


def pink_noise(n: int, rng: np.random.Generator) -> F32:
    """Return pink noise, whose power falls by 3 dB per octave, shape (n,), float32."""
    return coloured_noise(n, 0.5, rng)


def coloured_noise(n: int, exponent: float, rng: np.random.Generator) -> F32:
    """Return noise whose amplitude falls with this power of frequency: 0 white, .5 pink, 1 brown; (n,), float32."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    return np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 1) ** exponent, n).astype(np.float32)


def with_reverb(sound: F32, rate_hz: int, decay_s: float, rng: np.random.Generator, *, wet_db: float = 0.0) -> F32:
    """
    Add reverberation: a convolution with exponentially decaying noise.

    Args:
        sound: The audio without reverberation, to which it is added.
        rate_hz: Sampling rate [Hz].
        decay_s: Reverberation time, in which the tail falls by 60 dB [s].
        rng: Random generator for the impulse response.
        wet_db: Energy of the impulse response relative to the direct sound [dB].
    """
    n_tail = ceil(decay_s * rate_hz)
    tail = rng.standard_normal(n_tail) * np.exp(-DECAY * np.arange(n_tail) / n_tail)
    tail *= np.sqrt(10 ** (wet_db / 10) / np.square(tail).sum())
    return np.asarray(sound + fftconvolve(sound, tail)[: len(sound)], np.float32)


def band_limited(sound: F32, rate_hz: int, low_hz: float, high_hz: float) -> F32:
    """Keep only a frequency band, as a telephone does (Butterworth filter, order 4); low_hz = 0: no lower limit."""
    edges, kind = ((low_hz, high_hz), "bandpass") if low_hz else (high_hz, "lowpass")
    return np.asarray(sosfilt(butter(4, edges, kind, fs=rate_hz, output="sos"), sound), np.float32)


def compressed(sound: F32, rate_hz: int) -> F32:
    """Compress the dynamic range, as broadcasters do."""
    return _fitted(_filtered(sound, rate_hz, "acompressor", COMPRESSOR), len(sound))


def mp3_coded(sound: F32, rate_hz: int, kbit: int) -> F32:
    """Encode as MP3 at a bit rate in kbit/s, without clipping, and decode; rate_hz must be a rate that MP3 allows."""
    file, peak = BytesIO(), max(1.0, float(np.abs(sound).max(initial=0)))
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate_hz, layout="mono")
        stream.bit_rate = kbit * 1000
        for frame in _frames(sound / np.float32(peak), rate_hz, "fltp"):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as encoded:
        decoded = [frame.to_ndarray()[0] for frame in encoded.decode(audio=0)]
    return _fitted(np.concatenate(decoded) * np.float32(peak), len(sound))


def _filtered(sound: F32, rate_hz: int, name: str, options: str) -> F32:
    """Apply a filter of libav."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate_hz, format="flt", layout="mono", time_base=Fraction(1, rate_hz))
    sink = graph.add("abuffersink")
    graph.link_nodes(source, graph.add(name, options), sink).configure()
    filtered: list[F32] = []
    for frame in (*_frames(sound, rate_hz, "flt"), None):
        source.push(frame)
        while True:
            try:
                filtered.append(cast("av.AudioFrame", sink.pull()).to_ndarray()[0])
            except (av.error.BlockingIOError, av.error.EOFError):
                break
    return np.concatenate([*filtered, np.empty(0, np.float32)])


def _frames(sound: F32, rate_hz: int, form: str) -> list[av.AudioFrame]:
    frames = []
    for start in range(0, len(sound), FRAME):
        piece = np.ascontiguousarray(sound[None, start : start + FRAME], np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format=form, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        frames.append(frame)
    return frames


def _fitted(sound: F32, n: int) -> F32:
    """Cut or pad audio with zeros to n samples, because filters and codecs change the length slightly."""
    return np.pad(sound[:n], (0, max(0, n - len(sound)))).astype(np.float32)
