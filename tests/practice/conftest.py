"""A take that is sung by harmonics, with errors that a reader can count."""

import numpy as np
import pytest

from recsys.arrays import F32
from recsys.matching.tunes.melody import Melody
from recsys.practice.practise import Practised
from recsys.practice.summary import summary_of
from recsys.practice.take import judge_sound

RATE_HZ = 16_000
PITCHES = (60, 62, 64, 65, 67, 65, 64, 62, 64, 60, 67, 69, 67, 65, 64, 60)
WRONG, MISSING, LATE, SHARP, VIBRATO = 5, 9, 12, 3, 15


def sung() -> F32:
    """
    Sing `PITCHES`, half a second each, a whole tone higher.

    Note 5 is a third too high, 9 is missing, 12 late by 0.17 s, 3 sharp by 45 cents; the last, of a second, has a
    vibrato of 40 cents at 5.5 Hz.
    """
    sound = np.zeros(round(9.5 * RATE_HZ))
    for place, pitch in enumerate(PITCHES):
        if place == MISSING:
            continue
        start_s = 0.4 + 0.5 * place + (0.17 if place == LATE else 0)
        length_s = 1.0 if place == VIBRATO else 0.5 * (place + 1) + 0.36 - start_s
        time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
        midi = pitch + 2 + (3 if place == WRONG else 0) + (0.45 if place == SHARP else 0)
        curve = midi + (0.4 * np.sin(2 * np.pi * 5.5 * time_s) if place == VIBRATO else 0 * time_s)
        phase = 2 * np.pi * np.cumsum(440 * 2 ** ((curve - 69) / 12)) / RATE_HZ
        wave = sum((np.sin(k * phase) / k for k in range(1, 9)), np.zeros(len(time_s)))
        edge = np.minimum(1, np.minimum(time_s, time_s[::-1]) / 0.02)
        first = round(start_s * RATE_HZ)
        sound[first : first + len(wave)] += 0.1 * wave * edge
    noise = np.random.default_rng(2).standard_normal(len(sound)) * 1e-4
    return np.asarray(sound + noise, np.float32)


def melody() -> Melody:
    """What is written: quarter notes, four in a bar, and a half note at the end."""
    n = len(PITCHES)
    lengths = np.append(np.ones(n - 1), 2.0)
    return Melody("tune.abc", np.arange(n, dtype=float), lengths, np.array(PITCHES), np.arange(n) // 4 + 1)


@pytest.fixture(scope="session")
def practised() -> Practised:
    """The take and what is said of it."""
    mono, written = sung(), melody()
    judged, track, _ = judge_sound(mono, written)
    return Practised("take.wav", written, judged, track, summary_of(written, judged), mono)
