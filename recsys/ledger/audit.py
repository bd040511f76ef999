"""
An attack on the ledger: what labels can work out about few listeners from all their lines, and accounts of their own.

For each small group of listeners (those of one label, recording, period, country and age band, 1 to 9 of them), the
range of its plays is computed by linear programming: the smallest and largest value that agrees with the lines, less
what is known of N_KNOWN accounts. The range must contain 0 and the plays of ten average listeners.

The rows that one period counts are a block (see `blocks`). Two facts make the attack on each block an attack on all
lines of all labels together; a test compares it with one linear programme over everything:

- **Blocks have no row in common**, as a row is counted once and for one label, and each line counts rows of one block.
  So the lines of one block do not limit another's values, and the range of a sum over several blocks (of a recording
  that has changed its label, of a week and its late rows, of labels that share a login or collude) is the sum of its
  parts' ranges. Sums of several labels' lines follow from the lines.
- **Within a block, each dimension is a partition.** Whatever agrees with the partitions into recordings, countries and
  ages can be spread over days, genders, sources and any further partition in proportion, so these do not narrow it.
  Recordings partition their artist, so artists do not narrow it either. Likewise the others of a class can be spread in
  proportion: each dimension is reduced to the attacked class and the rest. A class is a named cell, or the others; a
  group in a class with more than one member may have none of its plays, and all of them.

Dimensions that cross each other (artist by country) would not be partitions of a block, and need an attack of their
own. Only plays are attacked: what follows from other measures together with plays is not looked for.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from operator import attrgetter, itemgetter

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from recsys.ledger.blocks import BLOCK, CLASSES, GROUP, OTHERS, blocks, class_values, with_classes
from recsys.ledger.lines import DAY, LATE, WEEK
from recsys.ledger.value_range import Sums

N_KNOWN = 9  # accounts that the attackers own
N_AVERAGE = 10  # listeners whose plays must fit into the range of a small group
SMALL = 9  # maximum number of listeners of a small group
TOLERANCE = 1e-6

Interval = tuple[float, float]


@dataclass(frozen=True)
class Attack:
    """
    The range of the plays of a small group of listeners.

    Attributes:
        label_id: The label.
        group: First and last day of the period, recording, country and age band.
        low: Smallest value that agrees with the lines.
        high: Largest value.
        needed: Plays of ten average listeners of the smallest class of the group.
    """

    label_id: str
    group: tuple[object, ...]
    low: float
    high: float
    needed: float

    @property
    def excess(self) -> float:
        """By how much the range misses 0 or the plays of ten average listeners; negative or 0 if it contains both."""
        return max(self.low, self.needed - self.high)

    @property
    def is_safe(self) -> bool:
        """Whether the range contains 0 and the plays of ten average listeners."""
        return self.excess <= TOLERANCE


def audit(figures: pl.DataFrame, rows: pl.DataFrame, known: Collection[str] | None = None) -> Iterator[Attack]:
    """
    Attack every small group of one or several labels.

    Args:
        figures: All their lines, with the columns of marts.label_figures; those without a value are withheld.
        rows: The truth: BLOCK of the block that counts a row, artist_id, user_id, GROUP and n_plays > 0. If the blocks
            are not known, `rows_by_day`; where these rows do not add up to the lines, what the known accounts have in a
            line is unknown too.
        known: Accounts whose rows the attackers know. None: of each group, the N_KNOWN other listeners who tell most.
    """
    of_block = rows.partition_by(BLOCK, as_dict=True)
    for key, lines in blocks(figures):
        if key in of_block:
            yield from _attacks(_Block(lines, of_block[key]), key, known)


def _attacks(block: "_Block", key: tuple[object, ...], known: Collection[str] | None) -> Iterator[Attack]:
    label_id, *period = key[:3]
    for group in block.small_groups(known or ()):
        choices = [sorted(known)] if known is not None else block.telling(group)
        ranges = [block.range_less(group, accounts) for accounts in choices]
        yield max(
            (Attack(str(label_id), (*period, *group.cells), *found) for found in ranges), key=attrgetter("excess")
        )


@dataclass(frozen=True)
class _Group:
    """Values of GROUP and of CLASSES, and the listeners."""

    cells: tuple[object, ...]
    classes: tuple[str, ...]
    listeners: frozenset[str]


class _Block:
    """
    The lines of a block, and the rows that it counts.

    Attributes:
        total: Plays of all its rows, by the lines.
        values: Plays of each class, by the lines, for each of CLASSES.
        is_exact: Whether the rows add up to the lines, so that it is known which of them are counted.
    """

    def __init__(self, lines: pl.DataFrame, rows: pl.DataFrame) -> None:
        self.total = int(lines.filter(pl.col("dimension").is_in([DAY, WEEK, LATE]))["value"].sum())
        self.values = [values or {OTHERS: self.total} for values in class_values(lines)]
        self._rows = with_classes(rows, lines)
        self._plays_of_all = dict(self._rows.group_by("user_id").agg(pl.col("n_plays").sum()).iter_rows())
        self._plays = [_plays_by_listener(self._rows, name) for name in CLASSES]
        sums = [{name: sum(plays.values()) for name, plays in of_axis.items()} for of_axis in self._plays]
        self.is_exact = sums == self.values
        counts = [self._rows.group_by(name).agg(pl.col(of).n_unique()) for name, of in zip(CLASSES, GROUP, strict=True)]
        self._n_members = [dict(of_class.iter_rows()) for of_class in counts]

    def small_groups(self, known: Collection[str]) -> Iterator[_Group]:
        """Yield the groups of 1 to SMALL listeners whose accounts are not known."""
        unknown = self._rows.filter(~pl.col("user_id").is_in(sorted(known)))
        groups = unknown.group_by(*GROUP, *CLASSES).agg(pl.col("user_id").unique())
        for *values, listeners in groups.filter(pl.col("user_id").list.len() <= SMALL).sort(GROUP).iter_rows():
            yield _Group(tuple(values[:3]), tuple(values[3:]), frozenset(listeners))

    def telling(self, group: _Group) -> list[list[str]]:
        """
        Return choices of N_KNOWN listeners outside of a group who tell much about it.

        They have the most plays of a class of the group, which lowers the largest value; or they raise the smallest
        value most, which is the sum of the lines of the classes less twice the total: the most plays outside of two
        classes, or of all three, which count twice.
        """
        orders = [plays[name] for plays, name in zip(self._plays, group.classes, strict=True)]
        if self._is_alone(group):
            outside = {user: 2 * n - sum(of.get(user, 0) for of in orders) for user, n in self._plays_of_all.items()}
            orders.append(dict(sorted(outside.items(), key=itemgetter(1), reverse=True)))
        return [list(islice((user for user in order if user not in group.listeners), N_KNOWN)) for order in orders]

    def _is_alone(self, group: _Group) -> bool:
        """Return whether no other group is of the same classes."""
        return all(of_axis[name] == 1 for of_axis, name in zip(self._n_members, group.classes, strict=True))

    def range_less(self, group: _Group, known: list[str]) -> tuple[float, float, float]:
        """Return low, high and needed (see Attack) of a group, if plays of some other listeners are known."""
        plays = [of_axis[name] for of_axis, name in zip(self._plays, group.classes, strict=True)]
        lines = [of_axis.get(name, 0) for of_axis, name in zip(self.values, group.classes, strict=True)]
        less = [self._less(line, known, of_class) for line, of_class in zip(lines, plays, strict=True)]
        low, high = table_range(tuple(less), self._less(self.total, known, self._plays_of_all))
        _, needed = min(_ten_average(line, of_class, known) for line, of_class in zip(lines, plays, strict=True))
        return low if self._is_alone(group) else 0.0, high, needed

    def _less(self, value: int, known: list[str], plays: dict[str, int]) -> Interval:
        """Return a line less the plays of known accounts, of which it may count a part only if it is not exact."""
        less = value - sum(plays.get(user, 0) for user in known)
        return (less, less) if self.is_exact else (max(0, less), value)


def _plays_by_listener(rows: pl.DataFrame, name: str) -> dict[str, dict[str, int]]:
    """Return plays by listener of each class, most plays first."""
    sums = rows.group_by(name, "user_id").agg(pl.col("n_plays").sum()).sort("n_plays", "user_id", descending=True)
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for of_class, user, plays in sums.iter_rows():
        found[of_class][user] = plays
    return found


def _ten_average(line: int, plays: dict[str, int], known: list[str]) -> tuple[int, float]:
    """Return the plays of the listeners of a class that are not known, and of ten average ones among them."""
    left = plays.keys() - known
    n_plays = sum(plays[user] for user in left)
    share = min(1, line / sum(plays.values()))  # of its rows the line may count a part only
    return n_plays, share * N_AVERAGE * n_plays / max(1, len(left))


_TABLE = np.array(list(product((True, False), repeat=len(CLASSES))))  # the attacked class or the rest, per dimension
_PARTS = csr_matrix(np.vstack([_TABLE.T, np.ones(len(_TABLE))]), dtype=float)
_CELL = np.eye(1, len(_TABLE))[0]


@lru_cache(maxsize=100_000)
def table_range(inside: tuple[Interval, ...], total: Interval) -> tuple[float, float]:
    """
    Return the smallest and largest value of a cell of a table.

    Args:
        inside: Sum of the cell's class, for each of CLASSES.
        total: Sum of the table.
    """
    low, high = np.array([*inside, total], dtype=float).T
    return Sums(_PARTS, low, high).range_of(_CELL)
