"""Notes are found in a pitch track, and each gets the target that is written or nearest."""

import numpy as np
import pytest

from recsys.arrays import F64
from recsys.audio.pitch import PitchTrack
from recsys.errors import InputError
from recsys.studio.voice.notes import sung_notes
from recsys.studio.voice.scores import Key, Score, ScoreNote

C_MAJOR = Key((0, 2, 4, 5, 7, 9, 11))


def track(midi: F64, periodicity: float = 0.99) -> PitchTrack:
    """A pitch track with these frames."""
    is_voiced = ~np.isnan(midi)
    return PitchTrack(midi, np.where(is_voiced, periodicity, 0.0), np.ones(len(midi), np.bool_))


def sung(*pieces: tuple[float, int]) -> F64:
    """Concatenate pieces of a pitch and a number of frames."""
    return np.concatenate([np.full(n, midi) for midi, n in pieces])


def test_notes_of_a_score_are_found_in_order_whatever_the_octave() -> None:
    """A take an octave below, slower, 80 cents flat on one note, is aligned note by note."""
    score = Score((ScoreNote(0, 1, 72), ScoreNote(1, 2, 74), ScoreNote(2, 4, 72)))
    frames = track(sung((np.nan, 5), (60.2, 30), (61.2, 40), (np.nan, 8), (59.9, 70)))

    notes = sung_notes(frames, score)

    assert [(note.first, note.last, note.target) for note in notes] == [(5, 34, 60), (35, 74, 62), (83, 152, 60)]
    assert [note.cents for note in notes] == pytest.approx([20, -80, -10])


def test_vibrato_does_not_change_the_note_and_drift_is_a_line() -> None:
    """Vibrato of 90 cents stays one note of the key, whose centre drifts from -20 to 20 cents."""
    frames = np.arange(90)
    midi = 64 + np.linspace(-0.2, 0.2, 90) + 0.9 * np.sin(2 * np.pi * frames / 11.25)

    (note,) = sung_notes(track(midi), C_MAJOR)

    assert note.target == 64
    assert (note.start_cents, note.end_cents) == pytest.approx((-20, 20), abs=15)


def test_glides_are_no_part_of_notes() -> None:
    """Between two notes with a glide of ten frames, both end where the glide is 70 cents away."""
    midi = np.concatenate([np.full(40, 60.0), np.linspace(60, 67, 12)[1:-1], np.full(40, 67.0)])

    notes = [note for note in sung_notes(track(midi), C_MAJOR) if note.last - note.first > 10]

    assert [note.target for note in notes] == [60, 67]
    assert notes[0].last == 40  # 60.64 belongs to it, 61.3 does not
    assert notes[1].first == 49


def test_the_same_note_sung_twice_is_two_notes() -> None:
    """A gap of ten frames separates notes of a key, one of three does not."""
    midi = sung((60.1, 20), (np.nan, 10), (60.1, 20), (np.nan, 3), (60.1, 20))

    notes = sung_notes(track(midi), C_MAJOR)

    assert [(note.first, note.last) for note in notes] == [(0, 19), (30, 72)]


def test_unsure_and_far_notes_are_left_alone() -> None:
    """A note of low periodicity, and one that is 2 semitones off the score, say why."""
    score = Score((ScoreNote(0, 1, 60), ScoreNote(1, 2, 67), ScoreNote(2, 3, 60)))
    frames = track(sung((60.1, 30), (69.0, 20), (60.1, 30)))
    frames.periodicity[:20] = 0.5

    assert [note.left_alone for note in sung_notes(frames, score)] == ["pitch unsure", "further than 150 cents", ""]


def test_a_score_of_something_else_is_refused() -> None:
    """The message says how little of the take lies near the written notes."""
    score = Score((ScoreNote(0, 1, 60), ScoreNote(1, 2, 66)))

    with pytest.raises(InputError, match="does not follow the score: 0% of it lies within 150 cents"):
        sung_notes(track(sung((62.5, 50), (71.0, 50))), score)


def test_a_score_with_more_notes_than_the_take_has_frames_is_refused() -> None:
    """There is no alignment of a hundred notes to ten frames."""
    score = Score(tuple(ScoreNote(i, i + 1, 60 + i % 2) for i in range(100)))

    with pytest.raises(InputError, match=r"The score has 100 notes, which the take of 0\.2 s of voice cannot hold"):
        sung_notes(track(np.full(10, 60.0)), score)
