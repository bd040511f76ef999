"""
Vocabularies: translate between ids, which callers use, and row numbers, which models use.

A `Vocab` is a list of sorted, unique string ids; the row of an id is its position in this list. Row numbers are valid
for one vocabulary only, so each saved model contains the vocabularies that it was trained with.
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

N_NEIGHBOURS = 200  # sorted ids before and after an unknown id that are searched for a similar id


@dataclass(frozen=True, eq=False)
class Vocab:
    """
    Sorted, unique ids of one kind; made by `Vocab.of` or `Vocab.load`.

    Attributes:
        kind: Kind of the ids, for error messages: 'track', 'listener', ...

    >>> tracks = Vocab.of(["t9", "t1", "t9"], kind="track")
    >>> tracks.rows(["t9", "t1"]), tracks.find(["t5"]), tracks.ids(np.array([1])).to_list()
    (array([1, 0]), array([-1]), ['t9'])
    """

    kind: str
    _ids: pl.Series = field(repr=False)

    @classmethod
    def of(cls, ids: Ids, *, kind: str) -> Self:
        """Build a vocabulary from ids in any order; repeated ids are allowed. Raise InputError if an id is null."""
        series = as_ids(ids)
        if series.has_nulls():
            raise InputError(
                f"{kind} ids: found {series.null_count():,} rows without an id; drop them, or fill in the ids"
            )
        return cls(kind, series.unique().sort())

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, ids: Ids) -> Rows:
        """Return the row of each id, -1 for unknown ids and nulls. Shape (n_ids,), int64."""
        known = pl.DataFrame({"id": self._ids}).with_row_index("row")
        requested = pl.DataFrame({"id": as_ids(ids)})
        rows = requested.join(known, on="id", how="left", maintain_order="left")["row"]
        return rows.cast(pl.Int64).fill_null(-1).to_numpy().copy()

    def rows(self, ids: Ids) -> Rows:
        """
        Return the row of each id. Shape (n_ids,), int64.

        Raises:
            UnknownIds: Some ids are not in the vocabulary. The message states how many, and names the first one and the
                most similar known id.
        """
        requested = as_ids(ids)
        rows = self.find(requested)
        if (rows < 0).any():
            unknown = requested.filter(pl.Series(rows < 0)).unique(maintain_order=True)
            raise UnknownIds.of(
                self.kind, unknown.to_list(), self._neighbours(unknown[0]), f"the {len(self):,} known {self.kind}s"
            )
        return rows

    def ids(self, rows: npt.NDArray[np.integer] | None = None) -> pl.Series:
        """Return the ids of these rows; None: all ids, sorted. Raise IndexError if a row is out of range."""
        if rows is None:
            return self._ids
        if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < len(self):
            raise IndexError(f"{self.kind} rows: found {rows.min()}..{rows.max()}, expected rows in 0..{len(self) - 1}")
        return self._ids.gather(rows)

    def is_same_as(self, other: "Vocab") -> bool:
        """Return True if both have the same ids, so that row numbers of one are valid in the other."""
        return self is other or self._ids.equals(other.ids())

    def save(self, path: Path) -> None:
        """Write the ids to a Parquet file."""
        pl.DataFrame({self.kind: self._ids}).write_parquet(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load what `save` wrote."""
        column = pl.read_parquet(path).to_series()
        return cls(column.name, column)

    def _neighbours(self, unknown: str | None) -> list[str]:
        position = int(self._ids.search_sorted(unknown or ""))
        return self._ids[max(0, position - N_NEIGHBOURS) : position + N_NEIGHBOURS].to_list()


def as_ids(ids: Ids) -> pl.Series:
    """Convert any sequence of ids to a polars series of strings."""
    return (ids if isinstance(ids, pl.Series) else pl.Series(list(ids), dtype=pl.String)).cast(pl.String)
