"""What is said of probabilities: verdicts that are sure enough, times, and extra notes that are reported once."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.audio.pitch import PitchTrack
from recsys.practice.evidence import Evidence
from recsys.practice.follow import Followed
from recsys.practice.heard import HeardNote
from recsys.practice.judge import Judgement, judge
from recsys.practice.network import LATE_S

from .conftest import PITCHES, melody

N = len(PITCHES)
SURE_RIGHT, SURE_WRONG, SURE_MISSING = (0.98, 0.01, 0.01), (0.01, 0.98, 0.01), (0.01, 0.01, 0.98)


def late(seconds: float) -> np.ndarray:
    """Be sure of one time."""
    return np.asarray(np.arange(len(LATE_S)) == np.argmin(np.abs(LATE_S - seconds)), float)


def judged(evidence: Evidence, off: float = 0.0) -> Judgement:
    """Judge a take in which every note is heard on time, so many semitones off the written pitch."""
    heard = [HeardNote(it, it + 0.4, PITCHES[it] + off, 0.4, True, slice(50 * it, 50 * it + 25)) for it in range(N)]
    midi = np.repeat(np.array(PITCHES, float) + off, 50)
    track = PitchTrack(midi, np.ones(len(midi)), np.ones(len(midi), bool))
    followed = Followed(np.arange(N), np.ones(N), np.zeros(N), np.arange(N, dtype=float), 0.0)
    return judge(melody(), track, heard, followed, evidence)


@pytest.fixture
def evidence() -> Evidence:
    """All notes are right and on time, and no sound is extra."""
    heard = [HeardNote(it, it + 0.4, 60.0, 0.4, True, slice(0, 1)) for it in range(N)]
    return Evidence(
        np.arange(N, dtype=float), np.tile(SURE_RIGHT, (N, 1)), np.tile(late(0), (N, 1)), heard, np.zeros(N)
    )


def test_verdicts_that_are_sure_are_said(evidence: Evidence) -> None:
    """One of each; missing notes have neither sound nor time."""
    evidence.verdicts[3], evidence.verdicts[5] = SURE_WRONG, SURE_MISSING

    notes = judged(evidence).notes

    assert [note.number for note in notes if note.verdict == "wrong"] == [3]
    assert [note.number for note in notes if note.verdict == "missing"] == [5]
    assert {note.verdict for note in notes} == {"right", "wrong", "missing"}
    assert notes[5].heard is None
    assert np.isnan(notes[5].late_s)
    assert notes[4].cents == pytest.approx(0)


@pytest.mark.parametrize(
    ("chances", "reason"),
    [
        ((0.42, 0.40, 0.18), "its pitch is not clear"),
        ((0.42, 0.18, 0.40), "it may sound softly, or be part of the sound before"),
        ((0.18, 0.42, 0.40), "something else sounds, which may be this note or a neighbour"),
    ],
)
def test_what_is_not_sure_is_left_open_with_its_reason(
    evidence: Evidence, chances: tuple[float, float, float], reason: str
) -> None:
    """By the two most probable verdicts; nothing is said of its time."""
    evidence.verdicts[4] = chances
    evidence.late[4] = late(0.2)

    note = judged(evidence).notes[4]

    assert (note.verdict, note.reason, note.is_off_time) == ("unsure", reason, False)
    assert np.isnan(note.late_s)


@pytest.mark.parametrize(
    ("seconds", "is_off"), [(0.0, False), (0.05, False), (-0.05, False), (0.17, True), (-0.21, True)]
)
def test_late_and_early_are_said_with_milliseconds(evidence: Evidence, seconds: float, is_off: bool) -> None:
    """To the width of an answer, 20 ms."""
    evidence.late[4] = late(seconds)

    note = judged(evidence).notes[4]

    assert note.is_off_time == is_off
    assert note.late_s == pytest.approx(seconds, abs=0.011)


def test_a_time_that_is_not_clear_is_left_open(evidence: Evidence) -> None:
    """Early, on time and late with equal chances."""
    evidence.late[4] = (late(-0.2) + late(0) + late(0.2)) / 3

    note = judged(evidence).notes[4]

    assert (note.verdict, note.is_off_time) == ("right", False)
    assert np.isnan(note.late_s)


def test_a_right_note_has_no_cents_of_another_pitch(evidence: Evidence) -> None:
    """What is heard two semitones off is not what is right; an octave off it is."""
    assert all(note.heard is None and np.isnan(note.cents) for note in judged(evidence, off=2).notes)
    assert all(note.cents == pytest.approx(0) for note in judged(evidence, off=12).notes)


def test_extra_notes_that_begin_together_are_one(evidence: Evidence) -> None:
    """The most probable of two within 80 ms, with its bar; others stand by themselves, in order of time."""
    heard = [
        replace(evidence.heard[0], start_s=start_s, midi=midi) for start_s, midi in ((5.2, 62), (5.25, 67), (9.0, 64))
    ]
    with_extra = replace(evidence, heard=heard, extra=np.array([0.7, 0.9, 0.8]))

    extra = judged(with_extra).extra

    assert [(it.heard.start_s, it.pitch, it.bar) for it in extra] == [(5.25, 67, 2), (9.0, 64, 3)]
