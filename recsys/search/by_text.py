"""
The index of verses: the vectors of the sections of lyrics, to find recordings by what they say, in any language.

A section is one entry; the id of an entry is `SECTION:TRACK`. The search compares with all vectors (`Index`, exact):
300,000 sections take 600 MB. The vectors are those that ingest computed; no text is needed.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import polars as pl

from recsys.arrays import F32
from recsys.search.vector_index import NO_ROW, Index, IndexSettings
from recsys.text.encoder import VERSION, stored_vectors
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

SETTINGS = IndexSettings(exact_below=1_000_000)  # clusters would take the memory twice


class Verse(NamedTuple):
    """
    A section that is similar to what was asked for.

    Attributes:
        track_id: Its recording.
        section: Number of the section, from 1.
        similarity: Cosine similarity, -1..1.
    """

    track_id: str
    section: int
    similarity: float


class VerseIndex:
    """
    The vectors of sections; created by `build` or `load`.

    Attributes:
        index: The vectors; the id of each is `SECTION:TRACK`.
    """

    def __init__(self, index: Index) -> None:
        self.index = index

    @classmethod
    def build(cls, warehouse: Warehouse, last: Self | None = None) -> Self:
        """
        Index the sections of a warehouse, without recordings that were taken down.

        Args:
            warehouse: The warehouse with the vectors.
            last: An earlier index; if its vectors come from the same encoder, it is updated and returned.
        """
        rows = warehouse.query(internal_sql("verses_to_index")).filter(encoder=VERSION)
        ids = pl.select(pl.concat_str(rows["section"], pl.lit(":"), rows["track_id"])).to_series().to_list()
        vectors = stored_vectors(rows["vector"])
        if last is not None and last.index.version == VERSION:
            last.index.update(ids, vectors)
            return cls(last.index)
        return cls(Index.build(ids, vectors, version=VERSION, settings=SETTINGS))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an index from a folder; raises SetupError if it is missing or damaged."""
        return cls(Index.load(folder))

    def save(self, folder: Path) -> None:
        """Write the index to a folder, atomically."""
        self.index.save(folder)

    @property
    def ids(self) -> list[str]:
        """The recording of each section."""
        return [_track_of(entry) for entry in self.index.ids]

    def remove(self, track_ids: Sequence[str]) -> None:
        """Remove all sections of recordings from all later searches."""
        removed = set(track_ids)
        self.index.remove([entry for entry in self.index.ids if _track_of(entry) in removed])
        self.__dict__.pop("_rows_of", None)

    def vectors_of(self, track_id: str) -> F32:
        """Return the unit vectors of the sections of a recording, shape (n_sections, 512); n_sections may be 0."""
        return np.array([self.index.vector(row) for row in self._rows_of.get(track_id, ())], np.float32).reshape(
            -1, 512
        )

    @cached_property
    def _rows_of(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for row in np.flatnonzero(self.index.is_there).tolist():
            rows.setdefault(_track_of(self.index.ids[row]), []).append(row)
        return rows

    def nearest(self, vectors: F32, n: int) -> list[list[Verse]]:
        """
        Find the sections nearest to each vector, best first.

        Args:
            vectors: Shape (n_queries, 512), float32.
            n: Maximum number of sections per query.
        """
        if not len(self.index) or not len(vectors):
            return [[] for _ in vectors]
        found = self.index.search(vectors, n)
        return [
            [_verse(self.index.ids[row], score) for row, score in zip(rows, scores, strict=True) if row != NO_ROW]
            for rows, scores in zip(found.rows, found.scores, strict=True)
        ]

    def nearest_tracks(self, vector: F32, n: int, *, least: float) -> list[Verse]:
        """
        Find the recordings with the most similar section, best first; of each, this section.

        Args:
            vector: Shape (512,), float32.
            n: Maximum number of sections that are compared.
            least: Minimum similarity, -1..1.
        """
        first: dict[str, Verse] = {}
        for verse in self.nearest(vector[None], n)[0]:
            if verse.similarity >= least:
                first.setdefault(verse.track_id, verse)
        return list(first.values())


def _track_of(entry: str) -> str:
    return entry.partition(":")[2]


def _verse(entry: str, score: float) -> Verse:
    section, _, track_id = entry.partition(":")
    return Verse(track_id, int(section), float(score))
