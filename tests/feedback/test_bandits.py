"""Bandit policies: posterior, probabilities, and regret with and without exploration."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.feedback.bandits import Greedy, LinUCB, Policy, Posterior, Thompson, choose
from recsys.feedback.simulator import N_FEATURES, Contexts

PURE = {"uniform_probability": 0.0, "baseline_probability": 0.0}


def small_posterior() -> Posterior:
    """Return the posterior after ten decisions: the first feature had mean reward 0.6, the second was never seen."""
    features = np.array([[1.0, 0.0]] * 10)
    return Posterior.prior(2).updated(features, np.array([1.0] * 6 + [0.0] * 4))


def test_the_posterior_is_ridge_regression() -> None:
    """Feature 1, seen ten times: mean 6/11, std 1/sqrt(11). Feature 2, never seen: the prior's mean 0, std 1."""
    posterior = small_posterior()

    assert posterior.mean().tolist() == pytest.approx([6 / 11, 0])
    assert posterior.std(np.eye(2)).tolist() == pytest.approx([1 / np.sqrt(11), 1])


def test_two_updates_equal_one() -> None:
    """The posterior does not depend on how decisions are divided into batches."""
    rng = np.random.default_rng(3)
    features, rewards = rng.normal(size=(50, 4)), rng.random(50)
    once = Posterior.prior(4).updated(features, rewards)
    twice = Posterior.prior(4).updated(features[:20], rewards[:20]).updated(features[20:], rewards[20:])

    np.testing.assert_allclose(once.mean(), twice.mean())


def test_samples_have_the_posteriors_mean_and_covariance() -> None:
    """Many samples have the posterior mean and the covariance scale^2 / precision."""
    posterior = small_posterior()

    sample = posterior.sample(20_000, 0.5, np.random.default_rng(1))

    np.testing.assert_allclose(sample.mean(axis=0), posterior.mean(), atol=0.02)
    np.testing.assert_allclose(np.cov(sample.T), 0.25 * np.linalg.inv(posterior.precision), atol=0.01)


OPTIONS = np.array([[[1.0, 0.0], [0.0, 1.0], [0.5, 0.0]], [[1.0, 0.0], [np.nan, np.nan], [np.nan, np.nan]]])


@pytest.mark.parametrize("policy", [Greedy(), LinUCB(), Thompson()], ids=lambda policy: type(policy).__name__)
def test_probabilities_sum_to_one_and_have_a_minimum(policy: Policy) -> None:
    """Every option has at least its part of the uniform probability, and a missing option has probability 0."""
    probabilities = policy.probabilities(small_posterior(), OPTIONS, np.random.default_rng(0))

    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities[0] >= policy.uniform_probability / 3 - 1e-12).all()
    assert probabilities[1].tolist() == [1, 0, 0]


def test_greedy_takes_the_known_option_and_linucb_the_uncertain_one() -> None:
    """Greedy chooses the option with mean 0.55 and small std; LinUCB with a large width chooses that with std 1."""
    rng = np.random.default_rng(0)

    assert Greedy(**PURE).probabilities(small_posterior(), OPTIONS, rng)[0].tolist() == [1, 0, 0]
    assert LinUCB(**PURE, width=0.1).probabilities(small_posterior(), OPTIONS, rng)[0].tolist() == [1, 0, 0]
    assert LinUCB(**PURE, width=1.0).probabilities(small_posterior(), OPTIONS, rng)[0].tolist() == [0, 1, 0]


def test_thompson_samples_by_the_probability_of_being_best() -> None:
    """The share is the probability that a draw from N(6/11, scale^2/11) exceeds a draw from N(0, scale^2)."""
    scale = 0.5
    probabilities = Thompson(**PURE, scale=scale).probabilities(
        small_posterior(), OPTIONS[:1, :2], np.random.default_rng(5)
    )[0]
    rng = np.random.default_rng(6)
    first = 6 / 11 + scale / np.sqrt(11) * rng.standard_normal(100_000)
    second = scale * rng.standard_normal(100_000)

    assert probabilities[0] == pytest.approx((first > second).mean(), abs=0.08)


def test_without_options_nothing_is_chosen() -> None:
    """In a row without options, all probabilities are 0."""
    no_options = np.full((1, 3, 2), np.nan)

    assert Thompson().probabilities(small_posterior(), no_options, np.random.default_rng(0)).tolist() == [[0, 0, 0]]


def test_choices_have_their_probabilities() -> None:
    """In ten thousand draws, frequencies agree with the probabilities; an option with probability 0 is never drawn."""
    chosen = choose(np.tile([0.5, 0.0, 0.3, 0.2], (10_000, 1)), np.random.default_rng(2))

    np.testing.assert_allclose(np.bincount(chosen, minlength=4) / 10_000, [0.5, 0, 0.3, 0.2], atol=0.02)
    assert (chosen != 1).all()


def regret(policy: Policy, seed: int) -> float:
    """Return the total regret of a policy over 60 rounds of 100 decisions."""
    rng = np.random.default_rng(seed)
    posterior, total = Posterior.prior(N_FEATURES), 0.0
    for _ in range(60):
        contexts = Contexts.random(100, 10, rng)
        probabilities = policy.probabilities(posterior, contexts.options, rng)
        chosen = choose(probabilities, rng)
        total += contexts.regret(probabilities) * 100
        shown = contexts.options[np.arange(100), chosen]
        posterior = posterior.updated(shown, contexts.rewards(chosen, rng))
    return total


@pytest.mark.slow
@pytest.mark.parametrize("policy", [Thompson(), LinUCB()], ids=lambda policy: type(policy).__name__)
def test_exploration_has_less_regret_than_greedy_choice(policy: Policy) -> None:
    """Over 20 seeds, greedy choice has more regret than exploration, with or without a baseline probability."""
    greedy = np.array([regret(Greedy(**PURE), seed) for seed in range(20)])
    exploring = np.array([regret(policy, seed) for seed in range(20)])
    without = np.array([regret(replace(policy, baseline_probability=0), seed) for seed in range(20)])

    assert without.mean() < greedy.mean() / 1.3
    assert exploring.mean() < greedy.mean() / 1.15
    assert max(exploring.max(), without.max()) < greedy.max()
