"""
What lists are chosen from, what the choice may go by, and what a rule is.

A rule is one file in `rerank/rules` with a frozen dataclass: its settings, and `begin`, which opens a `RuleState` for a
block of listeners. All rules take part in one choice, place by place (see `rerank.select`), so that none undoes another
and their order means nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.arrays import F32, F64, I32, I64, Bool, Csr, Rows
from recsys.dataset.feature_vectors import artists_of, tfidf_features, unit_rows
from recsys.dataset.features import Features
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.sparse import realign
from recsys.dataset.vocab import as_ids
from recsys.errors import BadRecipe, did_you_mean
from recsys.evaluate.training_profile import TrainingProfile
from recsys.installation.plugins import plugin_class, plugin_names

RULES = "recsys.rerank.rules"
N_DIMENSIONS = 32  # of the vectors that tracks are compared by
SEED = 7  # of where the search for them starts
N_ITERATIONS = 4


@dataclass(frozen=True, eq=False)
class RerankContext:
    """
    What is known of listeners and tracks.

    Attributes:
        interactions: What the recommender learned from.
        groups: What fairness goes by: features of each track of `interactions`, such as 'artist_gender=female'.
    """

    interactions: Interactions
    groups: Features

    @classmethod
    def of(cls, interactions: Interactions, tracks: pl.DataFrame | None = None) -> Self:
        """Take groups from a frame: track_id, then one column a kind (see `Features.of`); unknown is a group."""
        return cls(
            interactions,
            Features.of(interactions.tracks, tracks) if tracks is not None else interactions.track_features,
        )

    @classmethod
    def of_groups(cls, interactions: Interactions, groups: pl.DataFrame) -> Self:
        """Take groups as marts.track_groups has them: track_id, group_kind, group_name."""
        return cls.of(interactions, groups.pivot("group_kind", index="track_id", values="group_name"))

    @cached_property
    def artists(self) -> Rows:
        """Artist of each track, -1 where unknown; of several, the first. Shape (n_tracks,)."""
        made = artists_of(self.interactions.track_features).tocsr()
        n_artists = np.diff(made.indptr)
        artists = np.full(len(n_artists), -1)
        artists[n_artists > 0] = made.indices[made.indptr[:-1][n_artists > 0]]
        return artists

    @cached_property
    def vectors(self) -> F32:
        """
        Tracks as vectors of length 1 (0 where nothing is known), shape (n_tracks, at most N_DIMENSIONS).

        Their known features, or who plays them where no track has any, brought down to the directions that tell most
        by latent semantic analysis.

        Source: Deerwester et al., Indexing by Latent Semantic Analysis (1990).
        """
        known = tfidf_features(self.interactions.track_features)
        known = known if known.nnz else unit_rows(self.interactions.matrix.T.tocsr())
        vectors = reduced(known.astype(np.float64))
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        shortest = 1e-6  # what is left of a track none of whose features the directions kept
        return np.where(length > shortest, vectors / np.maximum(length, shortest), 0).astype(np.float32)

    def members(self, group: str) -> Bool:
        """
        Which tracks are in a group, such as 'artist_gender=female'. Shape (n_tracks,).

        Raises:
            BadRecipe: There is no such kind of group.
        """
        names = self.groups.names.ids().to_list()
        kinds = sorted({name.partition("=")[0] for name in names})
        kind, equals, _ = group.partition("=")
        if kind not in kinds or not equals:
            hint = did_you_mean(kind, kinds)
            raise BadRecipe(f"{group!r} is no group of tracks; expected 'kind=value', of {', '.join(kinds)}.{hint}")
        row = self.groups.names.find([group])[0]
        if row < 0:  # a group that nobody is in tonight
            return np.zeros(len(self.interactions.tracks), np.bool_)
        members: Bool = self.groups.matrix[:, [row]].toarray().ravel() > 0
        return members


@dataclass(frozen=True, eq=False)
class CandidateSet:
    """
    The candidates of some listeners.

    Attributes:
        tracks: Rows of the catalogue, the recommender's best first; -1 pads. Shape (n_users, n), int32.
        relevance: How well the recommender thinks of each: 1 a listener's best candidate, 0 the last; scores of
            different listeners, and those of fallbacks, are not comparable. Shape (n_users, n), float32.
        history: What each listener liked, in tracks of `context.interactions`.
        past: The same, as metrics see it.
        context: What is known of tracks.
        k: Length of the lists.
    """

    tracks: I32
    relevance: F32
    history: History
    past: TrainingProfile
    context: RerankContext
    k: int

    @classmethod
    def of(cls, candidates: pl.DataFrame, context: RerankContext, k: int) -> Self:
        """Read candidates (user_id, track_id, rank, score), one listener after the other, each by rank."""
        user, place = places_of(candidates)
        ids = candidates["user_id"].unique(maintain_order=True)
        shape = (len(ids), max(1, int(place.max(initial=0)) + 1))
        tracks, scores = np.full(shape, -1, np.int32), np.full(shape, np.nan, np.float32)
        tracks[user, place] = context.interactions.tracks.rows(candidates["track_id"])
        scores[user, place] = candidates["score"].to_numpy()
        interactions, history = (
            context.interactions,
            context.interactions.history(as_ids(ids), context.interactions.tracks),
        )
        seen = realign(
            interactions.seen,
            interactions.users.find(ids),
            np.arange(len(interactions.tracks)),
            len(interactions.tracks),
        )
        listeners = np.bincount(interactions.matrix.indices, minlength=len(interactions.tracks)).astype(np.int64)
        past = TrainingProfile(
            history.matrix.astype(np.bool_), seen, listeners, len(interactions.users), interactions.track_features
        )
        return cls(tracks, _relevance(scores), history, past, context, k)

    def of_track(self, values: npt.NDArray[Any], users: slice) -> npt.NDArray[Any]:
        """Look up a value of each candidate; what stands at the padding means nothing. Shape (n_block, n)."""
        looked_up: npt.NDArray[Any] = values[np.maximum(self.tracks[users], 0)]
        return looked_up


class RuleState:
    """
    What one rule says while a block of listeners chooses, place by place.

    Every answer is of shape (n_block, n), one for each candidate.
    """

    def gain(self) -> F32 | float:
        """How much better (worse) than its relevance the rule thinks of each candidate for the next place."""
        return 0.0

    def allowed(self) -> Bool | None:
        """Which candidates may be chosen at all; None: all of them."""
        return None

    def wanted(self) -> Bool | None:
        """Which candidates must be chosen from wherever any of them is allowed; None: all of them."""
        return None

    def take(self, users: Rows, columns: Rows) -> None:
        """Learn which listeners of the block chose which column."""


class RerankRule(ABC):
    """
    One rule of the choice. The subclass is a frozen dataclass of its settings.

    Attributes:
        urgency: Where what two rules want cannot both be had, the more urgent one has its way.
    """

    urgency: ClassVar[int] = 0

    @property
    def named(self) -> Sequence[str]:
        """Groups of tracks that the settings name."""
        return ()

    def prepared(self, candidates: CandidateSet) -> "RerankRule":  # noqa: ARG002 - for rules that look at the whole night
        """Return the rule with what it must know of all listeners together."""
        return self

    def corrected(self, candidates: CandidateSet, chosen: I64) -> "RerankRule":  # noqa: ARG002
        """Return the rule as it should have been, having seen the columns chosen, (n_users, k); itself if content."""
        return self

    @abstractmethod
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        """Open a block of listeners."""


def reduced(rows: Csr) -> F64:
    """
    Bring rows down to the N_DIMENSIONS directions along which they differ most, shape (n_rows, at most N_DIMENSIONS).

    Subspace iteration from a fixed start, and not a truncated decomposition: features that equally many tracks have
    give equal singular values, and which of them a decomposition drops is up to the last bit.

    Source: Halko, Martinsson, Tropp, Finding Structure with Randomness (2011), algorithm 4.4.
    """
    if rows.shape[1] <= N_DIMENSIONS:
        dense: F64 = rows.toarray()
        return dense
    directions = np.random.default_rng(SEED).standard_normal((rows.shape[1], N_DIMENSIONS))
    for _ in range(N_ITERATIONS):
        directions = np.linalg.qr(rows.T @ (rows @ directions))[0]
    found: F64 = rows @ directions
    return found


def places_of(candidates: pl.DataFrame) -> tuple[Rows, Rows]:
    """Return the listener (in order of appearance) and the place, from 0, of each row of a ranking."""
    user = candidates["user_id"].rle_id().to_numpy().astype(np.int64)
    return user, candidates["rank"].to_numpy().astype(np.int64) - 1


def _relevance(scores: F32) -> F32:
    """Bring each listener's scores to 0..1, 0 at the padding; where all are equal, all are 1."""
    with np.errstate(invalid="ignore"):
        low, high = (np.nan_to_num(edge(scores, axis=1, keepdims=True)) for edge in (np.fmin.reduce, np.fmax.reduce))
    width = high - low
    scaled = np.where(width > 0, (scores - low) / np.where(width > 0, width, 1), 1)
    return np.where(np.isnan(scores), 0, scaled).astype(np.float32)


def refuse_negative(name: str, weight: float) -> None:
    """
    Refuse a weight that would turn a rule's meaning round.

    Raises:
        BadRecipe: It is below 0.
    """
    if weight < 0:
        raise BadRecipe(f"[rerank.{name}]: weight is {weight}; expected 0 or more")


def rule_class(name: str) -> type[RerankRule]:
    """
    Return the rule in recsys/rerank/rules/<name>.py.

    Raises:
        BadRecipe: There is none of that name.
    """
    if name not in rule_names():
        expected, hint = ", ".join(rule_names()), did_you_mean(name, rule_names())
        raise BadRecipe(f"[rerank]: no rule is called {name!r}; expected one of {expected}.{hint}")
    return plugin_class(RULES, name, RerankRule)


def rule_names() -> Sequence[str]:
    """Return the names of all rules: the files of `rerank/rules`."""
    return plugin_names(RULES)


RerankRules: TypeAlias = Mapping[str, RerankRule]
