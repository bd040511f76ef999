"""
Forecasts of daily plays with prediction intervals, for many series at once.

The model is a level times seasonal factors (weekdays). Counts are divided by the factors; the level is estimated by
exponential smoothing, and its forecast returns to the long-run mean at a constant rate; the result is multiplied by the
factors. The factors of a series are shrunk towards the factors of all series together. Smoothing weight, rate and
shrinkage are the same for all series. They are chosen by the errors of backtests: forecasts for earlier days, compared
with the actual counts. The same errors give the intervals (split conformal prediction), so no distribution of counts is
assumed. Spikes of one day are limited first, in what forecasts are made from and in what gives the intervals. Otherwise
they would return with every season, and in the intervals one and two horizons later.
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
HORIZON, WEEK = 28, 7  # days
N_BACKTESTS = 2  # number of earlier cut-off days to forecast from
COVERAGE = 0.8  # nominal coverage of the intervals
LEVELS, DAMPINGS, PRIORS = (
    (0.05, 0.1, 0.2, 0.4, 0.8, 1.0),
    (1.0, 0.99, 0.97, 0.9),
    (26.0, 1000.0),
)  # values to choose from
SPIKE_STD = 1.0  # how many standard deviations (Poisson) a count may exceed the highest of its neighbours
N_POOLED_STEPS = WEEK  # the errors of this many neighbouring forecast steps give one interval
MIN_PLAYS = 1.0  # artists with fewer plays per day, on average over the last four weeks, get no forecast


class SmoothingSettings(NamedTuple):
    """
    Parameters of the model, the same for all series.

    Attributes:
        level: Smoothing weight: weight of the newest count in the level, 0..1.
        damping: Share of the level's deviation from the long-run mean that remains after one step, 0..1.
        prior_seasons: Strength of the shrinkage towards the seasonal factors of all series: how many seasons of data
            they count as, >= 0.
    """

    level: float
    damping: float
    prior_seasons: float


class Forecast(NamedTuple):
    """Forecast counts, and low and high ends of their prediction intervals. Shape (n_series, horizon) each, >= 0."""

    mean: F64
    low: F64
    high: F64


def forecast(counts: F64, horizon: int, season: int) -> Forecast:
    """
    Forecast every series with 80 % prediction intervals.

    Args:
        counts: Counts per time step, oldest first; 0 where nothing was counted. Shape (n_series, n_times), where
            n_times >= season + 2 * horizon.
        horizon: Number of steps to forecast.
        season: Length of the season in steps: 7 for daily counts, 1 for no season.
    """
    settings = best_settings(counts, horizon, season)
    mean = point_forecast(counts, horizon, season, settings)
    bounds = np.array(
        [error_bounds(train, actual, season, settings) for train, actual in backtests(counts, horizon, season)]
    )
    # Errors within one backtest are dependent, so the widest interval of all backtests is used.
    low, high = bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)
    scale = error_scale(without_spikes(counts, season), season)[:, None]
    return Forecast(mean, np.clip(mean + np.minimum(low, 0) * scale, 0, None), mean + np.maximum(high, 0) * scale)


def error_bounds(train: F64, actual: F64, season: int, settings: SmoothingSettings) -> F64:
    """
    Return the quantiles of the scaled errors of one backtest between which `COVERAGE` of them lie.

    Args:
        train: Counts up to a cut-off. Shape (n_series, n_train).
        actual: The next counts. Shape (n_series, horizon).
        season: Length of the season in steps.
        settings: Parameters of the model.

    Returns:
        Lower and upper quantile over all series and N_POOLED_STEPS neighbouring steps, per forecast step. Shape
        (2, horizon).
    """
    horizon = actual.shape[1]
    expected = point_forecast(train, horizon, season, settings)
    usual = without_spikes(np.hstack([train, actual]), season)[:, -horizon:]
    errors = (usual - expected) / error_scale(without_spikes(train, season), season)[:, None]
    width = min(N_POOLED_STEPS, horizon)
    windows = np.lib.stride_tricks.sliding_window_view(errors, width, axis=1)  # (n_series, horizon - width + 1, width)
    pooled = np.quantile(windows, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], axis=(0, 2))
    before = width // 2
    return np.pad(pooled, ((0, 0), (before, width - 1 - before)), mode="edge")


def best_settings(counts: F64, horizon: int, season: int) -> SmoothingSettings:
    """Return the settings with the lowest mean absolute scaled error (MASE) over all series and backtests."""
    cases = list(backtests(counts, horizon, season))

    def error(settings: SmoothingSettings) -> float:
        errors = (
            scaled_errors(train, actual, point_forecast(train, horizon, season, settings), season)
            for train, actual in cases
        )
        return float(sum(of_series.mean() for of_series in errors))

    return min((SmoothingSettings(*values) for values in product(LEVELS, DAMPINGS, PRIORS)), key=error)


def backtests(counts: F64, horizon: int, season: int) -> Iterator[tuple[F64, F64]]:
    """Yield backtest splits: counts up to a cut-off, (n_series, n_train), and the next counts, (n_series, horizon)."""
    n_times = counts.shape[1]
    for back in range(1, N_BACKTESTS + 1):
        cut = n_times - back * horizon
        if cut >= season + horizon:
            yield counts[:, :cut], counts[:, cut : cut + horizon]


def point_forecast(counts: F64, horizon: int, season: int, settings: SmoothingSettings) -> F64:
    """Forecast every series with these settings, without intervals. Shape (n_series, horizon)."""
    n_times = counts.shape[1]
    usual = without_spikes(counts, season)
    factors = seasonal_factors(usual, season, settings.prior_seasons)
    deseasoned = usual / factors[:, np.arange(n_times) % season]
    level, mean = deseasoned[:, :season].mean(axis=1), deseasoned.mean(axis=1)
    for count in deseasoned.T:
        level = settings.level * count + (1 - settings.level) * level
    remaining = settings.damping ** np.arange(1, horizon + 1)
    expected = mean[:, None] + (level - mean)[:, None] * remaining  # (n_series, horizon)
    return np.asarray(expected * factors[:, np.arange(n_times, n_times + horizon) % season])


def without_spikes(counts: F64, season: int) -> F64:
    """
    Limit spikes of one step, that is counts far above those one step and one season before and after.

    A count may exceed the highest of these neighbours by SPIKE_STD standard deviations of a Poisson count. A rise that
    stays and a peak that returns every season have a high neighbour and are left as they are. Shape of `counts`.
    """
    highest = np.zeros_like(counts)
    for distance in {1, season}:
        np.maximum(highest[:, distance:], counts[:, :-distance], out=highest[:, distance:])
        np.maximum(highest[:, :-distance], counts[:, distance:], out=highest[:, :-distance])
    return np.asarray(np.minimum(counts, highest + SPIKE_STD * np.sqrt(highest + 1)))


def seasonal_factors(counts: F64, season: int, prior_seasons: float) -> F64:
    """Return seasonal factors with mean 1, shrunk towards the factors of all series. Shape (n_series, season)."""
    n_seasons = counts.shape[1] // season
    whole = counts[:, : n_seasons * season].reshape(len(counts), n_seasons, season)
    sums = whole.sum(axis=1)  # (n_series, season)
    overall = sums.sum(axis=0) / max(sums.sum() / season, 1e-12)
    mean = sums.mean(axis=1, keepdims=True) / n_seasons
    shrunk = sums + prior_seasons * mean * np.where(overall > 0, overall, 1)
    total = shrunk.mean(axis=1, keepdims=True)
    return np.asarray(np.clip(np.divide(shrunk, total, out=np.ones_like(sums), where=total > 0), 0.05, None))


def error_scale(counts: F64, season: int) -> F64:
    """
    Return the scale of each series' errors: the mean absolute difference of counts one season apart.

    Shape (n_series,). The scale is at least 1 / max(season, WEEK), so that it is never 0.

    Source: Hyndman, Koehler, Another Look at Measures of Forecast Accuracy (2006).
    """
    steps = np.abs(counts[:, season:] - counts[:, :-season]).mean(axis=1)
    return np.asarray(np.maximum(steps, 1 / max(season, WEEK)))


def scaled_errors(train: F64, actual: F64, expected: F64, season: int) -> F64:
    """Return the mean absolute scaled error (MASE) of each series. Shape (n_series,)."""
    return np.asarray(np.abs(actual - expected).mean(axis=1) / error_scale(train, season))


def artist_forecasts(days: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """
    Forecast the daily plays of every artist with at least MIN_PLAYS plays per day in the last four weeks.

    Args:
        days: artist_id, listen_date, n_plays; rows without plays may be missing.
        as_of: The last day of data to use.

    Returns:
        Rows with FORECASTS_COLUMNS for the 28 days after `as_of`; no rows if the data covers less than nine weeks, or
        no artist has enough plays.
    """
    artists, counts = daily_counts(days.filter(pl.col("listen_date") <= as_of), as_of)
    is_played = counts[:, -HORIZON:].sum(axis=1) >= MIN_PLAYS * HORIZON
    if counts.shape[1] < WEEK + 2 * HORIZON or not is_played.any():
        return pl.DataFrame(schema=schema(FORECASTS_COLUMNS))
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


def daily_counts(days: pl.DataFrame, as_of: date) -> tuple[pl.Series, F64]:
    """
    Return the number of plays per artist and day, from the first day with a play to `as_of`.

    Args:
        days: artist_id, listen_date, n_plays; none later than `as_of`.
        as_of: The last day.

    Returns:
        The sorted artist ids, and their plays per day, shape (n_artists, n_days); 0 for days without a row.
    """
    played = days.filter(pl.col("n_plays") > 0)
    artists = played["artist_id"].unique().sort()
    days_ago = played.select((pl.lit(as_of) - pl.col("listen_date")).dt.total_days()).to_series().to_numpy()
    counts = np.zeros((len(artists), int(days_ago.max(initial=-1)) + 1))
    counts[artists.search_sorted(played["artist_id"]), -1 - days_ago] = played["n_plays"]
    return artists, counts
