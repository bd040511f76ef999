"""
Feature vectors: tf-idf weights of artists, genres, tags and other features.

The value 'unknown' has weight 0, so that two tracks do not count as similar merely because both lack a value.
"""

from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recsys.arrays import Csr
from recsys.dataset.features import UNKNOWN, Features

Matrix = TypeVar("Matrix", bound=npt.NDArray[Any])  # or CSR, whose alias is Any


def tfidf_features(features: Features) -> Csr:
    """
    Return the tf-idf vector of each row's known features.

    Returns:
        CSR, shape (n_rows, n_features), float32. All zero for rows without a known feature.
    """
    is_known = ~features.names.ids().str.ends_with(f"={UNKNOWN}").to_numpy()
    return tfidf((features.matrix @ sp.diags(is_known.astype(np.float64))).tocsr()).astype(np.float32)


def tfidf(weights: Csr) -> Csr:
    """
    Return log(1 + weight) times inverse document frequency, each row scaled to norm 1.

    Args:
        weights: Weights >= 0 of features (columns) in documents (rows). CSR, float64.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 6.2 to 6.4.
    """
    n_with = np.bincount(weights.indices, minlength=weights.shape[1])
    return unit_rows(weights.log1p() @ sp.diags(np.log(weights.shape[0] / np.maximum(n_with, 1))))


def unit_rows(rows: Matrix, norm: Literal["l1", "l2"] = "l2") -> Matrix:
    """Scale each row of a dense or CSR matrix to norm 1; all-zero rows are unchanged."""
    from sklearn.preprocessing import normalize  # noqa: PLC0415 - reading a model or a table needs no scikit-learn

    return normalize(rows, norm) if min(rows.shape) else rows


def artists_of(features: Features) -> Csr:
    """Return the columns of known artists: > 0 if the track is by the artist. CSR, (n_tracks, n_artists), float32."""
    names = features.names.ids()
    is_artist = names.str.starts_with("artist=") & (names != f"artist={UNKNOWN}")
    return features.matrix[:, np.flatnonzero(is_artist.to_numpy())]
