"""
Speech with noise, and music with and without singing, for training and testing the voice detector.

Parts are those of matching (`bench.audio.recordings`, `bench.audio.speech`), so that packages of music, sources of
noise, voices and sentences of the test are not those of the training. With a folder of originals, lines of
actors are added (`bench.studio.mixes`).
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from bench.audio import recordings, speech
from bench.options import audio_folder
from bench.studio.mixes import PACKS, Half
from recsys.arrays import F32
from recsys.audio.signal import read_audio

RATE_HZ = 16_000
LENGTH_S = 9
SNR_DB = (0, 25)  # of speech with noise
SUNG_DB = (-6, 3)  # of a voice over music
MUSIC_PARTS: dict[Half, tuple[str, ...]] = {"tune": ("train",), "test": ("queried", "strangers")}
OTHER_PARTS: dict[Half, str] = {"tune": "train", "test": "test"}


class Sound(NamedTuple):
    """16 kHz mono, shape (n,), whether it is speech, and its kind for reports."""

    mono: F32
    is_voice: bool
    kind: str


def sounds(half: Half, n: int, originals: Path | None, seed: int = 4) -> Iterator[Sound]:
    """Yield n sounds of speech and n of music."""
    rng = np.random.default_rng([seed, *half.encode()])
    audio = audio_folder()
    music = [path for part in MUSIC_PARTS[half] for path in recordings.recordings(audio)[part]]
    noises = recordings.noises(audio)[OTHER_PARTS[half]]
    with TemporaryDirectory() as folder:
        lines = _lines(half, speech.make_speech(Path(folder), OTHER_PARTS[half], min(n, 60)), originals)
        for number in range(n):
            voice = _excerpt(lines[number % len(lines)], rng)
            noise = _noise(number, noises, rng)
            level_db = rng.uniform(*SNR_DB)
            is_noisy = number % 4 > 0
            yield Sound(
                _mixed(voice, noise, level_db) if is_noisy else voice, True, "speech, noise" if is_noisy else "speech"
            )
            song = _excerpt([music[rng.integers(len(music))]], rng)
            match number % 3:
                case 0:
                    yield Sound(song, False, "music")
                case 1:
                    yield Sound(_mixed(song, _noise(number, noises, rng), rng.uniform(10, 25)), False, "music, noise")
                case _:
                    sung = _excerpt(lines[rng.integers(len(lines))], rng)
                    yield Sound(_mixed(sung, song, rng.uniform(*SUNG_DB)), False, "music, voice")


def _lines(half: Half, made: list[Path], originals: Path | None) -> list[list[Path]]:
    """Return groups of files, each of one speaker: eSpeak NG and, from the originals, actors."""
    groups = [[path] for path in made]
    if originals is not None:
        acted = sorted((originals / "fillets-ng-data").rglob("en/*.ogg"))[("tune", "test").index(half) :: 2]
        packs = [sorted((originals / "hedgewars-data").rglob(f"voices/{pack}/*.ogg")) for pack in PACKS[half]]
        actors = [acted[start::4] for start in range(4)] + packs
        groups = [group for pair in zip(groups, (len(groups) * actors)[: len(groups)], strict=True) for group in pair]
    return groups


def _excerpt(paths: list[Path], rng: np.random.Generator) -> F32:
    """Return 9 s of one or more files, repeated where they are shorter, at a tenth of full scale."""
    parts = [read_audio(paths[place]).mono(RATE_HZ) for place in rng.permutation(len(paths))[:6]]
    joined = np.concatenate(parts)
    n = LENGTH_S * RATE_HZ
    start = int(rng.integers(max(1, len(joined) - n)))
    return _at_level(np.resize(joined[start : start + n], n))


def _noise(number: int, noises: list[Path], rng: np.random.Generator) -> F32:
    """Return white, pink or recorded noise."""
    n = LENGTH_S * RATE_HZ
    if number % 3 == 2:
        return _excerpt([noises[rng.integers(len(noises))]], rng)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    slope = np.maximum(np.arange(len(spectrum)), 20.0) ** (-0.5 * (number % 3))
    return _at_level(np.fft.irfft(spectrum * slope, n))


def _mixed(first: F32, second: F32, ratio_db: float) -> F32:
    """Return both, the first louder by a ratio."""
    return first + np.float32(10 ** (-ratio_db / 20)) * second


def _at_level(samples: np.ndarray) -> F32:
    return np.asarray(0.1 * samples / (np.sqrt(np.square(samples).mean()) + 1e-6), np.float32)
