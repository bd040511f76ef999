"""
Strangers that are no music: recorded noise, speech, and made noise, hum and chords at many levels.

None of them is a use of a recording, whatever its level.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.audio.recordings import noises
from bench.matching.distortions import RATE_HZ
from bench.matching.queries import SEED, read_sound, speech_files
from bench.options import audio_folder
from recsys.arrays import F32
from recsys.audio.training.distort import coloured_noise

N_MADE = 40  # of each kind
QUIETEST_DBFS, LOUDEST_DBFS = -85.0, -20.0
HUM_HZ = (50.0, 60.0)
CHORDS = ((0, 4, 7), (0, 3, 7), (0, 7, 12), (0, 5, 10), (0, 1, 2))  # semitones above the root

Make = Callable[[int, np.random.Generator], F32]


def other_sounds(home: Path, part: str, length_s: int) -> Iterator[tuple[str, F32]]:
    """
    Yield sounds of one length that are no music, each with its name.

    Args:
        home: Folder in which `queries.render` made the speech.
        part: Part of the recorded noise and of the speech: "calibration" or "test"; made sounds differ by part too.
        length_s: Length of each sound, 16 kHz mono [s].
    """
    n = length_s * RATE_HZ
    for path in [*noises(audio_folder())[part], *speech_files(home, part)]:
        yield path.name, np.resize(read_sound(path), n)
    for kind, make in MADE.items():
        for number in range(N_MADE):
            rng = np.random.default_rng([SEED, number, *f"{part} {kind}".encode()])
            yield f"{kind} {number}", _as_recorded(make(n, rng), rng)


def _as_recorded(sound: F32, rng: np.random.Generator) -> F32:
    """Scale a sound to a random level and round it to 16 bits with dither."""
    scaled = sound / np.sqrt(np.square(sound).mean()) * 10 ** (rng.uniform(QUIETEST_DBFS, LOUDEST_DBFS) / 20)
    dither = rng.uniform(-0.5, 0.5, (2, len(sound))).sum(axis=0)
    return np.asarray(np.round(scaled * 2**15 + dither) / 2**15, np.float32)


def _coloured(n: int, rng: np.random.Generator) -> F32:
    return coloured_noise(n, rng.uniform(0, 1), rng)


def _hum(n: int, rng: np.random.Generator) -> F32:
    return _tones(np.array([rng.choice(HUM_HZ)]), n, rng)


def _chord(n: int, rng: np.random.Generator) -> F32:
    root_hz = rng.uniform(80, 400)
    return _tones(root_hz * 2 ** (np.array(CHORDS[int(rng.integers(len(CHORDS)))]) / 12), n, rng)


def _chord_in_noise(n: int, rng: np.random.Generator) -> F32:
    return np.asarray(_chord(n, rng) + rng.uniform(0.1, 2) * rng.standard_normal(n), np.float32)


def _tones(hz: np.ndarray, n: int, rng: np.random.Generator) -> F32:
    """Return held tones, each with ten partials of falling amplitude and random phase."""
    time_s = np.arange(n) / RATE_HZ
    partials = [(k * tone, k, rng.uniform(0, 2 * np.pi)) for tone in hz for k in range(1, 11)]
    tones = [np.sin(2 * np.pi * partial * time_s + phase) / k for partial, k, phase in partials]
    return np.asarray(np.sum(tones, axis=0), np.float32)


MADE: dict[str, Make] = {
    "white to brown noise": _coloured,
    "hum": _hum,
    "held chord": _chord,
    "held chord in noise": _chord_in_noise,
}
