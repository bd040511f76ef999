"""
What happens to a recording before it turns up elsewhere: other tempo, pitch or speed, noise, rooms, codecs.

Fingerprints learn from these and are judged by them. All take and return mono sound, shape (n,), float32. After a
change of tempo or speed by a ratio, what was at t is at t / ratio, and the sound is so much shorter; nothing else moves
times.
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

FINEST = 200  # largest denominator of a resampling ratio: speeds are kept to some 0.003
DECAY = np.log(1000)  # a reverberation time is what a room takes to fall by 60 dB, a factor of 1,000
FRAME = 1_152
SQUEEZED = "threshold=0.06:ratio=6:attack=5:release=120:makeup=3"


def with_tempo(sound: F32, rate_hz: int, ratio: float) -> F32:
    """Play faster (ratio above 1) or slower at the same pitch; ratio .5 to 2."""
    return _fitted(_filtered(sound, rate_hz, "atempo", f"{ratio:.6f}"), round(len(sound) / ratio))


def with_speed(sound: F32, ratio: float) -> F32:
    """Play faster or slower as a turntable does: pitch and tempo together."""
    step = Fraction(ratio).limit_denominator(FINEST)
    return np.asarray(resample_poly(sound, step.denominator, step.numerator), np.float32)


def with_pitch(sound: F32, rate_hz: int, semitones: float) -> F32:
    """Play higher or lower at the same tempo."""
    step = float(Fraction(2 ** (semitones / 12)).limit_denominator(FINEST))
    return _fitted(with_tempo(with_speed(sound, step), rate_hz, 1 / step), len(sound))


def with_other(sound: F32, other: F32, snr_db: float, rng: np.random.Generator) -> F32:
    """
    Mix other sound in, from a drawn place on, again and again where it is short.

    Args:
        sound: Stays as loud as it is.
        other: Noise, speech, other music; silence changes nothing.
        snr_db: Level of the sound over the other [dB].
        rng: Draws the place.
    """
    start = int(rng.integers(len(other)))
    under = np.resize(np.roll(other, -start), len(sound))
    power = float(np.square(under, dtype=np.float64).mean())
    wanted = float(np.square(sound, dtype=np.float64).mean()) * 10 ** (-snr_db / 10)
    return sound + under * np.float32(np.sqrt(wanted / power) if power else 0)


def white_noise(n: int, rng: np.random.Generator) -> F32:
    """Return noise of equal power at all frequencies, shape (n,)."""
    return rng.standard_normal(n, np.float32)


def pink_noise(n: int, rng: np.random.Generator) -> F32:
    """Return noise whose power falls by 3 dB an octave, shape (n,)."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), n).astype(np.float32)


def in_room(sound: F32, rate_hz: int, decay_s: float, rng: np.random.Generator, *, wet_db: float = 0.0) -> F32:
    """
    Play in a room: the sound itself, and behind it a tail of decaying noise.

    Args:
        sound: Dry.
        rate_hz: Its sampling rate.
        decay_s: Reverberation time, a fall by 60 dB [s].
        rng: Draws the room.
        wet_db: Energy of the tail over that of the sound itself [dB].
    """
    n_tail = ceil(decay_s * rate_hz)
    tail = rng.standard_normal(n_tail) * np.exp(-DECAY * np.arange(n_tail) / n_tail)
    tail *= np.sqrt(10 ** (wet_db / 10) / np.square(tail).sum())
    return np.asarray(sound + fftconvolve(sound, tail)[: len(sound)], np.float32)


def through_band(sound: F32, rate_hz: int, low_hz: float, high_hz: float) -> F32:
    """Leave a band of frequencies only, as a telephone does (Butterworth, 24 dB an octave); low_hz may be 0."""
    edges, kind = ((low_hz, high_hz), "bandpass") if low_hz else (high_hz, "lowpass")
    return np.asarray(sosfilt(butter(4, edges, kind, fs=rate_hz, output="sos"), sound), np.float32)


def squeezed(sound: F32, rate_hz: int) -> F32:
    """Compress dynamics, as broadcasters do."""
    return _fitted(_filtered(sound, rate_hz, "acompressor", SQUEEZED), len(sound))


def through_mp3(sound: F32, rate_hz: int, kbit: int) -> F32:
    """Encode as MP3 at so many kbit/s and decode again, at a level at which nothing clips; rates that MP3 has."""
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
    """Send sound through a filter of libav."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate_hz, format="flt", layout="mono", time_base=Fraction(1, rate_hz))
    sink = graph.add("abuffersink")
    graph.link_nodes(source, graph.add(name, options), sink).configure()
    found: list[F32] = []
    for frame in (*_frames(sound, rate_hz, "flt"), None):
        source.push(frame)
        while True:
            try:
                found.append(cast("av.AudioFrame", sink.pull()).to_ndarray()[0])
            except (av.error.BlockingIOError, av.error.EOFError):
                break
    return np.concatenate([*found, np.empty(0, np.float32)])


def _frames(sound: F32, rate_hz: int, form: str) -> list[av.AudioFrame]:
    frames = []
    for start in range(0, len(sound), FRAME):
        piece = np.ascontiguousarray(sound[None, start : start + FRAME], np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format=form, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        frames.append(frame)
    return frames


def _fitted(sound: F32, n: int) -> F32:
    """Cut or fill with silence to n samples: filters and codecs differ by some."""
    return np.pad(sound[:n], (0, max(0, n - len(sound)))).astype(np.float32)
