"""
Communities of listeners who like the same artists, and clusters of tracks with the same listeners.

A listener's vector is the tf-idf weights of the artists they like, reduced by a truncated singular value decomposition
(SVD); a track's vector is the mean of its listeners' vectors, scaled to norm 1. Vectors are clustered by k-means,
starting from the previous run's groups; a fresh start is used only if its distances are clearly smaller. Groups keep
their number from run to run: new groups are matched with the previous run's groups by shared members.

Source: Arthur, Vassilvitskii, k-means++ (SODA 2007); Kuhn, The Hungarian Method for the Assignment Problem (1955).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment
from scipy.special import rel_entr
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_limits

from recsys.analytics.settings import CommunitySettings
from recsys.arrays import F64, Csr, Rows
from recsys.columns import Column, schema
from recsys.dataset.feature_vectors import artists_of, tfidf, unit_rows
from recsys.dataset.interactions import Interactions

KIND, COMMUNITY = Column("kind", pl.String()), Column("community", pl.Int32())
COMMUNITIES_COLUMNS = (
    KIND,
    COMMUNITY,
    Column("name", pl.String()),
    Column("n_members", pl.Int64()),
    Column("artists", pl.List(pl.String())),
    Column("genres", pl.List(pl.String())),
)
COMMUNITY_MEMBERS_COLUMNS = (KIND, Column("member_id", pl.String()), COMMUNITY)
LISTENERS, TRACKS = "listeners", "tracks"
N_DIMENSIONS = 32
N_STARTS = 10  # fresh starts of k-means; the one with the lowest inertia is used
MAX_INERTIA_RATIO = 0.95  # a fresh start is used only if its inertia is below this share of the other
MIN_MEMBERS = 20  # smaller groups are dissolved: their members join the nearest group
MIN_LISTENERS = 5  # tracks with fewer listeners are in no cluster
MIN_SHARED = 0.1  # minimum Jaccard similarity to a previous group for keeping its number
N_DISTINCTIVE = 3  # artists, and genres, that describe a group


def communities(
    interactions: Interactions, artists: pl.DataFrame, settings: CommunitySettings, previous: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Group listeners into communities and tracks into clusters.

    Args:
        interactions: Interactions whose track features include 'artist=...' and 'genre=...'.
        artists: artist_id, name.
        settings: Maximum numbers of groups, and the seed.
        previous: The members that the previous run returned, so that groups keep their numbers; empty at the first run.

    Returns:
        Two tables. The groups, with COMMUNITIES_COLUMNS: kind ('listeners' or 'tracks'), community (the group's
        number), name, n_members, and the artists and genres that distinguish the group from all groups together,
        most distinctive first. The members, with COMMUNITY_MEMBERS_COLUMNS: kind, member_id (a user_id or track_id),
        community. Listeners without a liked artist and tracks with fewer than MIN_LISTENERS listeners are left out.
    """
    plays = (interactions.matrix > 0).astype(np.float64)
    vectors = listener_vectors(plays @ artists_of(interactions.track_features), settings.seed)
    placed = np.flatnonzero(np.abs(vectors).sum(axis=1))
    tracks = np.flatnonzero(np.bincount(plays[placed].indices, minlength=plays.shape[1]) >= MIN_LISTENERS)
    of_tracks = unit_rows(plays[placed].T.tocsr()[tracks] @ vectors[placed])
    parts = [
        (LISTENERS, interactions.users.ids(placed), vectors[placed], settings.listeners, plays[placed]),
        (TRACKS, interactions.tracks.ids(tracks), of_tracks, settings.tracks, _as_listeners(tracks, plays)),
    ]
    tables, members = [], []
    for kind, ids, vectors, n_groups, played in parts:
        before = previous.filter(kind=kind)
        known = pl.DataFrame({"member_id": ids}).join(before, on="member_id", how="left", maintain_order="left")
        group = cluster(vectors, n_groups, settings.seed, known["community"].fill_null(-1).to_numpy())
        current = pl.DataFrame({"member_id": ids, "community": group})
        current = current.with_columns(community=match_group_numbers(current, before))
        members.append(current.select(pl.lit(kind).alias("kind"), "member_id", "community"))
        tables.append(_described(kind, current["community"].to_numpy(), played, interactions, artists))
    return pl.concat(tables), pl.concat(members).cast(schema(COMMUNITY_MEMBERS_COLUMNS))


def listener_vectors(played: Csr, seed: int) -> F64:
    """
    Compute listener vectors by latent semantic analysis of the artists they like.

    Args:
        played: Number of liked tracks by listener and artist. CSR, shape (n_listeners, n_artists).
        seed: Seed of the start vector of the decomposition.

    Returns:
        Vectors of norm 1; zeros without a liked artist. Shape (n_listeners, at most N_DIMENSIONS), float64.
    """
    n_dimensions = min(N_DIMENSIONS, min(played.shape) - 1)
    weights = tfidf(played)
    if n_dimensions < 1 or not weights.count_nonzero():  # no artist distinguishes listeners
        return np.zeros((played.shape[0], 1))
    vectors: F64 = TruncatedSVD(n_dimensions, algorithm="arpack", random_state=seed).fit_transform(weights)
    return unit_rows(vectors)


def cluster(points: F64, n_groups: int, seed: int, previous: Rows) -> Rows:
    """
    Cluster points by k-means, and move the members of small groups to the nearest other group.

    Args:
        points: Shape (n_points, n_dimensions).
        n_groups: Maximum number of groups.
        seed: Seed of the fresh starts.
        previous: Each point's group in the previous run, -1 if it had none. Shape (n_points,).

    Returns:
        The group of each point, numbered by size: 0 is the largest. Shape (n_points,), int64.
    """
    n_groups = max(1, min(n_groups, len(points) // MIN_MEMBERS))
    if n_groups == 1:
        return np.zeros(len(points), np.int64)
    with threadpool_limits(1, user_api="openmp"):  # threads add up the centres in any order, which changes rounding
        fitted = KMeans(n_groups, n_init=N_STARTS, random_state=seed).fit(points)
        if (previous >= 0).any():
            means = np.stack([points[previous == number].mean(axis=0) for number in np.unique(previous[previous >= 0])])
            continued = KMeans(len(means), init=means).fit(points)
            if fitted.inertia_ > MAX_INERTIA_RATIO * continued.inertia_:
                fitted = continued
    large = np.bincount(fitted.labels_, minlength=len(fitted.cluster_centers_)) >= MIN_MEMBERS
    group: Rows = pairwise_distances_argmin(points, fitted.cluster_centers_[large])
    by_size = np.argsort(-np.bincount(group), kind="stable")
    return np.argsort(by_size)[group].astype(np.int64)


def match_group_numbers(members: pl.DataFrame, previous: pl.DataFrame) -> pl.Series:
    """
    Renumber new groups: each gets the number of the previous run's most similar group, or a new number.

    Groups are matched one to one, so that the sum of Jaccard similarities of their members is as large as possible.

    Args:
        members: The new groups: member_id, community.
        previous: The previous run's groups: member_id, community.

    Returns:
        The number of each member's group, aligned with `members`. New numbers are above all previous numbers.
    """
    now, before = members["community"].unique().sort(), previous["community"].unique().sort()
    both = members.join(previous, on="member_id", suffix="_before")
    shared = np.zeros((len(now), len(before)))
    np.add.at(shared, (now.search_sorted(both["community"]), before.search_sorted(both["community_before"])), 1)
    sizes = [frame.group_by("community").len().sort("community")["len"].to_numpy() for frame in (members, previous)]
    jaccard = shared / (sizes[0][:, None] + sizes[1][None] - shared) if len(before) else shared
    rows, columns = linear_sum_assignment(-jaccard)
    is_match = jaccard[rows, columns] >= MIN_SHARED
    numbers = np.full(len(now), -1)
    numbers[rows[is_match]] = before.to_numpy()[columns[is_match]]
    first = 1 + (before[-1] if len(before) else 0)
    numbers[numbers < 0] = np.arange(first, first + (numbers < 0).sum())
    return pl.Series("community", numbers[now.search_sorted(members["community"])])


def _described(
    kind: str, community: npt.NDArray[Any], played: Csr, interactions: Interactions, artists: pl.DataFrame
) -> pl.DataFrame:
    """Return one row of COMMUNITIES_COLUMNS per group."""
    numbers, group = np.unique(community, return_inverse=True)
    member = sp.csr_matrix((np.ones(len(group)), (group, np.arange(len(group)))), shape=(len(numbers), len(group)))
    by_track = (member @ played).tocsr()  # (n_communities, n_tracks)
    features = interactions.track_features
    ids = features.names.ids()
    distinctive = {column: _distinctive(by_track, features.matrix, ids, column) for column in ("artist", "genre")}
    names = dict(artists.iter_rows())
    by_name = [[str(names.get(artist) or artist) for artist in row] for row in distinctive["artist"]]
    genres = distinctive["genre"]
    titles = [", ".join(row) + (f" ({genre[0]})" if genre else "") for row, genre in zip(by_name, genres, strict=True)]
    rows = zip([kind] * len(numbers), numbers, titles, np.bincount(group), by_name, genres, strict=True)
    return pl.DataFrame(list(rows), schema(COMMUNITIES_COLUMNS), orient="row")


def _distinctive(by_track: Csr, features: Csr, names: pl.Series, column: str) -> list[list[str]]:
    """Return, per row, the N_DISTINCTIVE values of a feature column that add most to its divergence from all rows."""
    chosen = names.str.starts_with(f"{column}=") & (names != f"{column}=unknown")
    values = names.filter(chosen).str.strip_prefix(f"{column}=")
    counts = (by_track @ features[:, np.flatnonzero(chosen.to_numpy())]).toarray()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    overall = counts.sum(axis=0) / max(counts.sum(), 1)
    divergence = rel_entr(share, overall)
    best = np.argsort(-divergence, axis=1, kind="stable")[:, :N_DISTINCTIVE]
    return [[values[int(j)] for j in row if divergence[i, j] > 0] for i, row in enumerate(best)]


def _as_listeners(tracks: Rows, plays: Csr) -> Csr:
    """Return a row for each of these tracks: its number of listeners in its own column, 0 elsewhere. CSR."""
    n_listeners = np.bincount(plays.indices, minlength=plays.shape[1])[tracks].astype(np.float64)
    return sp.csr_matrix((n_listeners, (np.arange(len(tracks)), tracks)), shape=(len(tracks), plays.shape[1]))
