"""
What is known of tracks, as vectors: artists, genres, tags and the like, the rare ones saying more than the common.

Unknown is no property that two tracks could share, so it counts for nothing here.
"""

import numpy as np
import scipy.sparse as sp

from recsys.arrays import Csr
from recsys.dataset.features import UNKNOWN, Features


def tfidf_features(features: Features) -> Csr:
    """
    Return each row's features as a vector of length 1 (0 where nothing is known), shape (n_rows, n_features), float32.

    log(1 + weight) times the inverse document frequency, as texts are indexed.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 6.2 to 6.4.
    """
    known = ~features.names.ids().str.ends_with(f"={UNKNOWN}").to_numpy()
    vectors = features.matrix.astype(np.float64).log1p()
    n_rows, n_with = vectors.shape[0], np.diff(vectors.tocsc().indptr)
    idf = np.where(known, np.log(n_rows / np.maximum(n_with, 1)), 0)
    return unit_rows((vectors @ sp.diags(idf)).tocsr()).astype(np.float32)


def unit_rows(matrix: Csr) -> Csr:
    """Scale each row of a CSR matrix to length 1; a row of zeros stays."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled = sp.diags(1 / np.where(lengths > 0, lengths, 1)) @ matrix
    return scaled.tocsr()


def artists_of(features: Features) -> Csr:
    """Return which artists made each track, one column an artist, shape (n_tracks, n_artists), float32."""
    names = features.names.ids()
    chosen = names.str.starts_with("artist=") & (names != f"artist={UNKNOWN}")
    return features.matrix[:, np.flatnonzero(chosen.to_numpy())]
