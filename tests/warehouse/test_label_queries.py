"""Queries on the ledger of labels' figures: late rows, withheld weeks, cells without a figure, and longer periods."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from recsys.warehouse.query import Warehouse, run_query

MONDAY = date(2026, 1, 5)
LedgerLine = tuple[
    int, str, str | None, int | None, bool
]  # week, dimension, cell, plays (None: withheld), whether late
Query = Callable[..., pl.DataFrame]
WEEKS: list[LedgerLine] = [
    *((week, "week", None, 100, False) for week in range(4)),
    *((week, "artist", "a", 60, False) for week in range(4)),
    *((week, "artist", None, 40, False) for week in (0, 1, 2)),
    (3, "artist", "b", 25, False),
    (3, "artist", None, 15, False),
]
LATE: list[LedgerLine] = [
    (3, "week", None, 30, True),
    (3, "artist", "a", 21, True),
    (3, "artist", "c", 9, True),
]


@pytest.fixture
def query(tmp_path: Path) -> Query:
    """
    A function that runs a query on lines: one label, weeks from MONDAY on, the last one `n_days` long.

    Lines have one measure; `plays` are lines of plays besides.
    """

    def run(
        name: str,
        lines: list[LedgerLine],
        plays: Sequence[LedgerLine] = (),
        *,
        n_days: int = 7,
        measure: str = "n_plays",
        **params: str,
    ) -> pl.DataFrame:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.duckdb"
        with duckdb.connect(path) as connection:
            connection.execute("create schema marts; create table marts.label_figures (" + COLUMNS + ")")
            connection.execute(
                "create table marts.track_features "
                "(track_id varchar, title varchar, artist_id varchar, artist_name varchar)"
            )
            for line in [_row(line, n_days, measure) for line in lines] + [_row(line, 7, "n_plays") for line in plays]:
                connection.execute("insert into marts.label_figures values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", line)
        with Warehouse.open(path) as warehouse:
            return run_query(warehouse, name, params)

    return run


COLUMNS = (
    "label_id varchar, measure varchar, from_day date, to_day date, dimension varchar, artist_id varchar, "
    "cell varchar, value bigint, is_late boolean, is_withheld boolean"
)


def _row(line: LedgerLine, n_days: int, measure: str) -> tuple[Any, ...]:
    week, dimension, cell, plays, is_late = line
    first = MONDAY + timedelta(days=7 * week)
    last = first + timedelta(days=(n_days if week == 3 else 7) - 1)
    if measure == "play_share" and dimension == "artist":
        measure = "n_listeners"
    artist_id = "a" if measure == "play_share" else None
    return "la", measure, first, last, dimension, artist_id, cell, plays, is_late, plays is None


def parts_of(parts: pl.DataFrame) -> dict[str | None, int]:
    """Return the plays of each part."""
    return dict(parts.select("cell", "n_plays").iter_rows())


def test_late_rows_of_a_week_count_in_it(query: Query) -> None:
    """A cell that only late rows name is among all others, since its other plays are there."""
    parts = query("label_parts", WEEKS + LATE, weeks="1")
    total = query("label_totals", WEEKS + LATE).row(0, named=True)
    artist = query("label_trend", WEEKS + LATE, dimension="artist", cell="a")

    assert parts_of(parts) == {"a": 81, "b": 25, None: 24}
    assert (total["n_now"], total["n_before"], total["change"]) == (130, 100, pytest.approx(0.3))
    assert artist["n_plays"].to_list() == [60, 60, 60, 81]
    assert query("label_trend", WEEKS + LATE, dimension="artist", cell="c").is_empty()
    assert query("label_all_time", [(0, "day", None, 400, False), *LATE])["value"].to_list() == [430]


def test_a_part_needs_a_figure_in_each_week(query: Query) -> None:
    """Otherwise its plays are among all others; a change needs all weeks before."""
    of_one, of_two = (query("label_parts", WEEKS, weeks=weeks) for weeks in ("1", "2"))

    assert parts_of(of_one) == {"a": 60, "b": 25, None: 15}
    assert dict(of_one.select("cell", "n_plays_before").iter_rows()) == {"a": 60, "b": None, None: None}
    assert parts_of(of_two) == {"a": 120, None: 80}
    assert of_two["change"].to_list() == [0, None]
    assert query("label_parts", WEEKS, weeks="5").is_empty()


def test_a_week_without_a_figure_is_null(query: Query) -> None:
    """It is a row of its own, never 0."""
    weeks = query("label_trend", WEEKS, dimension="artist", cell="b")

    assert weeks["n_plays"].to_list() == [None, None, None, 25]
    assert not weeks["is_withheld"].any()


@pytest.mark.parametrize(("withheld", "now", "before"), [(3, None, 100), (2, 100, None)])
def test_a_withheld_week_has_no_figure(query: Query, withheld: int, now: int | None, before: int | None) -> None:
    """Neither have sums that include it, nor changes from it."""
    lines = [(week, *line, None if week == withheld else plays, late) for week, *line, plays, late in WEEKS]
    total = query("label_totals", lines).row(0, named=True)
    artist = query("label_parts", lines, weeks="1").row(0, named=True)

    assert (total["n_now"], total["n_before"], total["change"]) == (now, before, None)
    assert query("label_totals", lines, days="28")["n_now"].to_list() == [None]
    assert (artist["n_plays"] is None, artist["change"]) == (now is None, None)
    assert query("label_trend", lines)["is_withheld"].to_list() == [week == withheld for week in range(4)]


def test_plays_by_source_are_shares_of_their_week(query: Query) -> None:
    """With late rows; a part that only late rows name is among all others, and a withheld week has no rows."""
    lines: list[LedgerLine] = [
        (0, "source", "active", 30, False),
        (0, "source", None, 20, False),
        (0, "source", "active", 30, True),
        (0, "source", "algorithmic", 20, True),
        (1, "source", "active", None, False),
    ]
    weeks = query("label_sources", lines, label="la")

    assert weeks.select("part", "n_plays", "play_share", "error").rows() == [
        ("chosen by the listener", 60, 0.6, None),
        ("all others", 40, 0.4, None),
    ]
    assert query("label_sources", lines, label="lb").is_empty()
    assert query("label_sources", lines, artist_id="a").is_empty()


def test_an_artists_sources_have_their_noise(query: Query) -> None:
    """Whole per cent, of which five listeners of the artist's 100 may be more or fewer."""
    lines: list[LedgerLine] = [(0, "source", "algorithmic", 30, False), (0, "artist", "a", 100, False)]
    weeks = query("label_sources", lines, measure="play_share", artist_id="a")

    assert weeks.select("part", "n_plays", "play_share").rows() == [("recommended", None, 0.3)]
    assert weeks["error"].to_list() == [pytest.approx(0.055)]


def test_an_artists_market_is_compared_with_the_label(query: Query) -> None:
    """The share of 30 % is 1.2 times the label's 25 %, and 0.98 to 1.42 times with the noise of its 100 listeners."""
    shares: list[LedgerLine] = [(3, "country", "DE", 30, False), (3, "country", "FR", 10, False)]
    of_label: list[LedgerLine] = [(3, "country", "DE", 50, False), (3, "country", None, 150, False)]

    found = query(
        "label_markets", [*shares, (3, "artist", "a", 100, False)], of_label, measure="play_share", artist_id="a"
    )

    assert found.select("country", "share", "label_share").rows() == [("DE", 0.3, 0.25)]
    assert found.select("ratio", "low", "high").row(0) == pytest.approx((1.2, 0.98, 1.42))


def test_listeners_by_loyalty_are_shares_of_their_week(query: Query) -> None:
    """Of 40 listeners, 30 are new; late rows are not counted, and a withheld week has no share."""
    lines: list[LedgerLine] = [
        (0, "loyalty", "new", 30, False),
        (0, "loyalty", None, 10, False),
        (0, "loyalty", "new", 25, True),
        (1, "loyalty", "new", None, False),
    ]
    weeks = query("label_loyalty", lines, measure="n_listeners", label="la")

    assert weeks.select("name", "n_listeners", "share").rows() == [
        ("new", 30, 0.75),
        ("all others", 10, 0.25),
        ("new", None, None),
    ]
    assert query("label_loyalty", lines, measure="n_listeners", label="lb").is_empty()


def test_shares_of_an_artist_have_the_error_of_their_noise(query: Query) -> None:
    """Five of 100 listeners are 5 points, and half a point is rounded; the last week with shares is shown."""
    lines: list[LedgerLine] = [
        *((week, "country", cell, value, False) for week, cell, value in ((1, "SE", 60), (2, "SE", 55), (2, None, 49))),
        *((week, "artist", "a", 100, False) for week in range(4)),
        *((week, "artist", "b", 50, False) for week in range(4)),
    ]
    shares = query("label_artist_audience", lines, measure="play_share", artist_id="a")

    assert shares.select("name", "share").rows() == [("SE", 0.55), ("all others", 0.49)]
    assert shares["error"].to_list() == [pytest.approx(0.055)] * 2
    assert shares["from_day"].unique().to_list() == [MONDAY + timedelta(days=14)]
    assert query("label_artist_audience", lines, measure="play_share", artist_id="b").is_empty()


def test_periods_of_different_lengths_are_compared_by_day(query: Query) -> None:
    """Totals by their daily averages: 100 plays in five days are 40 % more than 100 in seven."""
    total = query("label_totals", WEEKS, n_days=5).row(0, named=True)

    assert (total["n_now"], total["change"], total["is_per_day"]) == (100, pytest.approx(0.4), True)
    assert query("label_parts", WEEKS, n_days=5, weeks="1")["change"].to_list() == [None, None, None]
    assert query("label_trend", WEEKS, n_days=5)["plays_a_day"][-1] == 20
