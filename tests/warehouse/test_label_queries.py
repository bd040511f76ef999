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

    Lines have one measure; `more` are lines besides, each with its measure.
    """

    def run(
        name: str,
        lines: list[LedgerLine],
        *,
        n_days: int = 7,
        measure: str = "n_plays",
        more: Sequence[tuple[str, LedgerLine]] = (),
        **params: str,
    ) -> pl.DataFrame:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.duckdb"
        with duckdb.connect(path) as connection:
            connection.execute("create schema marts; create table marts.label_figures (" + COLUMNS + ")")
            connection.execute(
                "create table marts.track_features "
                "(track_id varchar, title varchar, artist_id varchar, artist_name varchar)"
            )
            for of_measure, line in [*((measure, line) for line in lines), *more]:
                connection.execute(
                    "insert into marts.label_figures values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    _row(line, n_days, of_measure),
                )
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
        "label_markets",
        [*shares, (3, "artist", "a", 100, False)],
        measure="play_share",
        more=[("n_plays", line) for line in of_label],
        artist_id="a",
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


def effects_of(lines: list[LedgerLine], adds: list[LedgerLine], query: Query) -> list[tuple[Any, ...]]:
    """Return recording, adds, plays per day before and after, change of the label's others, and the effect."""
    found = query("label_playlist_effects", lines, more=[("n_playlist_adds", line) for line in adds])
    names = ("track_id", "n_playlist_adds", "plays_before", "plays_after", "control_lift", "lift")
    return found.select(names).rows()


def test_effects_of_adds_are_those_of_eight_weeks(query: Query) -> None:
    """By hand: weeks of 60, then 90 plays, while the label's others fall from 40 to 30: 1.5 / .75."""
    weeks = [(week, "week", None, 100 if week < 5 else 120, False) for week in range(9)]
    plays = [(week, "recording", "t", 60 if week < 5 else 90, False) for week in range(9)]
    adds: list[LedgerLine] = [(4, "recording", "t", 25, False)]
    expected = [("t", 25, pytest.approx(60 / 7), pytest.approx(90 / 7), pytest.approx(0.75), pytest.approx(2))]

    assert effects_of([*weeks, *plays], adds, query) == expected
    late: list[LedgerLine] = [(8, "week", None, 30, True), (8, "recording", "t", 30, True)]
    ((*_, others, lift),) = effects_of([*weeks, *plays, *late], adds, query)
    assert (others, lift) == (pytest.approx(0.75), pytest.approx((390 / 240) / 0.75))


def test_weeks_without_all_figures_around_them_have_no_effect(query: Query) -> None:
    """A week without a figure of the recording, a withheld one, adds of others alone, no other plays, or no adds."""
    weeks = [(week, "week", None, 100, False) for week in range(9)]
    plays: list[LedgerLine] = [(week, "recording", "t", 60, False) for week in range(9)]
    adds: list[LedgerLine] = [(4, "recording", "t", 25, False)]
    alone = [(week, "recording", "t", 100, False) for week in range(9)]
    cases: dict[str, tuple[list[LedgerLine], list[LedgerLine]]] = {
        "missing": ([*weeks, *plays[1:]], adds),
        "withheld": ([*weeks, *plays[:-1], (8, "recording", "t", None, False)], adds),
        "too early": ([*weeks, *plays], [(3, "recording", "t", 25, False)]),
        "all others": ([*weeks, *plays], [(4, "recording", None, 25, False)]),
        "withheld adds": ([*weeks, *plays], [(4, "recording", "t", None, False)]),
        "late adds": ([*weeks, *plays], [(4, "recording", "t", 25, True)]),
        "no other plays": ([*weeks, *alone], adds),
        "no adds": ([*weeks, *plays], []),
        "nothing": ([], []),
    }

    assert {name: effects_of(*case, query) for name, case in cases.items()} == {name: [] for name in cases}
    assert len(effects_of([*weeks, *plays], adds, query)) == 1


def test_adds_are_those_of_their_own_weeks(query: Query) -> None:
    """Late ones count in their week; a withheld week has no number; a longer one has an average per day."""
    lines: list[LedgerLine] = [
        (1, "week", None, 21, False),
        (2, "week", None, None, False),
        (3, "week", None, 28, False),
    ]
    late: list[LedgerLine] = [(1, "week", None, 21, True), (1, "artist", "a", 20, False)]

    weeks = query("label_playlist_adds", [*lines, *late], n_days=14, measure="n_playlist_adds")

    assert weeks.select("n_days", "n_playlist_adds", "adds_a_day", "is_withheld").rows() == [
        (7, 42, 6, False),
        (7, None, None, True),
        (14, 28, 2, False),
    ]
    assert query("label_playlist_adds", WEEKS).is_empty()
