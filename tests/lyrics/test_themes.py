"""Themes of sections by meaning. All verses are made up."""

import numpy as np
import pytest

from bench.lyrics.verses import VERSES
from recsys.lyrics.analysis import analyse, analyse_bag
from recsys.lyrics.lines import from_text
from recsys.lyrics.themes import THEMES, shares, themes_of
from recsys.lyrics.vectors import SectionVector
from recsys.text.encoder import encode

ROAD = "sixteen wheels are rolling down the open highway\nanother hundred miles, another dusty byway"
PRAYER = "o lord, have mercy on my soul and hear my prayer\nhallelujah, jesus, in your arms i lay my care"


def test_each_section_has_its_theme_and_counts_by_its_words() -> None:
    """The chorus comes twice, so that it counts twice; the themes of the text are sorted by their share."""
    one, two = analyse(from_text(f"{ROAD}\n\n{PRAYER}")), analyse(from_text(f"{ROAD}\n\n{PRAYER}\n\n{PRAYER}"))

    assert {theme.theme for theme in one.themes[:2]} == {"road", "faith"}
    assert two.themes[0].theme == "faith"
    assert dict(two.themes)["faith"] > dict(one.themes)["faith"]


def test_the_share_of_a_text_is_the_mean_of_its_sections_by_words() -> None:
    """Computed here for two sections of 10 and 30 words."""
    vectors = encode([ROAD, PRAYER])
    road, faith = list(THEMES).index("road"), list(THEMES).index("faith")

    found = dict(themes_of([SectionVector(n + 1, row) for n, row in enumerate(vectors)], [10, 30]))

    of_sections = shares(vectors)
    assert of_sections.sum(axis=1) == pytest.approx([1, 1])
    for theme, column in (("road", road), ("faith", faith)):
        assert found[theme] == pytest.approx(0.25 * of_sections[0, column] + 0.75 * of_sections[1, column], abs=1e-4)


def test_what_cannot_be_told_has_no_theme() -> None:
    """A language that the encoder does not know, and words without an order."""
    swedish = analyse(from_text("jag kör på vägen hela natten lång\noch hjulen sjunger samma gamla sång"))

    assert swedish.themes == ()
    assert analyse_bag(analyse(from_text(ROAD)).words, is_stemmed=False).themes == ()
    assert themes_of([], []) == ()


def test_the_themes_of_our_own_verses_are_found_in_four_languages() -> None:
    """At least nine in ten, a verse about none of them counted as right if no theme has the largest share."""
    names = [*THEMES, ""]
    best = shares(encode([verse.text for verse in VERSES])).argmax(axis=1)

    right = np.array([names[column] == verse.theme for column, verse in zip(best, VERSES, strict=True)])

    assert {verse.theme for verse in VERSES} == set(names)
    for language in ("en", "de", "es", "fr"):
        assert right[[verse.language == language for verse in VERSES]].mean() >= 0.9
