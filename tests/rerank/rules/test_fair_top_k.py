"""The table of FA*IR compared with the published one and with enumeration."""

from itertools import product

import numpy as np
import pytest

from bench.rerank.plain import plain_minimum_protected
from recsys.rerank.rules.fair_top_k import failure_probability, min_protected, min_protected_unadjusted

# Zehlike et al. (2017), table 2: alpha 0.1, positions 1 to 12, by share.
PUBLISHED = {
    0.1: [0] * 12,
    0.2: [0] * 10 + [1] * 2,
    0.3: [0] * 6 + [1] * 5 + [2],
    0.4: [0] * 4 + [1] * 4 + [2] * 3 + [3],
    0.5: [0] * 3 + [1] * 3 + [2] * 2 + [3] * 3 + [4],
    0.6: [0] * 2 + [1] * 2 + [2] * 2 + [3] * 2 + [4] * 2 + [5] * 2,
    0.7: [0] + [1] * 2 + [2] * 2 + [3] * 2 + [4] + [5] * 2 + [6] * 2,
}


@pytest.mark.parametrize("share", PUBLISHED)
def test_the_table_is_the_published_one(share: float) -> None:
    """The minima equal table 2 of the paper."""
    assert min_protected_unadjusted(12, share, 0.1).tolist() == PUBLISHED[share]


@pytest.mark.parametrize(("k", "share", "alpha"), [(20, 0.25, 0.1), (50, 0.3, 0.05), (40, 0.8, 0.15)])
def test_the_table_equals_a_plain_loop(k: int, share: float, alpha: float) -> None:
    """The smallest m whose binomial F(m) is above alpha, one by one."""
    assert min_protected_unadjusted(k, share, alpha).tolist() == plain_minimum_protected(k, share, alpha)


def test_the_failure_probability_is_the_published_one() -> None:
    """The authors' library gives 0.14688718869911077 for k = 20, p = 0.25, alpha = 0.1 without adjustment."""
    assert failure_probability(min_protected_unadjusted(20, 0.25, 0.1), 0.25) == pytest.approx(
        0.14688718869911077, abs=1e-9
    )


@pytest.mark.parametrize("least", [[0, 0, 1], [0, 1, 1, 2], [1, 1], [0, 0, 0, 0]])
def test_the_failure_probability_equals_enumeration(least: list[int]) -> None:
    """The result equals the sum of the probabilities of all lists that fail."""
    failed = 0.0
    for drawn in product([0, 1], repeat=len(least)):
        if any(sum(drawn[: length + 1]) < least[length] for length in range(len(least))):
            failed += 0.3 ** sum(drawn) * 0.7 ** (len(drawn) - sum(drawn))

    assert failure_probability(np.array(least), 0.3) == pytest.approx(failed, abs=1e-9)


@pytest.mark.parametrize(("k", "share", "alpha"), [(20, 0.25, 0.1), (10, 0.5, 0.1), (100, 0.4, 0.05), (20, 0.9, 0.15)])
def test_alpha_is_lowered_no_further_than_needed(k: int, share: float, alpha: float) -> None:
    """A random list fails with probability alpha at most; with any stricter table it would fail more often."""
    least = min_protected(k, share, alpha)

    assert failure_probability(least, share) <= alpha
    assert (least <= min_protected_unadjusted(k, share, alpha)).all()
    looser = [min_protected_unadjusted(k, share, alpha * part / 1000) for part in range(1, 1001)]
    assert all(
        failure_probability(table, share) > alpha
        for table in looser
        if (table > least).any() and (table >= least).all()
    )
