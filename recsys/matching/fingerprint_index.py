"""
The index of fingerprints: finds the recordings, and the moments in them, that sound like a second of music.

A recording has one vector of length 1 per half second, stored as one byte per component: 0.9 MB per hour of music.
Below 50,000 vectors, a search compares the query with all of them. From there on, vectors are grouped (IVF) and only
the nearest groups are searched. Removing a recording removes all of its vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np

from recsys.arrays import F32, I8, Rows
from recsys.audio.fingerprint.fingerprinter import N_DIMENSIONS, SCALE, codes_of
from recsys.errors import InputError
from recsys.search import stored_index
from recsys.search.stored_index import refuse_repeated
from recsys.search.vector_index import NO_ROW

CODES = "codes.npy"
EXACT_BELOW = 50_000  # vectors, below which a search is exact
N_PROBED = 16  # groups that a search visits
SEED = 7


@dataclass(frozen=True, eq=False)
class Neighbours:
    """
    The nearest rows of the index to each vector of a query, best first.

    Attributes:
        rows: Rows of the index, shape (n_queries, k), int64; `NO_ROW` where fewer than k were found.
        cosines: Their cosines with the query's vectors, shape (n_queries, k), float32; 0 where `rows` is `NO_ROW`.
    """

    rows: Rows
    cosines: F32


class FingerprintIndex:
    """
    The fingerprints of recordings. Made by `build` or `load`.

    Attributes:
        ids: The ids of the recordings, in row order.
        starts: The first row of each recording, then the number of rows; shape (n_recordings + 1,), int64.
        version: Version of the network that made the vectors.
    """

    def __init__(self, ids: Sequence[str], codes: I8, starts: Rows, version: str) -> None:
        self.ids, self.starts, self.version = list(ids), starts, version
        self._codes = codes
        self._groups: Any = None
        self._centres: Any = None
        self._arrange()

    @classmethod
    def build(cls, ids: Sequence[str], vectors: Sequence[F32], *, version: str) -> Self:
        """
        Build an index.

        Args:
            ids: The ids of recordings, without repetition.
            vectors: The fingerprint of each recording: vectors of length 1, half a second apart, shape (n, 128); n may
                be 0.
            version: Version of the network that made the vectors.

        Raises:
            InputError: An id is repeated, or a vector is not finite.
        """
        refuse_repeated(ids, "index of fingerprints")
        starts = np.cumsum([0, *map(len, vectors)], dtype=np.int64)
        return cls(ids, _codes(vectors), starts, version)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_bytes(self) -> int:
        """Size of the vectors on disk [bytes]."""
        return int(self._codes.nbytes)

    @property
    def track_of_row(self) -> Rows:
        """Position in `ids` of the recording of each row, shape (n_rows,)."""
        return np.repeat(np.arange(len(self.ids)), np.diff(self.starts))

    def rows_of(self, name: str) -> range:
        """Return the rows of a recording; raises KeyError if the index does not hold it."""
        position = self._positions[name]
        return range(int(self.starts[position]), int(self.starts[position + 1]))

    def vectors(self, first: int, last: int) -> F32:
        """Return the vectors of the rows from `first` to `last` - 1, shape (last - first, 128), float32."""
        return self._codes[first:last].astype(np.float32) / np.float32(SCALE)

    def search(self, queries: F32, k: int) -> Neighbours:
        """Find the k nearest rows to each query vector; queries have length 1, shape (n_queries, 128)."""
        k = min(k, len(self._codes))
        if not k or not len(queries):
            return Neighbours(np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32))
        queries = np.ascontiguousarray(queries, np.float32)
        groups = self._groups
        if groups is None:
            cosines, rows = faiss.knn(queries, self.vectors(0, len(self._codes)), k, metric=faiss.METRIC_INNER_PRODUCT)
            return Neighbours(rows, cosines)
        scores, rows = groups.search(queries * np.float32(SCALE), k)
        return Neighbours(rows, np.where(rows == NO_ROW, 0, scores / SCALE**2).astype(np.float32))

    def add(self, ids: Sequence[str], vectors: Sequence[F32]) -> None:
        """Add recordings, even during a search in another thread; raises InputError if the index holds one already."""
        if not ids:
            return
        refuse_repeated([*self.ids, *ids], "index of fingerprints")
        codes = _codes(vectors)
        # In this order, a search in another thread never finds a row of a recording that it does not know yet.
        self.ids = [*self.ids, *ids]
        self.starts = np.concatenate(
            [self.starts, self.starts[-1] + np.cumsum([len(fingerprint) for fingerprint in vectors])]
        )
        self._codes = np.concatenate([self._codes, codes])
        self._arrange()

    def remove(self, ids: Sequence[str]) -> None:
        """Remove recordings with all their vectors; ids that the index does not hold are ignored."""
        gone = set(ids)
        is_kept = np.array([name not in gone for name in self.ids], np.bool_)
        if is_kept.all():
            return
        self._codes = self._codes[is_kept[self.track_of_row]]
        self.starts = np.concatenate([[0], np.cumsum(np.diff(self.starts)[is_kept])])
        self.ids = [name for name, stays in zip(self.ids, is_kept, strict=True) if stays]
        self._arrange()

    def save(self, folder: Path) -> None:
        """Write the index, whole or not at all."""
        description = {"ids": self.ids, "starts": self.starts.tolist(), "version": self.version}
        stored_index.save(folder, description, lambda beside: np.save(beside / CODES, self._codes))

    @classmethod
    def load(cls, folder: Path, *, version: str | None = None) -> Self:
        """
        Read an index.

        Args:
            folder: Where `save` wrote it.
            version: The expected version of the network; None accepts any.

        Raises:
            StaleIndex: The vectors come from a network of another version.
            SetupError: The index is missing or damaged.
        """
        description = stored_index.load(folder, "fingerprints", version)
        starts = np.array(description["starts"], np.int64)
        return cls(description["ids"], np.load(folder / CODES), starts, description["version"])

    def _arrange(self) -> None:
        """Prepare look-ups by id, and group the vectors if there are many."""
        self._positions = {name: position for position, name in enumerate(self.ids)}
        self._groups = self._make_groups() if len(self._codes) >= EXACT_BELOW else None

    def _make_groups(self) -> Any:
        n = len(self._codes)
        n_groups = 2 ** round(np.log2(4 * np.sqrt(n)))
        if self._centres is None or self._centres.ntotal != n_groups:
            self._centres = self._group_centres(n_groups)
        groups = faiss.IndexIVFScalarQuantizer(
            self._centres,
            self._codes.shape[1],
            n_groups,
            faiss.ScalarQuantizer.QT_8bit_direct_signed,
            faiss.METRIC_INNER_PRODUCT,
            False,
        )
        groups.is_trained, groups.nprobe = True, N_PROBED
        for first in range(0, n, EXACT_BELOW):
            groups.add(self._codes[first : first + EXACT_BELOW].astype(np.float32))
        return groups

    def _group_centres(self, n_groups: int) -> Any:
        rng = np.random.default_rng(SEED)
        sample = np.sort(rng.choice(len(self._codes), min(len(self._codes), 40 * n_groups), replace=False))
        kmeans = faiss.Kmeans(self._codes.shape[1], n_groups, niter=8, seed=SEED, spherical=True)
        kmeans.train(self._codes[sample].astype(np.float32))
        centres = faiss.IndexFlatIP(self._codes.shape[1])
        centres.add(np.asarray(kmeans.centroids))
        return centres


def _codes(vectors: Sequence[F32]) -> I8:
    together = np.concatenate([np.empty((0, N_DIMENSIONS), np.float32), *vectors])
    if not np.isfinite(together).all():
        raise InputError(
            "Found a fingerprint with NaN or infinite values; expected finite ones. Leave the recording out"
        )
    return codes_of(together)
