"""Initials in place of pictures: of any name, readable, and always in the same colour."""

import re
from html import unescape

import numpy as np
import pytest

from dashboards.initials import COLOURS, initials, picture

from .test_pages import contrast


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace", "AL"),
        ("Bo", "B"),
        ("The Beatles of Oslo", "TO"),
        ("björk", "B"),
        ("Ålesund ørn", "ÅØ"),
        ("東京 事変", "東事"),
        ("(G)I-DLE", "G"),
        ("<b> &", "B"),
        ("!!!", "♪"),
        ("", "♪"),
        ("2 Pac", "2P"),
    ],
)
def test_initials_are_those_of_the_first_and_the_last_word(name: str, expected: str) -> None:
    """Words without a letter or digit do not count; a name without any is a note. The picture has them as text."""
    assert initials(name) == expected
    assert unescape(re.sub("<[^>]+>", "", picture(name))) == expected


def test_a_name_keeps_its_colour_and_names_differ() -> None:
    """The colour depends on the name alone, and all colours are used."""
    pictures = [picture(f"artist {number}") for number in range(100)]

    assert picture("artist 7") == pictures[7]
    assert {colour for colour in COLOURS if any(colour in one for one in pictures)} == set(COLOURS)


@pytest.mark.parametrize("colour", COLOURS)
def test_initials_have_enough_contrast(colour: str) -> None:
    """White on each colour has at least 4.5 to 1 (WCAG AA)."""
    assert contrast_with_white(colour) >= 4.5


def contrast_with_white(colour: str) -> float:
    """Return the contrast of a colour, as #RRGGBB, with white."""
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return contrast(parts, np.ones(3))
