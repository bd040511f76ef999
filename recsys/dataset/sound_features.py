"""
Sound features: each track's nearest sound clusters with weights, as features for recommenders.

Recommenders need sparse features that several tracks share, not an audio embedding of hundreds of numbers. So
recordings are clustered by k-means on their embeddings and on the most reliable audio measurements (tempo, onset rate,
brightness, mode), and each track gets its nearest clusters as features. A new track therefore shares features with
tracks that have been played. Only recordings whose rights holder allows training are used.
"""

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.dataset.feature_vectors import unit_rows

MEASUREMENT_COLUMNS = ("tempo", "onsets", "brightness", "minor")
N_COMPONENTS = 24  # principal components of the embeddings
N_NEAREST = 6  # clusters per track
MAX_CLUSTERS = 64
TRACKS_PER_CLUSTER = 8
SHARPNESS = 3.0  # a weight is proportional to exp(sharpness * cosine)
MAX_WEIGHT = 5.0  # weight of the nearest cluster; more than a genre (1): sound is measured, genres are entered by hand
MIN_VECTORS = 16  # minimum number of recordings for clustering
SEED = 7


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
        return pl.DataFrame(schema={"track_id": pl.String, "name": pl.String, "weight": pl.Float64})
    points = _points(
        np.stack(chosen["vector"].to_list()).astype(np.float64), chosen.select(MEASUREMENT_COLUMNS).to_numpy()
    )
    similarity = points @ _centroids(points).T  # (n_tracks, n_clusters)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :N_NEAREST]
    cosines = np.take_along_axis(similarity, nearest, axis=1)
    weights = MAX_WEIGHT * np.exp(SHARPNESS * (cosines - cosines[:, :1]))
    return pl.DataFrame(
        {
            "track_id": np.repeat(chosen["track_id"].to_numpy(), nearest.shape[1]),
            "name": [f"sound={cluster:02d}" for cluster in nearest.ravel()],
            "weight": weights.ravel(),
        }
    )


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


def _centroids(points: F64) -> F64:
    """Return the centroids of k-means clusters, scaled to norm 1. Shape (n_clusters, n_dimensions)."""
    from scipy.cluster.vq import kmeans2  # noqa: PLC0415 - dashboards import this module, and need no clusters

    n_clusters = int(np.clip(len(points) // TRACKS_PER_CLUSTER, 2, MAX_CLUSTERS))
    centroids: F64 = kmeans2(points, n_clusters, minit="++", rng=np.random.default_rng(SEED), missing="warn")[0]
    return unit_rows(centroids)
