"""
Exposure targets: over all lists of a run together, a group of tracks gets at least a given share of exposure.

The exposure of a rank is 1 / log2(1 + rank). A single list need not reach the share: the group's tracks rise in those
lists where this costs the least relevance. Each group has one price for all listeners, which is added to the relevance
of its tracks. The price is the Lagrange multiplier of "maximise relevance, subject to the targets". It is found by
bisection, since a group's exposure never falls as its price rises. The share may jump at a price (many listeners with
the same fallback list): then the first listeners get the price just above the jump, the others the one just below.

Guarantees without other rules: the target is met to within the exposure of one list, and no lists that meet the targets
have more relevance than `dual_bound`. With other rules, the prices are found in the same way and then corrected by the
resulting shares, up to `N_PASSES` times.

Source:
    Biega, Gummadi, Weikum, Equity of Attention (2018), for amortised exposure; Boyd, Vandenberghe, Convex Optimization
    (2004), 5.1 to 5.5, for prices and the dual bound.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, F64, I64, Bool
from recsys.evaluate.exposure import discounts
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import Share

N_HALVINGS = 12  # bisection steps per price: precise to 1/4000 of the relevance scale
N_ROUNDS = 3  # over all groups, since each group's price changes the other groups' shares
N_PASSES = 3  # corrections of the prices after a selection with other rules
TOLERANCE = 0.005  # in share of exposure


@dataclass(frozen=True)
class Exposure(RerankRule):
    """Give each group at least its target share of exposure: `targets`, such as {'artist_gender=female': 0.3}."""

    targets: dict[str, Share] = field(default_factory=dict)

    @property
    @override
    def named_groups(self) -> tuple[str, ...]:
        return tuple(self.targets)

    @override
    def prepared(self, candidates: CandidateSet) -> "Priced":
        aims = np.array(list(self.targets.values()), np.float64)
        members = np.zeros((len(candidates.context.interactions.tracks), len(aims)), np.bool_)
        for column, group in enumerate(self.targets):
            members[:, column] = candidates.context.members(group)
        return _priced(candidates, members, aims, aims)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return self.prepared(candidates).begin(candidates, users)


@dataclass(frozen=True, eq=False)
class Priced(RerankRule):
    """
    Exposure targets with the prices that meet them.

    Attributes:
        members: Which tracks are in which group, shape (n_tracks, n_groups).
        targets: Target share of each group, shape (n_groups,).
        aims: The shares that the prices were computed for, shape (n_groups,): the targets, corrected for the effect of
            other rules.
        above: Lowest known prices at which each aim is met, shape (n_groups,); 0 where it is met without a price.
        below: Highest known prices at which each aim is missed, shape (n_groups,).
        n_above: How many listeners, counted from the first, get the prices `above`; the others get those `below`.
        n_passes: How often the aims were corrected.
    """

    members: Bool
    targets: F64
    aims: F64
    above: F64
    below: F64
    n_above: int
    n_passes: int = 0

    @override
    def corrected(self, candidates: CandidateSet, chosen: I64) -> RerankRule:
        missed = self.targets - shares(candidates, chosen, self.members)
        missed = np.where(self.above > 0, missed, np.maximum(missed, 0))  # an unpriced group may exceed its target
        if self.n_passes == N_PASSES or (np.abs(missed) <= TOLERANCE).all():
            return self
        priced = _priced(candidates, self.members, self.targets, np.clip(self.aims + missed, 0, 1))
        return replace(priced, n_passes=self.n_passes + 1)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        is_above = np.arange(users.start, users.stop)[:, None] < self.n_above
        above, below = (candidates.track_values(self.members @ prices, users) for prices in (self.above, self.below))
        return _PriceState(np.where(is_above, above, below).astype(np.float32))


class _PriceState(RuleState):
    def __init__(self, price: F32) -> None:
        self._price = price

    @override
    def gain(self) -> F32:
        return self._price


def shares(candidates: CandidateSet, chosen: I64, members: Bool) -> F64:
    """Return each group's share of all exposure, shape (n_groups,), 0..1; NaN if nothing is shown."""
    exposure, total = _exposure(candidates, chosen, members)
    share: F64 = exposure.sum(axis=0) / (total.sum() or np.nan)
    return share


def dual_bound(candidates: CandidateSet, priced: Priced) -> float:
    """
    Return the Lagrange dual bound: no lists that meet the targets have more discounted relevance.

    Discounted relevance is the sum of exposure times relevance over all recommended tracks of all listeners. Any prices
    give a bound; at the best prices it exceeds what the best lists reach by at most one listener's list.
    """
    prices = priced.above
    value = candidates.relevance + candidates.track_values(priced.members @ prices, slice(None)).astype(np.float32)
    chosen = _by_value(candidates, value)
    _, total = _exposure(candidates, chosen, priced.members)
    shown = np.where(chosen >= 0, np.take_along_axis(value, np.maximum(chosen, 0), axis=1), 0)
    return float((shown * discounts(candidates.k)).sum() - prices @ priced.targets * total.sum())


def _exposure(candidates: CandidateSet, chosen: I64, members: Bool) -> tuple[F64, F64]:
    """Return the exposure in each list by group, shape (n_users, n_groups), and in total, (n_users,)."""
    is_shown = chosen >= 0
    tracks = np.take_along_axis(candidates.tracks, np.maximum(chosen, 0), axis=1)
    weights = is_shown * discounts(candidates.k)  # (n_users, k)
    by_group: F64 = np.einsum("uk,ukg->ug", weights, members[tracks].astype(np.float64))
    return by_group, weights.sum(axis=1)


def _by_value(candidates: CandidateSet, value: F32) -> I64:
    """Return each listener's k candidates of highest value, ties in the recommender's order. Shape (n_users, k)."""
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


def _priced(candidates: CandidateSet, members: Bool, targets: F64, aims: F64) -> Priced:
    """Find the prices by coordinate descent: one group at a time, the other prices fixed."""
    above, below = np.zeros(len(aims)), np.zeros(len(aims))
    is_member = candidates.track_values(members, slice(None))  # (n_users, n, n_groups)
    for _ in range(N_ROUNDS if len(aims) > 1 else 1):
        for group, aim in enumerate(aims):
            others = (is_member @ np.where(np.arange(len(aims)) == group, 0, above)).astype(np.float32)
            value = candidates.relevance + others
            above[group], below[group] = _price(candidates, value, members[:, [group]], is_member[:, :, group], aim)
    return Priced(members, targets, aims, above, below, _n_above(candidates, members, aims, above, below))


def _price(candidates: CandidateSet, value: F32, members: Bool, is_member: Bool, aim: float) -> tuple[float, float]:
    """Return the prices just above and just below the one that meets the aim; the highest twice if none does."""

    def share(price: float) -> float:
        priced_value = (value + price * is_member).astype(np.float32)
        return float(shares(candidates, _by_value(candidates, priced_value), members)[0])

    if share(0) >= aim:
        return 0.0, 0.0
    low, high = 0.0, float(value.max() - value.min()) + 1
    if share(high) < aim:
        return high, high
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if share(middle) >= aim else (middle, high)
    return high, low


def _n_above(candidates: CandidateSet, members: Bool, aims: F64, above: F64, below: F64) -> int:
    """Return how many listeners need the prices `above` so that the group with the widest price gap meets its aim."""
    if (above == below).all():
        return len(candidates.tracks)
    lists = []
    for prices in (above, below):
        value = candidates.relevance + candidates.track_values(members @ prices, slice(None)).astype(np.float32)
        lists.append(_exposure(candidates, _by_value(candidates, value), members))
    (high, total), (low, _) = lists
    group = int(np.argmax(above - below))
    n_shares = np.cumsum(np.append(0, high[:, group] - low[:, group])) + low[:, group].sum()
    return int(np.searchsorted(n_shares, aims[group] * total.sum()))
