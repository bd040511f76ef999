"""
Cluster features: the nearest clusters of each track, with weights, as features for recommenders.

Recommenders need sparse features that several tracks share, not vectors of hundreds of numbers. So tracks are clustered
by k-means, and each gets its nearest clusters as features: a new track shares them with tracks that have been played.
"""

import warnings

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.dataset.feature_vectors import unit_rows

N_NEAREST = 6  # clusters per track
MAX_CLUSTERS = 64
TRACKS_PER_CLUSTER = 8
SHARPNESS = 3.0  # a weight is proportional to exp(sharpness * cosine)
DECIMALS = 9  # points that are equal to so many are the same
SEED = 7
NO_FEATURES = {"track_id": pl.String, "name": pl.String, "weight": pl.Float64}


def cluster_features(track_ids: pl.Series, points: F64, *, name: str, max_weight: float) -> pl.DataFrame:
    """
    Return the nearest clusters of tracks, weighted by similarity.

    Args:
        track_ids: The tracks, (n_tracks,).
        points: Their points, rows of norm 1, (n_tracks, n_dimensions).
        name: Name of the feature.
        max_weight: Weight of the nearest cluster of a track; a genre has 1.

    Returns:
        track_id, name ('<name>=07'), weight (0..max_weight); at most N_NEAREST rows per track.
    """
    similarity = points @ _centroids(points).T  # (n_tracks, n_clusters)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :N_NEAREST]
    cosines = np.take_along_axis(similarity, nearest, axis=1)
    weights = max_weight * np.exp(SHARPNESS * (cosines - cosines[:, :1]))
    return pl.DataFrame(
        {
            "track_id": np.repeat(track_ids.to_numpy(), nearest.shape[1]),
            "name": [f"{name}={cluster:02d}" for cluster in nearest.ravel()],
            "weight": weights.ravel(),
        }
    )


def _centroids(points: F64) -> F64:
    """
    Return the centroids of k-means clusters, scaled to norm 1. Shape (n_clusters, n_dimensions).

    There are not more clusters than different points. A cluster that loses its points keeps its centroid.
    """
    from scipy.cluster.vq import kmeans2  # noqa: PLC0415 - dashboards import this module, and need no clusters

    n_different = len(np.unique(points.round(DECIMALS), axis=0))
    n_clusters = min(int(np.clip(len(points) // TRACKS_PER_CLUSTER, 2, MAX_CLUSTERS)), n_different)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of clusters without points
        centroids: F64 = kmeans2(points, n_clusters, minit="++", rng=np.random.default_rng(SEED))[0]
    return unit_rows(centroids)
