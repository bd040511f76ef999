"""
The `Recommender`: wraps a `Scorer` and adds everything but the scores.

It checks and translates ids, applies filters, ranks, falls back to popularity for listeners without history, finds
reasons, saves and loads. The scorer (see `recommenders.scorer`) works with row numbers only.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np
import polars as pl

from recsys import columns, files
from recsys.arrays import Rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.splits import Split
from recsys.dataset.vocab import Ids, Vocab, as_ids
from recsys.errors import InputError, SetupError
from recsys.recommenders.parts.attribution import contributions, strongest_reason
from recsys.recommenders.parts.filters import Filters, pairs_matrix
from recsys.recommenders.parts.segments import Segments
from recsys.recommenders.parts.topk import Mask, TopK, top_k
from recsys.recommenders.scorer import Scorer, Validation, scorer_class

FALLBACK_HALF_LIFE_DAYS = 30.0
RANKING_COLUMNS = columns.RANKING[:-1]  # without reason_track_id, which `add_reasons` adds
NO_SEGMENT = pl.Series([None], dtype=pl.String)
NO_CONTRIBUTIONS = np.empty(0, np.int64), np.empty(0, np.float32)

_DESCRIPTION = "config.json"
_SAVED_FILES = ("fallback.npz", "segments.parquet", "tracks.parquet", "users.parquet", "weights.npz")
_REMEDY = "Fit the model again (recsys nightly), or return to an earlier release (recsys rollback RUN)"

AnyScorer = TypeVar("AnyScorer", bound=Scorer[Any])


class Recommender(Generic[AnyScorer]):
    """
    A scorer with ids, filters and a fallback. Call `fit`, then `recommend` for many listeners at once.

    The fallback is for listeners without a positive interaction in training: recent popularity among listeners of the
    same country and age band (see `recommenders.parts.segments`). Its rows have is_fallback = true.

    Attributes:
        scorer: The model.
        users: The training listeners; each has at least one positive interaction.
        tracks: The catalogue.
        fallback: Popularity of each track in each segment of listeners.
    """

    users: Vocab
    tracks: Vocab
    fallback: Segments

    def __init__(self, scorer: AnyScorer) -> None:
        self.scorer = scorer

    @staticmethod
    def named(name: str, config: Any = None) -> "Recommender[Any]":
        """
        Create an unfitted recommender with the scorer of this name.

        Args:
            name: Name of the scorer, as in recipes: its file in recsys/recommenders/.
            config: An instance of the scorer's `config_class`. None: default settings.

        Raises:
            BadRecipe: There is no scorer with this name.
        """
        return Recommender(scorer_class(name)(config))

    def fit(
        self,
        interactions: Interactions,
        *,
        validation: Split | None = None,
        load_fitted: Callable[[], "Recommender[Any]"] | None = None,
    ) -> Self:
        """
        Fit the model to a window of interactions. The same arguments, config and seed give the same model.

        Args:
            interactions: The training window.
            validation: A validation split within this window. Used only by scorers that learn to combine other scorers
                (see `recommenders.blend`).
            load_fitted: Loads the same recommender, already fitted to the training part of `validation`. A blend saves
                one fit per member with it (see `Validation`).

        Returns:
            The recommender itself.
        """
        training = interactions.of_users(np.flatnonzero(np.diff(interactions.matrix.indptr)))
        self.users, self.tracks = training.users, training.tracks
        self.fallback = Segments.of(training, FALLBACK_HALF_LIFE_DAYS)
        self.scorer.fit(training, _validation(validation, load_fitted))
        return self

    def recommend(
        self, user_ids: Ids, k: int, *, filters: Filters, profiles: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """
        Rank the best k allowed tracks for each listener.

        Args:
            user_ids: Listeners, each once. Listeners who were not in the training data get the fallback.
            k: Tracks per listener, >= 1. A listener gets fewer only if fewer are allowed.
            filters: Excluded tracks; must be built for this model's `tracks`.
            profiles: user_id, country, age_band: determine each listener's segment for the fallback. None: the fallback
                is popularity among all listeners.

        Returns:
            user_id, track_id, rank (1..k), score (descending), is_fallback, segment. In the order of `user_ids`, then
            by rank. `segment` is the segment used by the fallback, 'everybody' or for example 'country=DE,
            age_band=25-34'; null if is_fallback is false.

        Raises:
            InputError: k < 1, a listener is repeated, the filters were built for another catalogue, or `profiles` lacks
                a column.
        """
        ids = as_ids(user_ids)
        self._check(ids, k, filters)
        rows = self.users.find(ids)
        segment = self.fallback.find(ids, profiles)
        top = self._top(rows >= 0, self.scorer.states(rows[rows >= 0]), segment, filters.mask(ids), k)
        return self._ranking(ids, rows >= 0, segment, top)

    def recommend_by_history(
        self, plays: pl.DataFrame, k: int, *, filters: Filters, profiles: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """
        Rank the best k allowed tracks for listeners with the given histories, without training again (fold-in).

        Args:
            plays: The whole history of each listener: user_id, track_id, strength, and optionally age_days [d] and
                hour_of_week (see `Interactions.of`). Rows with a track outside the model's catalogue or with strength
                <= 0 do not influence the scores. Tracks in `plays` are not recommended to the same listener.
            k: Tracks per listener, as in `recommend`.
            filters: Further excluded tracks.
            profiles: As in `recommend`.

        Returns:
            As in `recommend`, listeners sorted by id.

        Raises:
            InputError: As in `recommend`; or a user_id in `plays` is missing, or a pair is repeated.
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
            ranking: user_id, track_id, is_fallback, as returned by `recommend` or `recommend_by_history`.
            interactions: Contains the histories of these listeners.

        Returns:
            The ranking with reason_track_id: the first track of `explain`, if it contributes more than 0. Null for the
            fallback, if no track contributes, and for models without attribution.
        """
        listeners = Vocab.of(ranking["user_id"], kind="listener")
        attribution = self.scorer.attribution(interactions.history(listeners.ids(), self.tracks))
        reason = np.full(len(ranking), -1)
        if attribution is not None:
            is_personal = ~ranking["is_fallback"].to_numpy()
            pairs = ranking.filter(~pl.col("is_fallback"))
            rows = listeners.rows(pairs["user_id"]), self.tracks.rows(pairs["track_id"])
            reason[is_personal] = strongest_reason(attribution, *rows)
        ids = self.tracks.ids(np.maximum(reason, 0)).to_frame("id").with_columns(has_reason=pl.Series(reason >= 0))
        return ranking.with_columns(ids.select(pl.when("has_reason").then("id").alias("reason_track_id")).to_series())

    def explain(self, user_id: str, track_id: str, interactions: Interactions) -> pl.DataFrame:
        """
        Return the contribution of each track in a listener's history to the score of one track.

        Args:
            user_id: The listener.
            track_id: The track whose score is explained.
            interactions: Contains the listener's history.

        Returns:
            track_id, contribution (in the units of `Scorer.attribution`; negative if the track lowers the score),
            largest first. No rows if the listener has no positive interaction or the model has no attribution.

        Raises:
            UnknownIds: The track is not in the model's catalogue.
        """
        history = interactions.history([user_id], self.tracks)
        track = int(self.tracks.rows([track_id])[0])
        attribution = self.scorer.attribution(history) if history.matrix.nnz else None
        played, shares = contributions(attribution, 0, track) if attribution else NO_CONTRIBUTIONS
        return pl.DataFrame({"track_id": self.tracks.ids(played), "contribution": shares})

    def erase_users(self, user_ids: Ids) -> None:
        """
        Remove training listeners and all that is stored of them; unknown ids are ignored.

        What the model has learned from many listeners together, such as similarities of tracks, stays until it is
        fitted again.
        """
        kept = np.flatnonzero(~self.users.ids().is_in(as_ids(user_ids).implode()).to_numpy())
        self.scorer.keep_users(kept)
        self.users = Vocab.of(self.users.ids(kept), kind=self.users.kind)

    def save(self, folder: Path) -> None:
        """
        Write config, vocabularies, fallback and the scorer's arrays. Nothing is pickled.

        The write is not atomic: an interrupted call leaves an incomplete folder, and one into the folder of another
        model can leave a mix of both that `load` does not notice. So pass a new folder, for example one from
        `files.new_folder`, which appears only when it is complete; the nightly run does.

        Args:
            folder: A new or empty folder; made if missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.users.save(folder / "users.parquet")
        self.tracks.save(folder / "tracks.parquet")
        self.fallback.save(folder)
        np.savez(folder / "weights.npz", **self.scorer.arrays())
        sha256 = {name: files.sha256_of(folder / name) for name in _SAVED_FILES}
        description = {"name": self.scorer.name, "config": asdict(self.scorer.config), "sha256": sha256}
        checksum = _checksum(description)
        (folder / _DESCRIPTION).write_text(json.dumps(description | {"checksum": checksum}, indent=2) + "\n")

    @staticmethod
    def load(folder: Path) -> "Recommender[Any]":
        """
        Load a recommender that `save` wrote, whichever scorer it has.

        Raises:
            SetupError: A file is missing or damaged, or another version of this software saved the model.
        """
        with files.reading(folder / _DESCRIPTION, _REMEDY):
            description = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
            _refuse_damaged(folder, description)
        with files.reading(folder, _REMEDY):
            model = Recommender(_saved_scorer(folder, description))
            model.users, model.tracks = Vocab.load(folder / "users.parquet"), Vocab.load(folder / "tracks.parquet")
            model.fallback = Segments.load(folder)
        return model

    def _check(self, ids: pl.Series, k: int, filters: Filters) -> None:
        if k < 1:
            raise InputError(f"k: found {k}, expected at least 1")
        if ids.n_unique() < len(ids):
            n_repeated = len(ids) - ids.n_unique()
            raise InputError(f"user_ids: found {n_repeated:,} repeated, expected each listener once; drop the repeats")
        if not filters.tracks.is_same_as(self.tracks):
            raise InputError(
                f"filters: made for another catalogue ({len(filters.tracks):,} tracks; the model has "
                f"{len(self.tracks):,}). Create them with Filters.for_listeners(..., tracks=model.tracks)"
            )

    def _history(self, plays: pl.DataFrame, listeners: Vocab) -> History:
        """Return the history of each listener, without tracks that are not in the model's catalogue."""
        known = plays.filter(pl.Series(self.tracks.find(plays["track_id"]) >= 0, dtype=pl.Boolean))
        return Interactions.of(known).history(listeners.ids(), self.tracks)

    def _top(self, known: Any, states: Any, segment: Rows, mask: Mask, k: int) -> TopK:
        """Rank by the scorer for `known` listeners, and by popularity in their segment for all others."""
        top = TopK(np.full((len(known), k), -1, np.int32), np.full((len(known), k), -np.inf, np.float32))
        states = self.scorer.with_mask(states, mask.of_users(known)) if known.any() else states
        own = top_k(lambda users, out: self.scorer.score(states[users], out), mask.of_users(known), k)
        segments = segment[~known]
        others = top_k(lambda users, out: self.fallback.score(segments[users], out), mask.of_users(~known), k)
        top.tracks[known], top.scores[known] = own.tracks, own.scores
        top.tracks[~known], top.scores[~known] = others.tracks, others.scores
        return top

    def _ranking(self, ids: pl.Series, known: Any, segment: Rows, top: TopK) -> pl.DataFrame:
        """Translate rows to ids, one row per recommended track."""
        user, position = np.nonzero(top.tracks >= 0)
        tracks, scores = self.tracks.ids(top.tracks[user, position]), top.scores[user, position]
        is_fallback = pl.Series(~known[user], dtype=pl.Boolean)
        segments = self.fallback.names_of(segment[user]).zip_with(is_fallback, NO_SEGMENT)
        data: tuple[Any, ...] = (ids.gather(user), tracks, position + 1, scores, is_fallback, segments)
        return pl.DataFrame(
            [
                pl.Series(column.name, values).cast(column.dtype)
                for column, values in zip(RANKING_COLUMNS, data, strict=True)
            ]
        )


def _validation(split: Split | None, load_fitted: Callable[[], "Recommender[Any]"] | None) -> Validation | None:
    """Convert the arguments of `Recommender.fit` to those of `Scorer.fit`."""
    if split is None:
        return None
    return Validation(split, None if load_fitted is None else lambda: load_fitted().scorer)


def _refuse_damaged(folder: Path, description: dict[str, Any]) -> None:
    """Raise SetupError if a file of a model has changed; models of older versions have no checksums."""
    if description.keys() == {"name", "config"}:
        return
    changed = files.changed_file(folder, description["sha256"])
    if description.pop("checksum") != _checksum(description):
        changed = _DESCRIPTION
    if changed is not None:
        raise SetupError(f"{folder / changed} is missing or damaged. {_REMEDY}")


def _checksum(description: Mapping[str, Any]) -> str:
    return files.short_hash(json.dumps(description, sort_keys=True))


def _saved_scorer(folder: Path, description: Mapping[str, Any]) -> Scorer[Any]:
    model_class = scorer_class(description["name"])
    try:
        scorer = model_class(model_class.config_class(**description["config"]))
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            scorer.restore(arrays)
    except (KeyError, TypeError) as changed:  # an array or a setting has another name
        found = f"a model of another version of this software ({changed.args[0]})"
        raise SetupError(f"{folder}: found {found}; fit it again: recsys nightly") from changed
    return scorer
