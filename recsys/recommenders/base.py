"""
What every recommender does, written once: check and translate ids, filter, rank, fall back, explain, save.

A model is one file in this folder with a subclass of `Recommender` and its frozen config; it only fills the private
hooks, which see rows and never ids. `recommender_class` finds it by its file name: there is no list to keep.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import polars as pl

from recsys import columns
from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions, Split
from recsys.dataset.vocab import Ids, Vocab, as_ids
from recsys.errors import BadRecipe, InputError, SetupError, did_you_mean
from recsys.installation.plugins import plugin_class, plugin_names
from recsys.recommenders.parts.attribution import Kinship, contributions, strongest_reason
from recsys.recommenders.parts.filters import Filters, pairs_matrix
from recsys.recommenders.parts.segments import Segments
from recsys.recommenders.parts.topk import Mask, Top, top_k

PACKAGE, HELPERS = "recsys.recommenders", ("base",)
FALLBACK_HALF_LIFE_DAYS = 30.0
RANKED = columns.RANKING[:-1]  # without the reason, which `because` adds
NO_SEGMENT = pl.Series([None], dtype=pl.String)

Config = TypeVar("Config")


class Recommender(ABC, Generic[Config]):
    """
    A model of taste: `fit` it, then ask it for many listeners at once.

    A listener without a liked track in training gets the fallback: what is popular lately among listeners of the same
    country and age (see `recommenders.parts.segments`), and the ranking says so.

    Attributes:
        name: The file's name, by which recipes and saved models refer to it.
        config_class: The frozen dataclass of its settings.
        users: Listeners that the model learned, those with at least one pair of positive strength.
        tracks: The catalogue that it ranks.
        fallback: Popularity of each track, in every segment of listeners.
    """

    name: ClassVar[str]
    config_class: ClassVar[type[Any]]
    users: Vocab
    tracks: Vocab
    fallback: Segments

    def __init__(self, config: Config | None = None) -> None:
        self.config: Config = self.config_class() if config is None else config

    def fit(
        self,
        taste: Interactions,
        *,
        validation: Split | None = None,  # noqa: ARG002 - blends learn from it
        fitted: Callable[[], "Recommender[Any]"] | None = None,  # noqa: ARG002 - blends take its members over
    ) -> Self:
        """
        Learn from a window of interactions; same window, config and seed: the same model.

        Args:
            taste: Everything that may be learned from.
            validation: A cut through an earlier part of the same window, for models that learn by how much to trust
                others (see `recommenders.blend`).
            fitted: Loads the same model, fitted to the training part of `validation`. Blends call it: it saves them
                work and changes nothing.
        """
        learners = taste.of_users(np.flatnonzero(np.diff(taste.matrix.indptr)))
        self.users, self.tracks = learners.users, learners.tracks
        self.fallback = Segments.of(learners, FALLBACK_HALF_LIFE_DAYS)
        self._fit(learners)
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
            profiles: user_id, country, age_band: whose popularity the fallback is; without them, everybody's.

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
        top = self._top(rows >= 0, self._states(rows[rows >= 0]), segment, filters.mask(ids), k)
        return self._ranking(ids, rows >= 0, segment, top)

    def fold_in(
        self, plays: pl.DataFrame, k: int, *, filters: Filters, profiles: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """
        Rank tracks for listeners with new plays, without training again.

        Args:
            plays: The *whole* history of each listener: user_id, track_id, strength and, where known, age_days [d] and
                hour_of_week (see `Interactions.of`).
                Tracks that the model does not know, and strengths at or below 0, teach nothing; all of `plays` is
                hidden from the answer.
            k: How many tracks each listener gets.
            filters: What must not be recommended besides.
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
        states = self._folded(history[known]) if known.any() else None
        segment = self.fallback.find(listeners.ids(), profiles)
        return self._ranking(listeners.ids(), known, segment, self._top(known, states, segment, mask, k))

    def because(self, ranking: pl.DataFrame, taste: Interactions) -> pl.DataFrame:
        """
        Add reason_track_id: the played track that spoke most for each recommended one.

        Only a listener's strongest tracks are asked (see `recommenders.parts.attribution`). Null for a fallback, where
        no played track speaks for it, and for models that do not learn from single plays.
        """
        listeners = Vocab.of(ranking["user_id"], kind="listener")
        history = taste.history(listeners.ids(), self.tracks)
        kinship = self._kinship(history)
        reason = np.full(len(ranking), -1)
        if kinship is not None:
            asked = ~ranking["is_fallback"].to_numpy()
            pairs = ranking.filter(~pl.col("is_fallback"))
            rows = listeners.rows(pairs["user_id"]), self.tracks.rows(pairs["track_id"])
            reason[asked] = strongest_reason(kinship, *rows)
        ids = self.tracks.ids(np.maximum(reason, 0)).to_frame("id").with_columns(found=pl.Series(reason >= 0))
        return ranking.with_columns(ids.select(pl.when("found").then("id").alias("reason_track_id")).to_series())

    def explain(self, user_id: str, track_id: str, taste: Interactions) -> pl.DataFrame:
        """
        Say how far each track that a listener liked speaks for another one.

        Args:
            user_id: The listener.
            track_id: The track asked about.
            taste: Where the listener's history stands.

        Returns:
            track_id, contribution (a share of the explaining model's score; below 0 where the track speaks against),
            strongest first; no rows where single plays are not what the model learns from, or nothing was liked.

        Raises:
            UnknownIds: The model knows no such track.
        """
        history = taste.history([user_id], self.tracks)
        track = int(self.tracks.rows([track_id])[0])
        kinship = self._kinship(history) if history.matrix.nnz else None
        played, said = contributions(kinship, 0, track) if kinship else (np.empty(0, np.int64), np.empty(0, np.float32))
        return pl.DataFrame({"track_id": self.tracks.ids(played), "contribution": said})

    def save(self, folder: Path) -> None:
        """Write config, vocabularies and weights; nothing in there is pickled."""
        folder.mkdir(parents=True, exist_ok=True)
        described = {"name": self.name, "config": asdict(self.config)}  # type: ignore[call-overload]
        (folder / "config.json").write_text(json.dumps(described, indent=2) + "\n")
        self.users.save(folder / "users.parquet")
        self.tracks.save(folder / "tracks.parquet")
        self.fallback.save(folder)
        np.savez(folder / "weights.npz", **self._arrays())

    @staticmethod
    def load(folder: Path) -> "Recommender[Any]":
        """
        Read what `save` wrote, whichever model it is.

        Raises:
            SetupError: The folder holds no whole model.
        """
        try:
            described = json.loads((folder / "config.json").read_text())
            model_class = recommender_class(described["name"])
            model = model_class(model_class.config_class(**described["config"]))
            model.users, model.tracks = Vocab.load(folder / "users.parquet"), Vocab.load(folder / "tracks.parquet")
            model.fallback = Segments.load(folder)
            with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
                model._restore(arrays)  # noqa: SLF001 - of its own class
        except FileNotFoundError as missing:
            raise SetupError(
                f"{folder} holds no whole model: {missing.filename} is missing; save it again"
            ) from missing
        return model

    @abstractmethod
    def _fit(self, taste: Interactions) -> None:
        """Learn; every listener of `taste` has a liked track."""

    @abstractmethod
    def _states(self, rows: Rows) -> Any:
        """What the model knows of these listeners: one row each, sliceable."""

    @abstractmethod
    def _folded(self, history: History) -> Any:
        """The states of listeners with this history, each of whom liked something."""

    @abstractmethod
    def _score(self, states: Any, out: F32) -> None:
        """Write the score of every track for these states into `out`, shape (n_states, n_tracks)."""

    def _under(self, states: Any, mask: Mask) -> Any:  # noqa: ARG002 - only models that choose candidates look at it
        """Tell the states what their listeners may not get; a score need not mind, for it is hidden anyway."""
        return states

    def _kinship(self, history: History) -> Kinship | None:
        """How far each played track speaks for another; None where single plays are not what the model learns from."""

    @abstractmethod
    def _arrays(self) -> dict[str, Any]:
        """The weights, by name."""

    @abstractmethod
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `_arrays` gave."""

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
        """Of the plays, those that teach something; a row for each listener."""
        known = plays.filter(pl.Series(self.tracks.find(plays["track_id"]) >= 0, dtype=pl.Boolean))
        return Interactions.of(known).history(listeners.ids(), self.tracks)

    def _top(self, known: Any, states: Any, segment: Rows, mask: Mask, k: int) -> Top:
        """Rank the known by their states, the others by what is popular in their segment."""
        top = Top(np.full((len(known), k), -1, np.int32), np.full((len(known), k), -np.inf, np.float32))
        states = self._under(states, mask.of_users(known)) if known.any() else states
        own = top_k(lambda users, out: self._score(states[users], out), mask.of_users(known), k)
        strangers = segment[~known]
        others = top_k(lambda users, out: self.fallback.score(strangers[users], out), mask.of_users(~known), k)
        top.tracks[known], top.scores[known] = own.tracks, own.scores
        top.tracks[~known], top.scores[~known] = others.tracks, others.scores
        return top

    def _ranking(self, ids: pl.Series, known: Any, segment: Rows, top: Top) -> pl.DataFrame:
        """Return a row for each place that is filled."""
        user, place = np.nonzero(top.tracks >= 0)
        at, is_fallback = (user, place), pl.Series(~known[user], dtype=pl.Boolean)
        whose = self.fallback.named(segment[user]).zip_with(is_fallback, NO_SEGMENT)
        tracks = self.tracks.ids(top.tracks[at])
        data: tuple[Any, ...] = (ids.gather(user), tracks, place + 1, top.scores[at], is_fallback, whose)
        return pl.DataFrame([pl.Series(c.name, v).cast(c.dtype) for c, v in zip(RANKED, data, strict=True)])


def recommender_class(name: str) -> type[Recommender[Any]]:
    """
    Return the recommender in recsys/recommenders/<name>.py.

    Raises:
        BadRecipe: There is none of that name.
    """
    names = recommender_names()
    if name not in names:
        hint = did_you_mean(name, names)
        raise BadRecipe(f"no recommender is called {name!r}; expected one of {', '.join(names)}.{hint}")
    return plugin_class(PACKAGE, name, Recommender)


def recommender_names() -> list[str]:
    """Return the names of all recommenders: every file of this folder that is no helper."""
    return plugin_names(PACKAGE, besides=HELPERS)
