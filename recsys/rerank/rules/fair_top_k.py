"""
FA*IR: in every prefix of a list, the number of protected tracks is not significantly below a target share.

The reference is a random list, in which each track is protected with probability p, the target share. A prefix is
unfair if it has significantly fewer protected tracks than the reference (binomial test at level alpha). Because every
prefix is tested, the level of each single test is lowered until the probability that a random list fails at one or more
prefixes is at most alpha.

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
from recsys.settings import Settings

N_HALVINGS = 50  # bisection steps for the level of the single test


@dataclass(frozen=True)
class FairTopK(Settings, RerankRule):
    """
    Require enough tracks of a protected group in every prefix of a list, as long as the candidates include any.

    Attributes:
        group: The protected group, such as 'artist_gender=female'.
        share: Target share p of the protected group, between 0 and 1.
        alpha: Significance level for the whole list, between 0 and 1: the maximum share of random lists that fail.
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
        return _FairState(is_protected, min_protected(candidates.k, self.share, self.alpha))


class _FairState(RuleState):
    def __init__(self, is_protected: Bool, minimum: I64) -> None:
        self._is_protected = is_protected
        self._minimum = minimum
        self._n_protected = np.zeros(len(is_protected), np.int64)
        self._position = 0

    @override
    def required(self) -> Bool:
        is_fair = self._n_protected >= self._minimum[self._position]
        required: Bool = self._is_protected | is_fair[:, None]
        return required

    @override
    def update(self, users: Rows, columns: Rows) -> None:
        self._n_protected[users] += self._is_protected[users, columns]
        self._position = min(self._position + 1, len(self._minimum) - 1)


@lru_cache
def min_protected(k: int, share: float, alpha: float) -> I64:
    """
    Return the minimum number of protected tracks in each prefix of a list: its first 1, 2 .. k positions.

    Args:
        k: Length of the list.
        share: Target share of the protected group, between 0 and 1.
        alpha: Significance level for the whole list, between 0 and 1.

    Returns:
        The minimum per prefix, with the level of each single test lowered as described above. Shape (k,), int64.

    >>> min_protected(20, 0.25, 0.15).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]
    """
    low, high = 0.0, alpha
    if failure_probability(min_protected_unadjusted(k, share, alpha), share) <= alpha:
        return min_protected_unadjusted(k, share, alpha)
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        fails_rarely = failure_probability(min_protected_unadjusted(k, share, middle), share) <= alpha
        low, high = (middle, high) if fails_rarely else (low, middle)
    return min_protected_unadjusted(k, share, low)


def min_protected_unadjusted(k: int, share: float, alpha: float) -> I64:
    """
    Return the minimum number of protected tracks in each prefix, each tested at level alpha. Shape (k,), int64.

    There is no correction for testing several prefixes. The minimum of the first n positions is the smallest m with
    P(at most m of n tracks are protected) > alpha.

    >>> min_protected_unadjusted(12, 0.5, 0.1).tolist()
    [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4]
    """
    lengths = np.arange(1, k + 1)
    cumulative = binom.cdf(np.arange(k + 1)[None, :], lengths[:, None], share)  # (k, k + 1): F(count; length, share)
    minimum: I64 = (cumulative <= alpha).sum(axis=1)
    return minimum


def failure_probability(minimum: I64, share: float) -> float:
    """Return the probability, 0..1, that one or more prefixes of a random list have too few protected tracks."""
    fair = np.zeros(len(minimum) + 1)  # by number of protected tracks so far: probability that no prefix has failed
    fair[0] = 1
    for n_required in minimum:
        fair[1:] = fair[1:] * (1 - share) + fair[:-1] * share
        fair[0] *= 1 - share
        fair[:n_required] = 0
    return float(1 - fair.sum())
