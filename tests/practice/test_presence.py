"""Whether a note that was not found sounds, in spectra in which it is known what does."""

import numpy as np
import pytest

from recsys.arrays import F32
from recsys.practice.envelope import spectra
from recsys.practice.heard import HeardNote
from recsys.practice.presence import Presence

RATE_HZ = 16_000
PITCH = np.array([60.0, 64, 67, 62, 65, 69, 69, 72, 72, 60])
REPEAT = 6
DUE_S = np.arange(len(PITCH), dtype=np.float64) * 0.5 + 0.5


def tone(pitch: float, start_s: float, end_s: float) -> F32:
    """Eight harmonics with a rise of 10 ms and a release of 0.3 s."""
    time_s = np.arange(round(6 * RATE_HZ)) / RATE_HZ
    frequency_hz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum((np.sin(2 * np.pi * k * frequency_hz * time_s) / k for k in range(1, 9)), np.zeros(len(time_s)))
    level = np.clip((time_s - start_s) / 0.01, 0, 1) * np.exp(-np.maximum(time_s - end_s, 0) / 0.1)
    return np.asarray(0.1 * wave * level, np.float32)


def presence(absent: int, others: tuple[F32, ...] = ()) -> Presence:
    """All notes of `PITCH` but one are played, each ringing into the next; that one was not found."""
    places = [place for place in range(len(PITCH)) if place != absent]
    sound = sum((tone(PITCH[it], DUE_S[it], DUE_S[it] + 0.45) for it in places), np.zeros(6 * RATE_HZ, np.float32))
    heard = [HeardNote(DUE_S[it], DUE_S[it] + 0.48, PITCH[it], 0.4, True, slice(0, 1)) for it in places]
    match = np.array([places.index(it) if it != absent else -1 for it in range(len(PITCH))])
    return Presence.of(spectra(np.asarray(sum(others, sound), np.float32)), heard, PITCH, DUE_S, match)


@pytest.mark.parametrize("absent", [1, 3, 4])
def test_a_note_is_missing_though_the_one_before_rings_on(absent: int) -> None:
    """Nothing new sounds when it is due, at its pitch or near by."""
    assert presence(absent).doubt(absent) == ""


@pytest.mark.parametrize("absent", [1, 3])
def test_a_note_that_sounds_is_not_missing(absent: int) -> None:
    """It grows as much as the notes that were found, whose growth is the unit."""
    own = tone(PITCH[absent], DUE_S[absent], DUE_S[absent] + 0.45)

    found = presence(absent, (own,))

    assert found.growth(absent, 0) == pytest.approx(1, abs=0.4)
    assert found.doubt(absent) == "it may sound softly"


def test_another_note_in_its_place_leaves_it_open() -> None:
    """A tone four semitones lower sets in when it is due."""
    other = tone(PITCH[3] - 4, DUE_S[3], DUE_S[3] + 0.45)

    assert presence(3, (other,)).doubt(3) == "something sounds, but its pitch is not clear"


def test_a_repeat_is_missing_only_where_repeats_are_heard() -> None:
    """Of two repeats one is found."""
    found = presence(REPEAT)

    assert not found.hears_repeats
    assert found.doubt(REPEAT) == "it repeats the note before, and its beginning is not clear"
