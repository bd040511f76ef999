"""
Exposure targets over the whole night: a group of tracks gets at least its share of what listeners look at.

Exposure of a place is 1 / log2(1 + place). Nobody's own list must have the share: where the group's tracks cost least
relevance, there they rise. Each group gets a price, added to the relevance of its tracks, the same for all listeners:
the Lagrange multiplier of "the most relevance whose exposure meets the targets", found by halving an interval, since
the group's exposure never falls as its price rises. At one price the share may jump (many listeners of one fallback
list), so the first listeners choose at the price just above the target and the others at the one just below.

Guarantee: for lists ordered by relevance plus price alone, the share is met to within one listener's list, and no lists
that meet the targets have more relevance than `dual_bound`, whatever the prices. Together with other rules prices are
found in the same way and then corrected by what the lists came out as, up to `N_PASSES` times.

Source:
    Biega, Gummadi, Weikum, Equity of Attention (2018), for amortised exposure; Boyd, Vandenberghe, Convex Optimization
    (2004), 5.1 to 5.5, for prices and bound.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, F64, I64, Bool
from recsys.errors import BadRecipe
from recsys.evaluate.exposure import discounts
from recsys.rerank.base import CandidateSet, RerankRule, RuleState

N_HALVINGS = 12  # of a price's interval: to a 4,000th of a relevance
N_ROUNDS = 3  # over all groups, since one group's price moves the others' shares
N_PASSES = 3  # of the whole choice, where other rules take part in it
TOLERANCE = 0.005  # of a share


@dataclass(frozen=True)
class Exposure(RerankRule):
    """Least share of all exposure that each group gets: `targets`, such as {'artist_gender=female': 0.3}."""

    targets: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        for group, share in self.targets.items():
            if not isinstance(share, (int, float)) or not 0 <= share <= 1:
                raise BadRecipe(f"[rerank.exposure]: the target of {group!r} is {share!r}; expected 0..1")

    @property
    @override
    def named(self) -> tuple[str, ...]:
        return tuple(self.targets)

    @override
    def prepared(self, candidates: CandidateSet) -> "Priced":
        aims = np.array(list(self.targets.values()), np.float64)
        members = np.zeros((len(candidates.context.interactions.tracks), len(aims)), np.bool_)
        for at, group in enumerate(self.targets):
            members[:, at] = candidates.context.members(group)
        return _priced(candidates, members, aims, aims)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return self.prepared(candidates).begin(candidates, users)


@dataclass(frozen=True, eq=False)
class Priced(RerankRule):
    """
    Targets with the prices that meet them.

    Attributes:
        members: Which tracks are in which group, shape (n_tracks, n_groups).
        targets: Least share of each group, shape (n_groups,).
        aims: The shares that prices were looked for: the targets, or beyond, where other rules work against them.
        above: Prices at which each aim is met, shape (n_groups,); 0 where it is met anyway.
        below: Prices at which it is just not met.
        n_above: How many listeners, from the first, choose at the prices above.
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
        missed = np.where(
            self.above > 0, missed, np.maximum(missed, 0)
        )  # without a price, more than the target is fine
        if self.n_passes == N_PASSES or (np.abs(missed) <= TOLERANCE).all():
            return self
        found = _priced(candidates, self.members, self.targets, np.clip(self.aims + missed, 0, 1))
        return replace(found, n_passes=self.n_passes + 1)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        at = np.arange(users.start, users.stop)[:, None] < self.n_above
        above, below = (candidates.of_track(self.members @ prices, users) for prices in (self.above, self.below))
        return _Paid(np.where(at, above, below).astype(np.float32))


class _Paid(RuleState):
    def __init__(self, price: F32) -> None:
        self._price = price

    @override
    def gain(self) -> F32:
        return self._price


def shares(candidates: CandidateSet, chosen: I64, members: Bool) -> F64:
    """Share of all exposure that goes to each group, shape (n_groups,); NaN where nothing is shown."""
    exposure, total = _exposure(candidates, chosen, members)
    share: F64 = exposure.sum(axis=0) / (total.sum() or np.nan)
    return share


def dual_bound(candidates: CandidateSet, priced: Priced) -> float:
    """
    Return what the discounted relevance of no lists that meet the targets can exceed.

    The sum over listeners, places and the tracks there of exposure times relevance. Any prices give a bound; at the
    best prices it is what the best lists reach, but for one listener's list.
    """
    prices = priced.above
    value = candidates.relevance + candidates.of_track(priced.members @ prices, slice(None)).astype(np.float32)
    chosen = _by_value(candidates, value)
    _, total = _exposure(candidates, chosen, priced.members)
    shown = np.where(chosen >= 0, np.take_along_axis(value, np.maximum(chosen, 0), axis=1), 0)
    return float((shown * discounts(candidates.k)).sum() - prices @ priced.targets * total.sum())


def _exposure(candidates: CandidateSet, chosen: I64, members: Bool) -> tuple[F64, F64]:
    """Exposure of each listener's list: by group, shape (n_users, n_groups), and in all, (n_users,)."""
    is_shown = chosen >= 0
    tracks = np.take_along_axis(candidates.tracks, np.maximum(chosen, 0), axis=1)
    weights = is_shown * discounts(candidates.k)  # (n_users, k)
    by_group: F64 = np.einsum("uk,ukg->ug", weights, members[tracks].astype(np.float64))
    return by_group, weights.sum(axis=1)


def _by_value(candidates: CandidateSet, value: F32) -> I64:
    """Each listener's k columns of greatest value; among equals the recommender's order. Shape (n_users, k)."""
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
    """Find the prices, group by group, each with the others' as they stand."""
    above, below = np.zeros(len(aims)), np.zeros(len(aims))
    is_member = candidates.of_track(members, slice(None))  # (n_users, n, n_groups)
    for _ in range(N_ROUNDS if len(aims) > 1 else 1):
        for group, aim in enumerate(aims):
            others = (is_member @ np.where(np.arange(len(aims)) == group, 0, above)).astype(np.float32)
            value = candidates.relevance + others
            above[group], below[group] = _price(candidates, value, members[:, [group]], is_member[:, :, group], aim)
    return Priced(members, targets, aims, above, below, _n_above(candidates, members, aims, above, below))


def _price(candidates: CandidateSet, value: F32, members: Bool, is_member: Bool, aim: float) -> tuple[float, float]:
    """Return the prices just at or above, and just below the aim; the highest twice where none meets it."""

    def share(price: float) -> float:
        paid = (value + price * is_member).astype(np.float32)
        return float(shares(candidates, _by_value(candidates, paid), members)[0])

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
    """Return how many listeners, from the first, must choose at the prices above for the first aim to be met."""
    if (above == below).all():
        return len(candidates.tracks)
    lists = []
    for prices in (above, below):
        value = candidates.relevance + candidates.of_track(members @ prices, slice(None)).astype(np.float32)
        lists.append(_exposure(candidates, _by_value(candidates, value), members))
    (high, total), (low, _) = lists
    group = int(np.argmax(above - below))
    n_shares = np.cumsum(np.append(0, high[:, group] - low[:, group])) + low[:, group].sum()
    return int(np.searchsorted(n_shares, aims[group] * total.sum()))
