"""Alignment of what is heard with what is written, on notes without sound."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.arrays import F64
from recsys.matching.tunes.melody import Melody
from recsys.practice.follow import follow, tempo_curve
from recsys.practice.heard import HeardNote

PITCHES = (60, 62, 64, 65, 67, 64, 60, 67, 65, 62, 64, 71, 72, 69, 65, 67, 62, 64, 60, 59)


def melody() -> Melody:
    """Twenty quarter notes in five bars."""
    n = len(PITCHES)
    return Melody("tune", np.arange(n, dtype=float), np.ones(n), np.array(PITCHES), np.arange(n) // 4 + 1)


def heard(start_s: F64, midi: F64) -> list[HeardNote]:
    """Notes that begin at these times and end where the next begins."""
    ends_s = np.append(start_s[1:], start_s[-1] + 0.5)
    return [
        HeardNote(float(a), float(b), float(pitch), 0.4, False, slice(round(a / 0.016), round(b / 0.016)))
        for a, b, pitch in zip(start_s, ends_s, midi, strict=True)
    ]


@pytest.mark.parametrize(("key", "quarter_s"), [(0.0, 0.5), (-12.0, 0.4), (3.2, 0.7)])
def test_every_note_of_a_faultless_take_is_found_in_any_key_and_tempo(key: float, quarter_s: float) -> None:
    """A take that is transposed, detuned, slower or faster follows the score note by note."""
    start_s = 0.7 + quarter_s * np.arange(len(PITCHES), dtype=np.float64)

    found = follow(melody(), heard(start_s, np.array(PITCHES) + key))

    np.testing.assert_array_equal(found.heard, np.arange(len(PITCHES)))
    assert found.shift == pytest.approx(key, abs=0.01)
    np.testing.assert_allclose(found.due_s, start_s, atol=0.005)
    assert found.sureness.min() > 0.95


def test_missing_extra_wrong_and_late_notes_are_told_apart() -> None:
    """Note 5 is missing, 9 wrong, 13 late by 0.2 s, and after 15 there is one more."""
    start_s, midi = 0.5 * np.arange(len(PITCHES), dtype=np.float64), np.array(PITCHES, float)
    midi[9] += 3
    start_s[13] += 0.2
    start_s, midi = np.insert(start_s, 16, start_s[15] + 0.25), np.insert(midi, 16, 63)
    start_s, midi = np.delete(start_s, 5), np.delete(midi, 5)

    found = follow(melody(), heard(start_s, midi))

    expected = [0, 1, 2, 3, 4, -1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19]
    np.testing.assert_array_equal(found.heard, expected)
    assert found.left_over[15] > 0.9
    assert start_s[found.heard[13]] - found.due_s[13] == pytest.approx(0.2, abs=0.05)


def test_an_extra_note_of_the_next_pitch_leaves_that_on_time() -> None:
    """Before note 9 its pitch is played 0.3 s early; that note sets in at its time, less sharply than others."""
    start_s, midi = 0.5 * np.arange(len(PITCHES), dtype=np.float64), np.array(PITCHES, float)
    notes = heard(np.insert(start_s, 9, start_s[9] - 0.3), np.insert(midi, 9, midi[9]))
    notes[10] = replace(notes[10], attack=0.3)

    found = follow(melody(), notes)

    assert found.heard[9] == 10
    assert found.left_over[9] > 0.7


def test_the_curve_follows_a_tempo_that_slows_down_but_not_a_late_note() -> None:
    """Onsets that grow with the square of the beat are met; one that is 0.3 s late is not."""
    beats = np.arange(40, dtype=float)
    true_s = 0.5 * beats + 0.002 * beats**2
    start_s = true_s.copy()
    start_s[20] += 0.3

    curve = tempo_curve(0.58 * beats, start_s, 2.2)

    np.testing.assert_allclose(curve, true_s, atol=0.03)
