"""Policies: what they believe, how often they choose what, and that exploring pays."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.feedback.bandits import Greedy, LinUCB, Policy, Posterior, Thompson, choose
from recsys.feedback.simulator import N_FEATURES, Contexts


def believed() -> Posterior:
    """After ten decisions: the first feature earned 0.6 of ten times, the second nothing was learned of."""
    features = np.array([[1.0, 0.0]] * 10)
    return Posterior.prior(2).updated(features, np.array([1.0] * 6 + [0.0] * 4))


def test_the_posterior_is_ridge_regression() -> None:
    """Ten decisions and a prior worth one: weight 6/11, uncertainty 1/sqrt(11), and none learned of the second."""
    posterior = believed()

    assert posterior.mean().tolist() == pytest.approx([6 / 11, 0])
    assert posterior.deviations(np.eye(2)).tolist() == pytest.approx([1 / np.sqrt(11), 1])


def test_learning_in_two_batches_is_learning_at_once() -> None:
    """Sums do not care when they were summed."""
    rng = np.random.default_rng(3)
    features, rewards = rng.normal(size=(50, 4)), rng.random(50)
    once = Posterior.prior(4).updated(features, rewards)
    twice = Posterior.prior(4).updated(features[:20], rewards[:20]).updated(features[20:], rewards[20:])

    np.testing.assert_allclose(once.mean(), twice.mean())


def test_draws_have_the_posteriors_mean_and_spread() -> None:
    """Of many draws: the mean, and covariance scale^2 / precision."""
    posterior = believed()

    drawn = posterior.drawn(20_000, 0.5, np.random.default_rng(1))

    np.testing.assert_allclose(drawn.mean(axis=0), posterior.mean(), atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), 0.25 * np.linalg.inv(posterior.precision), atol=0.01)


OPTIONS = np.array([[[1.0, 0.0], [0.0, 1.0], [0.5, 0.0]], [[1.0, 0.0], [np.nan, np.nan], [np.nan, np.nan]]])


@pytest.mark.parametrize("policy", [Greedy(), LinUCB(), Thompson()], ids=lambda each: type(each).__name__)
def test_probabilities_are_whole_and_bounded_from_below(policy: Policy) -> None:
    """They sum to 1, no option that exists is impossible, and one that does not exist is."""
    chances = policy.probabilities(believed(), OPTIONS, np.random.default_rng(0))

    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert (chances[0] >= policy.floor / 3 - 1e-12).all()
    assert chances[1].tolist() == [1, 0, 0]


def test_greedy_takes_the_known_and_linucb_the_unknown() -> None:
    """0.55 for sure against nothing known with an uncertainty of 1, of which half counts, or all."""
    rng = np.random.default_rng(0)

    assert Greedy(floor=0, own=0).probabilities(believed(), OPTIONS, rng)[0].tolist() == [1, 0, 0]
    assert LinUCB(floor=0, own=0, width=0.1).probabilities(believed(), OPTIONS, rng)[0].tolist() == [1, 0, 0]
    assert LinUCB(floor=0, own=0, width=1.0).probabilities(believed(), OPTIONS, rng)[0].tolist() == [0, 1, 0]


def test_thompson_chooses_as_often_as_it_may_be_best() -> None:
    """Of two options whose rewards are N(6/11, scale^2/11) and N(0, scale^2), the share of draws that favour each."""
    scale = 0.5
    chances = Thompson(floor=0, own=0, scale=scale).probabilities(
        believed(), OPTIONS[:1, :2], np.random.default_rng(5)
    )[0]
    rng = np.random.default_rng(6)
    first = 6 / 11 + scale / np.sqrt(11) * rng.standard_normal(100_000)
    second = scale * rng.standard_normal(100_000)

    assert chances[0] == pytest.approx((first > second).mean(), abs=0.08)


def test_without_options_nothing_is_chosen() -> None:
    """A list that ended: no probability anywhere."""
    nothing = np.full((1, 3, 2), np.nan)

    assert Thompson().probabilities(believed(), nothing, np.random.default_rng(0)).tolist() == [[0, 0, 0]]


def test_choices_come_as_often_as_their_probabilities_say() -> None:
    """Ten thousand draws of a half, three and two tenths; what is impossible never comes."""
    chosen = choose(np.tile([0.5, 0.0, 0.3, 0.2], (10_000, 1)), np.random.default_rng(2))

    np.testing.assert_allclose(np.bincount(chosen, minlength=4) / 10_000, [0.5, 0, 0.3, 0.2], atol=0.02)
    assert (chosen != 1).all()


def regret(policy: Policy, seed: int) -> float:
    """What a policy loses in 60 nights of 100 decisions."""
    rng = np.random.default_rng(seed)
    posterior, lost = Posterior.prior(N_FEATURES), 0.0
    for _ in range(60):
        contexts = Contexts.drawn(100, 10, rng)
        chances = policy.probabilities(posterior, contexts.options, rng)
        chosen = choose(chances, rng)
        lost += contexts.regret(chances) * 100
        shown = contexts.options[np.arange(100), chosen]
        posterior = posterior.updated(shown, contexts.rewards(chosen, rng))
    return lost


@pytest.mark.slow
@pytest.mark.parametrize("policy", [Thompson(), LinUCB()], ids=lambda each: type(each).__name__)
def test_exploring_loses_less_than_following(policy: Policy) -> None:
    """Over 20 worlds, whoever only follows what was liked so far loses more, though dice for later judges cost too."""
    greedy = np.array([regret(Greedy(floor=0, own=0), seed) for seed in range(20)])
    exploring = np.array([regret(policy, seed) for seed in range(20)])
    without = np.array([regret(replace(policy, own=0), seed) for seed in range(20)])

    assert without.mean() < greedy.mean() / 1.3
    assert exploring.mean() < greedy.mean() / 1.15
    assert max(exploring.max(), without.max()) < greedy.max()
