"""
Feature vectors: tf-idf weights of artists, genres, tags and other features.

The value 'unknown' has weight 0, so that two tracks do not count as similar merely because both lack a value.
"""

import numpy as np
import scipy.sparse as sp

from recsys.arrays import Csr
from recsys.dataset.features import UNKNOWN, Features


def tfidf_features(features: Features) -> Csr:
    """
    Return the tf-idf vector of each row: log(1 + weight) times inverse document frequency, scaled to norm 1.

    Returns:
        CSR, shape (n_rows, n_features), float32. All zero for rows without a known feature.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 6.2 to 6.4.
    """
    known = ~features.names.ids().str.ends_with(f"={UNKNOWN}").to_numpy()
    vectors = features.matrix.astype(np.float64).log1p()
    n_rows, n_with = vectors.shape[0], np.diff(vectors.tocsc().indptr)
    idf = np.where(known, np.log(n_rows / np.maximum(n_with, 1)), 0)
    return unit_rows((vectors @ sp.diags(idf)).tocsr()).astype(np.float32)


def unit_rows(matrix: Csr) -> Csr:
    """Scale each row of a CSR matrix to norm 1; all-zero rows are unchanged."""
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled = sp.diags(1 / np.where(norms > 0, norms, 1)) @ matrix
    return scaled.tocsr()


def artists_of(features: Features) -> Csr:
    """Return the columns of known artists: > 0 if the track is by the artist. CSR, (n_tracks, n_artists), float32."""
    names = features.names.ids()
    is_artist = names.str.starts_with("artist=") & (names != f"artist={UNKNOWN}")
    return features.matrix[:, np.flatnonzero(is_artist.to_numpy())]
