"""Tunes in sound: the chromagram as text, the search in any key and tempo, and the history of the nightly run."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recsys.arrays import F32
from recsys.audio.features.chromagram import FRAME_S, LONGEST_FRAMES, chromagram_of, chromagram_text
from recsys.columns import schema
from recsys.matching.tunes.history import TUNE_CANDIDATES_COLUMNS, TUNE_CHECKS_COLUMNS, TuneHistory
from recsys.matching.tunes.melody import Melody
from recsys.matching.tunes.nightly import NotedTune, extend_history, read_noted_tunes
from recsys.matching.tunes.sound import (
    TEMPOS_OF_NOTES,
    USUAL,
    SoundIndex,
    align,
    chromagram_of_notes,
    standardised,
)
from recsys.synth.tune import Chord

DAY = date(2026, 3, 1)


def tunes(n: int, seed: int = 3) -> list[Melody]:
    """Return melodies of 72 notes, which wander in C major, of about half a minute."""
    rng, scale = np.random.default_rng(seed), np.array([60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79])
    melodies = []
    for number in range(n):
        lengths = rng.choice([0.5, 1.0, 1.5], 72)
        degrees = np.clip(6 + np.cumsum(rng.integers(-3, 4, 72)), 0, 11)
        onset = np.cumsum(lengths) - lengths
        melodies.append(Melody(f"tune {number}", onset, lengths, scale[degrees], (onset // 4).astype(int) + 1))
    return melodies


def played(melody: Melody, semitones: int = 0, tempo: float = 1.0, seed: int = 5) -> F32:
    """Return a noisy chromagram of a tune in another key and tempo."""
    frames = chromagram_of_notes(melody)
    position = np.linspace(0, len(frames) - 1, round(len(frames) / tempo)).astype(int)
    noise = np.random.default_rng(seed).random((len(position), 12)).astype(np.float32)
    return np.asarray(np.roll(frames[position], semitones, axis=1) + 0.1 * noise, np.float32)


def text_of(chromagram: F32) -> str:
    """Write a chromagram as a scan does."""
    profiles = np.zeros((len(chromagram), 6, 12), np.float32)
    profiles[:, 2] = chromagram
    return chromagram_text(profiles)


def history_of(
    texts: dict[str, str], notes: list[NotedTune], last: TuneHistory | None = None, most: int = 10
) -> TuneHistory:
    """The history after a night."""
    empty = TuneHistory(*(pl.DataFrame(schema=schema(it)) for it in (TUNE_CANDIDATES_COLUMNS, TUNE_CHECKS_COLUMNS)))
    return extend_history(texts, notes, last or empty, most=most, found_on=DAY)


def pairs(history: TuneHistory) -> set[tuple[str, str]]:
    """What was found: source and recording."""
    return set(history.candidates.select("source_id", "audio_id").iter_rows())


def test_a_chromagram_as_text_by_hand() -> None:
    """A frame with C twice as strong as E, then a silent one."""
    profiles = np.zeros((2, 6, 12), np.float32)
    profiles[:, 1, 0], profiles[:, 2, 4] = 2.0, 1.0
    profiles[1, 5] = -4.0

    text = chromagram_text(profiles)

    assert text == "f0008000000" + "0" * 13
    assert chromagram_of(text)[0].tolist() == pytest.approx([1, 0, 0, 0, 8 / 15, *[0] * 7])


def test_the_chromagram_of_notes_by_hand() -> None:
    """At 110 quarter notes per minute a quarter lasts 2.13 frames: two of C, then .13 of C and .87 of D."""
    melody = Melody("two", np.array([0.0, 1.0]), np.ones(2), np.array([60, 62]), np.ones(2, int))
    quarter = 60 / 110 / FRAME_S

    frames = chromagram_of_notes(melody)

    assert frames[:2, 0].tolist() == [1, 1]
    assert frames[2, [0, 2]].tolist() == pytest.approx([quarter - 2, 3 - quarter], abs=1e-5)
    assert frames.sum() == pytest.approx(2 * quarter, abs=1e-4)


def test_notes_that_never_end_need_no_more_memory_than_ten_minutes() -> None:
    """A note of years after a usual one: the beginning is as it would be alone, and the rest is left out."""
    onset, duration, pitch = np.array([0.0, 1.0]), np.array([1.0, 1e300]), np.array([60, 64])
    years = Melody("years", onset, duration, pitch, np.array([1, 1]))

    frames = chromagram_of_notes(years)

    assert frames.shape == (LONGEST_FRAMES, 12)
    short = chromagram_of_notes(replace(years, duration=np.array([1.0, 9.0])))
    assert frames[: len(short) - 2] == pytest.approx(short[:-2])
    assert frames[-1].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]


def test_a_tune_is_found_in_another_key_and_tempo() -> None:
    """First of twelve, three semitones higher and 10 % faster, over nearly its whole length."""
    melodies = tunes(12)
    index = SoundIndex.of([played(melody, seed=seed) for seed, melody in enumerate(melodies)])

    best, second = index.search(played(melodies[4], -3, 1 / 1.1, seed=99))[:2]

    assert (best.row, best.transposition) == (4, 3)
    assert best.tempo_ratio == pytest.approx(1.1, rel=0.03)
    assert best.score > 1.5 * second.score
    assert best.expected <= USUAL < second.expected
    length_s = len(index.frames[4]) * FRAME_S
    assert best.other_ends_s - best.other_starts_s == pytest.approx(length_s, rel=0.15)
    assert best.ends_s - best.starts_s == pytest.approx(1.1 * length_s, rel=0.15)


def test_a_part_in_a_longer_recording_is_placed() -> None:
    """A tune begins after that of another: the alignment says where."""
    first, second = tunes(2)
    both = standardised(np.concatenate([played(first), played(second)]))
    own = standardised(played(second, seed=8))

    (found,) = align(own, [both])

    assert found.other_first == pytest.approx(len(played(first)), abs=12)
    assert found.other_last == pytest.approx(len(both) - 1, abs=4)
    assert [found.first, found.last] == pytest.approx([0, len(own) - 1], abs=12)


def test_silence_resembles_nothing() -> None:
    """Its score is 0, as query and as recording."""
    silence, tune = np.zeros((100, 12), np.float32), played(tunes(1)[0])

    assert [match.score for match in SoundIndex.of([silence, tune]).search(silence)] == [0, 0]


def test_a_night_searches_each_pair_once_and_notes_in_all() -> None:
    """A cover is found when it comes, among earlier recordings and by notes; short recordings are not compared."""
    melodies = tunes(6)
    texts = {f"r{n}": text_of(played(melody, seed=n)) for n, melody in enumerate(melodies)}
    texts["short"] = texts["r2"][: 12 * 77]  # less than 20 s
    notes = [NotedTune("n2", "T0345246801", (melodies[2],))]

    first = history_of(texts, notes)
    later = history_of(texts | {"cover": text_of(played(melodies[2], 5, 0.9, seed=44))}, notes, first)
    again = history_of(texts | {"cover": text_of(played(melodies[2], 5, 0.9, seed=44))}, notes, later)

    assert pairs(first) == {("n2", "r2")}
    assert pairs(later) == {("n2", "r2"), ("cover", "r2"), ("n2", "cover")}
    assert "short" not in later.checks["source_id"]
    assert later.checks.filter(source_kind="notes")["n_found"].to_list() == [2]
    assert again.candidates.equals(later.candidates)
    assert again.checks.equals(later.checks)


def test_nights_find_what_one_night_finds() -> None:
    """Chance is counted by the catalogue, so that notes that are known pass no more strangers in small batches."""
    melodies = tunes(6)
    texts = {f"r{n}": text_of(played(melody, seed=n)) for n, melody in enumerate(melodies)}
    texts["cover"] = text_of(played(melodies[2], 5, 0.9, seed=44))
    notes = [NotedTune("n2", "T0345246801", (melodies[2],))]

    at_once, nightly = history_of(texts, notes), history_of(texts, notes, most=2)
    for _ in range(3):
        nightly = history_of(texts, notes, nightly, most=2)

    keys = ["source_id", "audio_id"]
    assert pairs(nightly) == {("n2", "r2"), ("cover", "r2"), ("n2", "cover")}
    assert_frame_equal(nightly.candidates.sort(keys), at_once.candidates.sort(keys), rel_tol=1e-3)


def test_a_recording_that_is_taken_down_leaves_no_tune_behind() -> None:
    """Neither what was found of it, nor that it was searched; a removed file of notes likewise."""
    melodies = tunes(3)
    texts = {f"r{n}": text_of(played(melody, seed=n)) for n, melody in enumerate(melodies)}
    texts["cover"] = text_of(played(melodies[1], 2, seed=9))
    notes = [NotedTune("n1", "T0345246801", (melodies[1],))]
    before = history_of(texts, notes)

    del texts["r1"]
    after = history_of(texts, [], before)

    assert ("n1", "r1") in pairs(before)
    assert pairs(after) == set()
    assert set(after.checks["source_id"]) == {"r0", "r2", "cover"}


def test_only_files_named_after_a_work_are_its_notes(tmp_path: Path) -> None:
    """By ISWC, or by source and number; two files of a work are one; what cannot be compared is named."""
    rising = "X:1\nT:a\nM:4/4\nL:1/4\nK:C\n" + "".join("CEDF|GECA|" if n % 3 else "CDEG|AFDB|" for n in range(6))
    (tmp_path / "pub").mkdir()
    (tmp_path / "pub" / "17.abc").write_text(rising + "\n")
    (tmp_path / "T0345246801.abc").write_text("X:1\nK:C\nCDE|\n")
    (tmp_path / "other.abc").write_text(rising + "\n")

    (tmp_path / "pub" / "17.ABC").write_text(rising.replace("K:C", "K:D") + "\n")

    noted = read_noted_tunes(tmp_path, {"pub/17", "T0345246801"})

    assert [(tune.name, len(tune.melodies)) for tune in noted.tunes] == [("pub/17", 2)]
    assert list(noted.refused) == ["T0345246801.abc"]
    assert noted.refused["T0345246801.abc"].startswith("too short")
    assert noted.n_others == 1


def test_notes_find_a_recording_at_an_unknown_tempo() -> None:
    """At 70 and at 180 quarter notes per minute, in another key."""
    melodies = tunes(8)
    for tempo in (70 / 110, 180 / 110):
        index = SoundIndex.of([played(melody, 4, tempo, seed=n) for n, melody in enumerate(melodies)])

        best = index.search(chromagram_of_notes(melodies[3]), TEMPOS_OF_NOTES)[0]

        assert best.row == 3
        assert best.tempo_ratio == pytest.approx(tempo, rel=0.05)


def with_chords(melody: Melody) -> Melody:
    """Return a melody with a triad per bar, whose root is the note that sounds at its beginning."""
    bars = np.arange(0, melody.length, 4.0)
    roots = melody.pitch[np.searchsorted(melody.onset, bars + 1e-6) - 1]
    chords = [Chord(onset, root % 12, False) for onset, root in zip(bars.tolist(), roots.tolist(), strict=True)]
    return replace(melody, chords=tuple(chords))


def test_odd_recordings_have_their_tune_first() -> None:
    """Under chords; with itself four seconds later (a canon); between two keys, 40 cents off; with a free tempo."""
    melodies = tunes(12)
    index = SoundIndex.of([played(melody, seed=no) for no, melody in enumerate(melodies)])
    tune, frames = melodies[2], played(melodies[2])
    canon = frames.copy()
    canon[16:] += frames[:-16]
    edges = np.append(tune.onset, tune.length)
    free = edges + 0.25 * 8 / (2 * np.pi) * np.sin(2 * np.pi * edges / 8)
    heard = {
        "chords": played(with_chords(tune), 3),
        "canon": canon,
        "40 cents": 0.6 * frames + 0.4 * np.roll(frames, 1, axis=1),
        "rubato": played(replace(tune, onset=free[:-1], duration=np.diff(free))),
    }

    found = {name: index.search(query)[:2] for name, query in heard.items()}

    assert {name: best.row for name, (best, _) in found.items()} == dict.fromkeys(heard, 2)
    assert all(best.score > second.score + 0.05 for best, second in found.values())


def test_what_has_no_evidence_in_sound_passes_no_point() -> None:
    """A drone, and a scale up and down; of a tune whose second half is a fourth higher, no other tune is claimed."""
    melodies = tunes(12)
    index = SoundIndex.of([played(melody, seed=no) for no, melody in enumerate(melodies)])
    noise = 0.1 * np.random.default_rng(1).random((200, 12))
    drone = np.asarray(np.eye(12)[:1] + noise, np.float32)
    steps = np.tile([60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62], 7)
    onset = np.arange(len(steps)) / 2
    scale = Melody("scale", onset, np.full(len(steps), 0.5), steps, (onset // 4).astype(int) + 1)
    raised = melodies[2].pitch + np.where(np.arange(len(melodies[2])) < 36, 0, 5)

    for query in (drone, played(scale), played(replace(melodies[2], pitch=raised))):
        assert min(match.expected for match in index.search(query)) > USUAL


def test_two_tunes_in_one_recording_are_both_found() -> None:
    """One after the other: both pass the point of 1 %, each with its part of the recording."""
    melodies = tunes(12)
    index = SoundIndex.of([played(melody, seed=no) for no, melody in enumerate(melodies)])
    first, second = played(melodies[2]), played(melodies[3])

    found = {match.row: match for match in index.search(np.concatenate([first, second])) if match.expected <= USUAL}

    assert found.keys() == {2, 3}
    assert found[2].ends_s < found[3].starts_s + 5
    assert found[3].starts_s == pytest.approx(len(first) * FRAME_S, abs=5)
