"""
Sound features: each track's nearest sound clusters with weights, as features for recommenders.

Recordings are clustered (`cluster_features`) on their embeddings and on the most reliable audio measurements (tempo,
onset rate, brightness, mode). Only recordings whose rights holder allows training are used.
"""

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.dataset.cluster_features import NO_FEATURES, cluster_features
from recsys.dataset.feature_vectors import unit_rows

MEASUREMENT_COLUMNS = ("tempo", "onsets", "brightness", "minor")
SOUND = "sound"  # name of the features
N_COMPONENTS = 24  # principal components of the embeddings
MAX_WEIGHT = 5.0  # weight of the nearest cluster; more than a genre (1): sound is measured, genres are entered by hand
MIN_VECTORS = 16  # minimum number of recordings for clustering


def sound_features(vectors: pl.DataFrame) -> pl.DataFrame:
    """
    Return the sound features of tracks: their nearest sound clusters, weighted by similarity.

    Args:
        vectors: The result of `sql/internal/sound_of_tracks.sql`: track_id, encoder, vector and
            MEASUREMENT_COLUMNS. Only vectors of the most frequent encoder are used.

    Returns:
        track_id, name ('sound=07'), weight (0..5; 5 for the nearest cluster of a track); at most six rows per track.
        Empty if there are fewer than 16 vectors.
    """
    encoder = vectors["encoder"].mode().sort().head(1)
    chosen = vectors.filter(pl.col("encoder").is_in(encoder.implode()))
    if len(chosen) < MIN_VECTORS:
        return pl.DataFrame(schema=NO_FEATURES)
    points = _points(
        np.stack(chosen["vector"].to_list()).astype(np.float64), chosen.select(MEASUREMENT_COLUMNS).to_numpy()
    )
    return cluster_features(chosen["track_id"], points, name=SOUND, max_weight=MAX_WEIGHT)


def _points(vectors: F64, measured: F64) -> F64:
    """
    Return the points to cluster, vectors of norm 1.

    A point concatenates the leading principal components of the embedding, scaled to norm 1, and the z-scores of the
    measurements, clipped to -3..3; 0 if a measurement is missing.
    """
    from sklearn.decomposition import PCA  # noqa: PLC0415 - data without music needs no scikit-learn
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    components: F64 = PCA(min(N_COMPONENTS, *vectors.shape), svd_solver="full").fit_transform(unit_rows(vectors))
    with np.errstate(invalid="ignore"):  # a measurement that no recording has
        zscores: F64 = StandardScaler().fit_transform(measured).clip(-3, 3)
    return unit_rows(np.hstack([unit_rows(components), np.nan_to_num(zscores)]))
