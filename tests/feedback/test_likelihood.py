"""Empirical likelihood intervals: limits by hand, and coverage where the delta method fails."""

from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.arrays import F64
from recsys.errors import InputError
from recsys.feedback.likelihood import RatioTerms, ratio_interval, standard_error
from recsys.feedback.off_policy import doubly_robust, ips, snips
from recsys.feedback.simulator import KINDS, Contexts, simulate_log, softmax


def likes(liked: F64, weights: F64) -> RatioTerms:
    """Return the terms of listeners with these like shares and importance weights."""
    return RatioTerms(liked * weights, weights, 0 * weights, weights)


def test_the_upper_end_without_a_reward_by_hand() -> None:
    """
    None of n listeners liked anything: for an upper end v the likelihood is (1 - v)^n.

    Twice its log reaches the squared quantile of Student's t at v = 1 - exp(-t^2 / 2n).
    """
    n, quantile = 40, 2.0226909  # of 39 degrees of freedom

    low, high = ratio_interval(likes(np.zeros(n), np.ones(n)), n_effective=n)

    assert low == 0
    assert high == pytest.approx(1 - np.exp(-(quantile**2) / (2 * n)), rel=1e-5)


def test_the_ends_of_a_share_by_hand() -> None:
    """10 of 40 listeners liked it: both limits v solve 10 log(.25 / v) + 30 log(.75 / (1 - v)) = t^2 / 2."""
    liked = np.repeat([1.0, 0.0], [10, 30])

    for end in ratio_interval(likes(liked, np.ones(40)), n_effective=40):
        half_misfit = 10 * np.log(0.25 / end) + 30 * np.log(0.75 / (1 - end))
        assert half_misfit == pytest.approx(2.0226909**2 / 2, rel=1e-4)


@given(seed=st.integers(0, 10_000), n_users=st.integers(2, 60))
def test_an_interval_holds_its_value_and_stays_in_range(seed: int, n_users: int) -> None:
    """Both limits are in 0..1, and the ratio lies between them."""
    rng = np.random.default_rng(seed)
    terms = likes(rng.integers(0, 2, n_users).astype(np.float64), rng.gamma(0.5, 2, n_users))

    low, high = ratio_interval(terms, n_effective=n_users)

    assert -1e-6 <= low <= terms.ratio + 1e-9
    assert terms.ratio - 1e-9 <= high <= 1 + 1e-6


def test_with_many_listeners_the_ends_are_those_of_the_delta_method() -> None:
    """With many listeners, both limits are 1.96 standard errors from the ratio."""
    rng = np.random.default_rng(3)
    terms = likes((rng.random(20_000) < 0.4).astype(np.float64), rng.uniform(1, 3, 20_000))

    low, high = ratio_interval(terms, n_effective=20_000)

    assert (high - terms.ratio, terms.ratio - low) == pytest.approx([1.96 * standard_error(terms)] * 2, rel=0.01)


def test_the_interval_of_dislikes_mirrors_that_of_likes() -> None:
    """If likes have the limits low and high, dislikes have the limits 1 - high and 1 - low."""
    rng = np.random.default_rng(4)
    liked, weights = (rng.random(40) < 0.2).astype(np.float64), rng.gamma(1, 1, 40)

    low, high = ratio_interval(likes(liked, weights), n_effective=20)

    assert ratio_interval(likes(1 - liked, weights), n_effective=20) == pytest.approx((1 - high, 1 - low), abs=1e-5)


def test_a_smaller_effective_sample_gives_a_wider_interval() -> None:
    """The quantile is Student's t with n_effective - 1 degrees of freedom."""
    terms = likes(np.repeat([1.0, 0.0], [10, 30]), np.ones(40))

    (low, high), (lower, higher) = (ratio_interval(terms, n_effective=n) for n in (40, 5))

    assert lower < low < high < higher


def test_one_listener_or_none_has_no_interval() -> None:
    """With one listener, or a denominator of 0, both limits are NaN."""
    assert np.isnan(ratio_interval(likes(np.ones(1), np.ones(1)), n_effective=1)).all()
    assert np.isnan(ratio_interval(likes(np.ones(9), np.zeros(9)), n_effective=1)).all()


@cache  # for each estimator
def heavy_log(n: int, seed: int) -> tuple[pl.DataFrame, F64]:
    """Return a log with rare likes and large importance weights, and the expected reward per decision of `target`."""
    shown, target = np.array([6.0, *[0.0] * (len(KINDS) + 1)]), np.array([3.0, 6, 0, 9, *[0.0] * (len(KINDS) - 2)])
    rng = np.random.default_rng(seed)
    frequent = Contexts.random(n, 10, rng)
    contexts = Contexts(frequent.options, frequent.probabilities / 5)
    policies = [
        even / 10 + (1 - even) * softmax(contexts.options, weights) for even, weights in ((0.2, shown), (0.05, target))
    ]
    predicted = np.full(contexts.probabilities.shape, 0.05)
    log = simulate_log(contexts, *policies, predicted=predicted, rng=rng)
    return log, (policies[1] * contexts.probabilities).sum(axis=1)


@pytest.mark.parametrize("estimator", [ips, snips, doubly_robust])
def test_heavy_weights_and_rare_rewards_are_covered(estimator: object) -> None:
    """At least 36 of 40 intervals contain the true value; intervals of 1.96 standard errors do so in at most 34."""
    assert callable(estimator)
    truth = heavy_log(100_000, 999)[1].mean()

    estimates = [estimator(heavy_log(400, seed)[0]) for seed in range(40)]

    assert sum(estimate.low <= truth <= estimate.high for estimate in estimates) >= 36
    assert sum(abs(estimate.value - truth) <= 1.96 * estimate.standard_error for estimate in estimates) <= 34


def test_a_policy_whose_choices_were_never_shown_is_not_trusted() -> None:
    """Small equal weights have a large effective sample size, but their mean is far from 1."""
    log = heavy_log(400, 1)[0].with_columns(target=pl.col("propensity") / 100)

    assert ips(log).n_effective == pytest.approx(400)
    assert ips(log).mean_weight == pytest.approx(0.01)
    assert not ips(log).is_trusted


def test_rewards_may_be_counts() -> None:
    """Rewards of 0 to 10 give ten times the value and limits; they are refused unless the range is passed."""
    log = heavy_log(400, 1)[0]
    plays = log.with_columns(reward=pl.col("reward") * 10)

    of_plays, of_likes = snips(plays, (0, 10)), snips(log)

    assert of_plays[:4] == pytest.approx([10 * value for value in of_likes[:4]])
    with pytest.raises(InputError, match="reward: found values from 0 to 10, expected 0 to 1"):
        snips(plays)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_propensities_are_refused(missing: float | None) -> None:
    """Neither null nor NaN is a valid propensity."""
    log = heavy_log(40, 1)[0].with_columns(propensity=pl.lit(missing, pl.Float64))

    with pytest.raises(InputError, match="propensity: found values from nan"):
        ips(log)
