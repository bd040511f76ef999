"""Vectors of recordings from counts: who listens to them, and the words of their lyrics."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import scipy.sparse as sp

from recsys.arrays import F32, Csr
from recsys.dataset.feature_vectors import latent_vectors, tfidf
from recsys.dataset.vocab import Vocab

if TYPE_CHECKING:
    from recsys.dataset.interactions import Interactions

N_LISTENING, N_WORDS = 32, 100  # dimensions of the vectors
MIN_RECORDINGS = 2  # that a word occurs in


def listening_vectors(interactions: "Interactions | None", tracks: Vocab) -> F32:
    """Return vectors of who listens to each recording, shape (n_tracks, at most 32); NaN without plays."""
    if interactions is None:
        return np.zeros((len(tracks), 0), np.float32)
    return _vectors_of(interactions.matrix.T.tocsr(), interactions.tracks, tracks, N_LISTENING)


def word_vectors(words: pl.DataFrame, tracks: Vocab) -> F32:
    """
    Return vectors of the words of each recording's lyrics (latent semantic analysis).

    Args:
        words: track_id, word and n, once per pair.
        tracks: The recordings of the result.

    Returns:
        Shape (n_tracks, at most 100), float32; NaN for recordings without words that some others have, but not all.
    """
    shared = words.filter(pl.len().over("word") >= MIN_RECORDINGS)
    own, vocabulary = Vocab.of(shared["track_id"], kind="track"), Vocab.of(shared["word"], kind="word")
    pairs = (own.rows(shared["track_id"]), vocabulary.rows(shared["word"]))
    counts = sp.csr_matrix((shared["n"].to_numpy(), pairs), shape=(len(own), len(vocabulary)))
    return _vectors_of(counts, own, tracks, N_WORDS)


def _vectors_of(counts: Csr, own: Vocab, tracks: Vocab, n: int) -> F32:
    """
    Return the latent vectors of tf-idf weights.

    Args:
        counts: What each recording of `own` has, >= 0. Shape (n_own, n_features).
        own: The recordings of `counts`.
        tracks: The recordings of the result.
        n: Dimensions; fewer if there are not more recordings and features.

    Returns:
        Shape (n_tracks, at most n), float32; NaN for recordings that have nothing which tells them from others.
    """
    vectors = latent_vectors(tfidf(counts.astype(np.float64)), n)
    found = np.full((len(tracks), vectors.shape[1]), np.nan, np.float32)
    rows = tracks.find(own.ids())
    kept = vectors.any(axis=1) & (rows >= 0)
    found[rows[kept]] = vectors[kept]
    return found
