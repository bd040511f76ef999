"""
How often the 95 % intervals of off-policy evaluation hold the truth, and what exploring costs and earns.

The simulator's truth is known by counting.
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
    "Thompson, 5 % the first": Thompson(),
    "LinUCB, 5 % the first": LinUCB(),
}
N_DECISIONS, N_OPTIONS, N_A_ROUND = 2_000, 10, 200
SHOWN = np.array([1.0, 0, *[0] * len(KINDS)])  # prefers what is relevant
ASKED = np.array([0.5, 1.0, 0, 1.5, *[0] * (len(KINDS) - 2)])  # prefers what is new and to the listener's taste
GUESS = np.array([0.1, 0.1, *[0.15] * len(KINDS)])  # a model that knows nothing of kinds


@benchmark(headline=r"doubly robust .* mean (0\.\d{4})")
@size_argument("n_logs", default=100, smallest=3, type=int, metavar="[LOGS]")
@size("--truth", "n_truth", default=400_000, smallest=5_000, help="Decisions that the truth is counted over.")
@size("--nights", "n_nights", default=60, smallest=2, help="Nights that a policy learns for.")
@size("--repeats", "n_repeats", default=50, smallest=2, help="Seeds of each policy's regret.")
def main(n_logs: int, n_truth: int, n_nights: int, n_repeats: int) -> None:
    """Print both tables."""
    everybody = Contexts.random(n_truth, N_OPTIONS, np.random.default_rng(0))
    truth = everybody.value(softmax(everybody.options, ASKED))
    print(f"Value of the policy asked about, counted over {n_truth:,} decisions: {truth:.4f}")
    found = {name: [estimator(log_of(seed)) for seed in range(n_logs)] for name, estimator in ESTIMATORS.items()}
    for name, estimates in found.items():
        held = sum(each.low <= truth <= each.high for each in estimates)
        mean, width = (
            np.mean(values) for values in ([e.value for e in estimates], [e.high - e.low for e in estimates])
        )
        print(f"{name:<14} {held} of {n_logs} intervals hold it, {width:.4f} wide; mean {mean:.4f}")
    print(f"\nRegret over {n_nights} nights of {N_A_ROUND} decisions, mean of {n_repeats} seeds:")
    for name, policy in POLICIES.items():
        regrets = [regret(policy, seed, n_nights) for seed in range(n_repeats)]
        print(f"{name:<28} {np.mean(regrets):7.1f} +- {1.96 * np.std(regrets) / np.sqrt(len(regrets)):.1f}")


def log_of(seed: int) -> pl.DataFrame:
    """One log of the policy that was shown."""
    rng = np.random.default_rng(1_000 + seed)
    contexts = Contexts.random(N_DECISIONS, N_OPTIONS, rng)
    shown, asked = (softmax(contexts.options, weights) for weights in (SHOWN, ASKED))
    return simulate_log(contexts, shown, asked, predicted=contexts.options @ GUESS, rng=rng)


def regret(policy: Policy, seed: int, n_nights: int) -> float:
    """Learn night by night from what was shown, and count what was lost."""
    rng = np.random.default_rng(seed)
    posterior, lost = Posterior.prior(N_FEATURES), 0.0
    for _ in range(n_nights):
        contexts = Contexts.random(N_A_ROUND, N_OPTIONS, rng)
        probabilities = policy.probabilities(posterior, contexts.options, rng)
        chosen = choose(probabilities, rng)
        lost += contexts.regret(probabilities) * N_A_ROUND
        shown = contexts.options[np.arange(N_A_ROUND), chosen]
        posterior = posterior.updated(shown, contexts.rewards(chosen, rng))
    return lost


if __name__ == "__main__":
    main()
