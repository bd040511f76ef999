"""
Who listens alike, and what is listened to by the same people: communities of listeners and clusters of tracks, named.

A listener is a point: the artists they play, rare ones saying more, brought down to a few dimensions by a truncated
singular value decomposition; a track is the mean of its listeners. Points are grouped by k-means, which begins with the
last night's groups and leaves them only for others that are clearly tighter. A group keeps its number from night to
night: new groups are matched to the last night's by how many members they share.

Source: Arthur, Vassilvitskii, k-means++ (SODA 2007); Kuhn, The Hungarian Method for the Assignment Problem (1955).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp
from scipy.cluster.vq import kmeans2
from scipy.optimize import linear_sum_assignment
from scipy.sparse.linalg import svds

from recsys.arrays import F64, Csr, Rows
from recsys.columns import Column, schema
from recsys.dataset.feature_vectors import artists_of, unit_rows
from recsys.dataset.interactions import Interactions
from recsys.errors import BadRecipe

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
N_STARTS = 5  # of k-means, of which the tightest stays
TIGHTER = 0.95  # of the last night's groups' squared distances: what other groups must stay below to replace them
N_ITERATIONS = 50
MIN_MEMBERS = 20  # a smaller group is no community: its members join the nearest one
MIN_LISTENERS = 5  # of a track that is to be placed by them
MIN_SHARED = 0.1  # Jaccard: with less in common, a group is a new one
N_NAMED = 3  # artists that a group is named after


@dataclass(frozen=True)
class CommunitySettings:
    """How many groups are looked for, at most: `listeners` communities and `tracks` clusters; `seed` of their start."""

    listeners: int = 12
    tracks: int = 24
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse fewer than one group."""
        if min(self.listeners, self.tracks) < 1 or self.seed < 0:
            raise BadRecipe(f"[communities]: {self}; expected one group at least, and a seed of 0 or more")


def communities(
    interactions: Interactions, artists: pl.DataFrame, settings: CommunitySettings, last: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Group listeners and tracks.

    Args:
        interactions: Who liked what; its track features name artists ('artist=...') and genres ('genre=...').
        artists: artist_id, name.
        settings: How many groups, and the seed.
        last: The last night's members (see below), which groups keep their number by; empty before the first.

    Returns:
        The groups: kind ('listeners' or 'tracks'), community, name, n_members, artists, genres (what they play, or are,
        more than others, the most telling first). And the members: kind, member_id (of a listener or track), community.
        Tracks with few listeners and listeners without a liked artist are in none.
    """
    plays = (interactions.matrix > 0).astype(np.float64)
    points = listener_points(plays @ artists_of(interactions.track_features), settings.seed)
    placed = np.flatnonzero(np.abs(points).sum(axis=1))
    heard = np.flatnonzero(np.bincount(plays[placed].indices, minlength=plays.shape[1]) >= MIN_LISTENERS)
    of_tracks = _unit(plays[placed].T.tocsr()[heard] @ points[placed])
    parts = [
        (LISTENERS, interactions.users.ids(placed), points[placed], settings.listeners, plays[placed]),
        (TRACKS, interactions.tracks.ids(heard), of_tracks, settings.tracks, _own(heard, plays)),
    ]
    tables, members = [], []
    for kind, ids, at, n_groups, played in parts:
        before = last.filter(kind=kind)
        known = pl.DataFrame({"member_id": ids}).join(before, on="member_id", how="left", maintain_order="left")
        group = grouped(at, n_groups, settings.seed, known["community"].fill_null(-1).to_numpy())
        own = pl.DataFrame({"member_id": ids, "community": group})
        own = own.with_columns(community=kept_numbers(own, before))
        members.append(own.select(pl.lit(kind).alias("kind"), "member_id", "community"))
        tables.append(_described(kind, own["community"].to_numpy(), played, interactions, artists))
    return pl.concat(tables), pl.concat(members).cast(schema(COMMUNITY_MEMBERS_COLUMNS))


def listener_points(played: Csr, seed: int) -> F64:
    """
    Place listeners by the artists they play, shape (n_listeners, at most N_DIMENSIONS), length 1 (0: plays nobody).

    Args:
        played: How many tracks of each artist a listener likes. CSR, shape (n_listeners, n_artists).
        seed: Of the decomposition's start.
    """
    n_listeners, n_artists = played.shape
    n_dimensions = min(N_DIMENSIONS, min(played.shape) - 1)
    n_with = np.bincount(played.indices, minlength=n_artists)
    weights = unit_rows((played.log1p() @ sp.diags(np.log(n_listeners / np.maximum(n_with, 1)))).tocsr())
    if n_dimensions < 1 or not weights.count_nonzero():  # no artist tells one listener from another
        return np.zeros((n_listeners, 1))
    start = np.random.default_rng(seed).standard_normal(min(played.shape))
    left, values, _ = svds(weights, k=n_dimensions, v0=start)
    return _unit(left * values)


def grouped(points: F64, n_groups: int, seed: int, last: Rows) -> Rows:
    """
    Return the group of each point, 0 the largest, shape (n_points,): k-means, small groups dissolved.

    Args:
        points: Shape (n_points, n_dimensions).
        n_groups: How many, at most.
        seed: Of the starts.
        last: The group of each point the last night, -1 where it was in none. Shape (n_points,).
    """
    n_groups = max(1, min(n_groups, len(points) // MIN_MEMBERS))
    if n_groups == 1:
        return np.zeros(len(points), np.int64)
    rng = np.random.default_rng(seed)
    fresh = [kmeans2(points, n_groups, iter=N_ITERATIONS, minit="++", rng=rng)[0] for _ in range(N_STARTS)]
    centres = min(fresh, key=lambda found: _spread(points, found))
    if (last >= 0).any():
        means = np.stack([points[last == number].mean(axis=0) for number in np.unique(last[last >= 0])])
        kept = kmeans2(points, means, iter=N_ITERATIONS, minit="matrix")[0]
        centres = kept if _spread(points, centres) > TIGHTER * _spread(points, kept) else centres
    large = np.bincount(_nearest(points, centres), minlength=len(centres)) >= MIN_MEMBERS
    group = _nearest(points, centres[large])
    by_size = np.argsort(-np.bincount(group), kind="stable")
    return np.argsort(by_size)[group].astype(np.int64)


def _nearest(points: F64, centres: F64) -> Rows:
    """Return the nearest centre of each point."""
    nearest: Rows = ((centres**2).sum(axis=1) - 2 * points @ centres.T).argmin(axis=1)
    return nearest


def _spread(points: F64, centres: F64) -> float:
    """Sum the squared distances to the nearest centre."""
    return float(((points - centres[_nearest(points, centres)]) ** 2).sum())


def kept_numbers(members: pl.DataFrame, last: pl.DataFrame) -> pl.Series:
    """
    Number tonight's groups as last night's that they share most members with; new ones get numbers never used then.

    Args:
        members: member_id, community.
        last: The same of last night.

    Returns:
        The number of each member's community, aligned with `members`.
    """
    now, before = members["community"].unique().sort(), last["community"].unique().sort()
    both = members.join(last, on="member_id", suffix="_before")
    shared = np.zeros((len(now), len(before)))
    np.add.at(shared, (now.search_sorted(both["community"]), before.search_sorted(both["community_before"])), 1)
    sizes = [frame.group_by("community").len().sort("community")["len"].to_numpy() for frame in (members, last)]
    jaccard = shared / (sizes[0][:, None] + sizes[1][None] - shared) if len(before) else shared
    rows, at = linear_sum_assignment(-jaccard)
    same = jaccard[rows, at] >= MIN_SHARED
    numbers = np.full(len(now), -1)
    numbers[rows[same]] = before.to_numpy()[at[same]]
    first = 1 + (before[-1] if len(before) else 0)
    numbers[numbers < 0] = np.arange(first, first + (numbers < 0).sum())
    return pl.Series("community", numbers[now.search_sorted(members["community"])])


def _described(
    kind: str, community: npt.NDArray[Any], played: Csr, interactions: Interactions, artists: pl.DataFrame
) -> pl.DataFrame:
    """Return a row for each community: what its members play, or are, more than all others."""
    numbers, at = np.unique(community, return_inverse=True)
    member = sp.csr_matrix((np.ones(len(at)), (at, np.arange(len(at)))), shape=(len(numbers), len(at)))
    by_track = (member @ played).tocsr()  # (n_communities, n_tracks)
    features = interactions.track_features
    told = {column: _telling(by_track, features.matrix, features.names.ids(), column) for column in ("artist", "genre")}
    names = dict(artists.iter_rows())
    by_name = [[str(names.get(artist) or artist) for artist in row] for row in told["artist"]]
    genres = told["genre"]
    titles = [", ".join(row) + (f" ({genre[0]})" if genre else "") for row, genre in zip(by_name, genres, strict=True)]
    rows = zip([kind] * len(numbers), numbers, titles, np.bincount(at), by_name, genres, strict=True)
    return pl.DataFrame(list(rows), schema(COMMUNITIES_COLUMNS), orient="row")


def _telling(by_track: Csr, features: Csr, names: pl.Series, column: str) -> list[list[str]]:
    """Return, for each row, the values of a feature column that tell it from all rows together, the best first."""
    chosen = names.str.starts_with(f"{column}=") & (names != f"{column}=unknown")
    values = names.filter(chosen).str.strip_prefix(f"{column}=")
    counts = (by_track @ features[:, np.flatnonzero(chosen.to_numpy())]).toarray()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    overall = counts.sum(axis=0) / max(counts.sum(), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        says = np.where(share > 0, share * np.log(share / overall), 0)  # its part of the divergence from everybody
    best = np.argsort(-says, axis=1, kind="stable")[:, :N_NAMED]
    return [[values[int(j)] for j in row if says[i, j] > 0] for i, row in enumerate(best)]


def _own(tracks: Rows, plays: Csr) -> Csr:
    """Each track as if it were a listener who played it as often as all its listeners did."""
    n_listeners = np.bincount(plays.indices, minlength=plays.shape[1])[tracks].astype(np.float64)
    return sp.csr_matrix((n_listeners, (np.arange(len(tracks)), tracks)), shape=(len(tracks), plays.shape[1]))


def _unit(points: F64) -> F64:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.where(lengths > 1e-12, lengths, 1)
