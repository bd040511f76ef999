"""
FA*IR: in every first part of a list, no fewer of a protected group than chance would be expected to give.

With a share p of protected candidates, a list drawn by chance has at most m of them in its first places with
probability alpha; a list with fewer is called unfair. Testing every prefix would refuse too many fair lists, so that
alpha is lowered until a list drawn by chance fails anywhere with probability alpha at most.

Source: Zehlike et al., FA*IR: A Fair Top-k Ranking Algorithm (2017), definitions 3.1 and 3.2, section 4.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from scipy.stats import binom
from typing_extensions import override

from recsys.arrays import I64, Bool, Rows
from recsys.errors import BadRecipe
from recsys.rerank.base import CandidateSet, RerankRule, RuleState

N_HALVINGS = 50  # of the interval that the lowered alpha is in


@dataclass(frozen=True)
class FairTopK(RerankRule):
    """
    Fair to one group.

    Attributes:
        group: Who is protected, such as 'artist_gender=female'.
        share: Their least share p, 0..1.
        alpha: How many of the lists drawn by chance may be called unfair, 0..1.
    """

    urgency: ClassVar[int] = 1

    group: str = "artist_gender=female"
    share: float = 0.3
    alpha: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not (0 < self.share < 1 and 0 < self.alpha < 1):
            raise BadRecipe(f"[rerank.fair_top_k]: {self}; expected share and alpha between 0 and 1")

    @property
    @override
    def named(self) -> tuple[str, ...]:
        return (self.group,)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        is_protected = candidates.of_track(candidates.context.members(self.group), users)
        return _Protecting(is_protected, least_protected(candidates.k, self.share, self.alpha))


class _Protecting(RuleState):
    def __init__(self, is_protected: Bool, least: I64) -> None:
        self._is_protected = is_protected
        self._least = least
        self._n_protected = np.zeros(len(is_protected), np.int64)
        self._place = 0

    @override
    def wanted(self) -> Bool:
        is_fair = self._n_protected >= self._least[self._place]
        wanted: Bool = self._is_protected | is_fair[:, None]
        return wanted

    @override
    def take(self, users: Rows, columns: Rows) -> None:
        self._n_protected[users] += self._is_protected[users, columns]
        self._place = min(self._place + 1, len(self._least) - 1)


@lru_cache
def least_protected(k: int, share: float, alpha: float) -> I64:
    """
    Return m: how many protected tracks the first 1, 2 .. k places must hold at least, alpha lowered. Shape (k,).

    >>> least_protected(20, 0.25, 0.15).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]
    """
    low, high = 0.0, alpha
    if chance_to_fail(unadjusted(k, share, alpha), share) <= alpha:
        return unadjusted(k, share, alpha)
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        fails_rarely = chance_to_fail(unadjusted(k, share, middle), share) <= alpha
        low, high = (middle, high) if fails_rarely else (low, middle)
    return unadjusted(k, share, low)


def unadjusted(k: int, share: float, alpha: float) -> I64:
    """
    Return the least count at each place that chance exceeds or reaches with more than alpha, shape (k,).

    >>> unadjusted(12, 0.5, 0.1).tolist()
    [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4]
    """
    places = np.arange(1, k + 1)
    likely = binom.cdf(np.arange(k + 1)[None, :], places[:, None], share)  # (k, k + 1): F(count; place, share)
    least: I64 = (likely <= alpha).sum(axis=1)
    return least


def chance_to_fail(least: I64, share: float) -> float:
    """Return with what probability a list drawn by chance has fewer than `least` protected at any place, 0..1."""
    alive = np.zeros(len(least) + 1)  # by count of protected so far: probability of not having failed
    alive[0] = 1
    for n_least in least:
        alive[1:] = alive[1:] * (1 - share) + alive[:-1] * share
        alive[0] *= 1 - share
        alive[:n_least] = 0
    return float(1 - alive.sum())
