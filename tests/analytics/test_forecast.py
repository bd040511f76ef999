"""Forecasts: what is exact, what is kept, what is not looked at."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from recsys.analytics.forecast import (
    FORECASTS_COLUMNS,
    HORIZON,
    WEEK,
    artist_forecasts,
    forecast,
    scaled_errors,
    seasonal_factors,
    series,
)
from recsys.columns import schema

AS_OF = date(2026, 6, 30)
N_DAYS = 112
WEEKDAYS = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 4.0])


def counted(seed: int, n_series: int = 60, n_days: int = N_DAYS) -> np.ndarray:
    """Series of counts around a level of their own, with a common week."""
    rng = np.random.default_rng(seed)
    levels = rng.uniform(5, 60, (n_series, 1))
    usual = levels * WEEKDAYS[np.arange(n_days) % WEEK] / WEEKDAYS.mean()
    return np.asarray(rng.poisson(usual), np.float64)


def test_what_repeats_itself_is_forecast_exactly() -> None:
    """The same week again and again is expected for ever, and the interval is a point."""
    counts = np.tile(WEEKDAYS, (3, N_DAYS // WEEK)) * np.array([[1.0], [10.0], [100.0]])

    expected = forecast(counts, HORIZON, WEEK)

    assert expected.mean == pytest.approx(counts[:, :HORIZON])
    assert expected.low == pytest.approx(expected.high)


def test_a_forecast_lies_within_its_interval_and_none_is_below_zero() -> None:
    """Also of series that are hardly played, or not at all."""
    counts = np.vstack([counted(1), np.zeros((1, N_DAYS)), np.eye(1, N_DAYS)])

    expected = forecast(counts, HORIZON, WEEK)

    assert (expected.low >= 0).all()
    assert (expected.low <= expected.mean).all()
    assert (expected.mean <= expected.high).all()


def test_a_forecast_beats_the_seasonal_naive_one_on_noise() -> None:
    """A level learned from many weeks is better than the last week alone: 1 / sqrt(2) of its error in the limit."""
    counts = counted(2, n_days=N_DAYS + HORIZON)
    before, then = counts[:, :N_DAYS], counts[:, N_DAYS:]

    ours = scaled_errors(before, then, forecast(before, HORIZON, WEEK).mean, WEEK).mean()
    naive = scaled_errors(before, then, np.tile(before[:, -WEEK:], HORIZON // WEEK), WEEK).mean()

    assert ours < 0.8 * naive


def test_intervals_hold_about_as_many_days_as_they_say() -> None:
    """Four days in five, or a few more: the outer bounds of two earlier months are taken."""
    counts = counted(3, n_series=300, n_days=N_DAYS + HORIZON)
    expected = forecast(counts[:, :N_DAYS], HORIZON, WEEK)

    inside = (expected.low <= counts[:, N_DAYS:]) & (counts[:, N_DAYS:] <= expected.high)

    assert 0.78 < inside.mean() < 0.9


def test_factors_of_a_series_with_few_counts_are_those_of_all() -> None:
    """One play on a Monday says little of Mondays; what has none at all has even days."""
    counts = np.vstack([counted(4), np.eye(1, N_DAYS), np.zeros((1, N_DAYS))])

    factors = seasonal_factors(counts, WEEK, prior=1000.0)

    assert factors.mean(axis=1) == pytest.approx(1)
    assert factors[-2] == pytest.approx(WEEKDAYS / WEEKDAYS.mean(), rel=0.25)
    assert factors[-1] == pytest.approx(1)


def test_days_without_plays_are_zero() -> None:
    """From the first day that anybody was played to the last one."""
    days = pl.DataFrame(
        {
            "artist_id": ["b", "a", "b"],
            "listen_date": [AS_OF, AS_OF - timedelta(days=2), AS_OF - timedelta(days=3)],
            "n_plays": [3, 5, 0],
        }
    )

    artists, counts = series(days, AS_OF)

    assert artists.to_list() == ["a", "b"]
    assert counts.tolist() == [[5.0, 0.0, 0.0], [0.0, 0.0, 3.0]]


def as_days(counts: np.ndarray) -> pl.DataFrame:
    """The rows of `marts.artist_daily` that hold these counts, the last column being the last day."""
    rows = [
        (f"ar{n}", AS_OF - timedelta(days=counts.shape[1] - 1 - at), int(count))
        for n, one in enumerate(counts)
        for at, count in enumerate(one)
    ]
    return pl.DataFrame(rows, {"artist_id": pl.String, "listen_date": pl.Date, "n_plays": pl.Int64}, orient="row")


def test_every_artist_that_is_played_is_forecast_for_28_days() -> None:
    """From the day after the last on; who was hardly played lately is left out."""
    counts = np.vstack([counted(5, n_series=3), np.eye(1, N_DAYS)])

    expected = artist_forecasts(as_days(counts), AS_OF)

    assert expected.schema == schema(FORECASTS_COLUMNS)
    assert expected["artist_id"].unique().sort().to_list() == ["ar0", "ar1", "ar2"]
    days = expected.filter(artist_id="ar1")["forecast_date"].to_list()
    assert days == [AS_OF + timedelta(days=ahead) for ahead in range(1, HORIZON + 1)]


def test_nothing_after_the_date_is_looked_at() -> None:
    """What the log holds of later days changes nothing."""
    days = as_days(counted(6))
    until = AS_OF - timedelta(days=20)

    known = artist_forecasts(days.filter(pl.col("listen_date") <= until), until)

    assert artist_forecasts(days, until).equals(known)


@pytest.mark.parametrize("n_days", [0, 1, WEEK + 2 * HORIZON - 1])
def test_a_short_log_is_not_forecast(n_days: int) -> None:
    """Nine weeks are the least: less gives no earlier forecast to learn from."""
    assert artist_forecasts(as_days(counted(7)[:, :n_days]), AS_OF).is_empty()
