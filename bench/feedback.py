"""
Off-policy evaluation and exploration policies on a simulator with known truth.

Off-policy: how many 95 % intervals contain the true value of a policy, the mean over many simulated decisions; and
whether estimates agree with an online test, in which other listeners are shown what the policy chooses. Exploration:
the regret of policies that learn between nights from feedback, and the plays they win over a static list, which always
shows the recommender's first choice.
"""

import numpy as np
import polars as pl

from bench.options import benchmark, size, size_argument
from recsys.arrays import F64
from recsys.feedback.bandits import Greedy, LinUCB, Policy, Posterior, Thompson, choose
from recsys.feedback.off_policy import Estimate, doubly_robust, ips, snips
from recsys.feedback.simulator import KINDS, N_FEATURES, Contexts, simulate_log, softmax

ESTIMATORS = {"IPS": ips, "SNIPS": snips, "doubly robust": doubly_robust}
STATIC = "static list"
POLICIES: dict[str, Policy] = {
    STATIC: Greedy(uniform_probability=0, baseline_probability=1),
    "greedy": Greedy(uniform_probability=0, baseline_probability=0),
    "greedy, 2 % at random": Greedy(baseline_probability=0),
    "Thompson": Thompson(baseline_probability=0),
    "LinUCB": LinUCB(baseline_probability=0),
    "Thompson, 5 % first option": Thompson(),
    "LinUCB, 5 % first option": LinUCB(),
}
N_DECISIONS, N_OPTIONS, N_PER_NIGHT = 2_000, 10, 200
LOGGED_WEIGHTS = np.array([1.0, 0, *[0] * len(KINDS)])  # prefers relevant options
TARGET_WEIGHTS = np.array([0.5, 1.0, 0, 1.5, *[0] * (len(KINDS) - 2)])  # prefers new and matching options
REWARD_MODEL = np.array([0.1, 0.1, *[0.15] * len(KINDS)])  # the same for every kind


@benchmark(headline=r"doubly robust .* mean (0\.\d{4})")
@size_argument("n_logs", default=100, smallest=3, type=int, metavar="[LOGS]")
@size("--truth", "n_truth", default=400_000, smallest=5_000, help="Simulated decisions for the true value.")
@size("--nights", "n_nights", default=60, smallest=2, help="Nights that a policy learns for.")
@size("--repeats", "n_repeats", default=50, smallest=2, help="Seeds of each policy's regret.")
def main(n_logs: int, n_truth: int, n_nights: int, n_repeats: int) -> None:
    """Print the coverage of each estimator's intervals and the regret of each policy."""
    contexts = Contexts.random(n_truth, N_OPTIONS, np.random.default_rng(0))
    truth = contexts.value(softmax(contexts.options, TARGET_WEIGHTS))
    print(f"True value of the target policy over {n_truth:,} decisions: {truth:.4f}")
    for name, estimator in ESTIMATORS.items():
        estimates = [estimator(log_of(seed)) for seed in range(n_logs)]
        n_covering = sum(estimate.low <= truth <= estimate.high for estimate in estimates)
        width = np.mean([estimate.high - estimate.low for estimate in estimates])
        mean = np.mean([estimate.value for estimate in estimates])
        print(f"{name:<14} {n_covering} of {n_logs} intervals contain it, {width:.4f} wide; mean {mean:.4f}")
    print_online_test(n_logs)
    print(f"\nOver {n_nights} nights of {N_PER_NIGHT} decisions: regret, and plays won over a static list")
    static = np.array([regret(POLICIES[STATIC], seed, n_nights) for seed in range(n_repeats)])
    for name, policy in POLICIES.items():
        regrets = np.array([regret(policy, seed, n_nights) for seed in range(n_repeats)])
        print(f"{name:<28} {mean_and_half(regrets)}   {mean_and_half(static - regrets)}")


def print_online_test(n_logs: int) -> None:
    """Print how often each off-policy estimate and an online test of as many decisions agree."""
    tests = [online_test(seed) for seed in range(n_logs)]
    shown = [ips(log_of(seed).with_columns(target="propensity")) for seed in range(n_logs)]  # of the logging policy
    for name, estimator in ESTIMATORS.items():
        estimates = [estimator(log_of(seed)) for seed in range(n_logs)]
        n_agreeing = sum(agree(estimate, test) for estimate, test in zip(estimates, tests, strict=True))
        n_same = sum(
            (estimate.value > old.value) == (test.value > old.value)
            for estimate, test, old in zip(estimates, tests, shown, strict=True)
        )
        print(
            f"{name:<14} agrees with an online test of {N_DECISIONS:,} decisions in {n_agreeing} of {n_logs}; "
            f"the better of the two policies is the same in {n_same}"
        )


def online_test(seed: int) -> Estimate:
    """Show other listeners what the target policy chooses; return the mean reward with its interval."""
    rng = np.random.default_rng(500_000 + seed)
    contexts = Contexts.random(N_DECISIONS, N_OPTIONS, rng)
    target = softmax(contexts.options, TARGET_WEIGHTS)
    return ips(simulate_log(contexts, target, target, predicted=np.zeros(target.shape), rng=rng))


def agree(estimate: Estimate, test: Estimate) -> bool:
    """Return whether the 95 % interval of the difference of two independent estimates contains 0."""
    error = np.hypot(estimate.standard_error, test.standard_error)
    return bool(abs(estimate.value - test.value) <= 1.96 * error)


def mean_and_half(values: F64) -> str:
    """Return the mean over seeds and half the width of its interval."""
    return f"{values.mean():7.1f} +- {1.96 * values.std(ddof=1) / np.sqrt(len(values)):.1f}"


def log_of(seed: int) -> pl.DataFrame:
    """Simulate one log of the logging policy, with the target policy's probabilities."""
    rng = np.random.default_rng(1_000 + seed)
    contexts = Contexts.random(N_DECISIONS, N_OPTIONS, rng)
    logging, target = (softmax(contexts.options, weights) for weights in (LOGGED_WEIGHTS, TARGET_WEIGHTS))
    return simulate_log(contexts, logging, target, predicted=contexts.options @ REWARD_MODEL, rng=rng)


def regret(policy: Policy, seed: int, n_nights: int) -> float:
    """Update a policy nightly from its own decisions; return its cumulative regret."""
    rng = np.random.default_rng(seed)
    posterior, total = Posterior.prior(N_FEATURES), 0.0
    for _ in range(n_nights):
        contexts = Contexts.random(N_PER_NIGHT, N_OPTIONS, rng)
        probabilities = policy.probabilities(posterior, contexts.options, rng)
        chosen = choose(probabilities, rng)
        total += contexts.regret(probabilities) * N_PER_NIGHT
        shown = contexts.options[np.arange(N_PER_NIGHT), chosen]
        posterior = posterior.updated(shown, contexts.rewards(chosen, rng))
    return total


if __name__ == "__main__":
    main()
