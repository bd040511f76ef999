"""Music for `bench.studio.mastering`: rendered pieces at 44.1 kHz, real cuts, codecs, and waves that fool detectors."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import firwin, oaconvolve, resample_poly, sawtooth, square

from bench.audio.rendered import pieces
from recsys.arrays import F32
from recsys.audio.signal import read_audio
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render

RATE_HZ = 44_100
CODECS = (
    *(("libmp3lame", "mp3", kbps) for kbps in (128, 192, 320)),
    *(("aac", "adts", kbps) for kbps in (128, 192, 256)),
)
WAVES = {
    "square": square,
    "pulse": lambda phase: square(phase, duty=0.25),
    "sawtooth": sawtooth,
    "sine": np.sin,
}


def rendered(n: int, seconds: float, part: str = "test") -> Iterator[F32]:
    """Yield rendered stereo pieces of 16 bits at 44.1 kHz, half of them dithered, peaks at 0 to -8 dBFS."""
    for piece in pieces(part, n):
        rng = np.random.default_rng(piece.seed)
        style = Style.random(rng, programs=piece.programs)
        sound = render(arrange(piece.tune, style, rng, longest_s=seconds), longest_s=seconds)
        loud = sound / np.abs(sound).max() * 10 ** (-rng.uniform(0, 8) / 20)
        dither = (rng.random(loud.shape) - rng.random(loud.shape)) / 32_768 if rng.random() < 0.5 else 0
        yield rounded(np.asarray(loud + dither, np.float32))


def rounded(samples: F32) -> F32:
    """Round samples to 16 bits."""
    return (np.clip(np.rint(samples * 32_768), -32_768, 32_767) / 32_768).astype(np.float32)


def cuts(audio: Path, package: str | None = None) -> list[tuple[str, Path]]:
    """Return package and file of the real recordings, of one package or all, in the order of the manifest."""
    with (audio / "manifest.csv").open(encoding="utf-8") as manifest:
        rows = [(row["package"], audio / row["file"]) for row in csv.DictReader(manifest)]
    return [row for row in rows if package in (None, row[0])]


def cuts_by_package(audio: Path, least: int) -> dict[str, list[Path]]:
    """Return the real recordings of each package that has at least so many."""
    found: dict[str, list[Path]] = defaultdict(list)
    for package, path in cuts(audio):
        found[package].append(path)
    return {package: paths for package, paths in found.items() if len(paths) >= least}


def raised(path: Path, seconds: float) -> F32:
    """Return the beginning of a real cut of 16 kHz, raised to 44.1 kHz and rounded: music without treble."""
    signal = read_audio(path)
    samples = resample_poly(signal.samples[:, : int(seconds * signal.rate_hz)], 441, 160, axis=1)
    stereo = np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples
    return rounded(np.asarray(stereo, np.float32) * np.float32(0.9))


def coded(samples: F32, codec: str, container: str, kbps: int) -> F32:
    """Return samples after coding and decoding, rounded to 16 bits, as a WAV file made from an MP3 or AAC has them."""
    import av

    buffer, whole = BytesIO(), np.rint(samples * 32_768).clip(-32_768, 32_767).astype(np.int16)
    with av.open(buffer, "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=RATE_HZ)
        stream.bit_rate, stream.layout = kbps * 1000, "stereo"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole.T.reshape(1, -1)), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        queue = av.AudioFifo()
        for converted in av.AudioResampler(format="fltp", layout="stereo", rate=RATE_HZ).resample(frame):
            queue.write(converted)
        while (part := queue.read(stream.codec_context.frame_size or 1152, partial=True)) is not None:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as source:
        decoded = np.concatenate([frame.to_ndarray() for frame in source.decode(audio=0)], axis=1)
    return rounded(decoded)


def to_96_khz(samples: F32) -> F32:
    """Return samples at 44.1 kHz raised to 96 kHz as studio software does: flat to 21 kHz, images below -120 dB."""
    taps = firwin(2 * 320 * 128 + 1, 0.97 / 320, window=("kaiser", 12))
    return np.asarray(resample_poly(samples, 320, 147, axis=1, window=taps), np.float32)


def low_passed(samples: F32, hz: float) -> F32:
    """Return samples without what is above a frequency, rounded: as steep as an encoder's low-pass filter."""
    taps = firwin(1023, hz, fs=RATE_HZ)
    return rounded(oaconvolve(samples, taps[None], mode="same", axes=1).astype(np.float32))


def wave(kind: str, hz: float, seconds: float) -> F32:
    """Return a plain wave, mono, with peaks at -2 dBFS."""
    phase = 2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return rounded((0.8 * WAVES[kind](phase)).astype(np.float32)[None])


def moved(samples: F32, rate_hz: int, low_hz: float, high_hz: float, gain_db: float) -> F32:
    """Return samples with a band moved by a gain, its edges a sixth of an octave wide."""
    spectrum = np.fft.rfft(samples, axis=1)
    hz = np.fft.rfftfreq(samples.shape[1], 1 / rate_hz)
    octaves = np.log2(np.maximum(hz, 1e-3))
    inside = np.minimum(octaves - np.log2(low_hz), np.log2(high_hz) - octaves)
    share = np.clip(0.5 + inside * 6, 0, 1)
    return np.asarray(np.fft.irfft(spectrum * 10 ** (gain_db * share / 20), samples.shape[1], axis=1), np.float32)
