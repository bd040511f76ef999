"""
Chart breakouts: will a song outside the top ten of a chart reach it within six weeks? And how fast do hits fade?

The charts are ingested like any delivery, and `recsys/analytics/chart_breakouts.py` computes the probabilities as the
nightly run does. The model is fitted on the weeks whose outcome was known before 2015 and tested on all songs of the
chart from 2015 on. Its features and its window of three years were chosen on the Hot 100 of 2008 to 2014; that a window
was needed at all was seen on the Hot 100's test years. The Billboard 200 is the clean test: nothing was chosen on it,
and it was tested once. Baselines rank by one number: largest rise since last week, current rank, entry position.
Intervals are bootstrapped over songs, with all their weeks.
"""

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import click
import numpy as np
import polars as pl

from bench.analytics.charts import FILES, chart_table
from bench.options import benchmark, size
from recsys.arrays import F64, I64, Bool

if TYPE_CHECKING:
    from recsys.analytics.chart_breakouts import Estimate

FIRST_TEST = date(2015, 1, 1)
BASELINES = ("largest rise", "current rank", "entry position")
BAR, SEED = 1.10, 7
FEW = 10  # similar song-weeks that are few precedents
BANDS = (0, 0.01, 0.03, 0.1, 0.2, 0.35, 1)


@benchmark(headline=r"model +average precision (0\.\d{3})")
@size("--chart", "charts", multiple=True, type=click.Choice(list(FILES)), default=list(FILES), smallest=["hot100"])
@size("--draws", "n_draws", default=1000, smallest=2, help="Bootstrap samples of the interval.")
def main(charts: tuple[str, ...], n_draws: int) -> None:
    """Print average precisions, the ratio to the best baseline with its interval, calibration, and half-lives."""
    weekly = chart_table("chart_weekly", *charts)
    for chart in charts:
        evaluate(chart, weekly.filter(chart=chart), n_draws)
    print_half_lives(charts)


def evaluate(chart: str, weekly: pl.DataFrame, n_draws: int) -> None:
    """Print how the model of one chart compares with the baselines."""
    from sklearn.metrics import average_precision_score

    from recsys.analytics.chart_breakouts import Estimate, estimate, song_weeks

    train, test = train_and_test(song_weeks(weekly))
    y, n_ranks = test["reaches"].to_numpy(), len(weekly["rank"].unique())
    model = estimate(train, test)
    scores = {"model": model.mean} | {name: baseline_scores(test, name, n_ranks) for name in BASELINES}
    precisions = {name: float(average_precision_score(y, score)) for name, score in scores.items()}
    print(f"{chart}: {train.height:,} song-weeks to fit, {test.height:,} to test, {y.mean():.3f} reach the top ten")
    for name, value in precisions.items():
        print(f"  {name:<15} average precision {value:.3f}")
    best = max(BASELINES, key=precisions.__getitem__)
    low, high = np.quantile(bootstrap(test, scores["model"], scores[best], n_draws), [0.025, 0.975])
    ratio = precisions["model"] / precisions[best]
    met = "met" if ratio >= BAR and low > 1 else "not met"
    print(f"  against {best}: {ratio:.3f} x [{low:.3f}, {high:.3f}]; bar {BAR} x, lower end above 1: {met}")
    song = np.unique(test["song_id"].to_numpy(), return_inverse=True)[1]
    print_calibration(model, y, song, n_draws)
    few = test.select((pl.col("n_similar") <= FEW) & (pl.col("n_similar_reached") == 0)).to_series().to_numpy()
    print(f"  of these, none of at most {FEW} similar song-weeks reached the top ten:")
    print_calibration(Estimate(*(part[few] for part in model)), y[few], song[few], n_draws)


def train_and_test(weeks: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the song-weeks whose outcome was known before the first test week, and the test weeks with an outcome."""
    from recsys.analytics.chart_breakouts import HORIZON_WEEKS

    is_test = pl.col("chart_date") >= FIRST_TEST
    first = pl.col("week_no").filter(is_test).min()
    return weeks.filter(pl.col("week_no") < first - HORIZON_WEEKS), weeks.filter(is_test, "is_known")


def baseline_scores(weeks: pl.DataFrame, name: str, n_ranks: int) -> F64:
    """
    Score songs by one number.

    A song not listed last week counts as having risen from just below the last rank; one of the chart's first edition
    in the data, whose entry is unknown, as having entered there.
    """
    if name == "largest rise":
        return np.asarray(weeks["rank_1"].fill_null(n_ranks + 1).to_numpy() - weeks["rank"].to_numpy(), np.float64)
    ranks = weeks["rank"] if name == "current rank" else weeks["entry_rank"].fill_null(n_ranks + 1)
    return -ranks.to_numpy().astype(np.float64)


def bootstrap(weeks: pl.DataFrame, ours: F64, theirs: F64, n_draws: int) -> F64:
    """Bootstrap the ratio of two average precisions over songs; shape (n_draws,)."""
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


def print_calibration(model: "Estimate", y: Bool, song: I64, n_draws: int) -> None:
    """
    Print by band of predicted probability: song-weeks, songs, mean prediction, share that came true, mean interval.

    The weeks of a song come true together, so that a band of few songs differs from its prediction by chance: the last
    column is the 95 % interval of the mean prediction minus the share, bootstrapped over songs.
    """
    print("  predicted song-weeks      songs       mean    reached   mean interval   mean - reached")
    for low, high in pairwise(BANDS):
        inside = (model.mean >= low) & (model.mean < high)
        if inside.any():
            predicted, lower, upper = (part[inside].mean() for part in model)
            ends = np.quantile(excess(model.mean[inside], y[inside], song[inside], n_draws), [0.025, 0.975])
            counted = f"{inside.sum():>11,} {len(np.unique(song[inside])):>10,}"
            shares = f"{predicted:>10.3f} {y[inside].mean():>10.3f}   {lower:.3f}-{upper:.3f}"
            print(f"  {low:.2f}-{high:.2f} {counted} {shares}     [{ends[0]:+.3f}, {ends[1]:+.3f}]")


def excess(predicted: F64, y: Bool, song: I64, n_draws: int) -> F64:
    """Bootstrap the mean prediction minus the share that came true over songs; shape (n_draws,)."""
    rng = np.random.default_rng(SEED)
    of_song = np.unique(song, return_inverse=True)[1]
    gaps, sizes = np.bincount(of_song, predicted - y), np.bincount(of_song)  # (n_songs,)
    weights = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), n_draws)  # (n_draws, n_songs)
    return np.asarray(weights @ gaps / (weights @ sizes))


def print_half_lives(charts: tuple[str, ...]) -> None:
    """Print by decade of the peak: the half-life of hits' chart points, and the fit of the exponential decay."""
    print("half-life of hits, by decade of the peak (points 1 / rank, over the 13 weeks after the peak):")
    for row in chart_table("chart_half_lives", *charts).iter_rows(named=True):
        print(
            f"  {row['chart']:<12} {row['decade']}s {row['half_life_weeks']:>5.1f} weeks, r2 {row['r2']:.3f}, "
            f"{row['n_songs']:>5,} hits; under half of the points after {row['weeks_to_half']}"
        )


if __name__ == "__main__":
    main()
