"""
Coverage of the 95 % intervals of off-policy evaluation, and the regret of exploration policies, on a simulator.

The true value of a policy is the mean over many simulated decisions.
"""

import numpy as np
import polars as pl

from bench.options import benchmark, size, size_argument
from recsys.feedback.bandits import Greedy, LinUCB, Policy, Posterior, Thompson, choose
from recsys.feedback.off_policy import doubly_robust, ips, snips
from recsys.feedback.simulator import KINDS, N_FEATURES, Contexts, simulate_log, softmax

ESTIMATORS = {"IPS": ips, "SNIPS": snips, "doubly robust": doubly_robust}
POLICIES: dict[str, Policy] = {
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
    print(f"\nRegret over {n_nights} nights of {N_PER_NIGHT} decisions, mean of {n_repeats} seeds:")
    for name, policy in POLICIES.items():
        regrets = [regret(policy, seed, n_nights) for seed in range(n_repeats)]
        print(f"{name:<28} {np.mean(regrets):7.1f} +- {1.96 * np.std(regrets) / np.sqrt(len(regrets)):.1f}")


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
