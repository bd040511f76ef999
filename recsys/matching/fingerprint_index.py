"""
The index of fingerprints: which recordings have a second like this one, and when.

A recording has a vector of length 1 every half second, kept in a byte a number: 0.9 MB for an hour of music. Below
50,000 vectors every one is looked at; above, vectors are grouped (IVF) and the nearest groups looked at. A recording
that is removed leaves no vector behind.
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
from recsys.search.vector_index import NOTHING

CODES = "codes.npy"
EXACT_BELOW = 50_000
N_PROBED = 16
SEED = 7


@dataclass(frozen=True, eq=False)
class Neighbours:
    """
    What is near to each vector of a query, best first.

    Attributes:
        rows: Into the index; `NOTHING` where there are fewer than k. Shape (n_queries, k), int64.
        cosines: Shape (n_queries, k), float32; 0 where there is nothing.
    """

    rows: Rows
    cosines: F32


class FingerprintIndex:
    """
    Fingerprints of recordings, made by `build` or `load`.

    Attributes:
        ids: Names of the recordings.
        starts: First row of each recording, and one past the last of all; shape (n + 1,).
        version: The network that made the vectors.
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
            ids: Names of recordings, each once.
            vectors: Of each recording, shape (n, 128), of length 1, half a second apart; n may be 0.
            version: The network that made them.

        Raises:
            InputError: An id stands twice, or a vector is not finite.
        """
        refuse_repeated(ids, "index of fingerprints")
        starts = np.cumsum([0, *map(len, vectors)], dtype=np.int64)
        return cls(ids, _coded(vectors), starts, version)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_bytes(self) -> int:
        """Bytes of the vectors on disk."""
        return int(self._codes.nbytes)

    @property
    def track_of_row(self) -> Rows:
        """Which recording each row is of, shape (n_rows,)."""
        return np.repeat(np.arange(len(self.ids)), np.diff(self.starts))

    def rows_of(self, name: str) -> range:
        """Return the rows of a recording; raises KeyError where it is not there."""
        at = self._places[name]
        return range(int(self.starts[at]), int(self.starts[at + 1]))

    def vectors(self, first: int, last: int) -> F32:
        """Return the vectors of rows first..last - 1, shape (last - first, 128)."""
        return self._codes[first:last].astype(np.float32) / np.float32(SCALE)

    def search(self, queries: F32, k: int) -> Neighbours:
        """Find the k nearest rows to each vector, shape (n_queries, 128), of length 1."""
        k = min(k, len(self._codes))
        if not k or not len(queries):
            return Neighbours(np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32))
        asked = np.ascontiguousarray(queries, np.float32)
        groups = self._groups
        if groups is None:
            cosines, rows = faiss.knn(asked, self.vectors(0, len(self._codes)), k, metric=faiss.METRIC_INNER_PRODUCT)
            return Neighbours(rows, cosines)
        scores, rows = groups.search(asked * np.float32(SCALE), k)
        return Neighbours(rows, np.where(rows == NOTHING, 0, scores / SCALE**2).astype(np.float32))

    def add(self, ids: Sequence[str], vectors: Sequence[F32]) -> None:
        """Add recordings, also during a search; raises InputError for one that is there already."""
        if not ids:
            return
        refuse_repeated([*self.ids, *ids], "index of fingerprints")
        codes = _coded(vectors)
        # In this order a search in another thread never finds a row whose recording it does not know.
        self.ids = [*self.ids, *ids]
        self.starts = np.concatenate([self.starts, self.starts[-1] + np.cumsum([len(each) for each in vectors])])
        self._codes = np.concatenate([self._codes, codes])
        self._arrange()

    def remove(self, ids: Sequence[str]) -> None:
        """Remove recordings with all their vectors. Ids that are not there are passed over."""
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
        about = {"ids": self.ids, "starts": self.starts.tolist(), "version": self.version}
        stored_index.save(folder, about, lambda beside: np.save(beside / CODES, self._codes))

    @classmethod
    def load(cls, folder: Path, *, version: str | None = None) -> Self:
        """
        Read an index.

        Raises:
            StaleIndex: It holds vectors of another network than `version`, where that is given.
            SetupError: It is missing or damaged.
        """
        about = stored_index.load(folder, "fingerprints", version)
        return cls(about["ids"], np.load(folder / CODES), np.array(about["starts"], np.int64), about["version"])

    def _arrange(self) -> None:
        """Note where each recording is, and group the vectors where there are many."""
        self._places = {name: at for at, name in enumerate(self.ids)}
        self._groups = self._grouped() if len(self._codes) >= EXACT_BELOW else None

    def _grouped(self) -> Any:
        n = len(self._codes)
        n_groups = 2 ** round(np.log2(4 * np.sqrt(n)))
        if self._centres is None or self._centres.ntotal != n_groups:
            self._centres = self._middles(n_groups)
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

    def _middles(self, n_groups: int) -> Any:
        rng = np.random.default_rng(SEED)
        some = np.sort(rng.choice(len(self._codes), min(len(self._codes), 40 * n_groups), replace=False))
        kmeans = faiss.Kmeans(self._codes.shape[1], n_groups, niter=8, seed=SEED, spherical=True)
        kmeans.train(self._codes[some].astype(np.float32))
        centres = faiss.IndexFlatIP(self._codes.shape[1])
        centres.add(np.asarray(kmeans.centroids))
        return centres


def _coded(vectors: Sequence[F32]) -> I8:
    together = np.concatenate([np.empty((0, N_DIMENSIONS), np.float32), *vectors])
    if not np.isfinite(together).all():
        raise InputError("A fingerprint is not finite. Was the recording silent?")
    return codes_of(together)
