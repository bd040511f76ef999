"""
Breakouts by rank: will a song now outside the top ten of a chart reach it within six weeks? And how fast hits fade.

The charts come in by the ordinary door, and `recsys/analytics/chart_breakouts.py` is asked as the night asks it. Fit on
the weeks whose outcome was known before 2015, tested on those from 2015 on, whole chart, all songs. Descriptions and
the three years were chosen on the Hot 100 of 2008 to 2014, but that counts of the last years were needed at all was
seen on its test years. The Billboard 200 is the clean test: nothing was chosen on it, and it was judged once. Rivals
rank by one number: largest rise since last week, current rank, entry position. Intervals draw songs, with all their
weeks, again.
"""

from datetime import date
from itertools import pairwise

import click
import numpy as np
import polars as pl

from bench.options import benchmark, size
from bench.real_charts import FILES, chart_table
from recsys.arrays import F64, Bool

FIRST_TEST = date(2015, 1, 1)
RIVALS = ("largest rise", "current rank", "entry position")
BAR, SEED = 1.10, 7
CHANCES = (0, 0.01, 0.03, 0.1, 0.2, 0.35, 1)


@benchmark(headline=r"model +average precision (0\.\d{3})")
@size("--chart", "charts", multiple=True, type=click.Choice(list(FILES)), default=list(FILES), smallest=["hot100"])
@size("--draws", "n_draws", default=1000, smallest=2, help="Samples of the interval.")
def main(charts: tuple[str, ...], n_draws: int) -> None:
    """Print average precisions, the ratio to the best rival with its interval, calibration, and half-lives."""
    weekly = chart_table("chart_weekly", *charts)
    for chart in charts:
        judge(chart, weekly.filter(chart=chart), n_draws)
    print_half_lives(charts)


def judge(chart: str, weekly: pl.DataFrame, n_draws: int) -> None:
    """Hold the model of one chart against its rivals."""
    from sklearn.metrics import average_precision_score

    from recsys.analytics.chart_breakouts import probabilities, song_weeks

    train, test = cut(song_weeks(weekly))
    y, n_places = test["reaches"].to_numpy(), len(weekly["rank"].unique())
    scores = {"model": probabilities(train, test)} | {name: rival(test, name, n_places) for name in RIVALS}
    found = {name: float(average_precision_score(y, score)) for name, score in scores.items()}
    print(f"{chart}: {train.height:,} song-weeks to fit, {test.height:,} to test, {y.mean():.3f} reach the top ten")
    for name, value in found.items():
        print(f"  {name:<15} average precision {value:.3f}")
    best = max(RIVALS, key=found.__getitem__)
    low, high = np.quantile(bootstrap(test, scores["model"], scores[best], n_draws), [0.025, 0.975])
    ratio = found["model"] / found[best]
    met = "met" if ratio >= BAR and low > 1 else "not met"
    print(f"  against {best}: {ratio:.3f} x [{low:.3f}, {high:.3f}]; bar {BAR} x, lower end above 1: {met}")
    print_calibration(scores["model"], y)


def cut(weeks: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the weeks whose outcome was known before the first test week, and the test weeks with an outcome."""
    from recsys.analytics.chart_breakouts import HORIZON_WEEKS

    is_test = pl.col("chart_date") >= FIRST_TEST
    first = pl.col("week_no").filter(is_test).min()
    return weeks.filter(pl.col("week_no") < first - HORIZON_WEEKS), weeks.filter(is_test, "is_known")


def rival(weeks: pl.DataFrame, name: str, n_places: int) -> F64:
    """Score by one number; a song that was not listed last week rose from the place below the last."""
    if name == "largest rise":
        return np.asarray(weeks["rank_1"].fill_null(n_places + 1).to_numpy() - weeks["rank"].to_numpy(), np.float64)
    return -weeks["rank" if name == "current rank" else "entry_rank"].to_numpy().astype(np.float64)


def bootstrap(weeks: pl.DataFrame, ours: F64, theirs: F64, n_draws: int) -> F64:
    """Ratios of average precisions, songs drawn again, (n_draws,)."""
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(SEED)
    _, song = np.unique(weeks["song_id"].to_numpy(), return_inverse=True)
    y = weeks["reaches"].to_numpy()
    ratios = []
    for _ in range(n_draws):
        weight = np.bincount(rng.integers(0, song.max() + 1, song.max() + 1), minlength=song.max() + 1)[song]
        one, other = (average_precision_score(y, score, sample_weight=weight) for score in (ours, theirs))
        ratios.append(one / other)
    return np.array(ratios)


def print_calibration(chances: F64, y: Bool) -> None:
    """Print, by band of probability, how many song-weeks were told one, the mean told and the share that came true."""
    print("  told      song-weeks  mean told  came true")
    for low, high in pairwise(CHANCES):
        inside = (chances >= low) & (chances < high)
        print(f"  {low:.2f}-{high:.2f} {inside.sum():>11,} {chances[inside].mean():>10.3f} {y[inside].mean():>10.3f}")


def print_half_lives(charts: tuple[str, ...]) -> None:
    """Print, by decade of the peak, how fast the chart points of hits halve, and how well the line fits."""
    print("half-life of hits, by decade of the peak (points 1 / rank, 13 weeks from the peak on):")
    for row in chart_table("chart_half_lives", *charts).iter_rows(named=True):
        print(
            f"  {row['chart']:<12} {row['decade']}s {row['half_life_weeks']:>5.1f} weeks, r2 {row['r2']:.3f}, "
            f"{row['n_songs']:>5,} hits; under half of the points after {row['weeks_to_half']}"
        )


if __name__ == "__main__":
    main()
