"""Intervals by empirical likelihood: where they end by hand, and where those of the delta method fail."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.arrays import F64
from recsys.errors import InputError
from recsys.feedback.likelihood import Sums, ratio_ends, standard_error
from recsys.feedback.off_policy import doubly_robust, ips, snips
from recsys.feedback.simulator import KINDS, Contexts, logged, softmax


def likes(liked: F64, over: F64) -> Sums:
    """Listeners who liked a share of what they saw, none of it or all."""
    return Sums(liked * over, over, 0 * over, over)


def test_the_upper_end_without_a_reward_by_hand() -> None:
    """
    Of n listeners none liked anything: an upper end v leaves them 1 - v in all, likelihood (1 - v)^n.

    Its logarithm, doubled, reaches the squared quantile of Student's t at 1 - exp(-t^2 / 2n).
    """
    n, quantile = 40, 2.0226909  # of 39 degrees of freedom

    low, high = ratio_ends(likes(np.zeros(n), np.ones(n)), n_effective=n)

    assert low == 0
    assert high == pytest.approx(1 - np.exp(-(quantile**2) / (2 * n)), rel=1e-5)


def test_the_ends_of_a_share_by_hand() -> None:
    """Of 40 listeners 10 liked it: both ends are as unlikely, 10 log(.25 / v) + 30 log(.75 / (1 - v)) = t^2 / 2."""
    liked = np.repeat([1.0, 0.0], [10, 30])

    for end in ratio_ends(likes(liked, np.ones(40)), n_effective=40):
        lost = 10 * np.log(0.25 / end) + 30 * np.log(0.75 / (1 - end))
        assert lost == pytest.approx(2.0226909**2 / 2, rel=1e-4)


@given(seed=st.integers(0, 10_000), n_users=st.integers(2, 60))
def test_an_interval_holds_its_value_and_stays_where_values_can_be(seed: int, n_users: int) -> None:
    """Shares stay in 0..1, and no interval is turned round."""
    rng = np.random.default_rng(seed)
    sums = likes(rng.integers(0, 2, n_users).astype(np.float64), rng.gamma(0.5, 2, n_users))

    low, high = ratio_ends(sums, n_effective=n_users)

    assert -1e-6 <= low <= sums.ratio + 1e-9
    assert sums.ratio - 1e-9 <= high <= 1 + 1e-6


def test_with_many_listeners_the_ends_are_those_of_the_delta_method() -> None:
    """1.96 standard errors to both sides."""
    rng = np.random.default_rng(3)
    sums = likes((rng.random(20_000) < 0.4).astype(np.float64), rng.uniform(1, 3, 20_000))

    low, high = ratio_ends(sums, n_effective=20_000)

    assert (high - sums.ratio, sums.ratio - low) == pytest.approx([1.96 * standard_error(sums)] * 2, rel=0.01)


def test_what_is_turned_round_has_ends_turned_round() -> None:
    """Dislikes are 1 - likes, and so are their ends."""
    rng = np.random.default_rng(4)
    liked, over = (rng.random(40) < 0.2).astype(np.float64), rng.gamma(1, 1, 40)

    low, high = ratio_ends(likes(liked, over), n_effective=20)

    assert ratio_ends(likes(1 - liked, over), n_effective=20) == pytest.approx((1 - high, 1 - low), abs=1e-5)


def test_fewer_listeners_worth_their_weight_give_a_wider_interval() -> None:
    """The quantile is that of Student's t with one degree of freedom less."""
    sums = likes(np.repeat([1.0, 0.0], [10, 30]), np.ones(40))

    (low, high), (lower, higher) = (ratio_ends(sums, n_effective=n) for n in (40, 5))

    assert lower < low < high < higher


def test_one_listener_or_none_has_no_interval() -> None:
    """NaN, never a point."""
    assert np.isnan(ratio_ends(likes(np.ones(1), np.ones(1)), n_effective=1)).all()
    assert np.isnan(ratio_ends(likes(np.ones(9), np.zeros(9)), n_effective=1)).all()


def log_of(n: int, seed: int) -> tuple[pl.DataFrame, F64]:
    """Rare likes of a log that nearly always shows the same: the asked policy's favourites have heavy weights."""
    shown, asked = np.array([6.0, *[0.0] * (len(KINDS) + 1)]), np.array([3.0, 6, 0, 9, *[0.0] * (len(KINDS) - 2)])
    rng = np.random.default_rng(seed)
    drawn = Contexts.drawn(n, 10, rng)
    contexts = Contexts(drawn.options, drawn.chances / 5)
    policies = [
        alike / 10 + (1 - alike) * softmax(contexts.options, weights)
        for alike, weights in ((0.2, shown), (0.05, asked))
    ]
    guess = np.full(drawn.chances.shape, 0.05)
    return logged(contexts, *policies, guess=guess, rng=rng), (policies[1] * contexts.chances).sum(axis=1)


@pytest.mark.parametrize("estimator", [ips, snips, doubly_robust])
def test_heavy_weights_and_rare_rewards_are_covered(estimator: object) -> None:
    """Of 40 small logs 36 intervals at least hold the truth; 1.96 standard errors to both sides in 34 at most."""
    assert callable(estimator)
    truth = log_of(100_000, 999)[1].mean()

    found = [estimator(log_of(400, seed)[0]) for seed in range(40)]

    assert sum(each.low <= truth <= each.high for each in found) >= 36
    assert sum(abs(each.value - truth) <= 1.96 * each.error for each in found) <= 34


def test_a_policy_whose_choices_were_never_shown_is_not_trusted() -> None:
    """Small equal weights count as many decisions, but their mean gives them away."""
    log = log_of(400, 1)[0].with_columns(target=pl.col("propensity") / 100)

    assert ips(log).n_effective == pytest.approx(400)
    assert ips(log).mean_weight == pytest.approx(0.01)
    assert not ips(log).is_trusted


def test_counts_can_be_rewards() -> None:
    """Plays up to 10, say: values and ends scale; without being told so, they are refused."""
    log = log_of(400, 1)[0]
    plays = log.with_columns(reward=pl.col("reward") * 10)

    of_plays, of_likes = snips(plays, (0, 10)), snips(log)

    assert of_plays[:4] == pytest.approx([10 * each for each in of_likes[:4]])
    with pytest.raises(InputError, match="rewards run from 0 to 10; expected 0 to 1"):
        snips(plays)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_what_is_not_known_is_refused(missing: float | None) -> None:
    """Neither null nor NaN is a propensity."""
    log = log_of(40, 1)[0].with_columns(propensity=pl.lit(missing, pl.Float64))

    with pytest.raises(InputError, match="propensities run from nan"):
        ips(log)
