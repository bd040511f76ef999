"""
Intersections of named cells: plays that lines reveal although no line counts them alone.

If a recording and a country have 90 % of a period's plays each, at least 80 % have both. Each of the two lines has
enough listeners, but the 80 % may come from a few. So where named cells of several dimensions reveal that their
intersection has plays, it must have enough listeners as well; where it has not, one of the cells is merged with others:
the first in the order of AXES that does not have all plays. Others have more than one member, of which any may have no
plays, so that cells with others among them reveal nothing. Accounts that a label owns are left out of what is revealed,
whichever these are.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from recsys.ledger.cells import summed
from recsys.ledger.lines import ARTIST, AUDIENCES, LOYALTY, RECORDING, SOURCE
from recsys.ledger.settings import LabelSettings

PERIOD = ["label_id", "from_day", "to_day"]
AXES = {  # dimension -> column of its cells: what labels need least comes first; the last two are never merged
    LOYALTY: LOYALTY,
    SOURCE: SOURCE,
    **{name: name for name in reversed(AUDIENCES)},
    RECORDING: "track_id",
    ARTIST: "artist_id",
}
Cell = tuple[str, str, int]  # dimension, name and value
Key = tuple[Any, ...]  # values of the columns of a period


def merge_intersections(
    cells: dict[str, pl.DataFrame], rows: pl.DataFrame, settings: LabelSettings, keys: Sequence[str] = PERIOD
) -> dict[str, pl.DataFrame]:
    """
    Merge cells until no named ones of several dimensions reveal anything of too few listeners.

    Args:
        cells: Partitions of periods by dimension (see `cells.partition`), those of AXES.
        rows: The rows of these periods: keys, artist_id, the columns of these dimensions, user_id and value > 0.
        settings: The test; half of its listeners may be accounts of the label.
        keys: Columns of a period.

    Returns:
        The same partitions, some with fewer named groups of listeners or of plays. All cells still pass the test: two
        listeners make no larger share of several cells together than of each.
    """
    partitions, periods = dict(cells), _periods(rows, cells, settings.min_listeners, keys)
    while periods:
        named = _named_cells(partitions, rows, keys)
        narrow = {key: found for key, period in periods.items() if (found := period.cells_to_merge(named[key]))}
        periods = {key: periods[key] for key in narrow}
        for name, of_axis in _by_dimension(narrow, rows, keys).items():
            partitions[name] = _merged(partitions[name], of_axis, rows.with_columns(cell=AXES[name]), keys)
    return partitions


def _named_cells(
    partitions: Mapping[str, pl.DataFrame], rows: pl.DataFrame, keys: Sequence[str]
) -> Mapping[Key, dict[str, list[Cell]]]:
    """
    Return the named cells of each period by dimension, the greatest first.

    A recording without an artist counts as named, since it may be the only one among the others.
    """
    without_artist = rows.filter(pl.col("artist_id").is_null()).with_columns(cell=AXES[RECORDING])
    alone = summed(without_artist, [*keys, "cell"]).with_columns(dimension=pl.lit(RECORDING))
    tables = [table.with_columns(dimension=pl.lit(name)) for name, table in partitions.items()]
    columns = [*keys, "dimension", "cell", "value"]
    named = pl.concat([table.select(columns) for table in (*tables, alone)]).drop_nulls("cell")
    found: Mapping[Key, dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for *key, name, cell, value in named.sort("value", "cell", descending=[True, False]).iter_rows():
        found[tuple(key)][name].append((name, cell, value))
    return found


def _by_dimension(
    narrow: Mapping[Key, Sequence[tuple[str, str]]], like: pl.DataFrame, keys: Sequence[str]
) -> dict[str, pl.DataFrame]:
    """Return keys and cell of the cells to merge, by dimension; `like` has these keys."""
    rows = [(*key, name, cell) for key, found in narrow.items() for name, cell in found]
    schema = {name: like.schema[name] for name in keys} | {"dimension": pl.String(), "cell": pl.String()}
    tables = pl.DataFrame(rows, schema, orient="row").unique().partition_by("dimension", as_dict=True)
    return {str(name): found.drop("dimension") for (name,), found in tables.items()}


def _periods(
    rows: pl.DataFrame, dimensions: Collection[str], min_listeners: int, keys: Sequence[str]
) -> dict[Key, "_Period"]:
    """Return the rows of each period, with their cells as numbers."""
    columns = {name: _numbers(AXES[name]) for name in dimensions}
    numbers = {
        name: dict(rows.select(AXES[name], number=number).unique().iter_rows()) for name, number in columns.items()
    }
    coded = rows.select(*keys, pl.col("value").cast(pl.Int64), user=_numbers("user_id"), **columns)
    by_period = coded.partition_by(keys, as_dict=True)
    return {key: _Period(of_period, numbers, min_listeners) for key, of_period in by_period.items()}


def _numbers(column: str) -> pl.Expr:
    """Number the values of a column; -1 for null."""
    return pl.col(column).cast(pl.Categorical).to_physical().cast(pl.Int64).fill_null(-1)


class _Period:
    """The rows of a period: value, the number of the listener, and of the cell of each dimension."""

    def __init__(self, rows: pl.DataFrame, numbers: Mapping[str, Mapping[str, int]], min_listeners: int) -> None:
        self.users = np.unique(rows["user"].to_numpy(), return_inverse=True)[1]
        self.values = rows["value"].to_numpy()
        self.cells = {name: rows[name].to_numpy() for name in numbers}
        self.numbers, self.min_listeners = numbers, min_listeners
        by_listener = np.sort(np.bincount(self.users, self.values))[::-1]
        self.total, self.unknown = by_listener.sum(), by_listener[self.n_known :].sum()  # at least, of all accounts

    @property
    def n_known(self) -> int:
        """Accounts that the label may own."""
        return self.min_listeners // 2

    def cells_to_merge(self, named: Mapping[str, Sequence[Cell]]) -> list[tuple[str, str]]:
        """Return dimension and name of a cell of each narrow intersection, of as few dimensions as possible."""
        axes = [name for name in AXES if name in named]
        for n in range(2, len(axes) + 1):
            crossing = [some for some in combinations(axes, n) if not {RECORDING, ARTIST} <= set(some)]
            found = [cell for some in crossing for cell in self._of_axes([named[name] for name in some])]
            if found:
                return found
        return []

    def _of_axes(self, named: Sequence[Sequence[Cell]]) -> Iterator[tuple[str, str]]:
        """Yield the cell to merge of each narrow intersection of some dimensions."""
        for cells in _exceeding(named, (len(named) - 1) * self.unknown):
            if self._is_narrow(cells):
                yield next((name, cell) for name, cell, value in cells if value < self.total)

    def _is_narrow(self, cells: Sequence[Cell]) -> bool:
        """
        Return whether k cells reveal plays of too few listeners to a label that knows half as many of the others.

        Of the sum of the k less k - 1 times the total, a row in all of them makes its plays; a row outside of one,
        nothing; a row outside of more makes it smaller by its plays, once for each more.
        """
        n_outside = np.zeros(len(self.values))
        for name, cell, _ in cells:
            n_outside += self.cells[name] != self.numbers[name][cell]
        is_inside = np.bincount(self.users, n_outside == 0) > 0
        revealed = np.bincount(self.users, self.values * (1 - n_outside))
        known = np.sort(revealed[~is_inside])[: self.n_known]
        return bool(is_inside.sum() < self.min_listeners and revealed.sum() > known[known < 0].sum())


def _exceeding(cells: Sequence[Sequence[Cell]], least: float) -> Iterator[tuple[Cell, ...]]:
    """Yield the choices of one cell of each dimension, which are sorted, whose sum is greater than a number."""
    first, *rest = cells
    most_of_rest = sum(of_axis[0][2] for of_axis in rest)
    for cell in first:
        if cell[2] + most_of_rest <= least:
            return
        yield from ((cell, *others) for others in (_exceeding(rest, least - cell[2]) if rest else [()]))


def _merged(partition: pl.DataFrame, narrow: pl.DataFrame, rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Merge cells of some periods with the others of their period, or with its smallest cell if it has no others."""
    named = partition.filter(pl.col("cell").is_not_null()).join(narrow, on=[*keys, "cell"], how="anti")
    has_others = partition.filter(pl.col("cell").is_null())
    without_others = narrow.filter(pl.len().over(keys) == 1).join(has_others, on=keys, how="anti")
    smallest = named.join(without_others, on=keys, how="semi").sort("n_listeners", "value", "cell")
    named = named.join(smallest.unique(keys, keep="first", maintain_order=True), on=[*keys, "cell"], how="anti")
    in_others = rows.join(named, on=[*keys, "cell"], how="anti")
    others = summed(in_others, keys).with_columns(cell=pl.lit(None, pl.String))
    return pl.concat([named, others.select(named.columns)]).sort(*keys, "cell", nulls_last=True)
