"""
How unusual a score is: the number of strangers that would score as high by chance (an E-value, as in sequence search).

Nearly all of the best scores of a query are those of strangers, and they fall off exponentially. The tail is fitted
between the best 1 % and the best 4 % of a collection, so that relatives, which are fewer, do not enter; in a collection
of more than 12,500, between the best 125 and the best 500. In a collection that is too small for this, the tail is that
of a typical query, and no operating point is named, since strangers pass more often among few tunes.

The best score of an unrelated tune should be expected once; it is so less often, since true tails fall off faster. So
the operating points were set on strangers: 150 excerpts of pop songs among 4,248 tunes of Aird, O'Neill and Ryan.

Source: Karlin and Altschul, Methods for assessing the statistical significance of molecular sequence features by using
general scoring schemes (1990).
"""

import numpy as np

from recsys.arrays import F64

LEAST_STRANGERS = 2_000  # melodies of a collection whose tail is fitted, and which has operating points
NEAR, FAR = 0.01, 0.04  # shares of a collection, between whose scores the tail is fitted
TYPICAL_TAIL = {False: (0.36, 0.03), True: (0.66, 0.036)}  # of tunes and takes; nine of ten have a lower one
LEAST_SCALE = 0.01
LEAST_EXPECTED = 1e-6  # strangers; the fitted tail says nothing about less
STRICT, USUAL = 0.03, 0.1  # expected strangers; .1 % and 1 % of strangers' queries have a score of fewer than these


def expected_text(expected: float) -> str:
    """
    Say how many strangers are expected.

    >>> expected_text(1e-9), expected_text(0.0312), expected_text(1234.5)
    ('1e-06', '0.03', '1,234')
    """
    return f"{max(expected, LEAST_EXPECTED):.1g}" if expected < 10 else f"{expected:,.0f}"


def expected_strangers(scores: F64, n_melodies: int, *, is_take: bool = False) -> F64:
    """
    Return how many strangers are expected to score at least as high.

    Args:
        scores: The best scores of a query, falling, shape (n,).
        n_melodies: Size of the collection, at least n.
        is_take: Whether the query is a recording.
    """
    start, scale = tail(scores, n_melodies, is_take=is_take)
    expected: F64 = NEAR * n_melodies * np.exp((start - scores) / scale)
    return np.minimum(expected, n_melodies)


def tail(scores: F64, n_melodies: int, *, is_take: bool) -> tuple[float, float]:
    """Return the score that 1 % of a collection exceed by the fit, and how much higher a score is for each factor e."""
    if n_melodies < LEAST_STRANGERS:
        return TYPICAL_TAIL[is_take]
    far = min(int(FAR * n_melodies), len(scores))
    near = far * NEAR / FAR
    start, end = np.interp((near, far), np.arange(1, len(scores) + 1), scores)
    scale = max((start - end) / np.log(far / near), LEAST_SCALE)
    return float(start + scale * np.log(near / (NEAR * n_melodies))), float(scale)
