"""Rewards of explored and interleaved positions: a play in time, unless its days are missing in the log."""

from datetime import date, timedelta

import duckdb
import polars as pl
import pytest

from recsys.warehouse.sqlfile import read_layers, upstream_intermediates

FIRST, LAST = date(2026, 7, 3), date(2026, 7, 9)  # days of the log


def rewards(mart: str, source: str) -> dict[int, tuple[int, bool]]:
    """Return reward and completeness by rank: one list per day from two days before the log on, each for two days."""
    served = [FIRST + timedelta(days=n) for n in range(-2, 8)]
    shown = pl.DataFrame({"served_on": served, "rank": range(10)}).with_columns(
        until=pl.col("served_on") + timedelta(days=1), run_id=pl.format("r{}", "rank"), user_id=pl.lit("ann")
    )
    others = ("policy", "propensity", "option_no", "n_options", "features", "team", "is_contested")
    shown = shown.with_columns(
        pl.lit("t").alias("track_id"), *(pl.lit("x").alias(name) for name in (*others, "recommender", "challenger"))
    )
    plays = pl.DataFrame({"user_id": "ann", "track_id": ["t", "other"], "listen_date": [FIRST, LAST], "n_plays": 1})
    with duckdb.connect() as connection:
        for name, frame in ((source, shown), ("marts.interactions_daily", plays)):
            connection.execute(f"create schema if not exists {name.partition('.')[0]}")
            connection.register("incoming", frame.to_arrow())
            connection.execute(f"create table {name} as select * from incoming")
        connection.execute("create schema if not exists intermediate")
        files = read_layers()
        for name, file in upstream_intermediates(files, [mart]).items():
            connection.execute(f"create view {name} as {file.query}")
        rows = connection.execute(f"select rank, reward, is_complete from ({files[mart].query})").fetchall()
    return {rank: (reward, complete) for rank, reward, complete in rows}


@pytest.mark.parametrize(
    ("mart", "source"), [("marts.feedback", "marts.explorations"), ("marts.interleavings", "raw.interleavings")]
)
def test_a_reward_counts_only_if_the_log_has_all_its_days(mart: str, source: str) -> None:
    """The lists of the day before the log and of its first day had the play; only the latter's days are all there."""
    found = rewards(mart, source)

    assert [rank for rank, (reward, _) in sorted(found.items()) if reward] == [1, 2]
    assert [rank for rank, (_, complete) in sorted(found.items()) if complete] == [2, 3, 4, 5, 6, 7]
