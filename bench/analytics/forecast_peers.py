"""
StatsForecast on the cases of `bench.analytics.forecasts`, compared with our forecasts series by series.

The loss of a forecast is its mean absolute scaled error (MASE). That of an 80 % interval is the sum of the pinball
losses of its two ends, with the same scale. Differences are means over series and origins, with 95 % intervals from a
bootstrap over series, each with all its origins.
"""

import subprocess
import tempfile
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np

from bench.analytics.forecast_cases import Case
from bench.peers.environments import ROOT, python_of
from recsys.analytics.forecast import COVERAGE, Forecast, error_scale, forecast, scaled_errors
from recsys.arrays import F64, I64
from recsys.evaluate.bootstrap import bootstrap_means

SEED = 7
HEADER = (
    f"{'peer':<14} {'series':>6} {'MASE':>6} {'ours':>6} {'difference':>24} {'pinball':>8} {'ours':>6} "
    f"{'difference':>24} {'inside':>7} {'ours':>6} {'CPU-s per 1,000':>16} {'ours':>6}"
)


class Measured(NamedTuple):
    """
    One model on all cases.

    Attributes:
        losses: MASE, pinball loss and share of outcomes inside the interval of each series and origin. Shape (n, 3).
        seconds: CPU time per 1,000 series.
    """

    losses: F64
    seconds: float


def print_comparison(cases: list[Case], peers: tuple[str, ...], n_series: int | None) -> None:
    """Run the peers on all series, or on n_series drawn per origin; print a line for each."""
    if not peers:
        return
    rng = np.random.default_rng(SEED)
    rows = [drawn(len(case.history), n_series, rng) for case in cases]
    names = [case.series[row] for case, of_case in zip(cases, rows, strict=True) for row in of_case]
    ours = our_forecasts(cases, rows)
    print(HEADER)
    for peer, theirs in peer_forecasts(cases, rows, peers).items():
        (mase, pinball, inside), own = theirs.losses.mean(axis=0), ours.losses.mean(axis=0)
        of_mase, of_pinball = (difference(theirs.losses[:, n] - ours.losses[:, n], names) for n in (0, 1))
        print(
            f"{peer:<14} {len(names):>6} {mase:>6.3f} {own[0]:>6.3f} {of_mase:>24} {pinball:>8.3f} {own[1]:>6.3f} "
            f"{of_pinball:>24} {inside:>7.3f} {own[2]:>6.3f} {theirs.seconds:>16.2f} {ours.seconds:>6.2f}"
        )
    print()


def drawn(n_rows: int, n_series: int | None, rng: np.random.Generator) -> I64:
    """Return the rows of a case that are compared: all, or n_series of them."""
    is_all = n_series is None or n_series >= n_rows
    return np.arange(n_rows) if is_all else np.sort(rng.choice(n_rows, n_series, replace=False))


def our_forecasts(cases: list[Case], rows: list[I64]) -> Measured:
    """Forecast every case with our method, which chooses its settings on all series."""
    start = process_time()
    forecasts = [forecast(case.history, case.outcome.shape[1], case.season) for case in cases]
    seconds = process_time() - start
    losses = [
        losses_of(case, of_case, Forecast(*(part[of_case] for part in predicted)))
        for case, of_case, predicted in zip(cases, rows, forecasts, strict=True)
    ]
    return Measured(np.concatenate(losses), 1000 * seconds / sum(len(case.history) for case in cases))


def peer_forecasts(cases: list[Case], rows: list[I64], peers: tuple[str, ...]) -> dict[str, Measured]:
    """Forecast every case with each peer, in the library's own environment."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number, (case, of_case) in enumerate(zip(cases, rows, strict=True)):
            sizes = {"horizon": case.outcome.shape[1], "season": case.season}
            np.savez(folder / f"{number}.npz", history=case.history[of_case], **sizes)
        command = [str(python_of("statsforecast")), "-m", "bench.peers.statsforecast_models", temporary]
        options = ["--models", ",".join(peers)]
        subprocess.run([*command, *options], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        return {peer: _read(folder, peer, cases, rows) for peer in peers}


def _read(folder: Path, peer: str, cases: list[Case], rows: list[I64]) -> Measured:
    losses, seconds = [], 0.0
    for number, (case, of_case) in enumerate(zip(cases, rows, strict=True)):
        with np.load(folder / f"{number}-{peer}.npz", allow_pickle=False) as result:
            losses.append(losses_of(case, of_case, Forecast(result["mean"], result["low"], result["high"])))
            seconds += float(result["seconds"])
    return Measured(np.concatenate(losses), 1000 * seconds / sum(map(len, rows)))


def losses_of(case: Case, rows: I64, predicted: Forecast) -> F64:
    """Return MASE, scaled pinball loss and share inside the interval of each row of a case. Shape (n_rows, 3)."""
    history, outcome = case.history[rows], case.outcome[rows]
    tail = (1 - COVERAGE) / 2
    ends = pinball_loss(outcome, predicted.low, tail) + pinball_loss(outcome, predicted.high, 1 - tail)
    inside = (predicted.low <= outcome) & (outcome <= predicted.high)
    mase = scaled_errors(history, outcome, predicted.mean, case.season)
    return np.stack([mase, ends.mean(axis=1) / error_scale(history, case.season), inside.mean(axis=1)], axis=1)


def pinball_loss(outcome: F64, quantile: F64, level: float) -> F64:
    """
    Return the pinball loss of predicted quantiles; its mean is lowest for the true quantile. Shape of `outcome`.

    Source: Koenker, Bassett, Regression Quantiles (1978).

    >>> pinball_loss(np.array([10.0, 2.0]), np.array([6.0, 6.0]), 0.9).round(1).tolist()
    [3.6, 0.4]
    """
    return np.maximum(level * (outcome - quantile), (level - 1) * (outcome - quantile))


def difference(values: F64, names: list[str]) -> str:
    """Format a mean difference with its interval; a sample holds all origins of each series that it draws."""
    _, series = np.unique(names, return_inverse=True)
    sums = np.stack([np.bincount(series, values), np.bincount(series).astype(np.float64)], axis=1)
    means = bootstrap_means(sums, seed=SEED)
    low, high = np.quantile(means[:, 0] / means[:, 1], [0.025, 0.975])
    return f"{values.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
