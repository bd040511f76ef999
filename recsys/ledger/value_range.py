"""The range of a sum of unknown values, each at least 0, if other sums of them are known exactly or as intervals."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from recsys.arrays import F64

_UNBOUNDED = (3, 4)  # status of scipy: the second means that the solver did not tell unbounded from contradictory


@dataclass(frozen=True, eq=False)
class Sums:
    """
    Known sums of unknown values.

    Attributes:
        parts: Whether an unknown is part of a sum: 1 or 0, shape (n_sums, n_unknowns).
        low: Smallest value that each sum may have, shape (n_sums,).
        high: Largest value, infinite if it is unknown; equal to `low` if the sum is known exactly.
    """

    parts: csr_matrix
    low: F64
    high: F64

    def range_of(self, parts: F64) -> tuple[float, float]:
        """
        Return the smallest and largest value of another sum that agree with the known ones: two linear programmes.

        Args:
            parts: Whether an unknown is part of it: 1 or 0, shape (n_unknowns,).

        Returns:
            Both values; the largest is infinite if nothing limits it.

        Raises:
            ValueError: The known sums contradict each other.
        """
        return self._least(parts), -self._least(-parts)

    def _least(self, weights: F64) -> float:
        known = LinearConstraint(self.parts, self.low, self.high)
        found = milp(weights, constraints=known, bounds=Bounds(0, np.inf))
        if found.success:
            return float(found.fun)
        if weights.min(initial=0) < 0 and found.status in _UNBOUNDED:
            return -np.inf
        raise ValueError("Found sums that contradict each other, expected sums of the same values")
