"""
Histories and outcomes on which `bench.analytics.forecasts` measures forecasts: synthetic worlds and the Billboard 200.

An origin is the last day or week known; history ends there, and the outcome follows.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

from bench.analytics.breakouts import LAST_DAY, build_world
from bench.analytics.charts import chart_table
from recsys.analytics.forecast import HORIZON, MIN_PLAYS, WEEK, daily_counts
from recsys.arrays import F64

YEAR, QUARTER = 52, 13
DAYS_SQL = "select artist_id, listen_date, n_plays from marts.artist_daily"


class Case(NamedTuple):
    """
    The counts of one origin.

    Attributes:
        name: Shown in the table.
        history: Values up to the origin, shape (n_series, n_times).
        outcome: Values after it, shape (n_series, horizon).
        season: Length of the season, in time steps.
        series: Name of each series, the same at every origin.
    """

    name: str
    history: F64
    outcome: F64
    season: int
    series: list[str]


def worlds(seeds: tuple[int, ...], scale: float) -> Iterator[Case]:
    """Yield three origins of each synthetic world; artists with too few plays to forecast are left out."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            warehouse, _ = build_world(Path(folder), seed, scale)
            with duckdb.connect(warehouse, read_only=True) as connection:
                artists, counts = daily_counts(connection.sql(DAYS_SQL).pl(), LAST_DAY)
        for days_back in (HORIZON, HORIZON + 7, HORIZON + 14):
            origin = counts.shape[1] - days_back
            kept = counts[:, origin - HORIZON : origin].mean(axis=1) >= MIN_PLAYS
            outcome = counts[kept, origin : origin + HORIZON]
            series = [f"{seed} {artist}" for artist in artists.filter(kept)]
            yield Case(f"seed {seed}, {days_back} days back", counts[kept, :origin], outcome, WEEK, series)


def billboard(first_year: int) -> Iterator[Case]:
    """Yield three origins of every fifth year on the Billboard 200."""
    chart = chart_table("chart_weekly", "billboard200")
    weeks, artists = chart["chart_date"].unique().sort(), chart["artist"].unique().sort()
    counts = np.zeros((len(artists), len(weeks)))
    np.add.at(counts, (artists.search_sorted(chart["artist"]), weeks.search_sorted(chart["chart_date"])), 1)
    for year in range(first_year, 2026, 5):
        for week in (0, 17, 34):
            origin = int((weeks.dt.year() < year).sum()) + week
            kept = np.asarray(counts[:, origin - YEAR : origin].any(axis=1))
            history, outcome = counts[kept, origin - 5 * YEAR : origin], counts[kept, origin : origin + QUARTER]
            yield Case(f"{weeks[origin]}", history, outcome, YEAR, artists.filter(kept).to_list())
