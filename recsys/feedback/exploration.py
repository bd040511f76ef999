"""
A few places of each list for finding out: a policy draws what stands there, and its dice are logged.

The rules of the lists hold for what it draws from: a list is chosen longer than it is shown, and the policy takes from
its tail. Places are drawn one after the other, each from what is left; a propensity is that of its own draw.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from recsys.arrays import F64, I32, I64, Bool
from recsys.columns import PROPENSITY, RANK, TRACK_ID, USER_ID, Column
from recsys.dataset.feature_vectors import artists_of
from recsys.errors import BadRecipe, did_you_mean
from recsys.feedback.bandits import LinUCB, Policy, Posterior, Thompson, choose
from recsys.rerank.base import CandidateSet, RerankContext, positions_of

POLICIES: dict[str, Policy] = {"thompson": Thompson(), "linucb": LinUCB()}
FEATURES = ("one", "relevance", "mix", "popularity", "unplayed", "new_artist", "beyond_usual")
DRAWN = (Column("option_no", pl.Int32()), Column("n_options", pl.Int32()), Column("features", pl.List(pl.Float64())))
EXPLORATIONS_COLUMNS = (
    *(Column("served_on", pl.Date()), Column("until", pl.Date()), USER_ID, RANK, TRACK_ID),
    *(Column("policy", pl.String()), PROPENSITY, *DRAWN),
)
N_FOLDS = 5.0  # natural logarithms: beyond so many times the usual popularity, all is the same


@dataclass(frozen=True)
class ExplorationSettings:
    """
    How much is found out.

    Attributes:
        share: Of the places of each list, 0..0.5, rounded to whole places; 0: nothing.
        policy: 'thompson' or 'linucb' (see `feedback.bandits`).
        pool: How many tracks each place is drawn from, at least 2.
        days: A play within so many days counts as liked [d].
        seed: Of the dice, which fall anew every night.
    """

    share: float = 0.05
    policy: str = "thompson"
    pool: int = 20
    days: int = 7
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse lists that are mostly dice, and a policy that nobody knows."""
        if not 0 <= self.share <= 0.5 or self.pool < 2 or self.days < 1:
            raise BadRecipe(f"[exploration]: {self}; expected share 0..0.5, pool at least 2, days at least 1")
        if self.policy not in POLICIES:
            hint = did_you_mean(self.policy, POLICIES)
            raise BadRecipe(f"[exploration]: policy is {self.policy!r}; expected {' or '.join(POLICIES)}.{hint}")

    def places(self, k: int) -> I64:
        """Which places of a list of k, from 0: spread evenly, neither the head nor the end."""
        n = round(self.share * k)
        return ((np.arange(n) + 0.5) * k / max(1, n)).astype(np.int64)

    def length(self, k: int) -> int:
        """How long a list must be chosen for its tail to be drawn from."""
        n = len(self.places(k))
        return k - n + self.pool if n else k

    def dice(self, as_of: date) -> np.random.Generator:
        """The dice of one night."""
        return np.random.default_rng([self.seed, as_of.toordinal()])


def explore(
    long_lists: pl.DataFrame,
    context: RerankContext,
    k: int,
    *,
    settings: ExplorationSettings,
    posterior: Posterior,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """
    Give some places of each list to the policy.

    Args:
        long_lists: user_id, track_id, rank, score ..., listener by listener, `settings.length(k)` long where possible.
        context: What is known of listeners and tracks.
        k: Places that are shown.
        settings: How many places, which policy.
        posterior: What was learned so far, of `FEATURES`.
        rng: The dice.

    Returns:
        Lists of k with is_explored, propensity (1 where nothing was drawn) and, of what was drawn, option_no (1: the
        recommender's own choice among what was left), n_options and features; null elsewhere. A list too short to
        draw from stays as it is.
    """
    places = settings.places(k)
    n_kept = k - len(places)
    user, place = positions_of(long_lists)
    kept = long_lists.filter(pl.Series(place < n_kept, dtype=pl.Boolean)).with_columns(
        pl.Series(RANK.name, np.setdiff1d(np.arange(k), places)[place[place < n_kept]] + 1, RANK.dtype)
    )
    tail = long_lists.filter(pl.Series(place >= n_kept, dtype=pl.Boolean))
    options = describe(CandidateSet.of(long_lists, context, k))[:, n_kept:]
    policy = POLICIES[settings.policy]
    nothing = [pl.lit(None, column.dtype).alias(column.name) for column in DRAWN]
    parts = [kept.with_columns(nothing, is_explored=pl.lit(value=False), propensity=pl.lit(1.0))]
    row_of = np.full(options.shape[:2], -1)
    row_of[user[place >= n_kept], place[place >= n_kept] - n_kept] = np.arange(len(tail))
    for at in places:
        chances = policy.probabilities(posterior, options, rng)
        chooses = np.flatnonzero(chances.any(axis=1))
        chosen = choose(chances[chooses], rng)
        n_options = (~np.isnan(options[chooses, :, 0])).sum(axis=1)
        parts.append(
            tail[row_of[chooses, chosen]].with_columns(
                pl.Series(RANK.name, np.full(len(chosen), at + 1), RANK.dtype),
                is_explored=pl.lit(value=True),
                propensity=pl.Series(chances[chooses, chosen]),
                option_no=pl.Series(_place_among(options[chooses], chosen), dtype=pl.Int32),
                n_options=pl.Series(n_options, dtype=pl.Int32),
                features=pl.Series(options[chooses, chosen].tolist(), dtype=pl.List(pl.Float64)),
            )
        )
        options[chooses, chosen] = np.nan  # nobody is shown it twice
    return _closed_up(pl.concat(parts, how="diagonal"), long_lists["user_id"].unique(maintain_order=True))


def describe(candidates: CandidateSet) -> F64:
    """
    Describe each candidate to the policy, shape (n_users, n, len(FEATURES)); NaN where there is none.

    one: 1. relevance: the recommender's, 0..1. mix: how much of the listener's mix of genres the track's own take up,
    0..1. popularity: log of its listeners, 0 none to 1 everybody. unplayed: nobody has played it. new_artist: the
    listener likes nothing by a known artist. beyond_usual: log of its popularity over the listener's usual, -1..1.
    """
    users, n = np.arange(len(candidates.tracks)), candidates.tracks.shape[1]
    tracks = np.maximum(candidates.tracks, 0)
    listeners, profile = candidates.profile.listener_counts[tracks], candidates.profile
    mix = profile.genre_mix[np.repeat(users, n)].multiply(profile.genres[tracks.ravel()]).sum(axis=1)
    own = profile.own_popularity[:, None]
    beyond = np.log(np.maximum(listeners, 1) / profile.n_listeners / np.where(np.isnan(own), np.nan, own)) / N_FOLDS
    features = np.stack(
        [
            np.ones(tracks.shape),
            candidates.relevance,
            np.asarray(mix).reshape(tracks.shape),
            np.log1p(listeners) / np.log1p(max(1, profile.n_listeners)),
            listeners == 0,
            _new_artists(candidates, tracks),
            np.nan_to_num(np.clip(beyond, -1, 1)),
        ],
        axis=2,
    )
    features[candidates.tracks < 0] = np.nan
    return features


def learned(feedback: pl.DataFrame) -> Posterior:
    """
    Learn from everything that was drawn and whose outcome is known.

    Args:
        feedback: features, reward, of marts.feedback; rows of other features (an older version's) are left out.
    """
    known = feedback.filter(pl.col("features").list.len() == len(FEATURES))
    features = np.array(known["features"].to_list(), np.float64).reshape(-1, len(FEATURES))
    return Posterior.prior(len(FEATURES)).updated(features, known["reward"].cast(pl.Float64).to_numpy())


def log_of(lists: pl.DataFrame, settings: ExplorationSettings, served_on: date) -> pl.DataFrame:
    """Keep what was drawn, with the days on which a play counts: EXPLORATIONS_COLUMNS and more."""
    days = timedelta(days=settings.days - 1)
    return lists.filter("is_explored").with_columns(
        served_on=pl.lit(served_on), until=pl.lit(served_on + days), policy=pl.lit(settings.policy)
    )


def _new_artists(candidates: CandidateSet, tracks: I32) -> Bool:
    """Whether the listener likes nothing by a candidate's artist; False where the artist is not known."""
    liked = (
        candidates.profile.liked.astype(np.float32) @ artists_of(candidates.context.interactions.track_features)
    ).tocsr()
    artists, n_artists = candidates.context.artists[tracks], max(1, liked.shape[1])
    known = np.repeat(np.arange(len(tracks)), np.diff(liked.indptr)) * n_artists + liked.indices
    pairs = np.arange(len(tracks))[:, None] * n_artists + artists
    new: Bool = ~np.isin(pairs, known) & (artists >= 0)
    return new


def _place_among(options: F64, chosen: I64) -> I64:
    """Which of the options that were left each choice was, from 1, in the recommender's order."""
    is_left = ~np.isnan(options[:, :, 0])
    place: I64 = is_left.cumsum(axis=1)[np.arange(len(chosen)), chosen]
    return place


def _closed_up(lists: pl.DataFrame, listeners: pl.Series) -> pl.DataFrame:
    """Order rows by listener and rank, and number them again where a list has gaps."""
    order = pl.DataFrame({"user_id": listeners}).with_row_index("place")
    ordered = lists.join(order, on="user_id").sort("place", "rank").drop("place")
    return ordered.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("user_id"))
