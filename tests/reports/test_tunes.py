"""The report of similar tunes: its drawings, its text in ABC, and what it says about evidence."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from recsys.matching.tunes.agreement import agreement_of, interval_text, phrase_names
from recsys.matching.tunes.find import Answer, Match, SimilarTunes
from recsys.matching.tunes.index import TuneIndex
from recsys.matching.tunes.melody import Melody, melody_of
from recsys.matching.tunes.same import SameTune
from recsys.reports.tunes.contours import contours
from recsys.reports.tunes.notation import notation
from recsys.reports.tunes.page import write_page
from recsys.synth.abc import read_abc_tolerantly
from recsys.synth.tune import compose

HOSTILE = '<script>alert("1")</script></title></svg>&\u202e'


def composed(n: int = 3) -> list[Melody]:
    """Compose melodies without chords."""
    rng = np.random.default_rng(4)
    return [replace(melody_of(compose(f"tune {number}", rng)), chords=()) for number in range(n)]


def even(*pitches: int, name: str = "even") -> Melody:
    """Return a melody in quarter notes, four to a bar."""
    n = len(pitches)
    return Melody(name, np.arange(n, dtype=float), np.ones(n), np.array(pitches), np.arange(n) // 4 + 1)


def found_for(query: Melody, collection: list[Melody]) -> SimilarTunes:
    """Return the answer for one query, whatever it is."""
    index, texts = TuneIndex.of(collection), [interval_text(melody.pitch) for melody in collection]
    own = TuneIndex.of([query]).lines[0]
    matches = []
    for it in index.search(query, 2):
        other = index.melodies[it.row]
        how = agreement_of(query, other, (own, index.lines[it.row]), it.shift, texts)
        matches.append(Match(other.name, other, it, how, phrase_names(query, how.phrase), "1 %", ""))
    return SimilarTunes((Answer(query.name, query, tuple(matches)),), {HOSTILE: "too short"}, len(collection), {})


def page_of(found: SimilarTunes, folder: Path) -> str:
    """Write a page and return it."""
    write_page(SameTune(found, None, {"notes": HOSTILE}), folder / "page.html")
    return (folder / "page.html").read_text(encoding="utf-8")


def drawings(page: str) -> list[ET.Element]:
    """Return the SVG drawings of a page; each must be well-formed."""
    found = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return [ET.fromstring(text) for text in found]  # noqa: S314 - written by us


def test_a_page_stands_alone_and_escapes_names(tmp_path: Path) -> None:
    """It loads nothing, runs nothing, and every drawing has a text alternative."""
    tunes = composed()
    copy = replace(tunes[0], name=HOSTILE, pitch=tunes[0].pitch + 2)

    page = page_of(found_for(copy, [tunes[0], replace(tunes[1], name=HOSTILE)]), tmp_path)

    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert re.findall(r"(?:src|href)=|url\(|@import|https?:", page) == []
    assert len(drawings(page)) >= 3
    for drawing in drawings(page):
        assert drawing.attrib["role"] == "img"
        assert drawing.findtext("title")
    assert "no finding of infringement" in page
    assert "What is not measured" in page


@pytest.mark.parametrize(
    "query", [even(60), even(*[60] * 16), even(*range(60, 72)), even(0, 127, 0, 127), even(60, 62, 64, 65)]
)
def test_any_melody_can_be_shown(query: Melody, tmp_path: Path) -> None:
    """One note, a drone, a scale, leaps over the whole range, one bar; against themselves and a tune."""
    page = page_of(found_for(query, [query, composed()[0]]), tmp_path)

    assert all(drawing.findtext("title") for drawing in drawings(page))
    assert "nan" not in page


def test_a_file_without_comparable_tune_has_a_page(tmp_path: Path) -> None:
    """Silence: the reason is named, escaped."""
    page = page_of(SimilarTunes((), {HOSTILE: "found no note"}, 3, {}), tmp_path)

    assert "found no note" in page
    assert "<script" not in page


def test_contours_of_a_copy_coincide() -> None:
    """In another key and in longer notes it is drawn exactly over the original; all bars are numbered in order."""
    melody = composed()[0]
    copy = replace(melody, pitch=melody.pitch - 7, onset=3 * melody.onset, duration=3 * melody.duration)
    how = found_for(melody, [copy]).answers[0].matches[0].agreement

    drawn = contours(melody, copy, how)

    assert drawn.other == drawn.query
    assert [span[0] for span in drawn.spans] == [drawn.phrase[0]]
    numbers = [bar for _, bar in drawn.bars]
    assert numbers == sorted(set(numbers))


def test_a_phrase_as_abc_is_read_back() -> None:
    """Pitches and lengths come back, with accidentals that end at bar lines and triplets."""
    rng = np.random.default_rng(2)
    pitch = rng.integers(30, 100, 60)
    duration = rng.choice([1 / 3, 0.25, 0.5, 0.75, 1, 1.5, 3, 4], 60)
    onset = np.concatenate([[0.0], np.cumsum(duration)[:-1]])
    melody = Melody("phrase", onset, duration, pitch, (onset // 4).astype(int))

    read = melody_of(read_abc_tolerantly(notation(melody, (5, 55)).abc, "phrase"))

    assert read.pitch.tolist() == pitch[5:55].tolist()
    assert read.duration == pytest.approx(duration[5:55])


def test_notes_on_the_staff_by_hand() -> None:
    """E4 lies on the lowest line, A4 in the second space, C4 has a ledger line, F sharp 5 a sharp on the upper line."""
    melody = replace(even(64, 69, 60, 78, 71), duration=np.array([1, 2, 4, 0.5, 1.5]))
    melody = replace(melody, onset=np.array([0, 1, 3, 7, 7.5]))

    drawn = notation(melody, (0, 5))

    assert [head.y for head in drawn.heads] == [85, 70, 95, 45, 65]
    assert [head.ledgers for head in drawn.heads] == [(), (), (95,), (), ()]
    assert [head.is_sharp for head in drawn.heads] == [False, False, False, True, False]
    assert [head.is_open for head in drawn.heads] == [False, True, True, False, False]
    assert [head.stem_end is None for head in drawn.heads] == [False, False, True, False, False]
    assert [len(head.flags) for head in drawn.heads] == [0, 0, 0, 1, 0]
    assert [head.is_dotted for head in drawn.heads] == [False, False, False, False, True]
    assert drawn.names == "E 4, A 4, C 4, F sharp 5, B 4"


def test_a_phrase_far_below_the_staff_is_moved() -> None:
    """The drawing says by how many octaves; more notes than fit are counted."""
    drawn = notation(even(*[40, 43] * 30), (0, 60))

    assert (drawn.octaves, drawn.n_left_out) == (-2, 20)


@pytest.mark.parametrize(
    ("n_copies", "n_notes", "said"),
    [(1, 12, "No other of the 101 tunes"), (40, 12, "cliché is weak evidence"), (1, 4, "short phrase is weak")],
)
def test_what_a_phrase_is_worth(n_copies: int, n_notes: int, said: str, tmp_path: Path) -> None:
    """A rare phrase, one that many tunes have, and a short one."""
    query = even(*[60, 64, 62, 67, 65, 71, 60, 59, 57, 55, 66, 61][:n_notes])
    others = [even(*range(40, 40 + 2 * n, 2), name=str(n)) for n in range(12, 112 - n_copies + 1)]
    copies = [replace(query, name=f"copy {number}", pitch=query.pitch + number) for number in range(n_copies)]
    found = found_for(query, [*copies, *others])

    assert said in page_of(found, tmp_path)
