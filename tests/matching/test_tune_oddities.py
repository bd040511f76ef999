"""Odd queries: swing, rubato, sets of tunes, a change of key, and recordings without evidence."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from recsys.arrays import F64, I64
from recsys.audio.signal import UnreadableAudio
from recsys.matching.tunes.index import Resemblance, TuneIndex
from recsys.matching.tunes.melody import Melody, melody_of, without_overlap
from recsys.matching.tunes.reading import why_not
from recsys.matching.tunes.take import LONGEST_S, read_take
from recsys.synth.tune import compose


def composed(n: int) -> list[Melody]:
    """Compose melodies without chords."""
    rng = np.random.default_rng(8)
    return [replace(melody_of(compose(f"tune {number}", rng)), chords=()) for number in range(n)]


TUNES = composed(60)
SCALE = [60, 62, 64, 65, 67, 69, 71, 72]
INDEX = TuneIndex.of(TUNES)


def best_of(query: Melody, n: int = 3) -> list[Resemblance]:
    """Return the most similar of sixty tunes."""
    return INDEX.search(query, n)


def at_times(melody: Melody, moved: F64) -> Melody:
    """Return a melody whose notes begin and end where `moved` has their onsets and the end, shape (n + 1,)."""
    return replace(melody, onset=moved[:-1], duration=np.diff(moved))


def edges(melody: Melody) -> F64:
    """Return the onsets and the end of a melody."""
    return np.append(melody.onset, melody.length)


@pytest.mark.parametrize("row", [0, 9, 23])
def test_swing_and_rubato_change_little(row: int) -> None:
    """Quavers played as two to one, and a tempo that varies by a quarter: the tune is first, well above others."""
    plain = edges(TUNES[row])
    beat, within = np.floor(plain), plain % 1
    swung = beat + np.interp(within, [0, 0.5, 1], [0, 2 / 3, 1])
    free = plain + 0.25 * 8 / (2 * np.pi) * np.sin(2 * np.pi * plain / 8)

    for moved in (swung, free):
        best, second, _ = best_of(at_times(TUNES[row], moved))
        assert best.row == row
        assert best.pitch == 1
        assert best.rhythm > 0.8
        assert second.score < 0.6


@pytest.mark.parametrize("rows", [(3, 17), (30, 41)])
def test_a_set_finds_both_of_its_tunes(rows: tuple[int, int]) -> None:
    """Two tunes written as one: both are above all others."""
    first, second = (TUNES[row] for row in rows)
    second = replace(second, onset=second.onset + first.length, bar=second.bar + first.bar[-1])
    both = replace(
        first,
        onset=np.append(first.onset, second.onset),
        duration=np.append(first.duration, second.duration),
        pitch=np.append(first.pitch, second.pitch),
        bar=np.append(first.bar, second.bar),
    )

    best = best_of(both)

    assert {it.row for it in best[:2]} == set(rows)
    assert best[1].score > best[2].score + 0.05


def test_a_change_of_key_half_way_leaves_half() -> None:
    """The second half a fifth higher: the tune is first, by the half in one key."""
    tune = TUNES[5]
    half = len(tune) // 2

    best = best_of(replace(tune, pitch=tune.pitch + np.where(np.arange(len(tune)) < half, 0, 7)))

    assert best[0].row == 5
    assert 0.4 < best[0].pitch < 0.75


def highest_voice(*voices: tuple[F64, F64, I64]) -> Melody:
    """Return what is read of voices, each of onsets, durations and pitches, that sound together in one part."""
    onset, duration, pitch = (np.concatenate(columns) for columns in zip(*voices, strict=True))
    kept = without_overlap(onset.tolist(), (onset + duration).tolist(), pitch.tolist())
    return Melody("voices", *kept, (kept[0] // 4).astype(np.int64) + 1)


@pytest.mark.parametrize("row", [0, 23, 40])
def test_chords_below_a_melody_do_not_hide_it(row: int) -> None:
    """A triad per half note, below its lowest note, in one part: every note of the melody agrees."""
    tune = TUNES[row]
    beats = np.arange(0, tune.length, 2.0)
    triad = [(beats, np.full(len(beats), 2.0), np.full(len(beats), tune.pitch.min() - step)) for step in (12, 8, 5)]

    best, second, _ = best_of(highest_voice((tune.onset, tune.duration, tune.pitch), *triad))

    assert (best.row, best.pitch) == (row, 1.0)
    assert second.pitch < 0.7


@pytest.mark.parametrize("row", [0, 23, 40])
@pytest.mark.parametrize(("lower", "least"), [(12, 0.8), (7, 0.7), (0, 0.55)])
def test_a_canon_of_a_tune_with_itself_is_found(row: int, lower: int, least: float) -> None:
    """The second voice begins two bars later, an octave or a fifth lower, or in unison: the tune is first."""
    tune = TUNES[row]
    voices = [(tune.onset + delay, tune.duration, tune.pitch - by) for delay, by in ((0, 0), (8, lower))]

    best, second, _ = best_of(highest_voice(*voices))

    assert best.row == row
    assert best.score > least
    assert best.score > second.score + 0.2


@pytest.mark.parametrize(
    ("pitches", "reason"),
    [
        ([60], "too short: 1 notes"),
        ([60, 62, 64, 65], "too short: 4 notes"),
        ([*SCALE, *SCALE[-2:0:-1], *SCALE], "no evidence: 6 patterns"),
        ([60, 62] * 8, "no evidence: 2 patterns"),
    ],
)
def test_a_take_without_evidence_is_refused(pitches: list[int], reason: str) -> None:
    """A held note, one bar, a scale up, down and up again, a trill."""
    n = len(pitches)
    take = Melody("take", np.arange(n) / 2, np.full(n, 0.5), np.array(pitches), np.arange(n) // 2, is_take=True)

    assert str(why_not(take)).startswith(reason)


def test_a_recording_of_hours_is_refused(tmp_path: Path) -> None:
    """Before its pitch is tracked."""
    wavfile.write(tmp_path / "long.wav", 500, np.zeros(round(500 * (LONGEST_S + 1)), np.int16))

    with pytest.raises(UnreadableAudio, match="longer than"):
        read_take(tmp_path / "long.wav")
