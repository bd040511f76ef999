"""
The fingerprint index: nearest-neighbour search for the recordings, and the times in them, that sound like a query.

A recording has one unit vector per half second, stored with one byte per component: 0.9 MB per hour of music. With
fewer than 50,000 vectors, the search is exact. With more, vectors are grouped (IVF) and only the nearest groups are
searched; a stored index has the group of each vector. A loaded index maps its vectors from the file into memory, and
copies them into its groups. Removing a recording removes all of its vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np

from recsys.arrays import F32, F64, I8, Rows
from recsys.audio.fingerprint.fingerprinter import N_DIMENSIONS, SCALE, codes_of
from recsys.errors import InputError
from recsys.search import stored_index
from recsys.search.stored_index import refuse_repeated
from recsys.search.vector_index import NO_ROW

CODES, CENTRES, GROUPS = "codes.npy", "centres.npy", "groups.npy"
EXACT_BELOW = 50_000  # with fewer vectors, the search is exact
N_PROBED = 16  # groups that are searched per query vector
SIGN_BIT = np.uint8(0x80)  # faiss stores a signed byte as an unsigned one, 128 larger
SEED = 7


@dataclass(frozen=True, eq=False)
class Neighbours:
    """
    The nearest rows of the index for each query vector, nearest first.

    Attributes:
        rows: Rows of the index, shape (n_queries, k), int64; `NO_ROW` where fewer than k rows were found.
        cosines: Cosines of these rows with the query vector, shape (n_queries, k), float32; 0 where `rows` is
            `NO_ROW`.
    """

    rows: Rows
    cosines: F32


class FingerprintIndex:
    """
    An index of the fingerprints of recordings; created by `build` or `load`.

    Attributes:
        ids: Ids of the recordings, in row order.
        starts: First row of each recording, followed by the total number of rows; shape (n_recordings + 1,), int64.
        version: Version of the network that computed the vectors.
    """

    def __init__(
        self,
        ids: Sequence[str],
        codes: I8,
        starts: Rows,
        version: str,
        *,
        centres: Any = None,
        groups_of_rows: Rows | None = None,
    ) -> None:
        self.ids, self.starts, self.version = list(ids), starts, version
        self._codes = codes
        self._groups: Any = None
        self._centres = centres
        self._arrange(groups_of_rows)

    @classmethod
    def build(cls, ids: Sequence[str], vectors: Sequence[F32], *, version: str) -> Self:
        """
        Build an index.

        Args:
            ids: Ids of the recordings, without duplicates.
            vectors: Fingerprint of each recording: unit vectors, half a second apart, shape (n, 128); n may be 0.
            version: Version of the network that computed the vectors.

        Raises:
            InputError: There are duplicate ids, or a vector is not finite.
        """
        refuse_repeated(ids, "index of fingerprints")
        starts = np.cumsum([0, *map(len, vectors)], dtype=np.int64)
        return cls(ids, _codes(ids, vectors), starts, version)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_bytes(self) -> int:
        """Size of the stored vectors [bytes]."""
        return int(self._codes.nbytes)

    @property
    def track_of_row(self) -> Rows:
        """Position in `ids` of the recording to which each row belongs, shape (n_rows,)."""
        return np.repeat(np.arange(len(self.ids)), np.diff(self.starts))

    def rows_of(self, name: str) -> range:
        """Return the range of rows of a recording; raises KeyError if the recording is not in the index."""
        position = self._positions[name]
        return range(int(self.starts[position]), int(self.starts[position + 1]))

    def vectors(self, first: int, last: int) -> F32:
        """Return the vectors of the rows `first` to `last` - 1, shape (last - first, 128), float32."""
        return self._codes[first:last].astype(np.float32) / np.float32(SCALE)

    def interpolated(self, name: str, positions: F64) -> F32:
        """
        Return vectors of a recording at fractional rows.

        Args:
            name: Id of the recording, which has at least one row.
            positions: Fractional rows, counted from the first row of the recording, shape (n,); values outside the
                recording are clipped to its first or last row. n >= 1.

        Returns:
            Linear interpolations between neighbouring rows, shape (n, 128), float32; not normalised.
        """
        rows = self.rows_of(name)
        positions = np.clip(positions, 0, len(rows) - 1)
        left = np.minimum(positions.astype(np.int64), max(len(rows) - 2, 0))
        low, high = int(left.min()), min(int(left.max()) + 2, len(rows))
        vectors = self.vectors(rows.start + low, rows.start + high)
        share = (positions - left)[:, None]
        right = np.minimum(left + 1, len(rows) - 1)
        return np.asarray(vectors[left - low] * (1 - share) + vectors[right - low] * share, np.float32)

    def search(self, queries: F32, k: int) -> Neighbours:
        """Find the k nearest rows for each query vector; `queries` are unit vectors, shape (n_queries, 128)."""
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
        """
        Add recordings; other threads may search at the same time.

        Raises:
            InputError: A recording is already in the index, or a vector is not finite.
        """
        if not ids:
            return
        refuse_repeated([*self.ids, *ids], "index of fingerprints")
        codes = _codes(ids, vectors)
        # In this order, a search in another thread never finds a row whose recording is not yet in `ids`.
        self.ids = [*self.ids, *ids]
        self.starts = np.concatenate(
            [self.starts, self.starts[-1] + np.cumsum([len(fingerprint) for fingerprint in vectors])]
        )
        groups = [] if self._groups is None else [_groups_of_rows(self._groups), self._nearest_centres(codes)]
        self._codes = np.concatenate([self._codes, codes])
        self._arrange(np.concatenate(groups) if groups else None)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove recordings and all their vectors; ids that are not in the index are ignored."""
        gone = set(ids)
        is_kept = np.array([name not in gone for name in self.ids], np.bool_)
        if is_kept.all():
            return
        is_row_kept = is_kept[self.track_of_row]
        groups = None if self._groups is None else _groups_of_rows(self._groups)[is_row_kept]
        self._codes = self._codes[is_row_kept]
        self.starts = np.concatenate([[0], np.cumsum(np.diff(self.starts)[is_kept])])
        self.ids = [name for name, stays in zip(self.ids, is_kept, strict=True) if stays]
        self._arrange(groups)

    def save(self, folder: Path) -> None:
        """Write the index to a folder, either completely or not at all."""
        description = {"ids": self.ids, "starts": self.starts.tolist(), "version": self.version}

        def write(beside: Path) -> None:
            np.save(beside / CODES, self._codes)
            if self._groups is not None:
                np.save(beside / CENTRES, self._centres.reconstruct_n(0, self._centres.ntotal))
                np.save(beside / GROUPS, _groups_of_rows(self._groups).astype(np.uint16))

        stored_index.save(folder, description, write)

    @classmethod
    def load(cls, folder: Path, *, version: str | None = None) -> Self:
        """
        Read an index.

        Args:
            folder: A folder that `save` wrote.
            version: Expected version of the network; None accepts any version.

        Raises:
            StaleIndex: The vectors were computed by another version of the network.
            SetupError: The index is missing or damaged.
        """
        description = stored_index.load(folder, "fingerprints", version)
        starts, codes = np.array(description["starts"], np.int64), np.load(folder / CODES, "r", allow_pickle=False)
        centres, groups_of_rows = None, None
        if GROUPS in description["sha256"]:
            centres = _flat(np.load(folder / CENTRES, allow_pickle=False))
            groups_of_rows = np.load(folder / GROUPS, allow_pickle=False).astype(np.int64)
        known = {"centres": centres, "groups_of_rows": groups_of_rows}
        return cls(description["ids"], codes, starts, description["version"], **known)

    def _arrange(self, groups_of_rows: Rows | None = None) -> None:
        """Update the look-up by id, and the groups if there are many vectors; `groups_of_rows` saves their search."""
        self._positions = {name: position for position, name in enumerate(self.ids)}
        self._groups = self._make_groups(groups_of_rows) if len(self._codes) >= EXACT_BELOW else None

    def _make_groups(self, groups_of_rows: Rows | None) -> Any:
        n = len(self._codes)
        n_groups = 2 ** round(np.log2(4 * np.sqrt(n)))
        if self._centres is None or self._centres.ntotal != n_groups:
            self._centres, groups_of_rows = self._group_centres(n_groups), None
        nearest = self._nearest_centres(self._codes) if groups_of_rows is None else groups_of_rows
        groups: Any = faiss.IndexIVFScalarQuantizer(
            self._centres,
            self._codes.shape[1],
            n_groups,
            faiss.ScalarQuantizer.QT_8bit_direct_signed,
            faiss.METRIC_INNER_PRODUCT,
            False,
        )
        groups.is_trained, groups.nprobe, groups.ntotal = True, N_PROBED, n
        order = np.argsort(nearest, kind="stable")
        ends = np.searchsorted(nearest, np.arange(n_groups + 1), sorter=order)
        for group, (first, end) in enumerate(pairwise(ends)):
            rows = order[first:end]
            codes = self._codes[rows].view(np.uint8) ^ SIGN_BIT
            # Added at once, since a group that grows reserves up to twice the memory it needs.
            groups.invlists.add_entries(group, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(codes))
        return groups

    def _nearest_centres(self, codes: I8) -> Rows:
        """Return the group of each vector, shape (n,), int64."""
        blocks = (codes[first : first + EXACT_BELOW] for first in range(0, len(codes), EXACT_BELOW))
        nearest = [self._centres.search(block.astype(np.float32), 1)[1][:, 0] for block in blocks]
        return np.concatenate([np.empty(0, np.int64), *nearest])

    def _group_centres(self, n_groups: int) -> Any:
        rng = np.random.default_rng(SEED)
        sample = np.sort(rng.choice(len(self._codes), min(len(self._codes), 40 * n_groups), replace=False))
        kmeans = faiss.Kmeans(self._codes.shape[1], n_groups, niter=8, seed=SEED, spherical=True)
        kmeans.train(self._codes[sample].astype(np.float32))
        return _flat(np.asarray(kmeans.centroids))


def _flat(centres: F32) -> Any:
    index = faiss.IndexFlatIP(centres.shape[1])
    index.add(centres)
    return index


def _groups_of_rows(groups: Any) -> Rows:
    """Return the group of each row of a grouped index, shape (n_rows,), int64."""
    of_rows = np.empty(groups.ntotal, np.int64)
    for group in range(groups.nlist):
        n = groups.invlists.list_size(group)
        of_rows[faiss.rev_swig_ptr(groups.invlists.get_ids(group), n)] = group
    return of_rows


def _codes(ids: Sequence[str], vectors: Sequence[F32]) -> I8:
    for name, fingerprint in zip(ids, vectors, strict=True):
        if not np.isfinite(fingerprint).all():
            raise InputError(f"{name}: the fingerprint contains NaN or infinite values. Exclude this recording")
    return np.concatenate([np.empty((0, N_DIMENSIONS), np.int8), *map(codes_of, vectors)])
