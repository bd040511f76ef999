"""Similar tunes: the fast alignment against the plain one, its laws, and the command's answers."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.cli import main
from recsys.cli.show import tunes as show
from recsys.library.settings import AudioSettings
from recsys.matching.tunes.agreement import agreement_of, interval_text
from recsys.matching.tunes.alignment import GAP, MEAN_IMPORTANCE, PITCH_POINTS, Contour, align_pair, blocks, scores
from recsys.matching.tunes.find import compare_tunes
from recsys.matching.tunes.index import TuneIndex, contour_of
from recsys.matching.tunes.melody import Melody, melody_of
from recsys.matching.tunes.reading import ReadTunes
from recsys.matching.tunes.recordings import SimilarRecording, SimilarRecordings
from recsys.matching.tunes.same import SameTune, folder_of_others, same_tune
from recsys.matching.tunes.significance import expected_strangers
from recsys.matching.tunes.sound import SoundMatch
from recsys.synth.tune import compose


def tunes(n: int, seed: int = 3) -> list[Melody]:
    """Compose melodies."""
    rng = np.random.default_rng(seed)
    return [melody_of(compose(f"tune {number}", rng)) for number in range(n)]


def varied(melody: Melody, seed: int = 5) -> Melody:
    """Return a setting of a melody: some notes are left out, others a step off."""
    rng = np.random.default_rng(seed)
    kept = rng.random(len(melody)) > 0.1
    pitch = melody.pitch + np.where(rng.random(len(melody)) < 0.1, 2, 0)
    bar = melody.bar[kept]
    return Melody(f"{melody.name}, varied", melody.onset[kept], melody.duration[kept], pitch[kept], bar)


def moved(melody: Melody, semitones: int, factor: float = 1.0) -> Melody:
    """Return a melody in another key, in longer notes, without its chords."""
    onset, duration = melody.onset * factor, melody.duration * factor
    return replace(melody, pitch=melody.pitch + semitones, onset=onset, duration=duration, chords=())


def plain_points(query: Contour, other: Contour, shift: int, *, with_rhythm: bool) -> int:
    """Points of the best alignment, cell by cell as the module's documentation defines them."""

    @cache
    def best(i: int, j: int, gap: str) -> float:
        if i == j == 0:
            return 0 if not gap else -np.inf
        if gap:
            before = (i - 1, j) if gap == "query" else (i, j - 1)
            return -np.inf if min(before) < 0 else max(best(*before, gap), value(*before) - GAP)
        if not (i and j):
            return -np.inf
        apart = abs(int(query.pitch[i - 1]) - int(other.pitch[j - 1]) + shift)
        shared = min(query.importance[i - 1], other.importance[j - 1]) if with_rhythm else MEAN_IMPORTANCE
        points = PITCH_POINTS[min(apart, len(PITCH_POINTS) - 1)]
        return value(i - 1, j - 1) + int(points) * 2 * int(shared) // 10

    def value(i: int, j: int) -> float:
        return max(best(i, j, gap) for gap in ("", "query", "other"))

    return int(value(len(query.pitch), len(other.pitch)))


def test_the_fast_alignments_equal_the_plain_one() -> None:
    """For lines of different lengths in one block, with and without rhythm."""
    rng = np.random.default_rng(11)
    lines = [Contour.of(rng.integers(60, 72, n), rng.choice([0.5, 1, 2], n)) for n in (1, 2, 9, 30, 17)]
    shifts = rng.integers(-3, 4, len(lines))

    for with_rhythm in (False, True):
        fast = scores(lines[3], blocks(lines), shifts, with_rhythm=with_rhythm)

        for points, line, by in zip(fast.tolist(), lines, shifts.tolist(), strict=True):
            assert points == plain_points(lines[3], line, by, with_rhythm=with_rhythm)
            assert points == align_pair(lines[3], line, by, with_rhythm=with_rhythm)[0]


def test_an_alignment_by_hand() -> None:
    """C D E G with C D F# G: three notes of 16 points and one, two semitones off, of 4; without the last: a gap."""
    query = Contour.of(np.array([60, 62, 64, 67]), np.ones(4))
    other = Contour.of(np.array([60, 62, 66, 67]), np.ones(4))
    shift = query.median - other.median
    shorter = Contour.of(np.array([60, 62, 64]), np.ones(3))

    assert align_pair(query, other, shift, with_rhythm=False) == (52, [(0, 0), (1, 1), (2, 2), (3, 3)])
    assert align_pair(query, shorter, query.median - shorter.median, with_rhythm=False)[0] == 3 * 16 - 8


@settings(max_examples=15, deadline=None)
@given(semitones=st.integers(-30, 30), factor=st.floats(0.1, 10), seed=st.integers(0, 50))
def test_a_transposition_and_a_tempo_change_no_score(semitones: int, factor: float, seed: int) -> None:
    """All scores of a query are the same in any key and tempo."""
    index = TuneIndex.of(tunes(12))
    query = varied(index.melodies[seed % 12], seed)

    found = index.search(query, 12)
    later = index.search(moved(query, semitones, factor), 12)

    assert [it.score for it in later] == [it.score for it in found]
    assert [it.row for it in later] == [it.row for it in found]
    assert found[0].row == seed % 12


def test_a_melody_resembles_itself_fully() -> None:
    """Its score is 1; the score is symmetric."""
    index = TuneIndex.of(tunes(6))

    for row, melody in enumerate(index.melodies):
        best = index.search(melody, 1)[0]
        assert (best.row, best.score, best.pitch, best.rhythm) == (row, 1.0, 1.0, 1.0)
    a, b = index.melodies[:2]
    assert TuneIndex.of([a]).search(b)[0].pitch == TuneIndex.of([b]).search(a)[0].pitch


def test_where_and_how_two_settings_agree() -> None:
    """A copy a fourth higher in double note values agrees everywhere; the phrase is counted in any key."""
    melody = tunes(1)[0]
    copy = moved(melody, 5, 2)
    others = [melody, copy, *tunes(3, seed=8)]

    found = agreement_of(
        melody, copy, (contour_of(melody), contour_of(copy)), 0, [interval_text(it.pitch) for it in others]
    )

    assert (found.transposition, found.tempo_ratio) == (5, 2.0)
    assert (found.aligned_share, found.rhythm_share, found.harmony_share) == (1.0, 1.0, None)
    assert (found.phrase, found.phrase_in) == ((0, len(melody)), 2)
    assert [(span.first_bar, span.last_bar) for span in found.spans] == [(1, 16)]


def test_the_tail_gives_the_expected_number_of_strangers() -> None:
    """For scores with an exponential tail, the k-th best is expected k times."""
    n = 10_000
    best = -0.02 * np.log(np.arange(1, 501) / n)

    assert expected_strangers(best, n) == pytest.approx(np.arange(1, 501), rel=0.02)


def abc_of(melody: Melody, number: int, key: str = "C") -> str:
    """Write a melody as ABC, in quarter notes."""
    names = ("C", "^C", "D", "^D", "E", "F", "^F", "G", "^G", "A", "^A", "B")
    lengths = np.round(melody.duration * 4).astype(int)
    notes = [
        f"{names[pitch % 12]}{chr(39) * max(0, pitch // 12 - 5)}{',' * max(0, 5 - pitch // 12)}{length}"
        for pitch, length in zip(melody.pitch, lengths, strict=True)
    ]
    bars = np.split(np.array(notes), np.flatnonzero(np.diff(melody.bar)) + 1)
    return (
        f"X:{number}\nT:{melody.name}\nM:4/4\nL:1/16\nK:{key}\n" + "|\n".join(" ".join(bar) for bar in bars) + "|\n\n"
    )


def test_the_command_finds_the_tune_and_says_how(tmp_path: Path) -> None:
    """In the home's tunes, in another key; the file has two tunes, and each is answered; a scale is named."""
    collection = tunes(8)
    folder = tmp_path / "tunes"
    folder.mkdir()
    (folder / "all.abc").write_text("".join(abc_of(melody, row) for row, melody in enumerate(collection, start=1)))
    queries = [moved(varied(collection[2]), 3), varied(collection[5])]
    scale = "X:3\nT:Scale\nL:1/4\nK:C\nCDEF|GABc|cBAG|FEDC|\n"
    (tmp_path / "set.abc").write_text("".join(abc_of(it, row) for row, it in enumerate(queries, start=1)) + scale)
    words = ["--home", str(tmp_path), "same-tune", str(tmp_path / "set.abc"), "--report"]

    shown = CliRunner().invoke(main, [*words, str(tmp_path / "a.json")])
    drawn = CliRunner().invoke(main, [*words, str(tmp_path / "a.html")])

    assert (shown.exit_code, drawn.exit_code) == (0, 0), shown.output
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")
    answers = json.loads((tmp_path / "a.json").read_text())["notes"]["answers"]
    assert [answer["matches"][0]["name"] for answer in answers] == [
        "all.abc, tune 3 (tune 2)",
        "all.abc, tune 6 (tune 5)",
    ]
    assert [answer["matches"][0]["agreement"]["transposition"] for answer in answers] == [-3, 0]
    assert "Scale" in shown.stderr
    assert "no evidence" in shown.stderr
    assert "similar" in shown.stdout
    assert "infring" not in shown.output


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("a.abc", "X:1\nK:C\nCDEF|\n", "no tune can be compared. a.abc: too short"),
        ("a.abc", "X:1\nK:C\nz4|\n", "found no note"),
        ("a.abc", "no tune", "found no tune in ABC"),
        ("a.txt", "notes", "found the ending '.txt'"),
        ("", "", "does not exist"),
    ],
)
def test_what_cannot_be_compared_is_said(file: str, content: str, message: str, tmp_path: Path) -> None:
    """Silence, one bar, another format and a missing file end with a message and exit status 2."""
    if file:
        (tmp_path / file).write_text(content)

    shown = CliRunner().invoke(main, ["same-tune", str(tmp_path / (file or "none.abc")), "--against", str(tmp_path)])

    assert shown.exit_code == 2
    assert message in shown.stderr


def test_a_file_is_not_compared_with_itself(tmp_path: Path) -> None:
    """Neither in a folder that holds it; another file with the same tune is found."""
    first, second = tunes(2)
    (tmp_path / "a.abc").write_text(abc_of(first, 1))
    (tmp_path / "b.abc").write_text(abc_of(first, 1) + abc_of(second, 2))

    others = folder_of_others(tmp_path, AudioSettings(), without=tmp_path / "a.abc")

    found = same_tune(tmp_path / "a.abc", others, 5, AudioSettings())

    assert found.notes is not None
    (answer,) = found.notes.answers

    assert [match.name for match in answer.matches] == ["b.abc, tune 1 (tune 0)", "b.abc, tune 2 (tune 1)"]
    assert answer.matches[0].resemblance.score == 1.0


def test_a_large_collection_has_a_tail_of_the_scores_that_are_known() -> None:
    """Of exponential scores the fit gives back the rate; no more strangers are expected than there are melodies."""
    n_melodies, rate = 60_000, 40.0
    scores = np.log(n_melodies / np.arange(1, 501)) / rate  # as many melodies as the rank score at least as high

    expected = expected_strangers(scores, n_melodies)

    assert expected == pytest.approx(np.arange(1, 501), rel=1e-6)
    assert expected_strangers(np.array([0.0]), 1).tolist() == [1.0]


def test_a_file_of_the_catalogue_is_not_compared_with_itself(tmp_path: Path) -> None:
    """A file of <home>/tunes that is dropped on the command finds the others."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    for number, melody in enumerate(tunes(3)):
        (folder / f"{number}.abc").write_text(abc_of(melody, 1))

    words = ["--home", str(tmp_path), "same-tune", str(folder / "1.abc"), "--json"]
    report = json.loads(CliRunner().invoke(main, words, catch_exceptions=False).stdout)

    assert {match["name"] for match in report["notes"]["answers"][0]["matches"]} == {"0.abc", "2.abc"}


def test_a_home_without_tunes_says_what_to_do(tmp_path: Path) -> None:
    """Put notes into its folder, scan recordings, or compare with another folder."""
    (tmp_path / "a.abc").write_text(abc_of(tunes(1)[0], 1))

    shown = CliRunner().invoke(main, ["--home", str(tmp_path / "home"), "same-tune", str(tmp_path / "a.abc")])

    assert shown.exit_code == 2
    assert all(words in shown.stderr for words in ("home/tunes", "recsys audio scan", "--against DIR"))


def test_everything_is_printed_as_json(tmp_path: Path) -> None:
    """With the keys notes, recordings and reasons, equal to the file of --report; nothing else is printed."""
    first, second = tunes(2)
    (tmp_path / "a.abc").write_text(abc_of(first, 1))
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "b.abc").write_text(abc_of(first, 1) + abc_of(second, 2))
    words = ["same-tune", str(tmp_path / "a.abc"), "--against", str(tmp_path / "others"), "--json"]

    shown = CliRunner().invoke(main, [*words, "--report", str(tmp_path / "a.json")], catch_exceptions=False)

    report = json.loads(shown.stdout)
    assert json.loads((tmp_path / "a.json").read_text()) == report
    assert list(report) == ["notes", "recordings", "reasons"]
    assert report["notes"]["answers"][0]["matches"][0]["resemblance"]["score"] == 1.0
    assert report["recordings"] is None
    assert report["reasons"]["recordings"] == "Not compared: there are no recordings that can be compared"


def test_recordings_and_reasons_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A row per recording, and why there are no notes; a hostile name has no control characters."""
    match = SoundMatch(0, 0.21, 1e-9, 2, 1.1, 0.0, 26.3, 1.0, 30.0)
    stranger = replace(match, score=0.02, expected=40.0)
    answers = (SimilarRecording("Three\x1b[2J by Bea", match, "0.1 %"), SimilarRecording("Four", stranger, ""))
    recordings = SimilarRecordings({"song.flac": answers}, 2, {"short.flac": "too short"})

    show.same_tune(SameTune(None, recordings, {"notes": "Not compared: several voices", "recordings": "Compared"}))

    printed = capsys.readouterr()
    assert "song.flac: most similar of 2 recordings" in printed.out
    rows = [line.split() for line in printed.out.splitlines() if "%" in line]
    assert [row[-3:] for row in rows] == [["1e-06", "0.1", "%"], ["0:01.0-0:30.0", "40", "-"]]
    assert "\x1b" not in printed.out
    assert "Notes: Not compared: several voices" in printed.err
    assert "short.flac: too short" in printed.err


def test_tunes_that_may_not_be_named_count_as_strangers() -> None:
    """They are in no answer, but in the number of tunes and in how many have a phrase."""
    melodies = tunes(6)
    twin = replace(melodies[1], name="a twin of tune 1")
    read = ReadTunes([*melodies, twin], {"a file of others": "too short"})

    everyone = compare_tunes(ReadTunes(melodies[1:2], {}), read, 3)
    one = compare_tunes(ReadTunes(melodies[1:2], {}), read, 3, {"tune 1", "tune 4"})

    assert [match.name for match in one.answers[0].matches] == ["tune 1", "tune 4"]
    assert everyone.answers[0].matches[0] == one.answers[0].matches[0]
    assert one.answers[0].matches[0].agreement.phrase_in == 2
    assert (everyone.n_compared, one.n_compared) == (7, 7)
    assert (everyone.left_out, one.left_out) == ({"a file of others": "too short"}, {})
