"""
Exposure targets: a group of tracks gets at least a given share of exposure, summed over all lists of a run.

The exposure of a rank is 1 / log2(1 + rank). Single lists may have a lower share: the group's tracks move up in the
lists where this costs the least relevance. Each group has a price: a number, the same for all listeners, that is added
to the relevance of the group's tracks. It is the Lagrange multiplier of "maximise relevance, subject to the targets",
and is found by bisection, since a group's exposure never decreases as its price rises. If many listeners have the same
list, such as the fallback, the share jumps at some price. Then the first listeners get the price just above the jump,
and all others the price just below it.

Guarantees without other rules: the shares miss the targets by at most the exposure of one list, and lists that meet the
targets cannot have more relevance than `dual_bound`. With other rules, prices are computed as if there were no other
rule, and then recomputed with corrected targets, up to `N_PASSES` times.

Source:
    Biega, Gummadi, Weikum, Equity of Attention (2018), for amortised exposure; Boyd, Vandenberghe, Convex Optimization
    (2004), 5.1 to 5.5, for prices and the dual bound.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, F64, I64, Bool
from recsys.evaluate.ranking import discounts
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import Settings, Share

N_HALVINGS = 12  # bisection steps per price: precise to 1/4000 of the relevance scale
N_ROUNDS = 3  # passes over all groups, since each group's price changes the other groups' shares
N_PASSES = 3  # maximum number of corrections after a selection with other rules
TOLERANCE = 0.005  # accepted distance of a share of exposure from its target


@dataclass(frozen=True)
class Exposure(Settings, RerankRule):
    """
    Give each group of tracks at least its target share of exposure.

    Attributes:
        targets: Target share, 0..1, per group, such as {'artist_gender=female': 0.3}.
    """

    targets: dict[str, Share] = field(default_factory=dict)

    @property
    @override
    def named_groups(self) -> tuple[str, ...]:
        return tuple(self.targets)

    @override
    def prepared(self, candidates: CandidateSet) -> "PricedExposure":
        working_targets = np.array(list(self.targets.values()), np.float64)
        members = np.zeros((len(candidates.context.interactions.tracks), len(working_targets)), np.bool_)
        for column, group in enumerate(self.targets):
            members[:, column] = candidates.context.members(group)
        return _priced(candidates, members, working_targets, working_targets)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return self.prepared(candidates).begin(candidates, users)


@dataclass(frozen=True, eq=False)
class PricedExposure(RerankRule):
    """
    Exposure targets with the prices that meet them.

    Attributes:
        members: True where a track is in a group. Shape (n_tracks, n_groups), bool.
        targets: Target share of each group. Shape (n_groups,).
        working_targets: Target shares for which the prices were computed: `targets`, corrected for the effect of other
            rules. Shape (n_groups,).
        high_prices: Lowest price found that meets each working target; 0 if the target is met without a price. Shape
            (n_groups,).
        low_prices: Highest price found that misses each working target. Shape (n_groups,).
        n_at_high_prices: The first n listeners get `high_prices`, all others get `low_prices`.
        n_passes: Number of corrections so far.
    """

    members: Bool
    targets: F64
    working_targets: F64
    high_prices: F64
    low_prices: F64
    n_at_high_prices: int
    n_passes: int = 0

    @override
    def corrected(self, candidates: CandidateSet, chosen: I64) -> RerankRule:
        missed = self.targets - group_exposure_shares(candidates, chosen, self.members)
        missed = np.where(
            self.high_prices > 0, missed, np.maximum(missed, 0)
        )  # a group may exceed its target without a price
        if self.n_passes == N_PASSES or (np.abs(missed) <= TOLERANCE).all():
            return self
        priced = _priced(candidates, self.members, self.targets, np.clip(self.working_targets + missed, 0, 1))
        return replace(priced, n_passes=self.n_passes + 1)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        is_high = np.arange(users.start, users.stop)[:, None] < self.n_at_high_prices
        both = (self.high_prices, self.low_prices)
        high, low = (candidates.track_values(self.members @ prices, users) for prices in both)
        return _PriceState(np.where(is_high, high, low).astype(np.float32))


class _PriceState(RuleState):
    def __init__(self, price: F32) -> None:
        self._price = price

    @override
    def gain(self) -> F32:
        return self._price


def group_exposure_shares(candidates: CandidateSet, chosen: I64, members: Bool) -> F64:
    """Return each group's share of the exposure of all lists, 0..1; NaN if all lists are empty. Shape (n_groups,)."""
    exposure, total = _exposure(candidates, chosen, members)
    share: F64 = exposure.sum(axis=0) / (total.sum() or np.nan)
    return share


def dual_bound(candidates: CandidateSet, priced: PricedExposure) -> float:
    """
    Return the Lagrange dual bound: an upper bound of the discounted relevance of lists that meet the targets.

    Discounted relevance is the sum of exposure times relevance over all recommended tracks of all listeners. The bound
    is valid for any prices; at the best prices it exceeds the largest possible relevance by at most that of one list.
    """
    prices = priced.high_prices
    value = candidates.relevance + candidates.track_values(priced.members @ prices, slice(None)).astype(np.float32)
    chosen = _by_value(candidates, value)
    _, total = _exposure(candidates, chosen, priced.members)
    shown = np.where(chosen >= 0, np.take_along_axis(value, np.maximum(chosen, 0), axis=1), 0)
    return float((shown * discounts(candidates.k)).sum() - prices @ priced.targets * total.sum())


def _exposure(candidates: CandidateSet, chosen: I64, members: Bool) -> tuple[F64, F64]:
    """Return the exposure per list and group, shape (n_users, n_groups), and per list, shape (n_users,)."""
    is_shown = chosen >= 0
    tracks = np.take_along_axis(candidates.tracks, np.maximum(chosen, 0), axis=1)
    weights = is_shown * discounts(candidates.k)  # (n_users, k)
    by_group: F64 = np.einsum("uk,ukg->ug", weights, members[tracks].astype(np.float64))
    return by_group, weights.sum(axis=1)


def _by_value(candidates: CandidateSet, value: F32) -> I64:
    """Return each listener's k candidates of highest value, best first; ties in the recommender's order."""
    value = np.where(candidates.tracks >= 0, value, -np.inf)
    k = min(candidates.k, value.shape[1])
    bound = np.partition(value, -k, axis=1)[:, -k, None]
    is_among = value > bound
    n_left = k - is_among.sum(axis=1, keepdims=True)
    is_among |= (value == bound) & (np.cumsum(value == bound, axis=1) <= n_left)
    columns = np.nonzero(is_among)[1].reshape(-1, k)
    best = np.take_along_axis(value, columns, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    columns = np.where(np.isfinite(best), columns, -1)
    chosen = np.full((len(value), candidates.k), -1)
    chosen[:, :k] = np.take_along_axis(columns, order, axis=1)
    return chosen


def _priced(candidates: CandidateSet, members: Bool, targets: F64, working_targets: F64) -> PricedExposure:
    """Find the prices by coordinate descent: one group at a time, with the prices of all other groups fixed."""
    high, low = np.zeros(len(working_targets)), np.zeros(len(working_targets))
    is_member = candidates.track_values(members, slice(None))  # (n_users, n, n_groups)
    for _ in range(N_ROUNDS if len(working_targets) > 1 else 1):
        for group, target in enumerate(working_targets):
            others = (is_member @ np.where(np.arange(len(working_targets)) == group, 0, high)).astype(np.float32)
            value = candidates.relevance + others
            high[group], low[group] = _price(candidates, value, members[:, [group]], is_member[:, :, group], target)
    n_at_high = _n_at_high_prices(candidates, members, working_targets, high, low)
    return PricedExposure(members, targets, working_targets, high, low, n_at_high)


def _price(candidates: CandidateSet, value: F32, members: Bool, is_member: Bool, target: float) -> tuple[float, float]:
    """Return the lowest price that meets the target and the highest that misses it; the highest twice if none does."""

    def share(price: float) -> float:
        priced_value = (value + price * is_member).astype(np.float32)
        return float(group_exposure_shares(candidates, _by_value(candidates, priced_value), members)[0])

    if share(0) >= target:
        return 0.0, 0.0
    low, high = 0.0, float(value.max() - value.min()) + 1
    if share(high) < target:
        return high, high
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if share(middle) >= target else (middle, high)
    return high, low


def _n_at_high_prices(candidates: CandidateSet, members: Bool, targets: F64, high_prices: F64, low_prices: F64) -> int:
    """Return how many listeners need the high prices so that the group with the widest price gap meets its target."""
    if (high_prices == low_prices).all():
        return len(candidates.tracks)
    lists = []
    for prices in (high_prices, low_prices):
        value = candidates.relevance + candidates.track_values(members @ prices, slice(None)).astype(np.float32)
        lists.append(_exposure(candidates, _by_value(candidates, value), members))
    (high, total), (low, _) = lists
    group = int(np.argmax(high_prices - low_prices))
    n_shares = np.cumsum(np.append(0, high[:, group] - low[:, group])) + low[:, group].sum()
    return int(np.searchsorted(n_shares, targets[group] * total.sum()))
