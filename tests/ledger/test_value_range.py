"""The range of a sum of unknown values, given exact sums and intervals of others."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.ledger.value_range import Sums

INFINITE = float("inf")


def sums(*known: tuple[list[int], float, float]) -> Sums:
    """Return sums from their parts, smallest and largest value."""
    parts, low, high = zip(*known, strict=True)
    return Sums(csr_matrix(np.array(parts, dtype=float)), np.array(low, dtype=float), np.array(high, dtype=float))


def range_of(known: Sums, *parts: int) -> tuple[float, float]:
    """Return the range of a sum."""
    return known.range_of(np.array(parts, dtype=float))


def test_exact_sums_leave_what_they_do_not_say() -> None:
    """The sums a + b = 10 and b + c = 4: b is at most 4, so a is 6 to 10."""
    known = sums(([1, 1, 0], 10, 10), ([0, 1, 1], 4, 4))

    assert range_of(known, 1, 0, 0) == pytest.approx((6, 10))
    assert range_of(known, 0, 1, 0) == pytest.approx((0, 4))
    assert range_of(known, 1, 1, 1) == pytest.approx((10, 14))


def test_two_rounded_figures_tell_what_came_between() -> None:
    """An unknown 120 to 129 became 140 to 149: 11 to 29 came later."""
    known = sums(([1, 0], 120, 129), ([1, 1], 140, 149))

    assert range_of(known, 0, 1) == pytest.approx((11, 29))


def test_what_no_sum_limits_has_no_largest_value() -> None:
    """Neither has a sum of it; what sums say of others stays."""
    known = sums(([1, 0], 3, 3))

    assert range_of(known, 0, 1) == (0, INFINITE)
    assert range_of(known, 1, 1) == (3, INFINITE)
    assert range_of(known, 1, 0) == pytest.approx((3, 3))


def test_a_figure_without_a_largest_value_limits_one_side() -> None:
    """At least 5."""
    assert range_of(sums(([1, 1], 5, INFINITE)), 1, 1) == (5, INFINITE)


def test_sums_that_contradict_each_other_are_refused() -> None:
    """The same sum cannot be 3 and 4, nor below 0."""
    for known in (sums(([1, 0], 3, 3), ([1, 0], 4, 4)), sums(([1, 0], -2, -1))):
        with pytest.raises(ValueError, match="contradict"):
            range_of(known, 0, 1)
