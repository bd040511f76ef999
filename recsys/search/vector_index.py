"""
Nearest-neighbour index of vectors by cosine similarity.

Below 100,000 vectors the search is exact. From then on it is approximate: vectors are clustered (IVF), and a search
probes as many of the nearest clusters as are needed for a recall@10 of .99, measured with vectors of the index as
queries; a build with a recall below .95 is refused. Vectors can be added and removed, and the same vectors give the
same clusters on every machine. If a filter leaves fewer than k results, the search is repeated exactly, so that k
results are returned whenever k vectors are allowed.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np

from recsys.arrays import F32, Bool, Rows
from recsys.errors import InputError, SetupError
from recsys.search import stored_index
from recsys.search.stored_index import refuse_repeated

VECTORS, CLUSTERS = "vectors.npy", "groups.faiss"
RECALL_K, N_RECALL_QUERIES = 10, 500  # recall@10 is measured with 500 vectors of the index as queries
NO_ROW = -1  # pads a result that is shorter than k
TOLERANCE = 1e-6  # unit vectors count as equal if no component differs by more


@dataclass(frozen=True)
class IndexSettings:
    """
    How an index is built.

    Attributes:
        exact_below: The search is exact for fewer vectors than this.
        target_recall: The number of probed clusters is increased until this recall@10 is reached, 0..1.
        min_recall: A build with a lower recall@10 is refused, 0..1.
        max_removed_share: If a larger share of the vectors has been removed, the rest is clustered again, 0..1.
        seed: Seed of the clustering and of the choice of queries that measure recall.
    """

    exact_below: int = 100_000
    target_recall: float = 0.99
    min_recall: float = 0.95
    max_removed_share: float = 0.2
    seed: int = 7


@dataclass(frozen=True, eq=False)
class SearchResult:
    """
    Nearest vectors of each query, best first.

    Attributes:
        rows: Rows of the index; -1 pads a result shorter than k. Shape (n_queries, k), int64.
        scores: Cosine similarities, -1..1; -inf in the padding. Shape (n_queries, k), float32.
    """

    rows: Rows
    scores: F32


class Index:
    """
    Vectors with ids; created by `build` or `load`.

    Attributes:
        ids: Id of each row; a removed vector keeps its row until the vectors are clustered again.
        version: Version of the encoder that computed the vectors.
        recall: Measured recall@10; 1.0 if the search is exact.
    """

    def __init__(self, ids: Sequence[str], vectors: F32, version: str, settings: IndexSettings) -> None:
        self.ids = np.array(ids, dtype=object)
        self.version, self.settings, self.recall = version, settings, 1.0
        self._vectors = vectors
        self._is_there = np.ones(len(ids), np.bool_)
        self._clusters: Any = None

    @classmethod
    def build(
        cls, ids: Sequence[str], vectors: F32, *, version: str, settings: IndexSettings = IndexSettings()
    ) -> Self:
        """
        Build an index.

        Args:
            ids: Ids of the vectors, without repetition.
            vectors: Shape (n, d), float32; not 0; they are normalised to length 1 here.
            version: Version of the encoder that computed the vectors.
            settings: Settings of the search and its recall.

        Raises:
            InputError: An id is repeated, or a vector is 0 or not finite.
            SetupError: The measured recall is below the minimum.
        """
        refuse_repeated(ids, "index")
        index = cls(ids, _normalised(ids, vectors), version, settings)
        if len(ids) >= settings.exact_below:
            index._cluster()
        return index

    def __len__(self) -> int:
        return int(self._is_there.sum())

    @property
    def is_there(self) -> Bool:
        """Mask of the rows whose vectors have not been removed, shape (n,)."""
        return self._is_there.copy()

    def vectors_of(self, ids: Sequence[str]) -> F32:
        """Return the unit vectors of ids, shape (n, d); raises InputError for an id that is not in the index."""
        row_of = {name: row for row, name in enumerate(self.ids) if self._is_there[row]}
        missing = [name for name in ids if name not in row_of]
        if missing:
            raise InputError(
                f"{len(missing):,} ids are not in the index, first: {missing[0]!r}. Scan their files first"
            )
        return np.asarray(self._vectors[[row_of[name] for name in ids]])

    def vector(self, row: int) -> F32:
        """Return the unit vector of a row, shape (d,)."""
        return np.asarray(self._vectors[row])

    def search(self, queries: F32, k: int, *, allowed: Bool | None = None) -> SearchResult:
        """
        Find the k nearest vectors of each query.

        Args:
            queries: Shape (n_queries, d), float32; not 0.
            k: Number of results per query.
            allowed: Mask of the rows that may be returned, shape (n,), bool; None allows all.

        Returns:
            Exactly k results per query if k rows are allowed; among equal scores, the lower row comes first.
        """
        unit_queries = _normalised([f"query {n}" for n in range(len(queries))], queries)
        mask = self._is_there if allowed is None else self._is_there & allowed
        if self._clusters is None or mask.sum() < self.settings.exact_below:
            return self._search_exactly(unit_queries, k, mask)
        found = self._search_clusters(unit_queries, k, mask)
        is_short = (found.rows == NO_ROW).any(axis=1)
        if is_short.any():
            exact = self._search_exactly(unit_queries[is_short], k, mask)
            found.rows[is_short], found.scores[is_short] = exact.rows, exact.scores
        return found

    def add(self, ids: Sequence[str], vectors: F32) -> None:
        """Add vectors; raises InputError for an id that the index already has."""
        known = set(self.ids[self._is_there])
        refuse_repeated([*ids, *(name for name in ids if name in known)], "index")
        added = _normalised(ids, vectors)
        if self._clusters is not None:
            self._clusters.add(added)
        self.ids = np.concatenate([self.ids, np.array(ids, dtype=object)])
        self._vectors = np.concatenate([self._vectors, added])
        self._is_there = np.concatenate([self._is_there, np.ones(len(ids), np.bool_)])
        if self._clusters is None and len(self) >= self.settings.exact_below:
            self._cluster()

    def remove(self, ids: Sequence[str]) -> None:
        """Remove vectors from all later searches; ids that are not in the index are ignored."""
        self._is_there &= ~np.isin(self.ids, np.array(ids, dtype=object))
        if (~self._is_there).mean() > self.settings.max_removed_share or self._clusters is None:
            kept = self._is_there
            self.ids, self._vectors = self.ids[kept], self._vectors[kept]
            self._is_there, self._clusters = np.ones(len(self.ids), np.bool_), None
            if len(self.ids) >= self.settings.exact_below:
                self._cluster()

    def update(self, ids: Sequence[str], vectors: F32) -> tuple[int, int]:
        """
        Change the index to contain exactly these vectors.

        Recall is measured again; if it is below the minimum, the vectors are clustered again.

        Returns:
            Numbers of added and of removed vectors; a changed vector counts in both.

        Raises:
            InputError, SetupError: As in `build`.
        """
        refuse_repeated(ids, "index")
        target = _normalised(ids, vectors)
        row_of = {name: row for row, name in enumerate(self.ids) if self._is_there[row]}
        holds = [self._holds(row_of.get(name), vector) for name, vector in zip(ids, target, strict=True)]
        is_kept = np.array(holds, np.bool_)
        kept = {name for name, stays in zip(ids, is_kept, strict=True) if stays}
        gone = [name for name in row_of if name not in kept]
        if gone:
            self.remove(gone)
        if not is_kept.all():
            self.add([name for name in ids if name not in kept], target[~is_kept])
        if self._clusters is not None and (gone or not is_kept.all()):
            self._probe_enough(self._clusters.nlist)
            if self.recall < self.settings.min_recall:
                self._cluster()
        return int((~is_kept).sum()), len(gone)

    def _holds(self, row: int | None, vector: F32) -> bool:
        return row is not None and bool(np.abs(self._vectors[row] - vector).max() <= TOLERANCE)

    def save(self, folder: Path) -> None:
        """Write the index to a folder, atomically."""
        description = {
            "ids": self.ids.tolist(),
            "removed": np.flatnonzero(~self._is_there).tolist(),
            "version": self.version,
            "recall": self.recall,
            "settings": asdict(self.settings),
        }
        stored_index.save(folder, description, self._write)

    def _write(self, folder: Path) -> None:
        np.save(folder / VECTORS, self._vectors)
        if self._clusters is not None:
            faiss.write_index(self._clusters, str(folder / CLUSTERS))

    @classmethod
    def load(cls, folder: Path, *, version: str | None = None) -> Self:
        """
        Read an index from a folder.

        Raises:
            StaleIndex: It contains vectors of another encoder than `version`.
            SetupError: The index is missing or damaged.
        """
        saved = stored_index.load(folder, "embeddings", version)
        index = cls(
            saved["ids"],
            np.load(folder / VECTORS, allow_pickle=False),
            saved["version"],
            IndexSettings(**saved["settings"]),
        )
        index.recall = saved["recall"]
        index._is_there[saved["removed"]] = False
        if CLUSTERS in saved["sha256"]:
            index._clusters = faiss.read_index(str(folder / CLUSTERS))
        return index

    def _cluster(self) -> None:
        """Cluster the vectors, and choose how many clusters a search probes."""
        n, dimensions = self._vectors.shape
        n_clusters = 2 ** round(np.log2(4 * np.sqrt(n)))
        quantizer = faiss.IndexFlatIP(dimensions)
        clusters = faiss.IndexIVFFlat(quantizer, dimensions, n_clusters, faiss.METRIC_INNER_PRODUCT)
        clusters.cp.seed, clusters.cp.max_points_per_centroid, clusters.cp.spherical = self.settings.seed, 64, True
        clusters.train(self._vectors)
        clusters.add(self._vectors)
        self._clusters = clusters
        self._probe_enough(n_clusters)
        if self.recall < self.settings.min_recall:
            raise SetupError(
                f"recall@10 of the index: found {self.recall:.3f} with {n:,} vectors, expected at least "
                f"{self.settings.min_recall}: the vectors do not form clusters. Raise exact_below for an exact search"
            )

    def _probe_enough(self, n_clusters: int) -> None:
        """Double the number of probed clusters until recall, compared with exact search, reaches its target."""
        rng = np.random.default_rng(self.settings.seed)
        n_queries = min(N_RECALL_QUERIES, len(self._vectors))
        queries = self._vectors[rng.choice(len(self._vectors), n_queries, replace=False)]
        exact = self._search_exactly(queries, RECALL_K, self._is_there)
        n_probed = 1
        while True:
            self._clusters.nprobe = n_probed
            rows = self._search_clusters(queries, RECALL_K, self._is_there).rows
            self.recall = float(np.mean([np.isin(a, b).mean() for a, b in zip(exact.rows, rows, strict=True)]))
            if self.recall >= self.settings.target_recall or n_probed >= n_clusters // 8:
                return
            n_probed *= 2

    def _search_exactly(self, queries: F32, k: int, mask: Bool) -> SearchResult:
        rows = np.flatnonzero(mask)
        n_found = min(k, len(rows))
        if not n_found or not len(queries):
            return _padded(np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32), k)
        candidates = self._vectors if len(rows) == len(self._vectors) else self._vectors[rows]
        scores, positions = faiss.knn(queries, candidates, n_found, metric=faiss.METRIC_INNER_PRODUCT)
        return _padded(*_in_order(rows[positions], scores), k)

    def _search_clusters(self, queries: F32, k: int, mask: Bool) -> SearchResult:
        bits = np.packbits(mask, bitorder="little")
        selector = None if mask.all() else faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bits))
        parameters: Any = faiss.SearchParametersIVF(sel=selector, nprobe=self._clusters.nprobe)  # type: ignore[call-arg]
        scores, rows = self._clusters.search(queries, k, params=parameters)
        return SearchResult(*_in_order(rows, np.where(rows == NO_ROW, -np.inf, scores).astype(np.float32)))


def _in_order(rows: Rows, scores: F32) -> tuple[Rows, F32]:
    """Sort each result by descending score, and equal scores by row."""
    order = np.lexsort((rows, -scores))
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _padded(rows: Rows, scores: F32, k: int) -> SearchResult:
    padding = ((0, 0), (0, k - rows.shape[1]))
    return SearchResult(
        np.pad(rows.astype(np.int64), padding, constant_values=NO_ROW),
        np.pad(scores.astype(np.float32), padding, constant_values=-np.inf),
    )


def _normalised(ids: Sequence[str], vectors: F32) -> F32:
    vectors = np.ascontiguousarray(vectors, np.float32)
    if vectors.ndim != 2 or len(vectors) != len(ids):
        raise InputError(f"vectors: found shape {vectors.shape}, expected one row for each of {len(ids):,} ids")
    lengths = np.linalg.norm(vectors, axis=1)
    invalid = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if len(invalid):
        raise InputError(
            f"{len(invalid):,} vectors are 0 or not finite, first that of {ids[invalid[0]]!r}. Leave them out"
        )
    unit: F32 = vectors / lengths[:, None]
    return unit
