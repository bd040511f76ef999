"""
Accuracy of artist forecasts, beside the seasonal naive forecast and the last value: mean absolute scaled error (MASE).

The seasonal naive forecast repeats the same weekday of the last known week, or the same week of the last year. `inside`
is the share of outcomes within the 80 % intervals. An origin is the last day known; its forecast uses nothing later.

Synthetic worlds: each artist's plays per day, 28 days ahead, from three origins in each of five worlds. Billboard 200:
each artist's albums on the chart per week, 13 weeks ahead, from three origins every fifth year since 1995, with five
years of history, for artists that were on the chart within the last year.

With `--peer`, models of StatsForecast forecast the same series from the same origins, in an environment of their own.
Settings of ours were chosen on other worlds and years: `--seed 7 --seed 8 --first-year 1998`.
"""

from typing import NamedTuple

import click
import numpy as np

from bench.analytics.breakouts import SEEDS
from bench.analytics.forecast_cases import Case, billboard, worlds
from bench.analytics.forecast_peers import print_comparison
from bench.options import Missing, benchmark, size
from bench.peers.statsforecast_models import NAMES
from recsys.analytics.forecast import forecast, scaled_errors

BAR = 0.9


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
@click.option("--peer", "peers", multiple=True, type=click.Choice(NAMES), help="Model to compare with; repeatable.")
@click.option("--peer-series", type=click.IntRange(min=1), help="Series per origin that peers forecast. [default: all]")
def main(
    seeds: tuple[int, ...], scale: float, first_year: int, peers: tuple[str, ...], peer_series: int | None
) -> None:
    """Print one line per origin, the means and whether the bar is met, then the peers; for both kinds of counts."""
    # Generators, so that data is read and found missing within the loop.
    sources = {"synthetic worlds": worlds(seeds, scale), "Billboard 200": billboard(first_year)}
    for title, origins in sources.items():
        try:
            cases = list(origins)
        except Missing as missing:
            print(f"{title}: {missing}")
            continue
        print_accuracy(title, cases)
        print_comparison(cases, peers, peer_series)


def print_accuracy(title: str, cases: list[Case]) -> None:
    """Measure every origin; print the table, its means and the verdict."""
    print(f"{title:<22} {'series':>6} {'ours':>6} {'seasonal':>9} {'last':>6} {'inside':>7}")
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


if __name__ == "__main__":
    main()
