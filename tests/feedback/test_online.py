"""What off-policy evaluation and policies that learn say, against an online test and a static list in the simulator."""

import numpy as np
import pytest

from bench.feedback import ESTIMATORS, N_PER_NIGHT, POLICIES, STATIC, agree, log_of, online_test, regret
from recsys.feedback.simulator import Contexts

N_LOGS = 40


@pytest.mark.parametrize("name", ESTIMATORS)
def test_off_policy_estimates_agree_with_an_online_test(name: str) -> None:
    """Of 40 intervals of a difference at 95 %, at least 34 contain 0 with a probability of 99 %."""
    agreements = [agree(ESTIMATORS[name](log_of(seed)), online_test(seed)) for seed in range(N_LOGS)]

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
    """The 95 % interval of the plays won over eight seeds is above 0 after fifteen nights."""
    won = np.array([regret(POLICIES[STATIC], seed, 15) - regret(POLICIES[name], seed, 15) for seed in range(8)])

    assert won.mean() - 2.37 * won.std(ddof=1) / np.sqrt(len(won)) > 0
