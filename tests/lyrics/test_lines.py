"""Lines and sections of lyrics, from plain text, LRC and TTML. All verses are made up for these tests."""

import pytest

from recsys.lyrics.lines import MAX_CHARS, LyricLine, from_text
from recsys.lyrics.lrc import from_lrc, from_lrc_or_text, is_lrc
from recsys.lyrics.ttml import MAX_BYTES, BadTtml, from_ttml, is_ttml

SONG = """[Verse 1: Guest]
a road of dust
a sky of rust

[Refrain]
come home

no heading here
[Pre-Chorus]

we wait
"""


def test_blank_lines_and_headings_separate_sections() -> None:
    """A heading gives its section a kind, in several languages, and is no line."""
    sections = from_text(SONG).sections

    assert [(section.kind, [line.text for line in section.lines]) for section in sections] == [
        ("verse", ["a road of dust", "a sky of rust"]),
        ("chorus", ["come home"]),
        (None, ["no heading here"]),
        ("pre-chorus", ["we wait"]),
    ]


def test_the_offset_of_lrc_shows_lines_earlier() -> None:
    """1.00 s and an offset of +250 ms is 750 ms; a negative offset is later; no time is before the start."""
    earlier, later = "[offset:+250]\n[00:01.00]one", "[offset:-250]\n[00:01.00]one"

    assert from_lrc(earlier).lyrics.lines == [LyricLine("one", 750, None)]
    assert from_lrc(later).lyrics.lines == [LyricLine("one", 1250, None)]
    assert from_lrc("[offset:9000]\n[00:01.00]one").lyrics.lines == [LyricLine("one", 0, None)]


def test_a_line_of_lrc_ends_with_its_last_word_or_where_the_next_begins() -> None:
    """Times of words are left out of the text; an empty line ends a section; a repeated line has its place twice."""
    text = "[la:en]\n[00:02.00]<00:02.00>two <00:02.40>words<00:03.00>\n[00:05.00]\n[00:01.0][01:01.123]again"

    read = from_lrc(text)

    assert read.language == "en"
    assert [list(section.lines) for section in read.lyrics.sections] == [
        [LyricLine("again", 1000, 2000), LyricLine("two words", 2000, 3000)],
        [LyricLine("again", 61123, None)],
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[ar:A]\n[00:01.00]x", True), ("[Chorus]\nla la", False), ("a line, a comma", False), ("", False)],
)
def test_lrc_is_told_from_headings(text: str, expected: bool) -> None:
    """Only times make a text LRC."""
    assert is_lrc(text) is expected


TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:i="urn:x" xml:lang="pt"><head><metadata>no line</metadata></head><body>
<div i:song-part="Chorus"><p begin="00:00:01.500" end="3s"><span>um</span> <span>dois</span><br/>tres</p></div>
<div><p begin="1:02.25" end="65000ms">quatro</p><p begin="12f"> </p></div></body></tt>"""


def test_ttml_has_a_line_per_p_and_a_section_per_div() -> None:
    """Clock times, seconds and milliseconds are read; an empty `p` is no line."""
    read = from_ttml(TTML.encode())

    assert read.language == "pt"
    assert [(section.kind, list(section.lines)) for section in read.lyrics.sections] == [
        ("chorus", [LyricLine("um dois tres", 1500, 3000)]),
        (None, [LyricLine("quatro", 62250, 65000)]),
    ]


BOMB = '<!DOCTYPE tt [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><tt><body><p>&b;</p></body></tt>'
OUTSIDE = '<!DOCTYPE tt SYSTEM "file:///etc/passwd"><tt/>'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        ("<tt><body><p>open", "not XML"),
        ("<tt><p>&outside;</p></tt>", "not XML"),
        ("<tt>" + "<div>" * 60, "nested"),
        ("<tt>" + " " * MAX_BYTES, "MiB"),
    ],
    ids=["entities", "outside", "open", "unknown entity", "deep", "large"],
)
def test_hostile_xml_is_refused(text: str, reason: str) -> None:
    """Entities, outside references, depth and size are limited, and the message quotes nothing."""
    with pytest.raises(BadTtml, match=reason):
        from_ttml(text.encode())


def test_ttml_is_recognised_after_a_declaration() -> None:
    """Other XML is not TTML."""
    assert is_ttml(TTML.encode())
    assert is_ttml(BOMB.split("]>")[1].encode())
    assert not is_ttml(b"<?xml version='1.0'?><title/>")


def test_repeated_times_are_read_up_to_the_limit() -> None:
    """A line of 21,000 characters with three thousand times gives five lines: the fifth exceeds the limit."""
    lyrics = from_lrc("[00:01]" * 3000 + "x" * 21_000).lyrics

    assert len(lyrics.lines) == 5
    assert lyrics.n_chars > MAX_CHARS


def test_lrc_without_an_end_is_too_long() -> None:
    """Its times are not read: a million of them would be a million lines."""
    lyrics = from_lrc_or_text("[00:01]" * 1_000_000 + "x").lyrics

    assert lyrics.n_chars > MAX_CHARS
    assert len(lyrics.lines) == 1


def test_the_longest_lyrics_are_read_whole() -> None:
    """Headings and blank lines do not count."""
    lyrics = from_text("[Chorus]\n\n" * 20_000 + "x\n" * (MAX_CHARS // 2))

    assert lyrics.n_chars == MAX_CHARS == 2 * len(lyrics.lines)
