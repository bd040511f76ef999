"""
FA*IR: in every prefix of a list, the number of protected tracks is not significantly below a target share.

A list whose tracks are drawn at random, protected ones with probability p, is the reference. A prefix is unfair if the
binomial test at level alpha says that it holds too few protected tracks. Since every prefix is tested, alpha is lowered
until a random list fails at any prefix with probability alpha at most.

Source: Zehlike et al., FA*IR: A Fair Top-k Ranking Algorithm (2017), definitions 3.1 and 3.2, section 4.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta
from scipy.stats import binom
from typing_extensions import override

from recsys.arrays import I64, Bool, Rows
from recsys.rerank.base import CandidateSet, RerankRule, RuleState

N_HALVINGS = 50  # bisection steps for the adjusted alpha


@dataclass(frozen=True)
class FairTopK(RerankRule):
    """
    Require enough tracks of a protected group in every prefix of a list, while candidates of the group are left.

    Attributes:
        group: The protected group, such as 'artist_gender=female'.
        share: Its target share p, between 0 and 1.
        alpha: Significance level, between 0 and 1: the share of random lists that may be called unfair.
    """

    urgency: ClassVar[int] = 1

    group: str = "artist_gender=female"
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.3
    alpha: Annotated[float, Meta(gt=0, lt=1)] = 0.1

    @property
    @override
    def named_groups(self) -> tuple[str, ...]:
        return (self.group,)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        is_protected = candidates.track_values(candidates.context.members(self.group), users)
        return _FairState(is_protected, least_protected(candidates.k, self.share, self.alpha))


class _FairState(RuleState):
    def __init__(self, is_protected: Bool, least: I64) -> None:
        self._is_protected = is_protected
        self._least = least
        self._n_protected = np.zeros(len(is_protected), np.int64)
        self._position = 0

    @override
    def required(self) -> Bool:
        is_fair = self._n_protected >= self._least[self._position]
        required: Bool = self._is_protected | is_fair[:, None]
        return required

    @override
    def take(self, users: Rows, columns: Rows) -> None:
        self._n_protected[users] += self._is_protected[users, columns]
        self._position = min(self._position + 1, len(self._least) - 1)


@lru_cache
def least_protected(k: int, share: float, alpha: float) -> I64:
    """
    Return the fewest protected tracks that the first 1, 2 .. k positions must hold, at the adjusted alpha.

    Args:
        k: Length of the list.
        share: Target share of the protected group, between 0 and 1.
        alpha: Significance level for the whole list, between 0 and 1.

    Returns:
        The minima m, shape (k,), int64.

    >>> least_protected(20, 0.25, 0.15).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]
    """
    low, high = 0.0, alpha
    if failure_probability(unadjusted(k, share, alpha), share) <= alpha:
        return unadjusted(k, share, alpha)
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        fails_rarely = failure_probability(unadjusted(k, share, middle), share) <= alpha
        low, high = (middle, high) if fails_rarely else (low, middle)
    return unadjusted(k, share, low)


def unadjusted(k: int, share: float, alpha: float) -> I64:
    """
    Return the minima at level alpha without the adjustment for testing every prefix, shape (k,), int64.

    For the first n positions that is the smallest m with P(at most m of n are protected) > alpha.

    >>> unadjusted(12, 0.5, 0.1).tolist()
    [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4]
    """
    lengths = np.arange(1, k + 1)
    cumulative = binom.cdf(np.arange(k + 1)[None, :], lengths[:, None], share)  # (k, k + 1): F(count; length, share)
    least: I64 = (cumulative <= alpha).sum(axis=1)
    return least


def failure_probability(least: I64, share: float) -> float:
    """Return the probability that a random list has fewer than `least` protected tracks in any prefix, 0..1."""
    fair = np.zeros(len(least) + 1)  # by number of protected tracks so far: probability that no prefix has failed
    fair[0] = 1
    for n_least in least:
        fair[1:] = fair[1:] * (1 - share) + fair[:-1] * share
        fair[0] *= 1 - share
        fair[:n_least] = 0
    return float(1 - fair.sum())
