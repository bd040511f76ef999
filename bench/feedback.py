"""
How often the 95 % intervals of off-policy evaluation hold the truth, and what exploring costs and earns.

The simulator's truth is known by counting. Run: python -m bench.feedback [LOGS]
"""

import sys

import numpy as np
import polars as pl

from recsys.feedback.bandits import Greedy, LinUCB, Policy, Posterior, Thompson, choose
from recsys.feedback.off_policy import doubly_robust, ips, snips
from recsys.feedback.simulator import KINDS, N_FEATURES, Contexts, logged, softmax

ESTIMATORS = {"IPS": ips, "SNIPS": snips, "doubly robust": doubly_robust}
POLICIES: dict[str, Policy] = {
    "greedy": Greedy(floor=0, own=0),
    "greedy, 2 % at random": Greedy(own=0),
    "Thompson": Thompson(own=0),
    "LinUCB": LinUCB(own=0),
    "Thompson, 5 % the first": Thompson(),
    "LinUCB, 5 % the first": LinUCB(),
}
N_DECISIONS, N_OPTIONS, N_TRUTH = 2_000, 10, 400_000
N_ROUNDS, N_A_ROUND, N_REPEATS = 60, 200, 50
SHOWN = np.array([1.0, 0, *[0] * len(KINDS)])  # prefers what is relevant
ASKED = np.array([0.5, 1.0, 0, 1.5, *[0] * (len(KINDS) - 2)])  # prefers what is new and to the listener's taste
GUESS = np.array([0.1, 0.1, *[0.15] * len(KINDS)])  # a model that knows nothing of kinds


def main() -> None:
    """Print both tables."""
    rng, n_logs = np.random.default_rng(0), int((sys.argv[1:] or ["100"])[0])
    everybody = Contexts.drawn(N_TRUTH, N_OPTIONS, rng)
    truth = everybody.value(softmax(everybody.options, ASKED))
    print(f"Value of the policy asked about, counted over {N_TRUTH:,} decisions: {truth:.4f}")
    found = {name: [estimator(log_of(seed)) for seed in range(n_logs)] for name, estimator in ESTIMATORS.items()}
    for name, estimates in found.items():
        held = sum(each.low <= truth <= each.high for each in estimates)
        mean, width = (
            np.mean(values) for values in ([e.value for e in estimates], [e.high - e.low for e in estimates])
        )
        print(f"{name:<14} {held} of {n_logs} intervals hold it, {width:.4f} wide; mean {mean:.4f}")
    print(f"\nRegret over {N_ROUNDS} nights of {N_A_ROUND} decisions, mean of {N_REPEATS} seeds:")
    for name, policy in POLICIES.items():
        regrets = [regret(policy, seed) for seed in range(N_REPEATS)]
        print(f"{name:<28} {np.mean(regrets):7.1f} +- {1.96 * np.std(regrets) / np.sqrt(len(regrets)):.1f}")


def log_of(seed: int) -> pl.DataFrame:
    """One log of the policy that was shown."""
    rng = np.random.default_rng(1_000 + seed)
    contexts = Contexts.drawn(N_DECISIONS, N_OPTIONS, rng)
    shown, asked = (softmax(contexts.options, weights) for weights in (SHOWN, ASKED))
    return logged(contexts, shown, asked, guess=contexts.options @ GUESS, rng=rng)


def regret(policy: Policy, seed: int) -> float:
    """Learn night by night from what was shown, and count what was lost."""
    rng = np.random.default_rng(seed)
    posterior, lost = Posterior.prior(N_FEATURES), 0.0
    for _ in range(N_ROUNDS):
        contexts = Contexts.drawn(N_A_ROUND, N_OPTIONS, rng)
        probabilities = policy.probabilities(posterior, contexts.options, rng)
        chosen = choose(probabilities, rng)
        lost += contexts.regret(probabilities) * N_A_ROUND
        shown = contexts.options[np.arange(N_A_ROUND), chosen]
        posterior = posterior.updated(shown, contexts.rewards(chosen, rng))
    return lost


if __name__ == "__main__":
    main()
