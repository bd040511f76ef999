"""Invented titles, names and ids are distinct."""

import numpy as np
import pytest

from recsys.demo import names


@pytest.mark.parametrize("language", [None, *names.WORDS])
def test_titles_of_a_language_are_distinct(language: str | None) -> None:
    """No title occurs twice, and the stride visits every title."""
    titles = names.titles(language)

    assert len(set(titles.tolist())) == len(titles)
    assert np.gcd(names.TITLE_STRIDE, len(titles)) == 1


def test_names_of_artists_are_distinct() -> None:
    """No name of a person or group occurs twice."""
    drawn = [*names.people(300, np.random.default_rng(1)), *names.groups(300, np.random.default_rng(2))]

    assert len(set(drawn)) == 600


def test_ids_have_one_length_and_are_distinct() -> None:
    """Ids are a prefix and digits, in random order."""
    ids = names.ids("trk", 500, 4, np.random.default_rng(1)).tolist()

    assert len(set(ids)) == 500
    assert {len(track_id) for track_id in ids} == {8}
    assert ids != sorted(ids)
