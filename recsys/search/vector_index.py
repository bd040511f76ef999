"""
The index: which vectors point the same way (cosine).

Below 100,000 vectors every one is looked at. Above, vectors are grouped (IVF) and the nearest groups looked at: as many
as it takes for a recall@10 of .99 on vectors of the index itself, and a build that finds less than .95 is refused.
Groups allow adding and removing, and are the same on every machine. A search that leaves too few, because of a filter,
is done again exactly, so k results come wherever k exist.
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

VECTORS, GROUPS = "vectors.npy", "groups.faiss"
K_JUDGED, N_JUDGED = 10, 500  # recall@10 of so many vectors
NOTHING = -1
SAME = 1e-6  # largest difference of the numbers of two vectors of length 1 that are one


@dataclass(frozen=True)
class IndexSettings:
    """
    How an index is made.

    Attributes:
        exact_below: So few vectors are all looked at.
        recall_aim: Groups are added to a search until this recall@10 is reached, 0..1.
        recall_floor: A build below this recall@10 is refused, 0..1.
        most_removed: Share of removed vectors from which on the groups are made anew, 0..1.
        seed: Of the grouping, and of the queries by which it is judged.
    """

    exact_below: int = 100_000
    recall_aim: float = 0.99
    recall_floor: float = 0.95
    most_removed: float = 0.2
    seed: int = 7


@dataclass(frozen=True, eq=False)
class Found:
    """
    Answers, best first.

    Attributes:
        rows: Into the index's ids; -1 where there are fewer than k. Shape (n_queries, k), int64.
        scores: Cosines, -1..1; -inf where there is nothing. Shape (n_queries, k), float32.
    """

    rows: Rows
    scores: F32


class Index:
    """
    Vectors with names, made by `build` or `load`.

    Attributes:
        ids: Name of each row; a removed one keeps its row until groups are made anew.
        version: The encoder that made the vectors.
        recall: Measured recall@10; 1.0 where every vector is looked at.
    """

    def __init__(self, ids: Sequence[str], vectors: F32, version: str, settings: IndexSettings) -> None:
        self.ids = np.array(ids, dtype=object)
        self.version, self.settings, self.recall = version, settings, 1.0
        self._vectors = vectors
        self._is_there = np.ones(len(ids), np.bool_)
        self._groups: Any = None

    @classmethod
    def build(
        cls, ids: Sequence[str], vectors: F32, *, version: str, settings: IndexSettings = IndexSettings()
    ) -> Self:
        """
        Build an index.

        Args:
            ids: Names, each once.
            vectors: Shape (n, d), float32, of any length but 0.
            version: What made them.
            settings: Exactness.

        Raises:
            InputError: An id stands twice, or a vector is 0 or not finite.
            SetupError: Recall is below the floor.
        """
        refuse_repeated(ids, "index")
        index = cls(ids, _normalised(ids, vectors), version, settings)
        if len(ids) >= settings.exact_below:
            index._group()
        return index

    def __len__(self) -> int:
        return int(self._is_there.sum())

    def vectors_of(self, ids: Sequence[str]) -> F32:
        """Return the vectors of some ids, of length 1, shape (n, d); raises InputError for one that is not there."""
        row_of = {name: row for row, name in enumerate(self.ids) if self._is_there[row]}
        missing = [name for name in ids if name not in row_of]
        if missing:
            raise InputError(f"{len(missing):,} ids are not in the index, first: {missing[0]!r}. Has it been scanned?")
        return np.asarray(self._vectors[[row_of[name] for name in ids]])

    def search(self, queries: F32, k: int, *, allowed: Bool | None = None) -> Found:
        """
        Find the nearest vectors.

        Args:
            queries: Shape (n_queries, d), of any length but 0.
            k: How many.
            allowed: Which rows may be found, shape (n,), bool; all where it is None.

        Returns:
            Exactly k wherever so many are there and allowed; ties go to the lower row.
        """
        asked = _normalised([f"query {n}" for n in range(len(queries))], queries)
        may = self._is_there if allowed is None else self._is_there & allowed
        if self._groups is None or may.sum() < self.settings.exact_below:
            return self._exactly(asked, k, may)
        found = self._by_groups(asked, k, may)
        is_short = (found.rows == NOTHING).any(axis=1)
        if is_short.any():
            again = self._exactly(asked[is_short], k, may)
            found.rows[is_short], found.scores[is_short] = again.rows, again.scores
        return found

    def add(self, ids: Sequence[str], vectors: F32) -> None:
        """Add vectors; raises InputError for an id that is there already."""
        known = set(self.ids[self._is_there])
        refuse_repeated([*ids, *(name for name in ids if name in known)], "index")
        added = _normalised(ids, vectors)
        if self._groups is not None:
            self._groups.add(added)
        self.ids = np.concatenate([self.ids, np.array(ids, dtype=object)])
        self._vectors = np.concatenate([self._vectors, added])
        self._is_there = np.concatenate([self._is_there, np.ones(len(ids), np.bool_)])
        if self._groups is None and len(self) >= self.settings.exact_below:
            self._group()

    def remove(self, ids: Sequence[str]) -> None:
        """Remove vectors: no search finds them from now on. Ids that are not there are passed over."""
        self._is_there &= ~np.isin(self.ids, np.array(ids, dtype=object))
        if (~self._is_there).mean() > self.settings.most_removed or self._groups is None:
            kept = self._is_there
            self.ids, self._vectors = self.ids[kept], self._vectors[kept]
            self._is_there, self._groups = np.ones(len(self.ids), np.bool_), None
            if len(self.ids) >= self.settings.exact_below:
                self._group()

    def update(self, ids: Sequence[str], vectors: F32) -> tuple[int, int]:
        """
        Bring the index to exactly these vectors; recall is measured again, and where it is too low, groups made anew.

        Returns:
            How many vectors were added and removed; a changed one counts as both.

        Raises:
            InputError, SetupError: As `build`.
        """
        refuse_repeated(ids, "index")
        wanted = _normalised(ids, vectors)
        row_of = {name: row for row, name in enumerate(self.ids) if self._is_there[row]}
        holds = [self._holds(row_of.get(name), vector) for name, vector in zip(ids, wanted, strict=True)]
        is_kept = np.array(holds, np.bool_)
        kept = {name for name, stays in zip(ids, is_kept, strict=True) if stays}
        gone = [name for name in row_of if name not in kept]
        if gone:
            self.remove(gone)
        if not is_kept.all():
            self.add([name for name in ids if name not in kept], wanted[~is_kept])
        if self._groups is not None and (gone or not is_kept.all()):
            self._probe_enough(self._groups.nlist)
            if self.recall < self.settings.recall_floor:
                self._group()
        return int((~is_kept).sum()), len(gone)

    def _holds(self, row: int | None, vector: F32) -> bool:
        return row is not None and bool(np.abs(self._vectors[row] - vector).max() <= SAME)

    def save(self, folder: Path) -> None:
        """Write the index, whole or not at all."""
        about = {
            "ids": self.ids.tolist(),
            "removed": np.flatnonzero(~self._is_there).tolist(),
            "version": self.version,
            "recall": self.recall,
            "settings": asdict(self.settings),
        }
        stored_index.save(folder, about, self._write)

    def _write(self, folder: Path) -> None:
        np.save(folder / VECTORS, self._vectors)
        if self._groups is not None:
            faiss.write_index(self._groups, str(folder / GROUPS))

    @classmethod
    def load(cls, folder: Path, *, version: str | None = None) -> Self:
        """
        Read an index.

        Raises:
            StaleIndex: It holds vectors of another encoder than `version`.
            SetupError: It is missing or damaged.
        """
        about = stored_index.load(folder, "embeddings", version)
        index = cls(about["ids"], np.load(folder / VECTORS), about["version"], IndexSettings(**about["settings"]))
        index.recall = about["recall"]
        index._is_there[about["removed"]] = False
        if GROUPS in about["sha256"]:
            index._groups = faiss.read_index(str(folder / GROUPS))
        return index

    def _group(self) -> None:
        """Group the vectors, and look at as many groups as it takes."""
        n, dimensions = self._vectors.shape
        n_groups = 2 ** round(np.log2(4 * np.sqrt(n)))
        quantizer = faiss.IndexFlatIP(dimensions)
        groups = faiss.IndexIVFFlat(quantizer, dimensions, n_groups, faiss.METRIC_INNER_PRODUCT)
        groups.cp.seed, groups.cp.max_points_per_centroid, groups.cp.spherical = self.settings.seed, 64, True
        groups.train(self._vectors)
        groups.add(self._vectors)
        self._groups = groups
        self._probe_enough(n_groups)
        if self.recall < self.settings.recall_floor:
            raise SetupError(
                f"The index finds {self.recall:.3f} of the ten nearest of {n:,} vectors, {self.settings.recall_floor} "
                "expected: they are not grouped enough. Raise exact_below, so that every vector is looked at"
            )

    def _probe_enough(self, n_groups: int) -> None:
        """Double the groups looked at until the recall aimed at is reached, by brute force on some vectors."""
        rng = np.random.default_rng(self.settings.seed)
        asked = self._vectors[rng.choice(len(self._vectors), min(N_JUDGED, len(self._vectors)), replace=False)]
        right = self._exactly(asked, K_JUDGED, self._is_there)
        n_looked_at = 1
        while True:
            self._groups.nprobe = n_looked_at
            rows = self._by_groups(asked, K_JUDGED, self._is_there).rows
            self.recall = float(np.mean([np.isin(a, b).mean() for a, b in zip(right.rows, rows, strict=True)]))
            if self.recall >= self.settings.recall_aim or n_looked_at >= n_groups // 8:
                return
            n_looked_at *= 2

    def _exactly(self, queries: F32, k: int, may: Bool) -> Found:
        rows = np.flatnonzero(may)
        n_found = min(k, len(rows))
        if not n_found or not len(queries):
            return _padded(np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32), k)
        candidates = self._vectors if len(rows) == len(self._vectors) else self._vectors[rows]
        scores, at = faiss.knn(queries, candidates, n_found, metric=faiss.METRIC_INNER_PRODUCT)
        return _padded(*_in_order(rows[at], scores), k)

    def _by_groups(self, queries: F32, k: int, may: Bool) -> Found:
        bits = np.packbits(may, bitorder="little")
        selector = None if may.all() else faiss.IDSelectorBitmap(len(may), faiss.swig_ptr(bits))
        terms: Any = faiss.SearchParametersIVF(sel=selector, nprobe=self._groups.nprobe)  # type: ignore[call-arg]
        scores, rows = self._groups.search(queries, k, params=terms)
        return Found(*_in_order(rows, np.where(rows == NOTHING, -np.inf, scores).astype(np.float32)))


def _in_order(rows: Rows, scores: F32) -> tuple[Rows, F32]:
    """Sort each answer by score, ties by row."""
    order = np.lexsort((rows, -scores))
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _padded(rows: Rows, scores: F32, k: int) -> Found:
    short = ((0, 0), (0, k - rows.shape[1]))
    return Found(
        np.pad(rows.astype(np.int64), short, constant_values=NOTHING),
        np.pad(scores.astype(np.float32), short, constant_values=-np.inf),
    )


def _normalised(ids: Sequence[str], vectors: F32) -> F32:
    vectors = np.ascontiguousarray(vectors, np.float32)
    if vectors.ndim != 2 or len(vectors) != len(ids):
        raise InputError(f"Vectors have the shape {vectors.shape}; expected one row for each of {len(ids):,} ids")
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if len(wrong):
        raise InputError(f"{len(wrong):,} vectors are 0 or not finite, first that of {ids[wrong[0]]!r}. Leave them out")
    unit: F32 = vectors / lengths[:, None]
    return unit
