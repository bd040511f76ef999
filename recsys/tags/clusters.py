"""
Clusters of recordings that sound alike, without any label, named from their tags (unsupervised).

Embeddings are reduced to principal components of norm 1 and clustered by k-means; each recording belongs to the
centroid, scaled to norm 1, with the highest cosine (spherical k-means). A cluster is named after the tags whose mean
confidence in it exceeds that of the catalogue most (lift). A tag counts from a mean confidence of .1 on: below, a high
lift says little. Tags that name a gender name no cluster, since a voice does not tell it.

Clusters are learned from recordings whose consent is granted (or unknown, if allowed); every recording with an
embedding is in one of them. Same vectors, number and seed: same clusters.

Source: Dhillon, Modha, Concept Decompositions for Large Sparse Text Data Using Clustering (Machine Learning 2001).
"""

import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.arrays import F32, F64, I64, Bool
from recsys.columns import Column, schema
from recsys.dataset.feature_vectors import unit_rows
from recsys.errors import InputError
from recsys.tags.labels import names_gender

CLUSTERS = "clusters"  # the tagger, and the folder of the home
CLUSTERS_COLUMNS = (
    Column("cluster", pl.Int32()),
    Column("name", pl.String()),
    Column("n_tracks", pl.Int64()),
    Column("tags", pl.List(pl.String())),
    Column("lifts", pl.List(pl.Float64())),
    Column("central_tracks", pl.List(pl.String())),
)
MAX_DEFAULT = 40  # clusters, unless a number is given
MAX_FIT = 50_000  # recordings that clusters are learned from, a random sample if there are more
N_COMPONENTS = 64
CHUNK = 16_384  # recordings that are projected at once
N_STARTS = 10  # starts of k-means; the one with the lowest inertia is used
N_TAGS = 3  # tags that name a cluster
N_CENTRAL = 3
MIN_CONFIDENCE = 0.1  # mean confidence of a tag in a cluster that it may name
MIN_LIFT = 1.1  # of such a tag
SAME = 1e-9  # squared distance below which points are the same


@dataclass(frozen=True, eq=False)
class Clusters:
    """
    Clusters of recordings, numbered from the largest.

    Attributes:
        of_row: Cluster of each recording, from 0; -1 for recordings without an embedding. Shape (n,).
        cosine: Cosine to the centroid, -1..1; NaN without an embedding. Shape (n,).
    """

    of_row: I64
    cosine: F64

    @property
    def n(self) -> int:
        """Number of clusters."""
        return int(self.of_row.max(initial=-1)) + 1


def default_number(n: int) -> int:
    """Return how many clusters are made of n recordings by default: sqrt(n / 2), 2..40."""
    return int(np.clip(round(np.sqrt(n / 2)), 2, MAX_DEFAULT))


def cluster(vectors: F32, may_learn: Bool, *, n_clusters: int | None = None, seed: int = 7) -> Clusters:
    """
    Cluster recordings by their embeddings.

    Args:
        vectors: Embeddings of one encoder; a row of NaN or zeros has none. Shape (n, n_dimensions).
        may_learn: Recordings that clusters may be learned from. Shape (n,).
        n_clusters: At most how many clusters, at least 1; None for `default_number`. There are fewer if fewer different
            embeddings may be learned from, or if a cluster gets no recording.
        seed: Seed of sample and starts.

    Raises:
        InputError: No recording with an embedding may be learned from.
    """
    has_vector = np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1)
    learned = np.flatnonzero(has_vector & may_learn)
    if not len(learned):
        raise InputError(
            f"clusters: found {has_vector.sum()} recordings with an embedding, of which 0 may be learned from; "
            "expected at least 1. Scan their audio (recsys audio scan), or deliver their training_consent"
        )
    rng = np.random.default_rng(seed)
    if len(learned) > MAX_FIT:
        learned = np.sort(rng.choice(learned, MAX_FIT, replace=False))
    points = _points(vectors, learned)
    centroids = _centroids(points[learned], n_clusters or default_number(len(learned)), seed)
    cosines = np.where(has_vector[:, None], points @ centroids.T, np.nan)  # (n, n_clusters)
    of_row = np.where(has_vector, np.nan_to_num(cosines).argmax(axis=1), -1)
    ordered = _by_size(of_row)
    own = np.take_along_axis(cosines, of_row.clip(min=0)[:, None], axis=1)[:, 0]
    return Clusters(ordered, own)


def _points(vectors: F32, learned: I64) -> F64:
    """Return principal components of the recordings learned from, for all recordings, scaled to norm 1."""
    unit = _unit(vectors[learned])
    mean = unit.mean(axis=0)
    values, axes = np.linalg.eigh((unit - mean).T @ (unit - mean))
    leading = axes[:, np.argsort(-values, kind="stable")[:N_COMPONENTS]]
    if values.max() <= SAME:  # all embeddings are the same: their direction is all there is
        mean, leading = np.zeros_like(mean), np.eye(len(mean))
    points = np.empty((len(vectors), leading.shape[1]))
    for start in range(0, len(points), CHUNK):
        rows = slice(start, start + CHUNK)
        points[rows] = unit_rows((_unit(vectors[rows]) - mean) @ leading)
    return points


def _unit(vectors: F32) -> F64:
    found: F64 = unit_rows(np.nan_to_num(vectors.astype(np.float64)))
    return found


def _centroids(points: F64, n_clusters: int, seed: int) -> F64:
    """Return the centroids of at most n clusters, scaled to norm 1. Shape (n_found, n_dimensions)."""
    from sklearn.cluster import KMeans  # noqa: PLC0415 - pages import this room, and need no clusters
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    n_clusters = min(n_clusters, len(np.unique(points.round(6), axis=0)))
    with threadpool_limits(1), warnings.catch_warnings():  # sums of several threads depend on their order
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different points than clusters
        fitted = KMeans(n_clusters, n_init=N_STARTS, random_state=seed).fit(points)
    return unit_rows(fitted.cluster_centers_)


def _by_size(of_row: I64) -> I64:
    """Number clusters from the largest, equally large ones by their first recording; -1 stays."""
    known = of_row[of_row >= 0]
    numbers, first, sizes = np.unique(known, return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    number_of = np.full(of_row.max(initial=-1) + 2, -1)
    number_of[numbers[order]] = np.arange(len(numbers))
    return number_of[of_row]  # -1 is the last element, which no cluster has


def describe(found: Clusters, track_ids: pl.Series, tags: pl.DataFrame) -> pl.DataFrame:
    """
    Name clusters, and list the recordings nearest to their centroids.

    Args:
        found: The clusters.
        track_ids: The recordings. Shape (n,).
        tags: track_id, tag, confidence: the tags of the catalogue, at most one row per recording and tag.

    Returns:
        CLUSTERS_COLUMNS, by cluster, which are numbered from 1: the name, such as 'cluster 03: ambient, piano'; number
        of recordings; tags that name it with their lifts; up to three recordings, the most central first.
    """
    own = pl.DataFrame({"track_id": track_ids, "cluster": found.of_row, "cosine": found.cosine})
    members = own.filter(pl.col("cluster") >= 0).with_columns(pl.col("cluster").cast(pl.Int32) + 1)
    central = members.sort("cosine", "track_id", descending=[True, False]).group_by("cluster", maintain_order=True)
    sizes = central.agg(n_tracks=pl.len().cast(pl.Int64), central_tracks=pl.col("track_id").head(N_CENTRAL))
    named = sizes.join(_names(members, tags), on="cluster", how="left").sort("cluster")
    number = pl.col("cluster").cast(pl.String).str.zfill(2)
    words = pl.col("tags").list.join(", ")
    name = pl.when(pl.col("tags").is_null()).then(pl.format("cluster {}", number))
    return named.with_columns(
        name=name.otherwise(pl.format("cluster {}: {}", number, words)),
        tags=pl.col("tags").fill_null([]),
        lifts=pl.col("lifts").fill_null([]),
    ).select(schema(CLUSTERS_COLUMNS).names())


def _names(members: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """Return cluster, tags, lifts of clusters that have tags with enough confidence and lift, highest lift first."""
    of_no_gender = tags.filter(~pl.col("tag").map_elements(names_gender, return_dtype=pl.Boolean))
    known = of_no_gender.join(members.select("track_id", "cluster"), on="track_id")
    sizes = members.filter(pl.col("track_id").is_in(tags["track_id"].unique().implode())).group_by("cluster").len()
    n_all = max(int(sizes["len"].sum()), 1)
    overall = known.group_by("tag").agg(overall=pl.col("confidence").sum() / n_all)
    means = known.group_by("cluster", "tag").agg(pl.col("confidence").sum()).join(sizes, on="cluster")
    lifted = (
        means.with_columns(mean=pl.col("confidence") / pl.col("len"))
        .join(overall, on="tag")
        .with_columns(lift=pl.col("mean") / pl.col("overall"))
        .filter(pl.col("mean") >= MIN_CONFIDENCE, pl.col("lift") >= MIN_LIFT)
    )
    ordered = lifted.sort("lift", "tag", descending=[True, False]).group_by("cluster", maintain_order=True)
    return ordered.agg(tags=pl.col("tag").head(N_TAGS), lifts=pl.col("lift").head(N_TAGS))


def cluster_tags(found: Clusters, track_ids: pl.Series, described: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `audio_tags`: the name of each recording's cluster, with its cosine, 0..1, as confidence."""
    rows = np.flatnonzero(found.of_row >= 0)
    n = len(rows)
    return pl.DataFrame(
        {
            "track_id": track_ids.gather(rows),
            "tagger": pl.repeat(CLUSTERS, n, eager=True, dtype=pl.String),
            "tag": described["name"].gather(found.of_row[rows]),
            "kind": pl.repeat("other", n, eager=True, dtype=pl.String),
            "confidence": found.cosine[rows].clip(0, 1),
        }
    )
