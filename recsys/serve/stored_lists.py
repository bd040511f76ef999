"""
The lists of all listeners in arrays: 100 stored recordings of a million listeners are about 1 GB.

The files of an export are read in slices, so that no more than the arrays and one slice are in memory. Ids of listeners
are pseudonyms, of one length and in order, and are found by bisection; recordings are rows of a `Vocab`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.arrays import I64
from recsys.dataset.vocab import Vocab

SLICE_ROWS = 2_000_000


@dataclass(frozen=True, eq=False)
class StoredLists:
    """
    A list per listener.

    Attributes:
        listeners: Their ids, sorted. Shape (n_listeners,), bytes.
        starts: First row of each listener's list. Shape (n_listeners,), int64.
        ends: The row after its last. Shape (n_listeners,), int64.
        columns: Name -> values of all rows, a listener's adjacent and by rank: `track`, the row of the recording, and
            others as read. Shape (n_rows,) each.
    """

    listeners: npt.NDArray[np.bytes_]
    starts: I64
    ends: I64
    columns: dict[str, npt.NDArray[Any]]

    @classmethod
    def read(
        cls, path: Path, tracks: Vocab, columns: Mapping[str, npt.DTypeLike], codes: Mapping[str, Vocab]
    ) -> "StoredLists":
        """
        Read a table of user_id, rank, track_id and others, in which the rows of a listener are adjacent and by rank.

        Args:
            path: A Parquet file.
            tracks: The recordings; each in the file must be among them.
            columns: Further columns to keep, with their dtype.
            codes: Columns of texts to keep as rows of a vocabulary, int32.
        """
        n_rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        kept: dict[str, npt.NDArray[Any]] = {name: np.empty(n_rows, dtype) for name, dtype in columns.items()}
        kept |= {name: np.empty(n_rows, np.int32) for name in ("track", *codes)}
        names, starts = list[pl.Series](), list[I64]()
        for start in range(0, n_rows, SLICE_ROWS):
            names_read = ("user_id", "track_id", *columns, *codes)
            rows = pl.scan_parquet(path).slice(start, SLICE_ROWS).select(names_read).collect()
            place = slice(start, start + rows.height)
            kept["track"][place] = tracks.rows(rows["track_id"])
            for name in columns:
                kept[name][place] = rows[name].to_numpy()
            for name, vocab in codes.items():
                kept[name][place] = vocab.rows(rows[name])
            begins = rows["user_id"].rle_id().diff().fill_null(1).to_numpy().nonzero()[0]
            names.append(rows["user_id"].gather(begins))
            starts.append(begins + start)
        return cls._of(names, starts, kept)

    @classmethod
    def _of(cls, names: list[pl.Series], starts: list[I64], columns: dict[str, npt.NDArray[Any]]) -> "StoredLists":
        """Join the slices; a listener whose list two slices share begins in the first."""
        ids = pl.concat([pl.Series([], dtype=pl.String), *names])
        first = np.concatenate([np.empty(0, np.int64), *starts])
        is_new = (ids != ids.shift(1)).fill_null(value=True).to_numpy()
        ids, first = ids.filter(pl.Series(is_new, dtype=pl.Boolean)), first[is_new]
        ends = np.append(first[1:], len(columns["track"])) if len(first) else first
        order = ids.arg_sort().to_numpy()
        listeners = np.array(ids.gather(order).to_list(), dtype=np.bytes_)
        return cls(listeners, first[order], ends[order], columns)

    def find(self, listener: str) -> slice:
        """Return the rows of a listener's list; an empty slice if there is none."""
        name = listener.encode()
        place = int(self.listeners.searchsorted(name)) if len(self.listeners) else 0
        if place == len(self.listeners) or self.listeners[place] != name:
            return slice(0, 0)
        return slice(int(self.starts[place]), int(self.ends[place]))
