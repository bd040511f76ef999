"""What off-policy evaluation and policies that learn say, against an online test and a static list in the simulator."""

from functools import cache

import numpy as np
import pytest

from bench.feedback import ESTIMATORS, N_PER_NIGHT, POLICIES, STATIC, agree, log_of, online_test, regret
from recsys.feedback.simulator import Contexts

N_LOGS, N_NIGHTS, N_SEEDS = 40, 10, 6
T_95 = 2.57  # of five degrees of freedom

logs, online_tests = cache(log_of), cache(online_test)  # shared by the estimators


@pytest.mark.parametrize("name", ESTIMATORS)
def test_off_policy_estimates_agree_with_an_online_test(name: str) -> None:
    """Of 40 intervals of a difference at 95 %, at least 34 contain 0 with a probability of 99 %."""
    agreements = [agree(ESTIMATORS[name](logs(seed)), online_tests(seed)) for seed in range(N_LOGS)]

    assert sum(agreements) >= 34


def test_the_static_list_has_the_regret_of_the_first_option() -> None:
    """Its regret is that of the first option in the same decisions, whatever it might have learned."""
    rng = np.random.default_rng(5)
    regrets = []
    for _ in range(3):
        contexts = Contexts.random(N_PER_NIGHT, 10, rng)
        regrets.append((contexts.probabilities.max(axis=1) - contexts.probabilities[:, 0]).sum())
        rng.random((N_PER_NIGHT, 1))  # the draw of an option
        rng.random(N_PER_NIGHT)  # and of its reward

    assert regret(POLICIES[STATIC], 5, 3) == pytest.approx(sum(regrets))


@pytest.mark.parametrize("name", ["Thompson", "LinUCB", "Thompson, 5 % first option", "LinUCB, 5 % first option"])
def test_a_policy_that_learns_between_nights_beats_the_static_list(name: str) -> None:
    """The 95 % interval of the plays won over six seeds is above 0 after ten nights."""
    static, learning = (
        np.array([regret(POLICIES[policy], seed, N_NIGHTS) for seed in range(N_SEEDS)]) for policy in (STATIC, name)
    )
    won = static - learning

    assert won.mean() - T_95 * won.std(ddof=1) / np.sqrt(N_SEEDS) > 0
