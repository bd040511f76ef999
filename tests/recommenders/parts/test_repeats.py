"""Repeat consumption: what plays tell about hearing a recording again, and the odds of the model."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.recommenders.parts.repeats import FEATURES, RepeatModel, hearing_again, is_among
from recsys.recommenders.parts.standardising import scale_of
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

DAY = date(2026, 1, 10)


def warehouse_of(plays: list[tuple[str, str, date, int]], copies: dict[str, str] | None = None) -> Warehouse:
    """
    Return a warehouse in memory.

    Args:
        plays: Listener, track, day, number of plays; those of a day are in this order.
        copies: Representative of each copy.
    """
    rows = [
        (user, track, day, n, datetime.combine(day, time()) + timedelta(minutes=order))
        for order, (user, track, day, n) in enumerate(plays)
    ]
    columns = ["user_id", "track_id", "listen_date", "n_plays", "last_listened_at"]
    connection = duckdb.connect()
    connection.register("frame", pl.DataFrame(rows, columns, orient="row"))
    connection.execute("create schema marts; create table marts.interactions_daily as select * from frame")
    connection.execute("create table marts.duplicate_links (track_id varchar, same_as varchar)")
    for pair in (copies or {}).items():
        connection.execute("insert into marts.duplicate_links values (?, ?)", pair)
    return Warehouse(connection, Path(":memory:"))


def test_plays_are_counted_by_age_and_by_what_followed() -> None:
    """
    A listener plays x once and then y three times on one day, and x twice four days later; z is only skipped.

    Five plays follow the first play of x: one over the root of 1 + 5 remains of it.
    """
    warehouse = warehouse_of(
        [
            ("u", "x", DAY - timedelta(days=8), 1),
            ("u", "y", DAY - timedelta(days=8), 3),
            ("u", "x", DAY - timedelta(days=4), 2),
            ("u", "z", DAY, 0),
            ("u", "y", DAY + timedelta(days=1), 1),
        ]
    )

    x, y = warehouse.query(internal_sql("heard_pairs"), {"until": DAY}).sort("track_id").to_dicts()

    assert (x["n_plays"], x["n_days"], x["age_days"], x["gap_days"], x["n_later"]) == (3, 2, 4, 4, 0)
    assert x["rank_activation"] == pytest.approx(2 / 1 + 1 / 6**0.5, abs=1e-6)
    assert x["day_activation"] == pytest.approx(2 / 5**0.5 + 1 / 9**0.5, abs=1e-6)
    assert (y["n_plays"], y["n_days"], y["age_days"], y["gap_days"], y["n_later"]) == (3, 1, 8, 0, 2)


def test_plays_of_two_copies_are_of_one_recording() -> None:
    """A listener who plays one copy, and later the other, has the features of one who plays one of them twice."""
    of_copies = [("u", "x", DAY - timedelta(days=8), 1), ("u", "y", DAY - timedelta(days=6), 1), ("u", "z", DAY, 2)]
    of_one = [("u", "x", *play[2:]) for play in of_copies]
    warehouses = warehouse_of(of_copies, {"y": "x", "z": "x"}), warehouse_of(of_one)

    found, expected = (warehouse.query(internal_sql("heard_pairs"), {"until": DAY}) for warehouse in warehouses)

    assert found.to_dicts() == expected.to_dicts()
    assert found["n_plays"].to_list() == [4]


def test_the_model_finds_the_odds_that_made_the_plays() -> None:
    """From 20,000 pairs heard again with known odds, the fitted odds are near these, and as many pairs are expected."""
    rng = np.random.default_rng(7)
    n = 20_000
    pairs = pl.DataFrame({name: rng.integers(1, 30, n) for name in ("n_plays", "n_days", "age_days", "gap_days")})
    pairs = pairs.with_columns(
        user_id=pl.Series(rng.integers(0, 500, n)), rank_activation=1.0, day_activation=pl.Series(rng.uniform(1, 9, n))
    )
    odds = 0.2 * pairs["day_activation"].to_numpy()
    heard = rng.random(n) < odds / (1 + odds)

    found = RepeatModel.fit(pairs, heard).odds(pairs)

    assert np.abs(np.log(found / odds)).mean() < 0.1
    assert (found / (1 + found)).sum() == pytest.approx(heard.sum(), rel=0.01)
    assert set(FEATURES) == {"rank_activation", "day_activation", "age", "gap", "days"}


def test_what_was_heard_in_the_last_week_teaches() -> None:
    """Tracks heard on several days were heard again in the last week, others were not: so their odds are greater."""
    often = [("u", f"often{k}", DAY - timedelta(days=days), 1) for days in (30, 20, 3) for k in range(4)]
    once = [("u", f"once{k}", DAY - timedelta(days=20), 1) for k in range(4)]

    table = hearing_again(warehouse_of(often + once), DAY)

    odds = dict(table.select("track_id", "odds").iter_rows())
    assert min(odds[f"often{k}"] for k in range(4)) > 1 > max(odds[f"once{k}"] for k in range(4))


@pytest.mark.parametrize("n_listeners", [1, 5])
def test_what_was_constant_decides_nothing(n_listeners: int) -> None:
    """
    Each listener imported six tracks on one day, and heard half of them again in the last week.

    In training, all listeners are equal, and so are ages, gaps and days: now that they differ, they say nothing, and
    the odds are near those of a half.
    """
    users, imported = [f"u{k}" for k in range(n_listeners)], DAY - timedelta(days=20)
    plays = [(user, f"t{k}", imported, 1) for user in users for k in range(6)]
    again = [(user, f"t{k}", DAY - timedelta(days=k), 1) for user in users for k in (0, 2, 4)]

    odds = hearing_again(warehouse_of(plays + again), DAY)["odds"]

    assert odds.is_between(1 / 20, 20).all()
    assert odds.n_unique() > 3


def test_the_spread_of_a_constant_is_infinite() -> None:
    """Also where rounding leaves a deviation; other features have their standard deviation."""
    constants = np.tile(np.array([0.1, 3.3, 0.0]), (7, 1)) + np.finfo(np.float64).eps * np.arange(7)[:, None]
    varying = np.arange(7.0)[:, None]

    assert scale_of(np.hstack([constants, varying])) == pytest.approx([np.inf, np.inf, np.inf, 2])
    assert scale_of(np.full((100_000, 1), 3.3, np.float32)).tolist() == [np.inf]


def test_a_log_of_ten_days_teaches_the_share_that_was_heard_again() -> None:
    """Eight listeners played a track each on the first day, alike in all; three played it again: the odds are 3 : 5."""
    first = [(f"u{k}", "x", DAY - timedelta(days=9), 1) for k in range(8)]
    again = [(f"u{k}", "x", DAY - timedelta(days=k), 1) for k in range(3)]

    table = hearing_again(warehouse_of(first + again), DAY)

    assert table["odds"].to_list() == pytest.approx([3 / 5] * 8, rel=1e-3)


def test_a_log_of_few_days_teaches_nothing() -> None:
    """If nothing was heard before the last week, there are no odds."""
    table = hearing_again(warehouse_of([("u", "x", DAY, 1)]), DAY)

    assert table.is_empty()
    assert "odds" in table.columns


def test_pairs_are_found_among_others() -> None:
    """A pair is found by both of its ids."""
    pairs = pl.DataFrame({"user_id": ["u", "u", "v"], "track_id": ["x", "y", "x"]})

    assert is_among(pairs, pairs[1:]).tolist() == [False, True, True]
