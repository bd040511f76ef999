"""
Simulate the feedback loop of a recommender that is retrained on plays of its own lists, with and without remedies.

A remedy is a set of rerank rules, exploration, or both. The simulated listeners start with the interactions of a real
log. Their like probabilities for all tracks are drawn once, from a low-rank model of the log plus noise, and stay
fixed. All tracks have the same mean like probability, so any concentration on popular tracks is an effect of the lists.

Each week: (1) the recommender is fitted on the log so far; (2) its candidates are turned into lists by the remedy;
(3) listeners play tracks of their lists as a model of choice says (`feedback.choice`); (4) they also play some tracks
that they find without the recommender, popular ones more often; (5) all plays are added to the log. The same random
numbers are used for every remedy.

Source:
    Chaney, Stewart, Engelhardt, How Algorithmic Confounding in Recommendation Systems Increases Homogeneity and
    Decreases Utility (2018); Mansoury et al., Feedback Loop and Bias Amplification in Recommender Systems (2020).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp
from scipy.sparse.linalg import svds
from scipy.special import expit

from recsys.arrays import F32, F64, I64, Bool
from recsys.dataset.feature_vectors import unit_rows
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError, did_you_mean
from recsys.evaluate.beyond_accuracy import gini
from recsys.evaluate.ranking import discounts
from recsys.feedback.bandits import Posterior
from recsys.feedback.choice import CHOICES, Shown
from recsys.feedback.exploration import FEATURES, ExplorationSettings, explore
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.rerank.base import RerankContext, RerankRule
from recsys.rerank.lists import rerank

N_PREFERENCES = 32  # dimensions of the preference model
STD_LOG_ODDS = 1.5  # standard deviation, per listener, of the log odds of liking a track
MEAN_LOG_ODDS = -4.0  # mean log odds of liking a track
NOISE = 0.5  # standard deviation of the noise, relative to that of the preferences inferred from plays
WEEK_DAYS = 7
ALIVE_WEEKS = 4  # an artist is alive if a list won them a new listener in the last so many weeks

Tell = Callable[[dict[str, Any]], None]  # called with every event, for progress messages


@dataclass(frozen=True)
class LoopSettings:
    """
    Settings of the simulation.

    Attributes:
        weeks: Number of weeks, with one retraining per week.
        recommender: The recommender that is retrained, with its default settings.
        k: Length of the lists.
        candidates: Number of candidates from which each list is chosen.
        organic: Number of tracks per week that each listener finds without the recommender.
        choice: What listeners play from a list: a model of `feedback.choice.CHOICES`.
        seed: Seed of the random numbers.
    """

    weeks: int = 12
    recommender: str = "als"
    k: int = 20
    candidates: int = 200
    organic: int = 2
    choice: str = "position"
    seed: int = 7

    def __post_init__(self) -> None:
        """Raise InputError if there is no such model of choice."""
        if self.choice not in CHOICES:
            raise InputError(
                f"choice: found {self.choice!r}, expected one of {', '.join(CHOICES)}."
                f"{did_you_mean(self.choice, CHOICES)}"
            )


@dataclass(frozen=True)
class Remedy:
    """A way to counteract the feedback loop: rerank rules, exploration, or both; by default neither."""

    rules: Sequence[RerankRule] = ()
    exploration: ExplorationSettings = field(default_factory=lambda: ExplorationSettings(share=0))


@dataclass(frozen=True, eq=False)
class SimulatedListeners:
    """
    Listeners whose like probabilities are known.

    Attributes:
        context: The interactions at the start of the simulation, and the track groups.
        like_probabilities: Probability that each listener likes each track, 0..1, shape (n_users, n_tracks).
        artists: Artist number of each track, -1 where unknown, shape (n_tracks,).
        group_masks: Mask of the tracks of each group whose exposure is reported, shape (n_tracks,).
        local_masks: Masks of the listeners, shape (n_users,), and of the artists' tracks, shape (n_tracks,), of each
            country whose share of local artists is reported.
    """

    context: RerankContext
    like_probabilities: F32
    artists: I64
    group_masks: dict[str, Bool]
    local_masks: dict[str, tuple[Bool, Bool]]

    @classmethod
    def of(cls, context: RerankContext, groups: Sequence[str], seed: int, *, countries: Sequence[str] = ()) -> Self:
        """
        Draw the listeners' like probabilities.

        Args:
            context: The interactions at the start of the simulation, and the track groups.
            groups: Groups whose exposure is reported, such as 'popularity=tail'.
            seed: Seed of the noise in the preferences.
            countries: Countries of listeners (feature 'country') whose share of artists of the same country (group
                'artist_country') is reported.

        Raises:
            InputError: There are too few listeners or tracks for the preference model.
        """
        played = context.interactions.matrix > 0
        if min(played.shape) <= N_PREFERENCES:
            raise InputError(
                f"The simulation needs more than {N_PREFERENCES} listeners and {N_PREFERENCES} tracks; found "
                f"{played.shape[0]:,} and {played.shape[1]:,}. Raise the number of listeners, or ingest more data"
            )
        rng = np.random.default_rng(seed)
        affinity = _affinity(played, rng) + NOISE * rng.standard_normal(played.shape, np.float32)
        odds = MEAN_LOG_ODDS + STD_LOG_ODDS * affinity / affinity.std(axis=1, keepdims=True)
        members = {group: context.members(group) for group in groups}
        local = {
            country: (_listeners_from(context.interactions, country), context.members(f"artist_country={country}"))
            for country in countries
        }
        return cls(context, expit(odds).astype(np.float32), context.artists, members, local)


def simulate(
    listeners: SimulatedListeners,
    remedies: Mapping[str, Remedy],
    settings: LoopSettings,
    *,
    tell: Tell = lambda _event: None,
) -> pl.DataFrame:
    """
    Simulate all weeks with each remedy.

    Args:
        listeners: The listeners and their like probabilities.
        remedies: The remedies by name.
        settings: Settings of the simulation.
        tell: Called after every week, for progress messages.

    Returns:
        One row per remedy, week and metric: remedy, week (from 1), metric, value. The metrics are: 'satisfaction', mean
        probability that a listener likes a recommended track, weighted by exposure; 'gini', Gini coefficient of the
        tracks' exposure, 0 if all are equal; 'artists_alive', share of artists to whom a list brought a new listener in
        the last four weeks; 'tracks_found', share of tracks to which a list brought a new listener in this week;
        'exposure <group>', share of the exposure that a reported group receives; 'local <country>', share of the
        exposure in the lists of a country's listeners that artists of the country receive.
    """
    rows = [
        (name, week, metric, value)
        for name, remedy in remedies.items()
        for week, metrics in _weeks(listeners, name, remedy, settings, tell)
        for metric, value in metrics.items()
    ]
    types = {"remedy": pl.String, "week": pl.Int64, "metric": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, types, orient="row")


def last_week(weeks: pl.DataFrame) -> pl.DataFrame:
    """Return the last week's metrics: one row per remedy, one column per metric."""
    last = weeks.filter(pl.col("week") == pl.col("week").max())
    return last.pivot("metric", index="remedy", values="value")


def _weeks(
    listeners: SimulatedListeners, name: str, remedy: Remedy, settings: LoopSettings, tell: Tell
) -> Iterator[tuple[int, dict[str, float]]]:
    log, posterior = _Log.of(listeners.context.interactions), Posterior.prior(len(FEATURES))
    for week in range(1, settings.weeks + 1):
        rng = np.random.default_rng([settings.seed, week])
        liking = rng.random(listeners.like_probabilities.shape, np.float32)
        attention = rng.random((len(liking), settings.k))
        organic_plays = _organic_plays(listeners, log, settings.organic, rng)
        context = replace(listeners.context, interactions=log.interactions(listeners.context.interactions, week))
        lists = _lists(context, remedy, settings, posterior, rng)
        shown = _Shown.of(lists, listeners)
        is_played = _played(listeners, shown, log, choice=settings.choice, liking=liking, attention=attention)
        posterior = _learned(posterior, lists, is_played)
        log.add(shown.users[is_played], shown.tracks[is_played], week, by_list=True)
        log.add(*organic_plays, week, by_list=False)
        yield week, _measured(listeners, shown, log, week)
        tell({"event": "week", "remedy": name, "week": week, "of": settings.weeks})


def _lists(
    context: RerankContext, remedy: Remedy, settings: LoopSettings, posterior: Posterior, rng: np.random.Generator
) -> pl.DataFrame:
    interactions = context.interactions
    model = Recommender.named(settings.recommender).fit(interactions)
    candidates = model.recommend(interactions.users.ids(), settings.candidates, filters=Filters.of(interactions))
    long_lists = rerank(candidates, remedy.rules, context, remedy.exploration.candidate_length(settings.k))
    return explore(long_lists, context, settings.k, settings=remedy.exploration, posterior=posterior, rng=rng)


@dataclass(frozen=True, eq=False)
class _Shown:
    """The entries of all lists: listener row, track row and 0-based position."""

    users: I64
    tracks: I64
    positions: I64

    @classmethod
    def of(cls, lists: pl.DataFrame, listeners: SimulatedListeners) -> Self:
        interactions = listeners.context.interactions
        positions = lists["rank"].to_numpy().astype(np.int64) - 1
        return cls(interactions.users.rows(lists["user_id"]), interactions.tracks.rows(lists["track_id"]), positions)


@dataclass(eq=False)
class _Log:
    """
    The growing log of plays.

    Attributes:
        strength: Number of plays of each track by each listener, shape (n_users, n_tracks).
        last_week: Week of the last play, 0 before the simulation, shape (n_users, n_tracks).
        won_week: Week in which a list last brought each track a new listener, 0 for never, shape (n_tracks,).
    """

    strength: F32
    last_week: npt.NDArray[np.int16]
    won_week: npt.NDArray[np.int16]

    @classmethod
    def of(cls, interactions: Interactions) -> Self:
        shape = interactions.matrix.shape
        return cls(
            interactions.matrix.toarray().astype(np.float32), np.zeros(shape, np.int16), np.zeros(shape[1], np.int16)
        )

    def add(self, users: I64, tracks: I64, week: int, *, by_list: bool) -> None:
        if by_list:
            self.won_week[tracks[self.strength[users, tracks] == 0]] = week
        self.strength[users, tracks] += 1
        self.last_week[users, tracks] = week

    def interactions(self, start: Interactions, week: int) -> Interactions:
        """Return the log as a recommender reads it at the beginning of a week."""
        matrix = sp.csr_matrix(self.strength)
        pairs = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices
        seen = (start.seen + (matrix > 0)).astype(np.bool_)
        age = WEEK_DAYS * (week - 1 - self.last_week[pairs]).astype(np.float32)
        return replace(start, matrix=matrix, seen=seen, age_days=age, hours=np.full(matrix.nnz, -1, np.int16))


def _played(
    listeners: SimulatedListeners, shown: _Shown, log: _Log, *, choice: str, liking: F32, attention: F64
) -> Bool:
    """Return which entries of the lists are played, aligned with `shown`."""
    pairs, places = (shown.users, shown.tracks), (shown.users, shown.positions)
    known = (log.strength > 0).sum(axis=0)
    likes, n_listeners, draws = np.zeros(attention.shape), np.zeros(attention.shape), np.ones(attention.shape)
    likes[places], n_listeners[places], draws[places] = (
        listeners.like_probabilities[pairs],
        known[shown.tracks],
        liking[pairs],
    )
    played: Bool = CHOICES[choice](Shown(likes, n_listeners, draws, attention))[places]
    return played


def _learned(posterior: Posterior, lists: pl.DataFrame, is_played: Bool) -> Posterior:
    drawn = lists.with_columns(reward=pl.Series(is_played)).filter("is_explored")
    features = np.array(drawn["features"].to_list(), np.float64).reshape(-1, len(FEATURES))
    return posterior.updated(features, drawn["reward"].cast(pl.Float64).to_numpy())


def _organic_plays(listeners: SimulatedListeners, log: _Log, n: int, rng: np.random.Generator) -> tuple[I64, I64]:
    """Draw n tracks per listener, weighted by like probability times popularity (Gumbel-top-k trick)."""
    known = np.log1p((log.strength > 0).sum(axis=0))
    gumbel = -np.log(-np.log(np.clip(rng.random(listeners.like_probabilities.shape, np.float32), 1e-12, 1 - 1e-7)))
    drawn = np.argpartition(-(np.log(listeners.like_probabilities) + known + gumbel), n, axis=1)[:, :n]
    return np.repeat(np.arange(len(drawn)), n), drawn.ravel()


def _measured(listeners: SimulatedListeners, shown: _Shown, log: _Log, week: int) -> dict[str, float]:
    weights = discounts(int(shown.positions.max()) + 1)[shown.positions]
    exposure = np.bincount(shown.tracks, weights, minlength=len(listeners.artists))
    alive = _artists_with(listeners.artists, log.won_week > max(0, week - ALIVE_WEEKS))
    all_artists = _artists_with(listeners.artists, np.ones(len(exposure), np.bool_))
    return {
        "satisfaction": float(np.average(listeners.like_probabilities[shown.users, shown.tracks], weights=weights)),
        "gini": gini(exposure),
        "artists_alive": len(alive) / max(1, len(all_artists)),
        "tracks_found": float((log.won_week == week).mean()),
        **{
            f"exposure {group}": float(exposure[mask].sum() / exposure.sum())
            for group, mask in listeners.group_masks.items()
        },
        **{
            f"local {country}": _share(weights, of_listeners[shown.users], of_tracks[shown.tracks])
            for country, (of_listeners, of_tracks) in listeners.local_masks.items()
        },
    }


def _share(weights: F64, whole: Bool, part: Bool) -> float:
    """Return the share of the weights of `whole` that is in `part` too; NaN if `whole` has none."""
    return float(weights[whole & part].sum() / (weights[whole].sum() or np.nan))


def _listeners_from(interactions: Interactions, country: str) -> Bool:
    features = interactions.user_features
    row = features.names.find([f"country={country}"])[0]
    if row < 0:
        return np.zeros(len(interactions.users), np.bool_)
    of_country: Bool = features.matrix[:, [row]].toarray().ravel() > 0
    return of_country


def _artists_with(artists: I64, tracks: Bool) -> set[int]:
    return set(artists[tracks & (artists >= 0)].tolist())


def _affinity(played: Any, rng: np.random.Generator) -> F32:
    """Return low-rank preferences inferred from plays, (n_users, n_tracks), centred per track; std 1 per listener."""
    n_with = np.bincount(played.indices, minlength=played.shape[1])
    weights = unit_rows((played.astype(np.float64) @ sp.diags(1 / np.sqrt(np.maximum(n_with, 1)))).tocsr())
    left, values, right = svds(weights, k=N_PREFERENCES, v0=rng.standard_normal(min(played.shape)))
    directions = right / np.maximum(np.linalg.norm(right, axis=0, keepdims=True), 1e-9)  # track vectors of length 1
    affinity = (left * values) @ directions
    affinity -= affinity.mean(axis=0, keepdims=True)  # no track is liked more than others on average
    standardised: F32 = (affinity / np.maximum(affinity.std(axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return standardised
