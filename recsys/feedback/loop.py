"""
Where does it lead when a recommender learns from what it made people hear? Weeks of it, with and without each remedy.

The simulated listeners start with what the log says they like. What they would like of everything is drawn once and
never changes: it follows from what they play, and every track is liked as well as any other in the mean, so that what
popularity lists add is their own doing. Each week a recommender is fitted on the log so far, lists are chosen by the
remedy's rules, listeners look at places as often as 1 / log2(1 + rank) and play what they like of it, and hear of some
tracks from others, of well known ones more; all of that is the next week's log. Dice are the same under every remedy.

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

from recsys.arrays import F32, I64, Bool
from recsys.dataset.feature_vectors import unit_rows
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.evaluate.beyond_accuracy import gini
from recsys.evaluate.exposure import discounts
from recsys.feedback.bandits import Posterior
from recsys.feedback.exploration import FEATURES, ExplorationSettings, explore
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.rerank.base import RerankContext, RerankRule
from recsys.rerank.lists import rerank

N_TASTES = 32  # dimensions of what is liked
SPREAD = 1.5  # of the log odds that a listener likes a track
USUAL = -4.0  # log odds of a track that is neither to the listener's taste nor against it
CHANCE = 0.5  # share of the spread that no play tells of
WEEK_DAYS = 7
ALIVE_WEEKS = 4  # without a new listener for so long an artist has vanished

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class LoopSettings:
    """
    How long, and how much, is listened.

    Attributes:
        weeks: Weeks of retraining.
        recommender: The one that is retrained every week, with its default settings.
        k: Places of a list.
        candidates: Tracks that each list is chosen from.
        organic: Tracks that a listener hears of from others each week.
        seed: Of taste and dice.
    """

    weeks: int = 12
    recommender: str = "als"
    k: int = 20
    candidates: int = 200
    organic: int = 2
    seed: int = 7


@dataclass(frozen=True)
class Remedy:
    """What lists are chosen by: rules, and places for finding out (share 0: none)."""

    rules: Sequence[RerankRule] = ()
    exploration: ExplorationSettings = field(default_factory=lambda: ExplorationSettings(share=0))


@dataclass(frozen=True, eq=False)
class World:
    """
    Listeners whose liking is known.

    Attributes:
        context: Their log so far, and groups of tracks.
        likes: Chance that each listener likes each track, shape (n_users, n_tracks).
        artists: Artist of each track, -1 where unknown, shape (n_tracks,).
        measured: Groups whose exposure is followed: which tracks are in each.
    """

    context: RerankContext
    likes: F32
    artists: I64
    measured: dict[str, Bool]

    @classmethod
    def of(cls, context: RerankContext, groups: Sequence[str], seed: int) -> Self:
        """
        Draw what listeners like beside what they are known to.

        Args:
            context: A log, and what its tracks are.
            groups: To follow, such as 'popularity=tail'.
            seed: Of what no play tells.

        Raises:
            InputError: There are too few listeners or tracks to speak of taste.
        """
        played = context.interactions.matrix > 0
        if min(played.shape) <= N_TASTES:
            raise InputError(
                f"{played.shape[0]:,} listeners and {played.shape[1]:,} tracks; expected more than {N_TASTES} of both"
            )
        rng = np.random.default_rng(seed)
        affinity = _affinity(played, rng) + CHANCE * rng.standard_normal(played.shape, np.float32)
        odds = USUAL + SPREAD * affinity / affinity.std(axis=1, keepdims=True)
        members = {group: context.members(group) for group in groups}
        return cls(context, (1 / (1 + np.exp(-odds))).astype(np.float32), context.artists, members)


def simulate(
    world: World, remedies: Mapping[str, Remedy], settings: LoopSettings, *, tell: Tell = lambda _event: None
) -> pl.DataFrame:
    """
    Live through the weeks once under each remedy.

    Args:
        world: Who listens, and what they like.
        remedies: By name.
        settings: How long.
        tell: Called with every week.

    Returns:
        remedy, week (from 1), metric, value. satisfaction: mean chance that what is looked at is liked; gini: of
        exposure over all tracks, 0 even; artists_alive: share of all artists for whom a list won a new listener in the
        last four weeks; tracks_found: share of all tracks for which one did that week; 'exposure <group>': the share
        of each group that is followed.
    """
    rows = [
        (name, week, metric, value)
        for name, remedy in remedies.items()
        for week, metrics in _weeks(world, name, remedy, settings, tell)
        for metric, value in metrics.items()
    ]
    types = {"remedy": pl.String, "week": pl.Int64, "metric": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, types, orient="row")


def last_week(weeks: pl.DataFrame) -> pl.DataFrame:
    """Lay the remedies side by side as they stood at the end: remedy, then a column a metric."""
    last = weeks.filter(pl.col("week") == pl.col("week").max())
    return last.pivot("metric", index="remedy", values="value")


def _weeks(
    world: World, name: str, remedy: Remedy, settings: LoopSettings, tell: Tell
) -> Iterator[tuple[int, dict[str, float]]]:
    log, posterior = _Log.of(world.context.interactions), Posterior.prior(len(FEATURES))
    for week in range(1, settings.weeks + 1):
        dice = np.random.default_rng([settings.seed, week])
        would_like = dice.random(world.likes.shape, np.float32) < world.likes
        looks_at = dice.random((len(world.likes), settings.k)) < discounts(settings.k)
        from_others = _from_others(world, log, settings.organic, dice)
        context = replace(world.context, interactions=log.interactions(world.context.interactions, week))
        lists = _lists(context, remedy, settings, posterior, dice)
        shown = _Shown.of(lists, world)
        is_played = would_like[shown.users, shown.tracks] & looks_at[shown.users, shown.places]
        posterior = _learned(posterior, lists, is_played)
        log.add(shown.users[is_played], shown.tracks[is_played], week, by_list=True)
        log.add(*from_others, week, by_list=False)
        yield week, _measured(world, shown, log, week)
        tell({"event": "week", "remedy": name, "week": week, "of": settings.weeks})


def _lists(
    context: RerankContext, remedy: Remedy, settings: LoopSettings, posterior: Posterior, dice: np.random.Generator
) -> pl.DataFrame:
    interactions = context.interactions
    model = Recommender.named(settings.recommender).fit(interactions)
    candidates = model.recommend(interactions.users.ids(), settings.candidates, filters=Filters.of(interactions))
    long_lists = rerank(candidates, remedy.rules, context, remedy.exploration.length(settings.k))
    return explore(long_lists, context, settings.k, settings=remedy.exploration, posterior=posterior, rng=dice)


@dataclass(frozen=True, eq=False)
class _Shown:
    """Rows of lists: listener, track, place from 0."""

    users: I64
    tracks: I64
    places: I64

    @classmethod
    def of(cls, lists: pl.DataFrame, world: World) -> Self:
        interactions = world.context.interactions
        places = lists["rank"].to_numpy().astype(np.int64) - 1
        return cls(interactions.users.rows(lists["user_id"]), interactions.tracks.rows(lists["track_id"]), places)


@dataclass(eq=False)
class _Log:
    """
    What was played.

    Attributes:
        strength: How often each listener played each track.
        last_week: When last; 0: before the simulation began.
        won_week: When a list last won each track a new listener, shape (n_tracks,); 0: never.
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
        """The log as a recommender reads it at the beginning of a week."""
        matrix = sp.csr_matrix(self.strength)
        at = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices
        seen = (start.seen + (matrix > 0)).astype(np.bool_)
        age = WEEK_DAYS * (week - 1 - self.last_week[at]).astype(np.float32)
        return replace(start, matrix=matrix, seen=seen, age_days=age, hours=np.full(matrix.nnz, -1, np.int16))


def _learned(posterior: Posterior, lists: pl.DataFrame, is_played: Bool) -> Posterior:
    drawn = lists.with_columns(reward=pl.Series(is_played)).filter("is_explored")
    features = np.array(drawn["features"].to_list(), np.float64).reshape(-1, len(FEATURES))
    return posterior.updated(features, drawn["reward"].cast(pl.Float64).to_numpy())


def _from_others(world: World, log: _Log, n: int, dice: np.random.Generator) -> tuple[I64, I64]:
    """Draw n tracks for each listener, as likely as they like them and as others know them (Gumbel's trick)."""
    known = np.log1p((log.strength > 0).sum(axis=0))
    gumbel = -np.log(-np.log(np.clip(dice.random(world.likes.shape, np.float32), 1e-12, 1 - 1e-7)))
    found = np.argpartition(-(np.log(world.likes) + known + gumbel), n, axis=1)[:, :n]
    return np.repeat(np.arange(len(found)), n), found.ravel()


def _measured(world: World, shown: _Shown, log: _Log, week: int) -> dict[str, float]:
    weights = discounts(int(shown.places.max()) + 1)[shown.places]
    exposure = np.bincount(shown.tracks, weights, minlength=len(world.artists))
    alive = _artists_with(world.artists, log.won_week > max(0, week - ALIVE_WEEKS))
    everybody = _artists_with(world.artists, np.ones(len(exposure), np.bool_))
    return {
        "satisfaction": float(np.average(world.likes[shown.users, shown.tracks], weights=weights)),
        "gini": gini(exposure),
        "artists_alive": len(alive) / max(1, len(everybody)),
        "tracks_found": float((log.won_week == week).mean()),
        **{f"exposure {group}": float(exposure[of].sum() / exposure.sum()) for group, of in world.measured.items()},
    }


def _artists_with(artists: I64, tracks: Bool) -> set[int]:
    return set(artists[tracks & (artists >= 0)].tolist())


def _affinity(played: Any, rng: np.random.Generator) -> F32:
    """What plays tell of taste, popular tracks telling no more than others; shape (n_users, n_tracks), spread 1."""
    n_with = np.bincount(played.indices, minlength=played.shape[1])
    weights = unit_rows((played.astype(np.float64) @ sp.diags(1 / np.sqrt(np.maximum(n_with, 1)))).tocsr())
    left, values, right = svds(weights, k=N_TASTES, v0=rng.standard_normal(min(played.shape)))
    directions = right / np.maximum(np.linalg.norm(right, axis=0, keepdims=True), 1e-9)  # of each track, length 1
    affinity = (left * values) @ directions
    affinity -= affinity.mean(axis=0, keepdims=True)  # no track is liked better than others by everybody
    scaled: F32 = (affinity / np.maximum(affinity.std(axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return scaled
