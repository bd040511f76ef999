"""
A recommender: what every model needs around its scores, written once and composed over a `Scorer`.

It checks and translates ids, applies filters, ranks, falls back to popularity for users without history, gives
reasons, saves and loads. The scorer (see `recommenders.scorer`) sees rows only.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np
import polars as pl

from recsys import columns
from recsys.arrays import Rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.splits import Split
from recsys.dataset.vocab import Ids, Vocab, as_ids
from recsys.errors import InputError, SetupError
from recsys.recommenders.parts.attribution import contributions, strongest_reason
from recsys.recommenders.parts.filters import Filters, pairs_matrix
from recsys.recommenders.parts.segments import Segments
from recsys.recommenders.parts.topk import Mask, Top, top_k
from recsys.recommenders.scorer import Scorer, Validation, scorer_class

FALLBACK_HALF_LIFE_DAYS = 30.0
RANKED = columns.RANKING[:-1]  # without the reason, which `add_reasons` adds
NO_SEGMENT = pl.Series([None], dtype=pl.String)
NO_CONTRIBUTIONS = np.empty(0, np.int64), np.empty(0, np.float32)

AnyScorer = TypeVar("AnyScorer", bound=Scorer[Any])


class Recommender(Generic[AnyScorer]):
    """
    A scorer with ids: `fit` it, then ask it for many listeners at once.

    A listener without a liked track in training gets the fallback: what is popular lately among listeners of the same
    country and age (see `recommenders.parts.segments`), and the ranking says so.

    Attributes:
        scorer: The model.
        users: Listeners that the model learned, those with at least one pair of positive strength.
        tracks: The catalogue that it ranks.
        fallback: Popularity of each track, in every segment of listeners.
    """

    users: Vocab
    tracks: Vocab
    fallback: Segments

    def __init__(self, scorer: AnyScorer) -> None:
        self.scorer = scorer

    @staticmethod
    def named(name: str, config: Any = None) -> "Recommender[Any]":
        """
        Return an unfitted recommender over the scorer of this name.

        Args:
            name: The scorer's file in recsys/recommenders/, as recipes name it.
            config: Its settings, of its `config_class`; its defaults if None.

        Raises:
            BadRecipe: There is no such scorer.
        """
        return Recommender(scorer_class(name)(config))

    def fit(
        self,
        interactions: Interactions,
        *,
        validation: Split | None = None,
        fitted: Callable[[], "Recommender[Any]"] | None = None,
    ) -> Self:
        """
        Learn from a window of interactions; the same window, config and seed give the same model.

        Args:
            interactions: Everything that may be learned from.
            validation: A cut through an earlier part of the same window, for scorers that learn how far to trust
                others (see `recommenders.blend`).
            fitted: Loads the same recommender, fitted to the training part of `validation`. A blend calls it: it saves
                a fit of each member and changes no result.
        """
        learners = interactions.of_users(np.flatnonzero(np.diff(interactions.matrix.indptr)))
        self.users, self.tracks = learners.users, learners.tracks
        self.fallback = Segments.of(learners, FALLBACK_HALF_LIFE_DAYS)
        self.scorer.fit(learners, _validation(validation, fitted))
        return self

    def recommend(
        self, user_ids: Ids, k: int, *, filters: Filters, profiles: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """
        Rank the best k allowed tracks for each listener.

        Args:
            user_ids: Listeners, each once; one that the model does not know gets the fallback.
            k: How many tracks each gets, >= 1; fewer only where fewer are allowed.
            filters: What must not be recommended, made for this model's `tracks`.
            profiles: user_id, country, age_band: choose the segment of the fallback; without them, everybody's.

        Returns:
            user_id, track_id, rank (1..k), score (falling), is_fallback, segment (of a fallback: 'everybody' or such as
            'country=DE, age_band=25-34'; else null); in the order of `user_ids`, then by rank.

        Raises:
            InputError: k < 1, a listener asked for twice, filters of another catalogue, or profiles without a column.
        """
        ids = as_ids(user_ids)
        self._check(ids, k, filters)
        rows = self.users.find(ids)
        segment = self.fallback.find(ids, profiles)
        top = self._top(rows >= 0, self.scorer.states(rows[rows >= 0]), segment, filters.mask(ids), k)
        return self._ranking(ids, rows >= 0, segment, top)

    def fold_in(
        self, plays: pl.DataFrame, k: int, *, filters: Filters, profiles: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """
        Rank tracks for listeners with new plays, without training again.

        Args:
            plays: The *whole* history of each listener: user_id, track_id, strength and, where known, age_days [d] and
                hour_of_week (see `Interactions.of`).
                Tracks that the model does not know, and strengths at or below 0, are not learned from; nothing in
                `plays` is recommended.
            k: How many tracks each listener gets.
            filters: What else must not be recommended.
            profiles: As in `recommend`.

        Returns:
            As `recommend`, listeners in order of their id.
        """
        listeners = Vocab.of(plays["user_id"], kind="listener")
        self._check(listeners.ids(), k, filters)
        history = self._history(plays, listeners)
        mask = filters.mask(listeners.ids())
        mask = Mask(mask.hidden + pairs_matrix(plays, listeners, self.tracks), mask.allowed, mask.group)
        known = np.diff(history.matrix.indptr) > 0
        states = self.scorer.fold_in(history[known]) if known.any() else None
        segment = self.fallback.find(listeners.ids(), profiles)
        return self._ranking(listeners.ids(), known, segment, self._top(known, states, segment, mask, k))

    def add_reasons(self, ranking: pl.DataFrame, interactions: Interactions) -> pl.DataFrame:
        """
        Add the track in the listener's history that contributed most to each recommendation.

        Args:
            ranking: user_id, track_id, is_fallback, as `recommend` and `fold_in` return.
            interactions: Where the listeners' histories stand.

        Returns:
            The ranking with reason_track_id. Only a listener's strongest tracks are considered (see
            `recommenders.parts.attribution`). Null for a fallback, and for models whose scores do not come from single
            tracks.
        """
        listeners = Vocab.of(ranking["user_id"], kind="listener")
        attribution = self.scorer.attribution(interactions.history(listeners.ids(), self.tracks))
        reason = np.full(len(ranking), -1)
        if attribution is not None:
            is_personal = ~ranking["is_fallback"].to_numpy()
            pairs = ranking.filter(~pl.col("is_fallback"))
            rows = listeners.rows(pairs["user_id"]), self.tracks.rows(pairs["track_id"])
            reason[is_personal] = strongest_reason(attribution, *rows)
        ids = self.tracks.ids(np.maximum(reason, 0)).to_frame("id").with_columns(found=pl.Series(reason >= 0))
        return ranking.with_columns(ids.select(pl.when("found").then("id").alias("reason_track_id")).to_series())

    def explain(self, user_id: str, track_id: str, interactions: Interactions) -> pl.DataFrame:
        """
        Return how far each track that a listener likes contributes to the score of another one.

        Args:
            user_id: The listener.
            track_id: The recommended track.
            interactions: Where the listener's history stands.

        Returns:
            track_id, contribution (in units of the score that the scorer's attribution splits; below 0 where the track
            lowers it), largest first; no rows where scores do not come from single tracks, or nothing is liked.

        Raises:
            UnknownIds: The model knows no such track.
        """
        history = interactions.history([user_id], self.tracks)
        track = int(self.tracks.rows([track_id])[0])
        attribution = self.scorer.attribution(history) if history.matrix.nnz else None
        played, shares = contributions(attribution, 0, track) if attribution else NO_CONTRIBUTIONS
        return pl.DataFrame({"track_id": self.tracks.ids(played), "contribution": shares})

    def save(self, folder: Path) -> None:
        """Write config, vocabularies, fallback and the scorer's arrays; nothing in there is pickled."""
        folder.mkdir(parents=True, exist_ok=True)
        described = {"name": self.scorer.name, "config": asdict(self.scorer.config)}
        (folder / "config.json").write_text(json.dumps(described, indent=2) + "\n")
        self.users.save(folder / "users.parquet")
        self.tracks.save(folder / "tracks.parquet")
        self.fallback.save(folder)
        np.savez(folder / "weights.npz", **self.scorer.arrays())

    @staticmethod
    def load(folder: Path) -> "Recommender[Any]":
        """
        Read what `save` wrote, whichever scorer it holds.

        Raises:
            SetupError: The folder holds no whole model, or one of another version.
        """
        try:
            model = Recommender(_saved_scorer(folder))
            model.users, model.tracks = Vocab.load(folder / "users.parquet"), Vocab.load(folder / "tracks.parquet")
            model.fallback = Segments.load(folder)
        except FileNotFoundError as missing:
            raise SetupError(
                f"{folder} holds no whole model: {missing.filename} is missing; save it again"
            ) from missing
        return model

    def _check(self, ids: pl.Series, k: int, filters: Filters) -> None:
        if k < 1:
            raise InputError(f"k is {k}; expected at least 1")
        if ids.n_unique() < len(ids):
            raise InputError(f"{len(ids) - ids.n_unique():,} listeners are asked for twice; ask for each once")
        if not filters.tracks.same(self.tracks):
            raise InputError(
                f"the filters speak of {len(filters.tracks):,} tracks, the model of {len(self.tracks):,} others; "
                "make them for this model: Filters.for_listeners(..., tracks=model.tracks)"
            )

    def _history(self, plays: pl.DataFrame, listeners: Vocab) -> History:
        """Return a row per listener with the plays of tracks that the model knows."""
        known = plays.filter(pl.Series(self.tracks.find(plays["track_id"]) >= 0, dtype=pl.Boolean))
        return Interactions.of(known).history(listeners.ids(), self.tracks)

    def _top(self, known: Any, states: Any, segment: Rows, mask: Mask, k: int) -> Top:
        """Rank by their states the listeners that are `known`, all others by popularity in their segment."""
        top = Top(np.full((len(known), k), -1, np.int32), np.full((len(known), k), -np.inf, np.float32))
        states = self.scorer.with_mask(states, mask.of_users(known)) if known.any() else states
        own = top_k(lambda users, out: self.scorer.score(states[users], out), mask.of_users(known), k)
        segments = segment[~known]
        others = top_k(lambda users, out: self.fallback.score(segments[users], out), mask.of_users(~known), k)
        top.tracks[known], top.scores[known] = own.tracks, own.scores
        top.tracks[~known], top.scores[~known] = others.tracks, others.scores
        return top

    def _ranking(self, ids: pl.Series, known: Any, segment: Rows, top: Top) -> pl.DataFrame:
        """Translate rows to ids, one row per track in a list."""
        user, place = np.nonzero(top.tracks >= 0)
        at, is_fallback = (user, place), pl.Series(~known[user], dtype=pl.Boolean)
        whose = self.fallback.named(segment[user]).zip_with(is_fallback, NO_SEGMENT)
        tracks = self.tracks.ids(top.tracks[at])
        data: tuple[Any, ...] = (ids.gather(user), tracks, place + 1, top.scores[at], is_fallback, whose)
        return pl.DataFrame([pl.Series(c.name, v).cast(c.dtype) for c, v in zip(RANKED, data, strict=True)])


def _validation(split: Split | None, fitted: Callable[[], "Recommender[Any]"] | None) -> Validation | None:
    """Hand the cut to the scorer, and of a recommender fitted before only the scorer."""
    if split is None:
        return None
    return Validation(split, None if fitted is None else lambda: fitted().scorer)


def _saved_scorer(folder: Path) -> Scorer[Any]:
    described = json.loads((folder / "config.json").read_text())
    found = scorer_class(described["name"])
    try:
        scorer = found(found.config_class(**described["config"]))
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            scorer.restore(arrays)
    except (KeyError, TypeError) as changed:  # an array or a setting has another name
        raise SetupError(
            f"{folder} holds a model of another version of this software ({changed}); fit it again: recsys nightly"
        ) from changed
    return scorer
