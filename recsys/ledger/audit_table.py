"""
A table of plays by axis for the audit, with what the sums along each axis tell about small groups of listeners.

The sums are exact, or within an interval. Each axis is a partition; what a group of some axes can have follows from the
sums along these alone (see `audit`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from operator import itemgetter

import polars as pl

from recsys.ledger.blocks import AXES, GROUP, OTHERS, Interval, class_of, class_values, with_classes
from recsys.ledger.lines import DAY, LATE, WEEK

N_KNOWN = 9  # accounts that the attackers own
N_AVERAGE = 10  # listeners whose plays must fit into the range of a small group
SMALL = 9  # maximum number of listeners of a small group
OWNED = {"artist_id", "track_id"}  # a recording is a part of its artist, so that the two do not cross


@dataclass(frozen=True)
class Group:
    """Values of some axes, their classes, and the listeners whose accounts are not known."""

    cells: tuple[tuple[str, object], ...]
    classes: tuple[tuple[str, str], ...]
    listeners: frozenset[str]


@dataclass(frozen=True)
class Table:
    """
    Sums of plays by axis, and the rows that they count.

    Attributes:
        total: All plays.
        values: Axis -> class -> its plays; exact, or within an interval.
        rows: user_id, value, the axes, and the class on each.
    """

    total: int
    values: Mapping[str, Mapping[str, Interval]]
    rows: pl.DataFrame

    @classmethod
    def of(cls, lines: pl.DataFrame, rows: pl.DataFrame) -> "Table":
        """Return the table of a block."""
        total = int(lines.filter(pl.col("dimension").is_in([DAY, WEEK, LATE]))["value"].sum())
        values = {axis: of_axis or {OTHERS: (total, total)} for axis, of_axis in class_values(lines).items()}
        return cls(total, {axis: values[axis] for axis in AXES if axis in rows.columns}, with_classes(rows, lines))

    def attacks(self, known: Collection[str] | None) -> Iterator[tuple[Group, float, float, float]]:
        """Yield each small group, and its low, high and needed (see Attack)."""
        attacker = _Attacker(self)
        for axes in self.telling_axes():
            for group in _small_groups(self.rows, axes, known or ()):
                choices = [sorted(known)] if known is not None else attacker.telling(group)
                ranges = [attacker.range_less(group, accounts) for accounts in choices]
                yield group, *max(ranges, key=lambda one: max(one[0], one[2] - one[1]))

    def telling_axes(self) -> Iterator[tuple[str, ...]]:
        """
        Yield the sets of axes whose groups are attacked: one and two, GROUP, and larger ones that may have a least.

        A group of a larger set has at most the plays of one of a smaller set, and needs as many, so that only its least
        value can tell more.
        """
        by_listener = self.rows.group_by("user_id").agg(pl.col("value").sum())
        unknown = self.total - int(by_listener["value"].top_k(N_KNOWN).sum())
        most = {axis: max(high for _, high in of_axis.values()) for axis, of_axis in self.values.items()}
        for n in range(1, len(most) + 1):
            for axes in (some for some in combinations(most, n) if not set(some) >= OWNED):
                least = sum(most[axis] for axis in axes) - (n - 1) * unknown
                if n < len(GROUP) or set(axes) == set(GROUP) or least > self.total - unknown:
                    yield axes


class _Attacker:
    """What the attackers of a table look up for each group."""

    def __init__(self, table: Table) -> None:
        rows = table.rows
        self.table = table
        self.plays_of_all = dict(rows.group_by("user_id").agg(pl.col("value").sum()).iter_rows())
        self.plays = {axis: _plays_by_listener(rows, class_of(axis)) for axis in table.values}
        counts = {axis: rows.group_by(class_of(axis)).agg(pl.col(axis).n_unique()) for axis in table.values}
        self.n_members = {axis: dict(of_class.iter_rows()) for axis, of_class in counts.items()}
        sums = {
            axis: {name: sum(plays.values()) for name, plays in of_axis.items()} for axis, of_axis in self.plays.items()
        }
        self.is_exact = _are_within(sums, table.values)

    def telling(self, group: Group) -> list[list[str]]:
        """
        Return choices of N_KNOWN listeners outside of a group who tell much about it.

        They have the most plays of a class of the group, which lowers the largest value; or they raise the smallest
        value most, which is the sum of the k lines of the classes less k - 1 times the total: those with the most
        plays outside of the classes.
        """
        orders: list[Mapping[str, int]] = [self.plays[axis][name] for axis, name in group.classes]
        if self._is_alone(group):
            n = len(orders) - 1
            outside = {
                user: n * all_ - sum(of.get(user, 0) for of in orders) for user, all_ in self.plays_of_all.items()
            }
            orders.append(dict(sorted(outside.items(), key=itemgetter(1), reverse=True)))
        return [list(islice((user for user in order if user not in group.listeners), N_KNOWN)) for order in orders]

    def _is_alone(self, group: Group) -> bool:
        """Return whether no other group is of the same classes."""
        return all(self.n_members[axis][name] == 1 for axis, name in group.classes)

    def range_less(self, group: Group, known: Sequence[str]) -> tuple[float, float, float]:
        """Return low, high and needed (see Attack) of a group, if plays of some other listeners are known."""
        plays = [self.plays[axis][name] for axis, name in group.classes]
        lines = [self.table.values[axis].get(name, (0, 0)) for axis, name in group.classes]
        less = [self._less(line, known, of_class) for line, of_class in zip(lines, plays, strict=True)]
        total = self.table.total
        low, high = table_range(less, self._less((total, total), known, self.plays_of_all))
        needed = [_ten_average(line, of_class, known) for line, of_class in zip(lines, plays, strict=True)]
        return low if self._is_alone(group) else 0.0, high, min(needed)[1]

    def _less(self, line: Interval, known: Sequence[str], plays: Mapping[str, int]) -> Interval:
        """Return a line less the plays of known accounts, of which it may count a part only if it is not exact."""
        of_known = sum(plays.get(user, 0) for user in known)
        low, high = line
        return (max(0, low - of_known), high - of_known) if self.is_exact else (max(0, low - of_known), high)


def table_range(inside: Sequence[Interval], total: Interval) -> Interval:
    """
    Return the smallest and largest value of a cell of a table with two values per dimension.

    Args:
        inside: Sum of the cell's side, for each dimension.
        total: Sum of the table.
    """
    low = sum(least for least, _ in inside) - (len(inside) - 1) * total[1]
    return max(0.0, low), min(total[1], *(most for _, most in inside))


def _are_within(sums: Mapping[str, Mapping[str, int]], values: Mapping[str, Mapping[str, Interval]]) -> bool:
    """Return whether the rows add up to the lines, so that it is known which of them are counted."""
    return all(
        sums[axis].keys() == of_axis.keys()
        and all(low <= sums[axis][name] <= high for name, (low, high) in of_axis.items())
        for axis, of_axis in values.items()
    )


def _small_groups(rows: pl.DataFrame, axes: Sequence[str], known: Collection[str]) -> Iterator[Group]:
    """Yield the groups of 1 to SMALL listeners whose accounts are not known."""
    unknown = rows.filter(~pl.col("user_id").is_in(sorted(known)))
    groups = unknown.group_by(*axes, *map(class_of, axes)).agg(pl.col("user_id").unique())
    for *values, listeners in groups.filter(pl.col("user_id").list.len() <= SMALL).sort(axes).iter_rows():
        cells, classes = values[: len(axes)], values[len(axes) :]
        yield Group(tuple(zip(axes, cells, strict=True)), tuple(zip(axes, classes, strict=True)), frozenset(listeners))


def _plays_by_listener(rows: pl.DataFrame, name: str) -> dict[str, dict[str, int]]:
    """Return plays by listener of each class, most plays first."""
    sums = rows.group_by(name, "user_id").agg(pl.col("value").sum()).sort("value", "user_id", descending=True)
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for of_class, user, plays in sums.iter_rows():
        found[of_class][user] = plays
    return found


def _ten_average(line: Interval, plays: Mapping[str, int], known: Sequence[str]) -> tuple[int, float]:
    """Return the plays of the listeners of a class that are not known, and of ten average ones among them."""
    left = plays.keys() - known
    n_plays = sum(plays[user] for user in left)
    share = min(1, line[1] / sum(plays.values()))  # of its rows the line may count a part only
    return n_plays, share * N_AVERAGE * n_plays / max(1, len(left))
