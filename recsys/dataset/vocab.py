"""
Ids outside, row numbers inside: the only place where one becomes the other.

A `Vocab` holds sorted, unique string ids; an id's row is its place in that order. Row numbers never leave the process,
so each model keeps the vocabularies that it was trained with beside its weights.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.arrays import Rows
from recsys.errors import InputError, UnknownIds

Ids: TypeAlias = pl.Series | Iterable[str]

N_NEIGHBOURS = 200  # ids on either side of an unknown one, in sorted order, that a hint is chosen from


@dataclass(frozen=True, eq=False)
class Vocab:
    """
    Sorted unique ids of one kind; made by `Vocab.of` or `Vocab.load`.

    >>> tracks = Vocab.of(["t9", "t1", "t9"], kind="track")
    >>> tracks.rows(["t9", "t1"]), tracks.find(["t5"]), tracks.ids(np.array([1])).to_list()
    (array([1, 0]), array([-1]), ['t9'])
    """

    kind: str
    _ids: pl.Series = field(repr=False)

    @classmethod
    def of(cls, ids: Ids, *, kind: str) -> Self:
        """Sort and deduplicate `ids`; a missing id is an `InputError`."""
        series = as_ids(ids)
        if series.has_nulls():
            raise InputError(f"{series.null_count():,} {kind} ids are missing; every row needs one: drop such rows")
        return cls(kind, series.unique().sort())

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, ids: Ids) -> Rows:
        """Row of each id, shape (n_ids,), int64; -1 where the id is not known."""
        known = pl.DataFrame({"id": self._ids}).with_row_index("row")
        asked = pl.DataFrame({"id": as_ids(ids)})
        found = asked.join(known, on="id", how="left", maintain_order="left")["row"]
        return found.cast(pl.Int64).fill_null(-1).to_numpy().copy()

    def rows(self, ids: Ids) -> Rows:
        """
        Row of each id, shape (n_ids,), int64.

        Raises:
            UnknownIds: Some ids are not known; the message counts them and hints at the first.
        """
        asked = as_ids(ids)
        rows = self.find(asked)
        if (rows < 0).any():
            unknown = asked.filter(pl.Series(rows < 0)).unique(maintain_order=True)
            raise UnknownIds.of(
                self.kind, unknown.to_list(), self._neighbours(unknown[0]), f"the {len(self):,} known {self.kind}s"
            )
        return rows

    def ids(self, rows: npt.NDArray[np.integer] | None = None) -> pl.Series:
        """Id of each row, or all ids in row order; a row out of range is an `IndexError`."""
        if rows is None:
            return self._ids
        if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < len(self):
            raise IndexError(f"rows {rows.min()}..{rows.max()} are outside 0..{len(self) - 1}")
        return self._ids.gather(rows)

    def same(self, other: "Vocab") -> bool:
        """Whether both hold the same ids, so that row numbers of one are valid in the other."""
        return self is other or self._ids.equals(other.ids())

    def save(self, path: Path) -> None:
        """Write the ids to a Parquet file."""
        pl.DataFrame({self.kind: self._ids}).write_parquet(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        column = pl.read_parquet(path).to_series()
        return cls(column.name, column)

    def _neighbours(self, unknown: str | None) -> list[str]:
        place = int(self._ids.search_sorted(unknown or ""))
        return self._ids[max(0, place - N_NEIGHBOURS) : place + N_NEIGHBOURS].to_list()


def as_ids(ids: Ids) -> pl.Series:
    """Return ids as a polars string series, whatever sequence they came in."""
    return (ids if isinstance(ids, pl.Series) else pl.Series(list(ids), dtype=pl.String)).cast(pl.String)
