"""Forecasts: exact cases, coverage and accuracy, and that later days are not used."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.stats import poisson

from recsys.analytics.forecast import (
    FORECASTS_COLUMNS,
    HORIZON,
    MIN_PLAYS,
    WEEK,
    artist_forecasts,
    daily_counts,
    forecast,
    scaled_errors,
    seasonal_factors,
    without_spikes,
)
from recsys.columns import schema

AS_OF = date(2026, 6, 30)
N_DAYS = 112
WEEKDAYS = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 4.0])


def counted(seed: int, n_series: int = 60, n_days: int = N_DAYS) -> np.ndarray:
    """Make series of Poisson counts, each with its own level and all with the same weekdays."""
    rng = np.random.default_rng(seed)
    levels = rng.uniform(5, 60, (n_series, 1))
    means = levels * WEEKDAYS[np.arange(n_days) % WEEK] / WEEKDAYS.mean()
    return np.asarray(rng.poisson(means), np.float64)


def test_a_repeating_week_is_forecast_exactly() -> None:
    """The forecast is the same week again, and the interval has width 0."""
    counts = np.tile(WEEKDAYS, (3, N_DAYS // WEEK)) * np.array([[1.0], [10.0], [100.0]])

    expected = forecast(counts, HORIZON, WEEK)

    assert expected.mean == pytest.approx(counts[:, :HORIZON])
    assert expected.low == pytest.approx(expected.high)


def test_a_forecast_lies_within_its_interval_and_none_is_below_zero() -> None:
    """The forecast lies within its interval and is not negative, even for series with few or no plays."""
    counts = np.vstack([counted(1), np.zeros((1, N_DAYS)), np.eye(1, N_DAYS)])

    expected = forecast(counts, HORIZON, WEEK)

    assert (expected.low >= 0).all()
    assert (expected.low <= expected.mean).all()
    assert (expected.mean <= expected.high).all()


def test_the_forecast_beats_the_seasonal_naive_one_on_noise() -> None:
    """A level from many weeks has less error than last week's counts: 1 / sqrt(2) of it in the limit."""
    counts = counted(2, n_days=N_DAYS + HORIZON)
    before, after = counts[:, :N_DAYS], counts[:, N_DAYS:]

    ours = scaled_errors(before, after, forecast(before, HORIZON, WEEK).mean, WEEK).mean()
    naive = scaled_errors(before, after, np.tile(before[:, -WEEK:], HORIZON // WEEK), WEEK).mean()

    assert ours < 0.8 * naive


def test_intervals_have_their_nominal_coverage() -> None:
    """They hold 80 % of the days or a little more, since the wider ends of two backtests are taken."""
    counts = counted(3, n_series=300, n_days=N_DAYS + HORIZON)
    expected = forecast(counts[:, :N_DAYS], HORIZON, WEEK)

    inside = (expected.low <= counts[:, N_DAYS:]) & (counts[:, N_DAYS:] <= expected.high)

    assert 0.78 < inside.mean() < 0.9


def test_seasonal_factors_of_a_sparse_series_are_those_of_all() -> None:
    """A series with one play has about the common factors; without any play all factors are 1."""
    counts = np.vstack([counted(4), np.eye(1, N_DAYS), np.zeros((1, N_DAYS))])

    factors = seasonal_factors(counts, WEEK, prior_seasons=1000.0)

    assert factors.mean(axis=1) == pytest.approx(1)
    assert factors[-2] == pytest.approx(WEEKDAYS / WEEKDAYS.mean(), rel=0.25)
    assert factors[-1] == pytest.approx(1)


def test_a_count_without_a_like_neighbour_is_limited() -> None:
    """The spike of 90 may exceed its highest neighbour, 8, by 3; a lasting rise and a weekly peak are not touched."""
    spike = np.array([[4, 4, 8, 90, 4, 3, 4, 4, 4, 4, 4, 4, 4, 4]], np.float64)
    rise = np.array([[4, 4, 4, 4, 4, 4, 4, 4, 90, 95, 99, 95, 90, 95]], np.float64)
    peak = np.array([[4, 4, 4, 90, 4, 4, 4, 4, 4, 4, 90, 4, 4, 4]], np.float64)

    limited = without_spikes(np.vstack([spike, rise, peak]), WEEK)

    assert limited[0].tolist() == [4, 4, 8, 11, 4, 3, 4, 4, 4, 4, 4, 4, 4, 4]
    assert limited[1:].tolist() == [*rise.tolist(), *peak.tolist()]


@pytest.mark.parametrize("days_back", [1, 3, WEEK, 20, HORIZON, 52, 2 * HORIZON, 80])
@pytest.mark.parametrize("season", [1, WEEK])
def test_a_spike_of_one_day_does_not_return(season: int, days_back: int) -> None:
    """
    After a day on which all series have tenfold plays, the forecast is that of their distribution.

    Poisson counts with mean 20 have the forecast 20 and the distribution's 80 % interval: within 8 % and 20 %.
    """
    counts = np.random.default_rng(8).poisson(20, (60, N_DAYS)).astype(np.float64)
    counts[:, -days_back] *= 10

    expected = forecast(counts, HORIZON, season)

    assert expected.mean.mean(axis=0) == pytest.approx(20, rel=0.08)
    assert expected.low.mean(axis=0) == pytest.approx(poisson.ppf(0.1, 20), rel=0.2)
    assert expected.high.mean(axis=0) == pytest.approx(poisson.ppf(0.9, 20), rel=0.2)


@pytest.mark.parametrize("weeks_back", [1, 13, 26, 39, 52])
def test_an_entry_of_one_week_does_not_return_a_year_later(weeks_back: int) -> None:
    """On weekly counts with a yearly season, as on charts, the forecast of a series is the same with and without."""
    counts = np.random.default_rng(9).poisson(20, (30, 5 * 52)).astype(np.float64)
    usual = forecast(counts, 13, 52).mean[0]
    counts[0, -weeks_back] = 200

    expected = forecast(counts, 13, 52).mean[0]

    assert expected == pytest.approx(usual, rel=0.1)


def test_days_without_plays_are_zero() -> None:
    """The days run from the first day with a play of any artist to the last day."""
    days = pl.DataFrame(
        {
            "artist_id": ["b", "a", "b"],
            "listen_date": [AS_OF, AS_OF - timedelta(days=2), AS_OF - timedelta(days=3)],
            "n_plays": [3, 5, 0],
        }
    )

    artists, counts = daily_counts(days, AS_OF)

    assert artists.to_list() == ["a", "b"]
    assert counts.tolist() == [[5.0, 0.0, 0.0], [0.0, 0.0, 3.0]]


def as_days(counts: np.ndarray) -> pl.DataFrame:
    """Make rows of `marts.artist_daily` from counts whose last column is the last day."""
    rows = [
        (f"ar{n}", AS_OF - timedelta(days=counts.shape[1] - 1 - day), int(count))
        for n, row in enumerate(counts)
        for day, count in enumerate(row)
    ]
    return pl.DataFrame(rows, {"artist_id": pl.String, "listen_date": pl.Date, "n_plays": pl.Int64}, orient="row")


def test_artists_with_enough_plays_are_forecast_for_28_days() -> None:
    """The forecast begins on the day after the last; an artist with few recent plays is left out."""
    counts = np.vstack([counted(5, n_series=3), np.eye(1, N_DAYS)])

    expected = artist_forecasts(as_days(counts), AS_OF)

    assert expected.schema == schema(FORECASTS_COLUMNS)
    assert expected["artist_id"].unique().sort().to_list() == ["ar0", "ar1", "ar2"]
    days = expected.filter(artist_id="ar1")["forecast_date"].to_list()
    assert days == [AS_OF + timedelta(days=ahead) for ahead in range(1, HORIZON + 1)]


def test_days_after_the_date_are_not_used() -> None:
    """Later days in the log do not change the forecast."""
    days = as_days(counted(6))
    until = AS_OF - timedelta(days=20)

    known = artist_forecasts(days.filter(pl.col("listen_date") <= until), until)

    assert artist_forecasts(days, until).equals(known)


@pytest.mark.parametrize("n_days", [0, 1, WEEK + 2 * HORIZON - 1])
def test_a_short_log_is_not_forecast(n_days: int) -> None:
    """With less than nine weeks there is no backtest to choose settings by."""
    assert artist_forecasts(as_days(counted(7)[:, :n_days]), AS_OF).is_empty()


def test_without_an_artist_with_enough_plays_there_is_no_forecast() -> None:
    """Half a play per day is less than MIN_PLAYS: no rows, and no error over an empty set of series."""
    counts = np.zeros((1, 90))
    counts[:, ::2] = MIN_PLAYS

    assert artist_forecasts(as_days(counts), AS_OF).is_empty()
