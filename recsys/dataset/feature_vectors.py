"""
Feature vectors: tf-idf weights of artists, genres, tags, words and other features, and their latent vectors.

The value 'unknown' has weight 0, so that two tracks do not count as similar merely because both lack a value.
"""

from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recsys.arrays import F32, F64, Csr
from recsys.dataset.features import UNKNOWN, Features

Matrix = TypeVar("Matrix", bound=npt.NDArray[Any])  # or CSR, whose alias is Any


def tfidf_features(features: Features, *, size_exponent: float = 0) -> Csr:
    """
    Return the tf-idf vector of each row's known features.

    Args:
        features: Features of the rows.
        size_exponent: The norm of a vector is its summed feature weight, relative to the mean, to this power. 0: 1.

    Returns:
        CSR, shape (n_rows, n_features), float32. All zero for rows without a known feature.
    """
    is_known = ~features.names.ids().str.ends_with(f"={UNKNOWN}").to_numpy()
    known = (features.matrix @ sp.diags(is_known.astype(np.float64))).tocsr()
    vectors = tfidf(known).astype(np.float32)
    scale = relative_weights(known) ** np.float32(size_exponent)
    return (sp.diags(scale) @ vectors).tocsr() if size_exponent else vectors


def relative_weights(weights: Csr) -> F32:
    """Return the sum of log(1 + weight) per row, divided by its mean over rows with weights. Shape (n_rows,)."""
    sums = np.asarray(weights.log1p().sum(axis=1), np.float32).ravel()
    scaled: F32 = sums / sums[sums > 0].mean() if sums.any() else sums
    return scaled


def tfidf(weights: Csr) -> Csr:
    """
    Return log(1 + weight) times inverse document frequency, each row scaled to norm 1.

    Args:
        weights: Weights >= 0 of features (columns) in documents (rows). CSR, float64.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 6.2 to 6.4.
    """
    n_with = np.bincount(weights.indices, minlength=weights.shape[1])
    return unit_rows(weights.log1p() @ sp.diags(np.log(weights.shape[0] / np.maximum(n_with, 1))))


def latent_vectors(weights: Csr, n: int) -> F64:
    """
    Return the leading left singular vectors of weights, each times its singular value (latent semantic analysis).

    Args:
        weights: Weights >= 0, as of `tfidf`. CSR, shape (n_rows, n_columns), float64.
        n: Dimensions; fewer if there are not more rows and columns with weights.

    Returns:
        Shape (n_rows, at most n), float64; 0 for rows whose weights are all 0: nothing tells them from others.

    Source: Deerwester et al., Indexing by Latent Semantic Analysis (JASIS 1990).
    """
    from scipy.sparse.linalg import svds  # noqa: PLC0415 - many commands need no solver

    rows, columns = (np.flatnonzero(weights.sum(axis=axis)) for axis in (1, 0))
    n_found = max(min(n, len(rows) - 1, len(columns) - 1), 0)
    found = np.zeros((weights.shape[0], n_found))
    if n_found:
        start = np.random.default_rng(7).standard_normal(min(len(rows), len(columns)))
        left, strength, _ = svds(weights[rows][:, columns], k=n_found, v0=start)
        left *= np.sign(left[np.abs(left).argmax(axis=0), np.arange(n_found)])  # the solver's signs are arbitrary
        found[rows] = left * strength
    return found


def unit_rows(rows: Matrix, norm: Literal["l1", "l2"] = "l2") -> Matrix:
    """Scale each row of a dense or CSR matrix to norm 1; all-zero rows are unchanged."""
    from sklearn.preprocessing import normalize  # noqa: PLC0415 - reading a model or a table needs no scikit-learn

    return normalize(rows, norm) if min(rows.shape) else rows


def artists_of(features: Features) -> Csr:
    """Return the columns of known artists: > 0 if the track is by the artist. CSR, (n_tracks, n_artists), float32."""
    names = features.names.ids()
    is_artist = names.str.starts_with("artist=") & (names != f"artist={UNKNOWN}")
    return features.matrix[:, np.flatnonzero(is_artist.to_numpy())]
