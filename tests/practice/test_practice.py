"""What is said of a take of known errors, in words, on the page, and over time."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import InputError
from recsys.home import Home
from recsys.matching.tunes.melody import Melody
from recsys.practice.heard import HeardNote
from recsys.practice.judge import JudgedNote, Judgement, vibrato
from recsys.practice.practise import Practised, write_json
from recsys.practice.summary import Score, faults, lengths_of, summary_of, tuning_of
from recsys.practice.take import judge_sound
from recsys.practice.written import read_score
from recsys.reports.practice import write_page
from recsys.state.forget import forget
from recsys.state.takes import PastTake, keep_take

from .conftest import LATE, MISSING, RATE_HZ, SHARP, VIBRATO, WRONG, melody, sung

ABC = "X:1\nT:Scale\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|"


def test_the_planted_errors_are_found_and_no_others(practised: Practised) -> None:
    """Each planted error is named, and every other note is good."""
    found = {note.number: faults(note) for note in practised.judged.notes if faults(note)}

    assert found == {WRONG: ["wrong"], MISSING: ["missing"], LATE: ["late"], SHARP: ["sharp"]}
    assert practised.judged.extra == ()


def test_pitch_time_and_vibrato_are_measured(practised: Practised) -> None:
    """Cents are right within 5, milliseconds within 30, vibrato within a tenth."""
    notes = practised.judged.notes

    assert practised.judged.shift == pytest.approx(2.0, abs=0.03)
    assert notes[SHARP].cents == pytest.approx(45, abs=5)
    assert notes[LATE].late_s == pytest.approx(0.17, abs=0.03)
    assert notes[VIBRATO].vibrato_hz == pytest.approx(5.5, abs=0.3)
    assert notes[VIBRATO].vibrato_cents == pytest.approx(40, rel=0.1)
    assert notes[VIBRATO].cents == pytest.approx(0, abs=5)


def test_the_last_note_ends_after_its_written_length(practised: Practised) -> None:
    """A half note is no fault where it sounds for a second at two quarter notes a second."""
    last = practised.judged.notes[-1]

    assert last.due_end_s - last.due_s == pytest.approx(1.0, abs=0.03)
    assert lengths_of(practised.judged)[-1] == ""


@pytest.mark.parametrize("n_more", [16, 112])
def test_what_the_take_never_comes_to_is_missing(n_more: int) -> None:
    """A score that goes on after the take has ended: the end of the take is no end of the score."""
    written, rng = melody(), np.random.default_rng(1)
    onset = np.append(written.onset, written.length + np.arange(n_more))
    longer = Melody(
        "long.abc",
        onset,
        np.append(written.duration, np.ones(n_more)),
        np.append(written.pitch, rng.choice([60, 62, 64, 65, 67, 69], n_more)),
        (onset // 4).astype(np.int64) + 1,
    )

    judged, _, _ = judge_sound(sung(), longer)

    assert {note.number for note in judged.notes if note.verdict == "missing"} == {MISSING, *range(16, 16 + n_more)}
    assert summary_of(longer, judged).completeness.n_good == 15


@pytest.mark.parametrize("silence_s", [0, 5])
def test_a_take_that_breaks_off_lacks_what_follows(silence_s: int) -> None:
    """Half of the tune is sung, with silence after it or not: no note of the other half is right or wrong."""
    half = np.append(sung()[: round(4.4 * RATE_HZ)], np.zeros(silence_s * RATE_HZ, np.float32))

    judged, _, _ = judge_sound(np.asarray(half, np.float32), melody())

    verdicts = [note.verdict for note in judged.notes]
    assert set(verdicts[8:]) <= {"missing", "unsure"}
    assert verdicts[8:].count("missing") >= 7
    assert verdicts[:8].count("right") == 7


def test_a_right_note_whose_pitch_is_unknown_does_not_count_as_in_tune(practised: Practised) -> None:
    """It counts as played, and in no score of pitch."""
    first = replace(practised.judged.notes[0], cents=float("nan"))
    judged = replace(practised.judged, notes=(first, *practised.judged.notes[1:]))

    summary = summary_of(practised.melody, judged)

    assert (summary.pitch.n_good, summary.pitch.n) == (12, 14)
    assert summary.completeness == practised.summary.completeness


def test_scores_and_bars_follow_from_the_notes(practised: Practised) -> None:
    """Thirteen of fifteen notes are in tune, fourteen in time, fifteen of sixteen are there."""
    summary = practised.summary

    assert (summary.pitch.n_good, summary.pitch.n) == (13, 15)
    assert (summary.rhythm.n_good, summary.rhythm.n) == (14, 15)
    assert (summary.completeness.n_good, summary.completeness.n) == (15, 16)
    assert [bar for bar, _ in summary.bars] == [2, 3, 4]
    assert summary.tuning.startswith("2 semitones higher than written")


def test_the_interval_is_wilsons() -> None:
    """Of 8 out of 10, as tables have it; of none, nothing is known."""
    assert Score(8, 10).interval == pytest.approx((0.490, 0.943), abs=5e-4)
    assert str(Score(0, 0)) == "unknown: no note could be judged"


def test_keys_octaves_and_tuning_in_words() -> None:
    """The nearest semitone is the key, the rest the tuning."""
    assert tuning_of(0.0) == "in the key that is written; A4 = 440 Hz"
    assert tuning_of(-13.0) == "an octave and 1 semitone lower than written; A4 = 440 Hz"
    assert tuning_of(12 * np.log2(442 / 440)) == "in the key that is written; A4 = 442 Hz, 8 cents sharp"


def test_a_steady_or_gliding_note_has_no_vibrato() -> None:
    """A bend over the whole note is none."""
    assert vibrato(np.linspace(60, 60.5, 60)) == (0.0, 0.0)


def test_the_page_has_both_sounds_and_every_note(practised: Practised, tmp_path: Path) -> None:
    """Two players, a box per written note, and the earlier takes."""
    past = [PastTake("2026-01-01", 0.5, 0.75, None), PastTake("2026-01-02", 0.9, 1.0, 1.0)]

    write_page(practised, past, tmp_path / "page.html")

    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("data:audio/flac;base64,") == 2
    assert page.count("<rect") == 16
    assert "bar 2, F4: wrong" in page
    assert "<td>75%</td>" in page


def test_the_json_has_null_where_nothing_is_known(practised: Practised, tmp_path: Path) -> None:
    """A missing note has no cents."""
    write_json(practised, tmp_path / "take.json")

    notes = json.loads((tmp_path / "take.json").read_text(encoding="utf-8"))["notes"]
    assert notes[MISSING]["cents"] is None
    assert notes[WRONG]["verdict"] == "wrong"


def test_progress_is_kept_by_learner_and_forgotten(practised: Practised, tmp_path: Path) -> None:
    """Takes of the same piece are listed, others' are not, and forgetting leaves none."""
    home = Home(tmp_path)
    keep_take(home, "Bo", "tune.abc", date(2026, 1, 1), practised.summary.shares)
    keep_take(home, "Anna", "tune.abc", date(2026, 1, 1), practised.summary.shares)

    takes = keep_take(home, "Anna", "tune.abc", date(2026, 1, 2), practised.summary.shares)

    assert [take.day for take in takes] == ["2026-01-01", "2026-01-02"]
    assert takes[0].pitch == pytest.approx(13 / 15)
    assert forget(home, "Anna")["practice_takes"] == 2
    assert len(keep_take(home, "Anna", "tune.abc", date(2026, 1, 3), practised.summary.shares)) == 1


def test_a_score_is_one_melody(tmp_path: Path) -> None:
    """A file of one tune is read, however short; of two it is refused."""
    (tmp_path / "one.abc").write_text(ABC)
    (tmp_path / "two.abc").write_text(ABC + "\n\n" + ABC)

    assert read_score(tmp_path / "one.abc").pitch.tolist() == [60, 62, 64, 65, 67, 69, 71, 72]
    with pytest.raises(InputError, match="found 2 melodies, expected one"):
        read_score(tmp_path / "two.abc")


@pytest.mark.parametrize(("usual", "expected"), [(0.9, ["short", "long"]), (0.4, ["", "long"])])
def test_short_notes_are_no_fault_where_notes_of_that_length_are_short(usual: float, expected: list[str]) -> None:
    """Of notes of a second, seven are held as usual, one for 0.38 s and one for 1.5 s; the last are named."""
    held_s = [usual] * 7 + [0.38, 1.5]
    notes = tuple(
        JudgedNote(
            number=place,
            bar=1,
            pitch=60,
            due_s=place,
            due_end_s=place + 1,
            verdict="right",
            heard=HeardNote(place, place + it, 60, 0.4, False, slice(0, 1)),
        )
        for place, it in enumerate(held_s)
    )

    assert lengths_of(Judgement(notes, (), 0.0, 0.02)) == [""] * 7 + expected
