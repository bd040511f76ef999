"""Names in lyrics: what is one, and what is not. All lines are made up."""

import pytest

from recsys.lyrics.lines import from_text
from recsys.lyrics.references import key_of, names_in


def terms(text: str, language: str | None = "en") -> list[tuple[int | None, str]]:
    """Return line and term of what the gazetteer knows."""
    return [(name.line, name.term) for name in names_in(from_text(text), [language]) if name.term]


def test_places_people_and_brands_are_named_with_their_line() -> None:
    """Line numbers count from 1; a name may have several words, and commas end it."""
    text = "i took a train to New Orleans\nand a poster of Marilyn Monroe\n"
    text += "i drove it in a Cadillac all the way to Paris, Texas"

    found = names_in(from_text(text), ["en"])

    listed = [(name.line, name.term, name.kind) for name in found if name.term]
    assert listed == [
        (1, "new orleans", "place"),
        (2, "marilyn monroe", "person"),
        (3, "cadillac", "brand"),
        (3, "paris", "place"),
        (3, "texas", "place"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Paris is waiting for the two of us",  # the first word of a line has a capital letter anyway
        "we slept. Paris was a dream to us",  # and that of a sentence
        "Going Down To Paris In The Rain",  # a line in capitals tells nothing
        "we ate from china and then saw China",  # the text writes the word small as well
        "we went to paris in the rain",
    ],
)
def test_precision_comes_before_recall(text: str) -> None:
    """None of these is a name for certain."""
    assert terms(text) == []


def test_only_english_sections_are_read() -> None:
    """German writes every noun with a capital letter."""
    assert terms("wir fahren nach Paris", "de") == terms("wir fahren nach Paris", None) == []


def test_other_names_are_stored_as_hashes_only() -> None:
    """The warehouse finds names of the catalogue by them; parts of a longer name have several words."""
    names = names_in(from_text("i heard the Velvet Harbour Choir sing with Zelda"), ["en"])

    assert {name.key for name in names} == {
        key_of(name) for name in ("velvet harbour", "harbour choir", "velvet harbour choir", "zelda")
    }
    assert {(name.term, name.kind) for name in names} == {(None, None)}


def test_a_word_with_many_hyphens_is_no_name() -> None:
    """Its hash would be that of a line."""
    assert names_in(from_text("we sang the Round-And-Round-We-Go-All-Night Song for you"), ["en"]) == ()
