"""Totals of what a page compares: what has no figure is not counted as 0."""

from datetime import date

import polars as pl
import pytest

from recsys.analytics.compared_plays import totals

DAY = date(2026, 6, 1)


def periods(*rows: tuple[str, int | None, int]) -> pl.DataFrame:
    """Return periods: artist, plays and days."""
    counted = pl.DataFrame(rows, {"artist_id": pl.String, "n_plays": pl.Int64, "n_days": pl.Int32}, orient="row")
    named = counted.with_columns(name="artist_id", artist_name="artist_id", release_date=pl.lit(DAY))
    return named.with_columns(track_id=pl.lit(None, pl.String))


def test_weeks_without_a_figure_are_left_out() -> None:
    """Of the sum and of the days; the order is that in which items were chosen."""
    found = totals(periods(("b", 70, 7), ("b", None, 7), ("b", 14, 14), ("a", 3, 3)))

    columns = ("artist_id", "n_plays", "n_with_figure", "n_periods")
    assert found.select(columns).rows() == [("b", 84, 2, 3), ("a", 3, 1, 1)]
    assert found["plays_a_day"].to_list() == [84 / 21, 1]


def test_no_figure_at_all_is_null() -> None:
    """And never 0."""
    found = totals(periods(("a", None, 7), ("a", None, 7)))

    assert found.select("n_plays", "plays_a_day", "n_with_figure").row(0) == (None, None, 0)


def test_no_periods_have_no_totals() -> None:
    """The columns stay."""
    assert totals(periods()).is_empty()


@pytest.mark.parametrize(("plays", "skips", "share"), [(3, 1, 0.25), (0, 0, None), (0, 2, 1.0)])
def test_the_skip_share_is_that_of_the_sums(plays: int, skips: int, share: float | None) -> None:
    """Null where there were neither plays nor skips."""
    rows = periods(("a", plays, 1), ("a", 0, 1)).with_columns(n_skips=pl.Series([skips, 0]), n_saves=pl.lit(1))

    found = totals(rows)

    assert found["skip_share"].to_list() == [share]
    assert found["n_saves"].to_list() == [2]
