"""
Forecasts against what came, beside the seasonal naive forecast and the last value: mean absolute scaled errors (MASE).

Seasonal naive is the same weekday of the last week known, or the same week of the last year. `inside` is the share of
what came that the 80 % intervals held.

Made-up worlds: 28 days of each artist's plays, from three days of five worlds. Billboard 200: for how many weeks the
albums of each artist stand on the chart, 13 weeks ahead, three origins every fifth year from 1995 on, five years known,
artists that stood on it within a year. Nothing after an origin is used for its forecast.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

from bench.analytics.breakouts import LAST_DAY, SEEDS, built
from bench.analytics.charts import chart_table
from bench.options import Missing, benchmark, data_folder, size
from recsys.analytics.forecast import HORIZON, MIN_PLAYS, WEEK, forecast, scaled_errors, series
from recsys.arrays import F64

BAR = 0.9
YEAR, QUARTER = 52, 13
DAYS_SQL = "select artist_id, listen_date, n_plays from marts.artist_daily"


class Case(NamedTuple):
    """One origin: what was known, (n_series, n_times), what came, (n_series, horizon), and the season's length."""

    name: str
    before: F64
    then: F64
    season: int


class Judged(NamedTuple):
    """Mean scaled errors of one origin, and the share of outcomes within the intervals."""

    ours: float
    seasonal: float
    last: float
    inside: float


@benchmark(headline=r"ours / seasonal naive (\d\.\d{3})")
@size("--seed", "seeds", multiple=True, default=SEEDS, smallest=SEEDS[:1], help="Of a made-up world.")
@size("--scale", default=1.0, smallest=0.2, help="Millions of listens of each world, or so.")
@size("--first-year", default=1995, smallest=2025, help="Of the origins on the Billboard 200.")
def main(seeds: tuple[int, ...], scale: float, first_year: int) -> None:
    """Print a line an origin and the ratio to the bar for both kinds of series."""
    judge_all("made-up worlds", worlds(seeds, scale))
    try:
        data_folder()
    except Missing as missing:
        print(f"Billboard 200: {missing}")
    else:
        judge_all("Billboard 200", billboard(first_year))


def judge_all(title: str, cases: Iterator[Case]) -> None:
    """Judge every origin and print the table and its means."""
    print(f"{title:<22} {'series':>6} {'ours':>6} {'seasonal':>9} {'last':>6} {'inside':>7}")
    judged = []
    for case in cases:
        judged.append(judge(case))
        print(f"{case.name:<22} {len(case.before):>6} {numbers(judged[-1])}")
    mean = Judged(*np.mean(judged, axis=0))
    ratios = np.array([each.ours / each.seasonal for each in judged])
    print(f"{'mean':<22} {'':>6} {numbers(mean)}")
    met = "met" if mean.ours < BAR * mean.seasonal else "not met"
    print(
        f"ours / seasonal naive {mean.ours / mean.seasonal:.3f} (by origin {ratios.min():.3f} to {ratios.max():.3f}), "
        f"ours / last value {mean.ours / mean.last:.3f}; bar < {BAR}: {met}\n"
    )


def judge(case: Case) -> Judged:
    """Forecast one origin in three ways."""
    horizon = case.then.shape[1]
    ours = forecast(case.before, horizon, case.season)
    seasonal = case.before[:, -case.season :][:, np.arange(horizon) % case.season]
    last = np.repeat(case.before[:, -1:], horizon, axis=1)
    errors = (scaled_errors(case.before, case.then, each, case.season).mean() for each in (ours.mean, seasonal, last))
    of_ours, of_seasonal, of_last = map(float, errors)
    return Judged(of_ours, of_seasonal, of_last, float(((ours.low <= case.then) & (case.then <= ours.high)).mean()))


def numbers(judged: Judged) -> str:
    """Write a line's figures."""
    return f"{judged.ours:>6.3f} {judged.seasonal:>9.3f} {judged.last:>6.3f} {judged.inside:>7.3f}"


def worlds(seeds: tuple[int, ...], scale: float) -> Iterator[Case]:
    """Three origins in each made-up world."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as made:
            warehouse, _ = built(Path(made), seed, scale)
            with duckdb.connect(warehouse, read_only=True) as connection:
                _, counts = series(connection.sql(DAYS_SQL).pl(), LAST_DAY)
        for back in (HORIZON, HORIZON + 7, HORIZON + 14):
            cut = counts.shape[1] - back
            kept = counts[:, cut - HORIZON : cut].mean(axis=1) >= MIN_PLAYS
            yield Case(f"seed {seed}, {back} days back", counts[kept, :cut], counts[kept, cut : cut + HORIZON], WEEK)


def billboard(first_year: int) -> Iterator[Case]:
    """Three origins every fifth year."""
    chart = chart_table("chart_weekly", "billboard200")
    weeks, artists = chart["chart_date"].unique().sort(), chart["artist"].unique().sort()
    counts = np.zeros((len(artists), len(weeks)))
    np.add.at(counts, (artists.search_sorted(chart["artist"]), weeks.search_sorted(chart["chart_date"])), 1)
    for year in range(first_year, 2026, 5):
        for week in (0, 17, 34):
            cut = int((weeks.dt.year() < year).sum()) + week
            kept = counts[:, cut - YEAR : cut].any(axis=1)
            before, then = counts[kept, cut - 5 * YEAR : cut], counts[kept, cut : cut + QUARTER]
            yield Case(f"{weeks[cut]}", before, then, YEAR)


if __name__ == "__main__":
    main()
