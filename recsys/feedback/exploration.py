"""
Exploration slots: a bandit policy fills a few positions of each list, and its propensities are logged.

Rerank rules apply to explored tracks too: reranking selects more tracks than are shown, and the policy draws from the
surplus. Slots are filled one after the other, without repeating a track. The propensity of a track is the probability
with which its slot chose it, given the slots before.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

import numpy as np
import polars as pl
from msgspec import Meta

from recsys.arrays import F64, I32, I64, Bool
from recsys.columns import PROPENSITY, RANK, TRACK_ID, USER_ID, Column
from recsys.dataset.feature_vectors import artists_of
from recsys.feedback.bandits import LinUCB, Policy, Posterior, Thompson, choose
from recsys.rerank.base import CandidateSet, RerankContext, positions_of
from recsys.settings import MAX_VALUE, Count, Seed, Settings

POLICIES: dict[str, Policy] = {"thompson": Thompson(), "linucb": LinUCB()}
FEATURES = ("one", "relevance", "mix", "popularity", "unplayed", "new_artist", "beyond_usual")
DRAW_COLUMNS = (
    *(Column("option_no", pl.Int32()), Column("n_options", pl.Int32())),
    Column("features", pl.List(pl.Float64())),
)
EXPLORATIONS_COLUMNS = (
    *(Column("served_on", pl.Date()), Column("until", pl.Date()), USER_ID, RANK, TRACK_ID),
    *(Column("policy", pl.String()), PROPENSITY, *DRAW_COLUMNS),
)
LOG_LIMIT = 5.0  # natural log of a popularity ratio that is scaled to 1; larger ratios are clipped


@dataclass(frozen=True)
class ExplorationSettings(Settings):
    """
    The [exploration] section of a recipe.

    Attributes:
        share: Share of each list's positions that are exploration slots, 0..0.5, rounded to whole slots; 0 turns
            exploration off.
        policy: 'thompson' or 'linucb' (see `feedback.bandits`).
        pool: Number of tracks from which each slot is drawn, at least 2.
        days: Number of days within which a play counts as a reward [d].
        seed: Seed of the draws; each run date has its own random generator.
    """

    share: Annotated[float, Meta(ge=0, le=0.5)] = 0.05
    policy: Literal["thompson", "linucb"] = "thompson"
    pool: Annotated[int, Meta(ge=2, le=MAX_VALUE)] = 20
    days: Count = 7
    seed: Seed = 7

    def slots(self, k: int) -> I64:
        """Return the 0-based positions of the exploration slots in a list of k: evenly spaced, away from both ends."""
        n = round(self.share * k)
        return ((np.arange(n) + 0.5) * k / max(1, n)).astype(np.int64)

    def candidate_length(self, k: int) -> int:
        """
        Return how many tracks reranking must select per list of k.

        Beyond the tracks at fixed positions, `pool` tracks must remain for the exploration slots.
        """
        n = len(self.slots(k))
        return k - n + self.pool if n else k

    def generator(self, as_of: date) -> np.random.Generator:
        """Return the random generator for the run of a date."""
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
    Let the policy fill the exploration slots of each list.

    Args:
        long_lists: user_id, track_id, rank, score and other columns, with each listener's rows adjacent; lists have
            `settings.candidate_length(k)` tracks where possible.
        context: Interactions and track groups, from which the features are computed.
        k: Length of the returned lists.
        settings: Share of slots, policy and pool.
        posterior: The reward model over `FEATURES`.
        rng: Random generator.

    Returns:
        Lists of k tracks with is_explored and propensity (1 for tracks at fixed positions). Explored tracks also have
        option_no (position among the remaining tracks; 1 is the recommender's choice), n_options and features; these
        are null for other tracks. A list with no surplus tracks is returned without explored tracks.
    """
    slots = settings.slots(k)
    n_kept = k - len(slots)
    user, position = positions_of(long_lists)
    kept = long_lists.filter(pl.Series(position < n_kept, dtype=pl.Boolean)).with_columns(
        pl.Series(RANK.name, np.setdiff1d(np.arange(k), slots)[position[position < n_kept]] + 1, RANK.dtype)
    )
    tail = long_lists.filter(pl.Series(position >= n_kept, dtype=pl.Boolean))
    options = describe_options(CandidateSet.of(long_lists, context, k))[:, n_kept:]
    policy = POLICIES[settings.policy]
    not_drawn = [pl.lit(None, column.dtype).alias(column.name) for column in DRAW_COLUMNS]
    parts = [kept.with_columns(not_drawn, is_explored=pl.lit(value=False), propensity=pl.lit(1.0))]
    row_of = np.full(options.shape[:2], -1)
    row_of[user[position >= n_kept], position[position >= n_kept] - n_kept] = np.arange(len(tail))
    for slot in slots:
        probabilities = policy.probabilities(posterior, options, rng)
        users = np.flatnonzero(probabilities.any(axis=1))  # those with at least one remaining track
        chosen = choose(probabilities[users], rng)
        n_options = (~np.isnan(options[users, :, 0])).sum(axis=1)
        parts.append(
            tail[row_of[users, chosen]].with_columns(
                pl.Series(RANK.name, np.full(len(chosen), slot + 1), RANK.dtype),
                is_explored=pl.lit(value=True),
                propensity=pl.Series(probabilities[users, chosen]),
                option_no=pl.Series(_option_numbers(options[users], chosen), dtype=pl.Int32),
                n_options=pl.Series(n_options, dtype=pl.Int32),
                features=pl.Series(options[users, chosen].tolist(), dtype=pl.List(pl.Float64)),
            )
        )
        options[users, chosen] = np.nan  # each track is shown once
    return _renumbered(pl.concat(parts, how="diagonal"), long_lists["user_id"].unique(maintain_order=True))


def describe_options(candidates: CandidateSet) -> F64:
    """
    Return the feature vectors of the candidates, shape (n_users, n, len(FEATURES)); NaN in padded positions.

    The features are: 'one', the constant 1; 'relevance', the candidate's relevance, 0..1; 'mix', scalar product of the
    track's and the listener's genre shares, 0..1; 'popularity', log of 1 + the number of listeners who like the track,
    divided by its maximum, 0..1; 'unplayed', 1 if no listener likes the track; 'new_artist', 1 if the artist is known
    and the listener likes none of their tracks; 'beyond_usual', log ratio of the track's popularity to the mean
    popularity of the listener's liked tracks, scaled to -1..1.
    """
    users, n = np.arange(len(candidates.tracks)), candidates.tracks.shape[1]
    tracks = np.maximum(candidates.tracks, 0)
    profile = candidates.profile
    n_listeners = profile.listener_counts[tracks]
    mix = profile.genre_mix[np.repeat(users, n)].multiply(profile.genres[tracks.ravel()]).sum(axis=1)
    own = profile.liked_popularity[:, None]
    beyond = np.log(np.maximum(n_listeners, 1) / profile.n_listeners / np.where(np.isnan(own), np.nan, own)) / LOG_LIMIT
    features = np.stack(
        [
            np.ones(tracks.shape),
            candidates.relevance,
            np.asarray(mix).reshape(tracks.shape),
            np.log1p(n_listeners) / np.log1p(max(1, profile.n_listeners)),
            n_listeners == 0,
            _new_artists(candidates, tracks),
            np.nan_to_num(np.clip(beyond, -1, 1)),
        ],
        axis=2,
    )
    features[candidates.tracks < 0] = np.nan
    return features


def learn_posterior(feedback: pl.DataFrame) -> Posterior:
    """
    Return the posterior after all explored tracks whose reward is known.

    Args:
        feedback: The columns features and reward of marts.feedback. Rows that an older version logged with a different
            number of features are ignored.
    """
    known = feedback.filter(pl.col("features").list.len() == len(FEATURES))
    features = np.array(known["features"].to_list(), np.float64).reshape(-1, len(FEATURES))
    return Posterior.prior(len(FEATURES)).updated(features, known["reward"].cast(pl.Float64).to_numpy())


def exploration_log(lists: pl.DataFrame, settings: ExplorationSettings, served_on: date) -> pl.DataFrame:
    """
    Return one row per explored track: the columns of `lists`, and served_on, until and policy.

    `until` is the last day on which a play counts as a reward. All of EXPLORATIONS_COLUMNS are included.
    """
    days = timedelta(days=settings.days - 1)
    return lists.filter("is_explored").with_columns(
        served_on=pl.lit(served_on), until=pl.lit(served_on + days), policy=pl.lit(settings.policy)
    )


def _new_artists(candidates: CandidateSet, tracks: I32) -> Bool:
    """Return whether the listener likes no track by a candidate's artist; False where the artist is unknown."""
    track_artists = artists_of(candidates.context.interactions.track_features)
    liked = (candidates.profile.liked.astype(np.float32) @ track_artists).tocsr()  # (n_users, n_artists)
    artists, n_artists = candidates.context.artists[tracks], max(1, liked.shape[1])
    known = np.repeat(np.arange(len(tracks)), np.diff(liked.indptr)) * n_artists + liked.indices
    pairs = np.arange(len(tracks))[:, None] * n_artists + artists
    new: Bool = ~np.isin(pairs, known) & (artists >= 0)
    return new


def _option_numbers(options: F64, chosen: I64) -> I64:
    """Return the 1-based number of each chosen option among the remaining options, in the recommender's order."""
    is_left = ~np.isnan(options[:, :, 0])
    numbers: I64 = is_left.cumsum(axis=1)[np.arange(len(chosen)), chosen]
    return numbers


def _renumbered(lists: pl.DataFrame, listeners: pl.Series) -> pl.DataFrame:
    """Sort rows by listener (in the order of `listeners`) and rank, and number the ranks without gaps."""
    order = pl.DataFrame({"user_id": listeners}).with_row_index("position")
    ordered = lists.join(order, on="user_id").sort("position", "rank").drop("position")
    return ordered.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("user_id"))
