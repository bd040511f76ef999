"""Invented names: distinct where they must be."""

import numpy as np
import pytest

from recsys.demo import names


@pytest.mark.parametrize("language", [None, *names.WORDS])
def test_titles_of_a_language_are_distinct(language: str | None) -> None:
    """A list of titles repeats none, and the stride through it visits every title."""
    titles = names.titles(language)

    assert len(set(titles.tolist())) == len(titles)
    assert np.gcd(names.TITLE_STRIDE, len(titles)) == 1


def test_names_of_artists_are_distinct() -> None:
    """Persons and groups are each named once."""
    drawn = [*names.people(300, np.random.default_rng(1)), *names.groups(300, np.random.default_rng(2))]

    assert len(set(drawn)) == 600


def test_ids_have_one_length_and_are_distinct() -> None:
    """Ids are a prefix and digits, in no order."""
    ids = names.ids("trk", 500, 4, np.random.default_rng(1)).tolist()

    assert len(set(ids)) == 500
    assert {len(each) for each in ids} == {8}
    assert ids != sorted(ids)
