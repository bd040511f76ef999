"""
What is to be expected: plays of the next days with intervals, for many series at once.

A series is a level times factors of the season (weekdays): counts are divided by the factors, the level is followed by
exponential smoothing, goes back to the long-run mean as fast as it is wont to, and is multiplied back. Factors of a
series are shrunk to those of all series together, as if it had seen some more seasons of theirs. How fast, and how far
shrunk, is chosen for all series together, by the errors of forecasts from earlier days whose outcome is known. The same
errors give the intervals (split conformal prediction), so that these hold what they say however counts are spread.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.columns import HIGH, LOW, Column, schema

FORECASTS_COLUMNS = (
    Column("artist_id", pl.String()),
    Column("forecast_date", pl.Date()),
    Column("n_plays", pl.Float64()),
    LOW,
    HIGH,
)
HORIZON, WEEK = 28, 7
N_ORIGINS = 2  # earlier days that forecasts are judged from
INSIDE = 0.8  # share of the days that an interval is to hold
LEVELS, KEPT, PRIORS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0), (1.0, 0.99, 0.97, 0.9), (26.0, 1000.0)
MIN_PLAYS = 1.0  # a day, over the last four weeks: an artist with fewer is not forecast


class Settings(NamedTuple):
    """
    What is chosen for all series together.

    Attributes:
        level: Weight of the newest count in the level, 0..1.
        kept: What is left, a step on, of the level's distance from the long-run mean, 0..1.
        prior: Seasons of all series together that each one's own factors are shrunk by.
    """

    level: float
    kept: float
    prior: float


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
    settings = chosen_settings(counts, horizon, season)
    mean = smoothed(counts, horizon, season, settings)
    bounds = np.array(
        [error_bounds(before, then, season, settings) for before, then in known_outcomes(counts, horizon, season)]
    )
    low, high = bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)  # days of one month share their fate: the outer ones
    scale = scale_of(counts, season)[:, None]
    return Forecast(mean, np.clip(mean + np.minimum(low, 0) * scale, 0, None), mean + np.maximum(high, 0) * scale)


def error_bounds(before: F64, then: F64, season: int, settings: Settings) -> F64:
    """Return the errors, scaled by series, between which `INSIDE` of them lie at each step: (2, horizon)."""
    expected = smoothed(before, then.shape[1], season, settings)
    errors = (then - expected) / scale_of(before, season)[:, None]
    return np.asarray(np.quantile(errors, [(1 - INSIDE) / 2, (1 + INSIDE) / 2], axis=0))


def chosen_settings(counts: F64, horizon: int, season: int) -> Settings:
    """Return the settings whose forecasts from earlier days had the least mean absolute error, scaled by series."""
    outcomes = list(known_outcomes(counts, horizon, season))

    def error(settings: Settings) -> float:
        errors = (
            scaled_errors(before, then, smoothed(before, horizon, season, settings), season)
            for before, then in outcomes
        )
        return float(sum(each.mean() for each in errors))

    return min((Settings(*each) for each in product(LEVELS, KEPT, PRIORS)), key=error)


def known_outcomes(counts: F64, horizon: int, season: int) -> Iterator[tuple[F64, F64]]:
    """Cut the series at earlier days: what was known then, (n_series, n_before), and what came, (n_series, horizon)."""
    n_times = counts.shape[1]
    for back in range(1, N_ORIGINS + 1):
        cut = n_times - back * horizon
        if cut >= season + horizon:
            yield counts[:, :cut], counts[:, cut : cut + horizon]


def smoothed(counts: F64, horizon: int, season: int, settings: Settings) -> F64:
    """Forecast every series with given settings, (n_series, horizon)."""
    n_times = counts.shape[1]
    factors = seasonal_factors(counts, season, settings.prior)
    deseasoned = counts / factors[:, np.arange(n_times) % season]
    level, mean = deseasoned[:, :season].mean(axis=1), deseasoned.mean(axis=1)
    for now in deseasoned.T:
        level = settings.level * now + (1 - settings.level) * level
    kept = settings.kept ** np.arange(1, horizon + 1)
    expected = mean[:, None] + (level - mean)[:, None] * kept  # (n_series, horizon)
    return np.asarray(expected * factors[:, np.arange(n_times, n_times + horizon) % season])


def seasonal_factors(counts: F64, season: int, prior: float) -> F64:
    """Return what each place of the season is of its mean, shrunk to all series' together: (n_series, season)."""
    n_seasons = counts.shape[1] // season
    whole = counts[:, : n_seasons * season].reshape(len(counts), n_seasons, season)
    own = whole.sum(axis=1)  # (n_series, season)
    everybody = own.sum(axis=0) / max(own.sum() / season, 1e-12)
    mean = own.mean(axis=1, keepdims=True) / n_seasons
    shrunk = own + prior * mean * np.where(everybody > 0, everybody, 1)
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
        The rows of `FORECASTS_COLUMNS`: the 28 days from the one after `as_of` on; none where the log is too short.
    """
    artists, counts = series(days.filter(pl.col("listen_date") <= as_of), as_of)
    if counts.shape[1] < WEEK + 2 * HORIZON:
        return pl.DataFrame(schema=schema(FORECASTS_COLUMNS))
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
        schema=schema(FORECASTS_COLUMNS),
    )


def series(days: pl.DataFrame, as_of: date) -> tuple[pl.Series, F64]:
    """
    Lay plays out as one row an artist and one column a day, from the first day with a play to `as_of`.

    Args:
        days: artist_id, listen_date, n_plays; none later than `as_of`.
        as_of: The last day.

    Returns:
        The artists, and their plays, shape (n_artists, n_days), 0 where nothing is known.
    """
    played = days.filter(pl.col("n_plays") > 0)
    artists, ago = played["artist_id"].unique().sort(), (pl.lit(as_of) - pl.col("listen_date")).dt.total_days()
    days_ago = played.select(ago).to_series().to_numpy()
    counts = np.zeros((len(artists), int(days_ago.max(initial=-1)) + 1))
    counts[artists.search_sorted(played["artist_id"]), -1 - days_ago] = played["n_plays"]
    return artists, counts
