"""
Neighbourhood of tracks: what a listener plays speaks for the tracks that the same people play.

Listeners are the documents of a search engine and tracks their terms: BM25 makes a pair of somebody who plays a little
of everything count less than one of somebody who plays little else. Two tracks are akin by the cosine of their weights.

Sources: Sarwar, Karypis, Konstan, Riedl, Item-based Collaborative Filtering (WWW 2001); Robertson, Zaragoza, The
Probabilistic Relevance Framework: BM25 and Beyond (2009), with Lucene's idf, which is never negative; Aiolli, Efficient
Top-N Recommendation for Very Large Scale Binary Rated Datasets (RecSys 2013), for the cosine that leans to one side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import History, Interactions, with_data
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.attribution import Kinship
from recsys.recommenders.parts.confidence import weighed
from recsys.recommenders.parts.search_space import searched
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.parts.topk import best_of

N_BLOCK = 256  # tracks whose neighbours are sought at a time


@dataclass(frozen=True)
class ItemKNNConfig:
    """
    Settings of `ItemKNN`.

    Attributes:
        neighbours: Tracks that a played one speaks for, at most.
        saturation: BM25's k1, > 0: how slowly more of the same track stops adding.
        length_norm: BM25's b, 0..1: how far those who play much count less.
        damping: Power of the recommended track's length in the cosine: 1 is the cosine, less favours popular tracks.
        strength_exponent: A like weighs strength**this; 0: all the same.
        recency: How fast a track liked long ago loses weight when scores are made: (1 + age / 30 days)^-recency.
    """

    neighbours: int = searched(200, 50, 1000, log=True)
    saturation: float = searched(1.2, 0.5, 10.0, log=True)
    length_norm: float = searched(0.5, 0.0, 1.0)
    damping: float = searched(0.8, 0.4, 1.0)
    strength_exponent: float = searched(0.25, 0.0, 0.7)
    recency: float = searched(1.0, 0.0, 2.0)


class ItemKNN(Recommender[ItemKNNConfig]):
    """Score of a track: sum, over the listener's tracks, of their weight times their kinship to it."""

    name: ClassVar[str] = "item_knn"
    config_class: ClassVar[type[Any]] = ItemKNNConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        config = self.config
        weights = weighed(taste.liked, exponent=config.strength_exponent)
        by_track = bm25(weights, saturation=config.saturation, length_norm=config.length_norm).T.tocsr()
        played, asked = by_length(by_track, 1.0), by_length(by_track, config.damping)
        self._akin = neighbours(played, asked, config.neighbours)  # (n_tracks, n_tracks): played, recommended
        self._users = self._folded(taste.liked)

    @override
    def _folded(self, history: History) -> Csr:
        return weighed(history, exponent=self.config.strength_exponent, recency=self.config.recency)

    @override
    def _states(self, rows: Rows) -> Csr:
        return self._users[rows]

    @override
    def _score(self, states: Csr, out: F32) -> None:
        (states @ self._akin).toarray(out=out)

    @override
    def _kinship(self, history: History) -> Kinship:
        return Kinship.of_matrix(self._akin, self._folded(history))

    @override
    def _arrays(self) -> dict[str, Any]:
        return arrays_of("users", self._users) | arrays_of("akin", self._akin)

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._akin = matrix_of("users", arrays), matrix_of("akin", arrays)


def bm25(counts: Csr, *, saturation: float, length_norm: float) -> Csr:
    """
    Weigh the terms of documents.

    Args:
        counts: How often, > 0, a document (row) has a term (column). CSR.
        saturation: k1, > 0.
        length_norm: b, 0..1.

    Returns:
        idf * counts * (k1 + 1) / (counts + k1 * (1 - b + b * length / mean length)), of the same shape, float64.
    """
    n_documents, n_terms = counts.shape
    n_with = np.bincount(counts.indices, minlength=n_terms)
    idf = np.log1p((n_documents - n_with + 0.5) / (n_with + 0.5))
    lengths = np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
    room = saturation * (1 - length_norm + length_norm * lengths / lengths.mean())
    data = counts.data * (saturation + 1) / (counts.data + np.repeat(room, np.diff(counts.indptr)))
    return with_data(counts, data * idf[counts.indices])


def by_length(vectors: Csr, power: float) -> Csr:
    """Divide each row by its length to this power."""
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    return with_data(vectors, vectors.data / np.repeat(lengths, np.diff(vectors.indptr)) ** power)


def neighbours(played: Csr, asked: Csr, k: int) -> Csr:
    """Return each row's k greatest inner products > 0 with rows of `asked` but its own; CSR, equal ones by row."""
    others = asked.T.tocsr()
    blocks = []
    for start in range(0, played.shape[0], N_BLOCK):
        products = (played[start : start + N_BLOCK] @ others).toarray().astype(np.float32)
        products[np.arange(len(products)), start + np.arange(len(products))] = 0  # no track is its own neighbour
        columns, values = best_of(products, min(k, products.shape[1]))
        user, place = np.nonzero(values > 0)
        at = (user, columns[user, place])
        blocks.append(sp.csr_matrix((values[user, place], at), shape=products.shape))
    return sp.vstack(blocks, format="csr")
