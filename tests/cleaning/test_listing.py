"""Lists contain one copy of a recording, in every country where one may be listed."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from recsys.cleaning.listing import copies_of, heard_copies, with_one_copy_listed
from recsys.dataset.interactions import Interactions

DAY = date(2026, 7, 1)
LINKS = pl.DataFrame({"track_id": ["b", "c"], "same_as": ["a", "a"]})
NO_LINKS = LINKS.clear()
DE, FR = ["DE"], ["FR"]


def catalogue_of(*rows: tuple[str, list[str] | None, date | None]) -> pl.DataFrame:
    """Return tracks with the countries where they are available, and the day of their withdrawal."""
    schema = pl.Schema({"track_id": pl.String(), "available_in": pl.List(pl.String()), "withdrawn_at": pl.Date()})
    return pl.DataFrame(rows, schema, orient="row").with_columns(title=pl.lit("Song"))


def listed_in(catalogue: pl.DataFrame, country: str) -> list[str]:
    """Return the tracks that a listener in a country may get."""
    everywhere = pl.col("available_in").list.len().fill_null(0) == 0
    current = pl.col("withdrawn_at").is_null() | (pl.col("withdrawn_at") > DAY)
    return catalogue.filter(current, everywhere | pl.col("available_in").list.contains(country))["track_id"].to_list()


@pytest.mark.parametrize(
    ("rows", "in_germany", "in_france"),
    [
        ([("a", None, None), ("b", None, None), ("c", DE, None)], ["a"], ["a"]),
        ([("a", DE, None), ("b", None, None), ("c", FR, None)], ["b"], ["b"]),
        ([("a", DE, None), ("b", ["DE", "FR"], None)], ["a"], ["b"]),
        ([("a", DE, None), ("b", FR, None)], ["a"], ["b"]),
        ([("a", None, DAY), ("b", None, None), ("c", [], None)], ["b"], ["b"]),
        ([("a", None, date(2027, 1, 1)), ("b", None, None)], ["a"], ["a"]),
        ([("b", None, None), ("c", None, None)], ["b"], ["b"]),
        ([("a", None, DAY), ("b", None, DAY)], [], []),
        ([("x", None, None), ("y", None, None)], ["x", "y"], ["x", "y"]),
        ([], [], []),
    ],
)
def test_one_copy_is_listed_in_each_country(
    rows: list[tuple[str, list[str] | None, date | None]], in_germany: list[str], in_france: list[str]
) -> None:
    """The representative if it is available there, otherwise another copy; other tracks do not change."""
    catalogue = catalogue_of(*rows)

    one_each = with_one_copy_listed(catalogue, LINKS, DAY)

    assert (listed_in(one_each, "DE"), listed_in(one_each, "FR")) == (in_germany, in_france)
    assert one_each.drop("available_in", "withdrawn_at").equals(catalogue.drop("available_in", "withdrawn_at"))
    assert with_one_copy_listed(catalogue, NO_LINKS, DAY).equals(catalogue)


def test_who_heard_a_copy_has_heard_the_recording() -> None:
    """The listed copy is hidden from listeners of the others, skipped or not; other listeners may get it."""
    pairs = pl.DataFrame({"user_id": ["ann", "bob", "cyd"], "track_id": ["b", "a", "x"], "strength": [1.0, -1.0, 1.0]})
    interactions = Interactions.of(pairs, catalogue=pl.DataFrame({"track_id": ["a", "b", "c", "x"]}))
    catalogue = catalogue_of(("a", DE, None), ("b", FR, None), ("c", None, DAY), ("x", None, None))
    copies = copies_of(with_one_copy_listed(catalogue, LINKS, DAY), LINKS, DAY)

    assert copies.rows() == [("a", "b"), ("b", "a"), ("c", "a"), ("c", "b")]
    assert heard_copies(interactions, copies).rows() == [("ann", "a"), ("bob", "b")]
    assert heard_copies(interactions, copies.clear()).is_empty()


def test_a_copy_that_the_model_does_not_know_is_ignored() -> None:
    """A link may name a recording that was delivered after the log ends."""
    interactions = Interactions.of(pl.DataFrame({"user_id": ["ann"], "track_id": ["a"], "strength": [1.0]}))
    copies = pl.DataFrame({"track_id": ["a", "new"], "copy_id": ["new", "a"]})

    assert heard_copies(interactions, copies).rows() == [("ann", "new")]
    assert np.array_equal(interactions.seen.toarray(), [[True]])
