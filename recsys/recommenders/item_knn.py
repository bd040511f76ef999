"""
Item-based nearest neighbours (item kNN): recommend the nearest neighbours of the tracks in a user's history.

Interactions are weighted by BM25, with users as documents and tracks as terms, so an interaction of a user with many
plays has less weight. The similarity of two tracks is the cosine of their BM25 weights over users.

Sources: Sarwar, Karypis, Konstan, Riedl, Item-based Collaborative Filtering (WWW 2001); Robertson, Zaragoza, The
Probabilistic Relevance Framework: BM25 and Beyond (2009), with Lucene's idf, which is never negative; Aiolli, Efficient
Top-N Recommendation for Very Large Scale Binary Rated Datasets (RecSys 2013), for the asymmetric cosine.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from typing_extensions import override

from recsys.arrays import Csr
from recsys.dataset.interactions import Interactions
from recsys.dataset.sparse import with_data
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.item_similarity import ItemSimilarityScorer
from recsys.recommenders.parts.search_space import tunable_range, tunable_recency
from recsys.recommenders.parts.sparse import largest_per_row
from recsys.recommenders.scorer import Validation
from recsys.settings import Count, Exponent, Positive, Recency, Settings, Share

N_BLOCK = 256  # tracks per block of the neighbour search


@dataclass(frozen=True)
class ItemKNNConfig(Settings):
    """
    Settings of `ItemKNN`.

    Attributes:
        neighbours: Maximum number of neighbours per track.
        saturation: k1 of BM25, > 0. The larger it is, the more repeated plays add to the weight.
        length_norm: b of BM25, 0..1: how strongly users with many plays are down-weighted.
        damping: Exponent of the recommended track's norm in the cosine. 1: plain cosine; lower values favour popular
            tracks.
        strength_exponent: The confidence weight of an interaction is strength**strength_exponent. 0: the same for all.
        recency: Decay by age when scores are computed: weight (1 + age / 30 days)**-recency. 0: no decay.
        rank_recency: The same by order: weight (1 + n / 30)**-rank_recency, n being the user's later tracks.
    """

    neighbours: Count = tunable_range(200, 50, 1000, log=True)
    saturation: Positive = tunable_range(1.2, 0.5, 10.0, log=True)
    length_norm: Share = tunable_range(0.5, 0.0, 1.0)
    damping: Exponent = tunable_range(0.8, 0.4, 1.0)
    strength_exponent: Exponent = tunable_range(0.25, 0.0, 0.7, needs="strengths")
    recency: Recency = tunable_recency(1.0)
    rank_recency: Recency = tunable_recency(0.0)


class ItemKNN(ItemSimilarityScorer[ItemKNNConfig]):
    """Score = sum, over the tracks in the user's history, of confidence weight times similarity."""

    name: ClassVar[str] = "item_knn"
    config_class: ClassVar[type[Any]] = ItemKNNConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        config = self.config
        weights = confidence(interactions.liked, exponent=config.strength_exponent)
        by_track = bm25(weights, saturation=config.saturation, length_norm=config.length_norm).T.tocsr()
        played, scored = divide_by_norm(by_track, 1.0), divide_by_norm(by_track, config.damping)
        self.set_similarity(neighbours(played, scored, config.neighbours), interactions.liked)
        return self


def bm25(counts: Csr, *, saturation: float, length_norm: float) -> Csr:
    """
    Return the BM25 weight of each term in each document.

    Args:
        counts: How often, > 0, each document (row) contains each of its terms (columns). CSR.
        saturation: k1, > 0.
        length_norm: b, 0..1.

    Returns:
        idf * counts * (k1 + 1) / (counts + k1 * (1 - b + b * length / mean length)). CSR with the pattern of `counts`,
        float64.
    """
    n_documents, n_terms = counts.shape
    n_with = np.bincount(counts.indices, minlength=n_terms)
    idf = np.log1p((n_documents - n_with + 0.5) / (n_with + 0.5))
    lengths = np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
    length_factor = saturation * (1 - length_norm + length_norm * lengths / lengths.mean())
    data = counts.data * (saturation + 1) / (counts.data + np.repeat(length_factor, np.diff(counts.indptr)))
    return with_data(counts, data * idf[counts.indices])


def divide_by_norm(vectors: Csr, power: float) -> Csr:
    """Divide each row of a CSR matrix by its L2 norm raised to `power`."""
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    return with_data(vectors, vectors.data / np.repeat(lengths, np.diff(vectors.indptr)) ** power)


def neighbours(played: Csr, scored: Csr, k: int) -> Csr:
    """
    Find the k nearest neighbours of each track by inner product.

    Args:
        played: Vectors of the played tracks. CSR, shape (n_tracks, n_dimensions).
        scored: Vectors of the same tracks as candidates; may be scaled differently. CSR, same shape.
        k: Maximum number of neighbours per track.

    Returns:
        The k largest inner products > 0 of each row; among equal products, lower columns are kept. A track is not its
        own neighbour. CSR, shape (n_tracks, n_tracks), float32.
    """
    others = scored.T.tocsr()
    blocks = []
    for start in range(0, played.shape[0], N_BLOCK):
        products = (played[start : start + N_BLOCK] @ others).astype(np.float32)
        track = start + np.repeat(np.arange(products.shape[0]), np.diff(products.indptr))
        products.data[products.indices == track] = 0  # no track is its own neighbour
        products.eliminate_zeros()
        blocks.append(largest_per_row(products, k))
    nearest = sp.vstack(blocks, format="csr") if blocks else sp.csr_matrix((0, 0), dtype=np.float32)
    nearest.sort_indices()
    return nearest
