"""The comparison of forecasts: losses counted by hand, and differences whose intervals know repeated series."""

import numpy as np
import pytest

from bench.analytics.forecast_cases import Case
from bench.analytics.forecast_peers import difference, drawn, losses_of, pinball_loss
from recsys.analytics.forecast import Forecast


def test_the_losses_of_a_forecast_are_those_counted_by_hand() -> None:
    """
    The second series alternates between 0 and 2, so its scale is 2; its outcome is 4 and 10.

    Errors of 1 and 5 are a MASE of 3 / 2. The low end 1 costs .1 * (3 + 9) / 2, the high end 5 costs .1 * 1 and .9 * 5.
    """
    history = np.array([[5.0, 5.0, 5.0, 5.0], [0.0, 2.0, 0.0, 2.0]])
    case = Case("", history, np.array([[5.0, 5.0], [4.0, 10.0]]), season=1, series=["a", "b"])
    predicted = Forecast(np.array([[5.0, 5.0]]), np.array([[1.0, 1.0]]), np.array([[5.0, 5.0]]))

    losses = losses_of(case, np.array([1]), predicted)

    assert losses == pytest.approx(np.array([[3 / 2, (0.6 + (0.1 + 4.5) / 2) / 2, 1 / 2]]))


def test_the_true_quantile_has_the_lowest_pinball_loss() -> None:
    """Of all integers, the 90 % quantile of the numbers 1 to 100."""
    numbers = np.arange(1.0, 101.0)

    losses = [pinball_loss(numbers, np.full(100, float(value)), 0.9).mean() for value in range(1, 101)]

    assert 1 + int(np.argmin(losses)) in {90, 91}


def test_origins_of_one_series_are_drawn_together() -> None:
    """Four copies of each series are no more evidence: the interval is that of each series alone."""
    values = np.random.default_rng(1).normal(0.1, 1, 50)
    names = [f"ar{n}" for n in range(50)]

    repeated = difference(np.repeat(values, 4), [name for name in names for _ in range(4)])

    assert repeated == difference(values, names)


@pytest.mark.parametrize(("n_series", "n_expected"), [(None, 9), (20, 9), (4, 4)])
def test_peers_forecast_all_series_or_a_sample(n_series: int | None, n_expected: int) -> None:
    """A sample has no row twice, and its rows are sorted."""
    rows = drawn(9, n_series, np.random.default_rng(2))

    assert rows.tolist() == sorted(set(rows.tolist()))
    assert len(rows) == n_expected
