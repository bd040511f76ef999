"""
What is to be expected: plays of the next days with intervals, for many series at once.

Each series is a level times factors of the season (weekdays): counts are divided by the factors, the level is followed by
exponential smoothing with a damped trend (Gardner and McKenzie, 1985), and multiplied back. Factors of a series are
shrunk to those of all series together, as if it had seen `PRIOR_SEASONS` more seasons of theirs. The speeds of level and
trend are chosen for all series together, by the error of forecasts from earlier days whose outcome is known. The same
forecasts' errors give the intervals (split conformal prediction), so that they hold what they say whatever the counts do.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys import columns

F64: TypeAlias = npt.NDArray[np.float64]

HORIZON, WEEK = 28, 7
N_ORIGINS = 2  # earlier days that forecasts are judged from
PRIOR_SEASONS = 26
INSIDE = 0.8  # share of the days that an interval is to hold
LEVELS, TRENDS, DAMPINGS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8), (0.02, 0.1), (0.9, 0.97)
MIN_PLAYS = 1.0  # a day, over the last four weeks: an artist with fewer is not forecast


class Speed(NamedTuple):
    """How fast the level and the trend follow, 0..1, and what is left of the trend one step on."""

    level: float
    trend: float
    damping: float


class Forecast(NamedTuple):
    """What is expected and the interval around it, each of shape (n_series, horizon), none below 0."""

    mean: F64
    low: F64
    high: F64


def forecast(counts: F64, horizon: int, season: int) -> Forecast:
    """
    Forecast every series.

    Args:
        counts: What was counted, oldest first, 0 where nothing was. Shape (n_series, n_times), at least
            `season + 2 * horizon` times.
        horizon: How many steps ahead.
        season: Steps after which the season begins again: 7 for days, 1 for none.

    Returns:
        Mean and 80 % interval of each step.
    """
    speed = chosen_speed(counts, horizon, season)
    mean = smoothed(counts, horizon, season, speed)
    bounds = np.array(
        [error_bounds(before, then, season, speed) for before, then in known_outcomes(counts, horizon, season)]
    )
    low, high = bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)  # days of one month share their fate: the outer ones
    scale = scale_of(counts, season)[:, None]
    return Forecast(mean, np.clip(mean + np.minimum(low, 0) * scale, 0, None), mean + np.maximum(high, 0) * scale)


def error_bounds(before: F64, then: F64, season: int, speed: Speed) -> F64:
    """Return the errors, scaled by series, between which `INSIDE` of them lie at each step: (2, horizon)."""
    expected = smoothed(before, then.shape[1], season, speed)
    errors = (then - expected) / scale_of(before, season)[:, None]
    return np.asarray(np.quantile(errors, [(1 - INSIDE) / 2, (1 + INSIDE) / 2], axis=0))


def chosen_speed(counts: F64, horizon: int, season: int) -> Speed:
    """Return the speed whose forecasts from earlier days had the least mean absolute error, scaled by series."""
    speeds = [Speed(level, 0.0, 0.0) for level in LEVELS]
    speeds += [Speed(*each) for each in product(LEVELS, TRENDS, DAMPINGS)]
    outcomes = list(known_outcomes(counts, horizon, season))
    return min(
        speeds,
        key=lambda speed: sum(
            scaled_errors(before, then, smoothed(before, horizon, season, speed), season).mean()
            for before, then in outcomes
        ),
    )


def known_outcomes(counts: F64, horizon: int, season: int) -> Iterator[tuple[F64, F64]]:
    """Cut the series at earlier days: what was known then, (n_series, n_before), and what came, (n_series, horizon)."""
    n_times = counts.shape[1]
    for back in range(1, N_ORIGINS + 1):
        cut = n_times - back * horizon
        if cut >= season + horizon:
            yield counts[:, :cut], counts[:, cut : cut + horizon]


def smoothed(counts: F64, horizon: int, season: int, speed: Speed) -> F64:
    """Forecast every series at one speed, (n_series, horizon)."""
    n_times = counts.shape[1]
    factors = seasonal_factors(counts, season)
    deseasoned = counts / factors[:, np.arange(n_times) % season]
    level, trend = deseasoned[:, :season].mean(axis=1), np.zeros(len(counts))
    for now in deseasoned.T:
        before = level
        level = speed.level * now + (1 - speed.level) * (level + speed.damping * trend)
        trend = speed.trend * (level - before) + (1 - speed.trend) * speed.damping * trend
    ahead = np.cumsum(speed.damping ** np.arange(1, horizon + 1))  # how often the trend is added, step by step
    expected = level[:, None] + trend[:, None] * ahead
    return np.asarray(np.clip(expected, 0, None) * factors[:, np.arange(n_times, n_times + horizon) % season])


def seasonal_factors(counts: F64, season: int) -> F64:
    """Return what each place of the season is of its mean, shrunk to all series' together: (n_series, season)."""
    n_seasons = counts.shape[1] // season
    whole = counts[:, : n_seasons * season].reshape(len(counts), n_seasons, season)
    own = whole.sum(axis=1)  # (n_series, season)
    everybody = own.sum(axis=0) / max(own.sum() / season, 1e-12)
    mean = own.mean(axis=1, keepdims=True) / n_seasons
    shrunk = own + PRIOR_SEASONS * mean * np.where(everybody > 0, everybody, 1)
    total = shrunk.mean(axis=1, keepdims=True)
    return np.asarray(np.clip(np.divide(shrunk, total, out=np.ones_like(own), where=total > 0), 0.05, None))


def scale_of(counts: F64, season: int) -> F64:
    """
    How far a series usually is from itself one season before: the scale of its errors, (n_series,).

    Source: Hyndman and Koehler, Another look at measures of forecast accuracy, 2006. Never below one count in a season.
    """
    steps = np.abs(counts[:, season:] - counts[:, :-season]).mean(axis=1)
    return np.asarray(np.maximum(steps, 1 / max(season, WEEK)))


def scaled_errors(before: F64, then: F64, expected: F64, season: int) -> F64:
    """Return the mean absolute scaled error (MASE) of each series, (n_series,)."""
    return np.asarray(np.abs(then - expected).mean(axis=1) / scale_of(before, season))


def artist_forecasts(days: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """
    Forecast the plays of every artist that is played at all.

    Args:
        days: artist_id, listen_date, n_plays; days without plays may be missing.
        as_of: The last day that counts.

    Returns:
        The rows of `columns.FORECASTS`: the 28 days from the one after `as_of` on; none where the log is too short.
    """
    schema = columns.schema(columns.FORECASTS)
    known = days.filter(pl.col("listen_date") <= as_of, pl.col("n_plays") > 0)
    first = known["listen_date"].min()
    n_days = (as_of - first).days + 1 if isinstance(first, date) else 0
    if n_days < WEEK + 2 * HORIZON:
        return pl.DataFrame(schema=schema)
    artists, counts = _series(known, as_of, n_days)
    is_played = counts[:, -HORIZON:].mean(axis=1) >= MIN_PLAYS
    expected = forecast(counts[is_played], HORIZON, WEEK)
    dates = [as_of + timedelta(days=ahead) for ahead in range(1, HORIZON + 1)]
    return pl.DataFrame(
        {
            "artist_id": np.repeat(artists.filter(is_played).to_numpy(), HORIZON),
            "forecast_date": dates * int(is_played.sum()),
            "n_plays": expected.mean.ravel(),
            "low": expected.low.ravel(),
            "high": expected.high.ravel(),
        },
        schema=schema,
    )


def _series(days: pl.DataFrame, as_of: date, n_days: int) -> tuple[pl.Series, F64]:
    """Lay plays out as one row an artist, one column a day, the last one `as_of`."""
    artists = days["artist_id"].unique().sort()
    counts = np.zeros((len(artists), n_days))
    column = n_days - 1 - (pl.lit(as_of) - pl.col("listen_date")).dt.total_days()
    at = days.select(column).to_series().to_numpy()
    counts[artists.search_sorted(days["artist_id"]).to_numpy(), at] = days["n_plays"].to_numpy()
    return artists, counts
