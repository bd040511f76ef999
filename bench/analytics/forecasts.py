"""
Accuracy of artist forecasts, beside the seasonal naive forecast and the last value: mean absolute scaled error (MASE).

The seasonal naive forecast repeats the same weekday of the last known week, or the same week of the last year. `inside`
is the share of outcomes within the 80 % intervals. An origin is the last day known; its forecast uses nothing later.

Synthetic worlds: each artist's plays per day, 28 days ahead, from three origins in each of five worlds. Billboard 200:
each artist's albums on the chart per week, 13 weeks ahead, from three origins every fifth year since 1995, with five
years of history, for artists that were on the chart within the last year.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

from bench.analytics.breakouts import LAST_DAY, SEEDS, build_world
from bench.analytics.charts import chart_table
from bench.options import Missing, benchmark, data_folder, size
from recsys.analytics.forecast import HORIZON, MIN_PLAYS, WEEK, daily_counts, forecast, scaled_errors
from recsys.arrays import F64

BAR = 0.9
YEAR, QUARTER = 52, 13
DAYS_SQL = "select artist_id, listen_date, n_plays from marts.artist_daily"


class Case(NamedTuple):
    """
    The daily_counts of one origin.

    Attributes:
        name: Shown in the table.
        history: Values up to the origin, shape (n_series, n_times).
        outcome: Values after it, shape (n_series, horizon).
        season: Length of the season, in time steps.
    """

    name: str
    history: F64
    outcome: F64
    season: int


class Accuracy(NamedTuple):
    """Mean scaled errors of three forecasts from one origin, and the share of outcomes within our intervals."""

    ours: float
    seasonal: float
    last: float
    inside: float


@benchmark(headline=r"ours / seasonal naive (\d\.\d{3})")
@size(
    "--seed",
    "seeds",
    multiple=True,
    default=SEEDS,
    smallest=SEEDS[:1],
    help="Seed of a synthetic world; may be repeated.",
)
@size("--scale", default=1.0, smallest=0.2, help="Size of each world, in about a million listens.")
@size("--first-year", default=1995, smallest=2025, help="Year of the first origins on the Billboard 200.")
def main(seeds: tuple[int, ...], scale: float, first_year: int) -> None:
    """Print one line per origin, then the means and whether the bar is met, for both kinds of daily_counts."""
    print_accuracy("synthetic worlds", worlds(seeds, scale))
    try:
        data_folder()
    except Missing as missing:
        print(f"Billboard 200: {missing}")
    else:
        print_accuracy("Billboard 200", billboard(first_year))


def print_accuracy(title: str, cases: Iterator[Case]) -> None:
    """Measure every origin; print the table, its means and the verdict."""
    print(f"{title:<22} {'daily_counts':>6} {'ours':>6} {'seasonal':>9} {'last':>6} {'inside':>7}")
    rows = []
    for case in cases:
        rows.append(accuracy(case))
        print(f"{case.name:<22} {len(case.history):>6} {cells(rows[-1])}")
    mean = Accuracy(*np.mean(rows, axis=0))
    ratios = np.array([row.ours / row.seasonal for row in rows])
    print(f"{'mean':<22} {'':>6} {cells(mean)}")
    met = "met" if mean.ours < BAR * mean.seasonal else "not met"
    print(
        f"ours / seasonal naive {mean.ours / mean.seasonal:.3f} (by origin {ratios.min():.3f} to {ratios.max():.3f}), "
        f"ours / last value {mean.ours / mean.last:.3f}; bar < {BAR}: {met}\n"
    )


def accuracy(case: Case) -> Accuracy:
    """Measure our forecast, the seasonal naive one and the last value from one origin."""
    horizon = case.outcome.shape[1]
    ours = forecast(case.history, horizon, case.season)
    seasonal = case.history[:, -case.season :][:, np.arange(horizon) % case.season]
    last = np.repeat(case.history[:, -1:], horizon, axis=1)
    of_ours, of_seasonal, of_last = (
        float(scaled_errors(case.history, case.outcome, predicted, case.season).mean())
        for predicted in (ours.mean, seasonal, last)
    )
    inside = float(((ours.low <= case.outcome) & (case.outcome <= ours.high)).mean())
    return Accuracy(of_ours, of_seasonal, of_last, inside)


def cells(row: Accuracy) -> str:
    """Format the figures of one line."""
    return f"{row.ours:>6.3f} {row.seasonal:>9.3f} {row.last:>6.3f} {row.inside:>7.3f}"


def worlds(seeds: tuple[int, ...], scale: float) -> Iterator[Case]:
    """Yield three origins of each synthetic world; artists with too few plays to forecast are left out."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            warehouse, _ = build_world(Path(folder), seed, scale)
            with duckdb.connect(warehouse, read_only=True) as connection:
                _, counts = daily_counts(connection.sql(DAYS_SQL).pl(), LAST_DAY)
        for days_back in (HORIZON, HORIZON + 7, HORIZON + 14):
            origin = counts.shape[1] - days_back
            kept = counts[:, origin - HORIZON : origin].mean(axis=1) >= MIN_PLAYS
            outcome = counts[kept, origin : origin + HORIZON]
            yield Case(f"seed {seed}, {days_back} days back", counts[kept, :origin], outcome, WEEK)


def billboard(first_year: int) -> Iterator[Case]:
    """Yield three origins of every fifth year on the Billboard 200."""
    chart = chart_table("chart_weekly", "billboard200")
    weeks, artists = chart["chart_date"].unique().sort(), chart["artist"].unique().sort()
    counts = np.zeros((len(artists), len(weeks)))
    np.add.at(counts, (artists.search_sorted(chart["artist"]), weeks.search_sorted(chart["chart_date"])), 1)
    for year in range(first_year, 2026, 5):
        for week in (0, 17, 34):
            origin = int((weeks.dt.year() < year).sum()) + week
            kept = counts[:, origin - YEAR : origin].any(axis=1)
            history, outcome = counts[kept, origin - 5 * YEAR : origin], counts[kept, origin : origin + QUARTER]
            yield Case(f"{weeks[origin]}", history, outcome, YEAR)


if __name__ == "__main__":
    main()
