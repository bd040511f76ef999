"""
The parts of re-ranking: the candidates, the context of listeners and tracks, and the interface of a rerank rule.

A rule is one file in `rerank/rules` with a frozen dataclass: its fields are the settings, and `begin` returns a
`RuleState` for a block of listeners. All rules act in one greedy selection, position by position (`rerank.select`), so
that no rule undoes another and their order in the recipe does not matter.
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
N_DIMENSIONS = 32  # of the track vectors that similarity is computed from
SEED = 7  # of the random start of subspace iteration
N_ITERATIONS = 4


@dataclass(frozen=True, eq=False)
class RerankContext:
    """
    What rules may know about listeners and tracks.

    Attributes:
        interactions: The interactions that the recommender was trained on.
        groups: The groups of each track in `interactions`, which fairness rules use, such as 'artist_gender=female'.
    """

    interactions: Interactions
    groups: Features

    @classmethod
    def of(cls, interactions: Interactions, tracks: pl.DataFrame | None = None) -> Self:
        """Read groups from a frame with track_id and one column per kind; 'unknown' is a group (see `Features.of`)."""
        return cls(
            interactions,
            Features.of(interactions.tracks, tracks) if tracks is not None else interactions.track_features,
        )

    @classmethod
    def of_groups(cls, interactions: Interactions, groups: pl.DataFrame) -> Self:
        """Read groups from the rows of marts.track_groups: track_id, group_kind, group_name."""
        return cls.of(interactions, groups.pivot("group_kind", index="track_id", values="group_name"))

    @cached_property
    def artists(self) -> Rows:
        """Artist number of each track: the first of several, -1 where unknown. Shape (n_tracks,), int64."""
        made = artists_of(self.interactions.track_features).tocsr()
        n_artists = np.diff(made.indptr)
        artists = np.full(len(n_artists), -1)
        artists[n_artists > 0] = made.indices[made.indptr[:-1][n_artists > 0]]
        return artists

    @cached_property
    def vectors(self) -> F32:
        """
        Track vectors of length 1, or 0 where nothing is known. Shape (n_tracks, at most N_DIMENSIONS), float32.

        Latent semantic analysis of the tf-idf weights of the tracks' features. Where no track has a known feature, the
        tracks' listeners take the place of features.

        Source: Deerwester et al., Indexing by Latent Semantic Analysis (1990).
        """
        known = tfidf_features(self.interactions.track_features)
        known = known if known.nnz else unit_rows(self.interactions.matrix.T.tocsr())
        vectors = reduce_dimensions(known.astype(np.float64))
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        shortest = 1e-6  # below: the reduction kept none of the track's features, only rounding errors are left
        return np.where(length > shortest, vectors / np.maximum(length, shortest), 0).astype(np.float32)

    def members(self, group: str) -> Bool:
        """
        Return which tracks are in a group, such as 'artist_gender=female'. Shape (n_tracks,), bool.

        Raises:
            BadRecipe: There is no such kind of group, or `group` is not of the form 'kind=value'.
        """
        names = self.groups.names.ids().to_list()
        kinds = sorted({name.partition("=")[0] for name in names})
        kind, equals, _ = group.partition("=")
        if kind not in kinds or not equals:
            hint = did_you_mean(kind, kinds)
            raise BadRecipe(f"group: found {group!r}, expected 'kind=value' with a kind of {', '.join(kinds)}.{hint}")
        row = self.groups.names.find([group])[0]
        if row < 0:  # no track has this value at present
            return np.zeros(len(self.interactions.tracks), np.bool_)
        members: Bool = self.groups.matrix[:, [row]].toarray().ravel() > 0
        return members


@dataclass(frozen=True, eq=False)
class CandidateSet:
    """
    The candidates of some listeners.

    Attributes:
        tracks: Track rows, the recommender's best first; -1 pads. Shape (n_users, n), int32.
        relevance: The recommender's scores, scaled to 0..1 per listener: 1 for the best candidate, 0 for the last. Raw
            scores of two listeners, or of a model and its fallback, are not comparable. Shape (n_users, n), float32.
        history: Each listener's liked tracks, as rows of `context.interactions.tracks`.
        profile: Training statistics of these listeners and of all tracks, as the metrics use them.
        context: What rules may know about listeners and tracks.
        k: Length of the lists.
    """

    tracks: I32
    relevance: F32
    history: History
    profile: TrainingProfile
    context: RerankContext
    k: int

    @classmethod
    def of(cls, candidates: pl.DataFrame, context: RerankContext, k: int) -> Self:
        """Convert a frame of user_id, track_id, rank, score, in which each listener's rows are adjacent."""
        user, position = positions_of(candidates)
        ids = candidates["user_id"].unique(maintain_order=True)
        shape = (len(ids), max(1, int(position.max(initial=0)) + 1))
        tracks, scores = np.full(shape, -1, np.int32), np.full(shape, np.nan, np.float32)
        interactions, n_tracks = context.interactions, len(context.interactions.tracks)
        tracks[user, position] = interactions.tracks.rows(candidates["track_id"])
        scores[user, position] = candidates["score"].to_numpy()
        history = interactions.history(as_ids(ids), interactions.tracks)
        seen = realign(interactions.seen, interactions.users.find(ids), np.arange(n_tracks), n_tracks)
        listener_counts = np.bincount(interactions.matrix.indices, minlength=n_tracks).astype(np.int64)
        profile = TrainingProfile(
            history.matrix.astype(np.bool_), seen, listener_counts, len(interactions.users), interactions.track_features
        )
        return cls(tracks, _relevance(scores), history, profile, context, k)

    def track_values(self, values: npt.NDArray[Any], users: slice) -> npt.NDArray[Any]:
        """Look up the value of each candidate's track. Padding gets the value of row 0. Shape (n_block, n, ...)."""
        looked_up: npt.NDArray[Any] = values[np.maximum(self.tracks[users], 0)]
        return looked_up


class RuleState:
    """
    One rule's state while the lists of a block of listeners are filled, position by position.

    Arrays have the shape (n_block, n): one value per candidate.
    """

    def gain(self) -> F32 | float:
        """Return what the rule adds to each candidate's relevance at the next position; negative is a penalty."""
        return 0.0

    def allowed(self) -> Bool | None:
        """Return a mask of the candidates that may be chosen; None allows all."""
        return None

    def required(self) -> Bool | None:
        """Return a mask that the next choice must satisfy, if any allowed candidate does. None: no condition."""
        return None

    def take(self, users: Rows, columns: Rows) -> None:
        """Update the state after a selection: listener `users[i]` of the block was given candidate `columns[i]`."""


class RerankRule(ABC):
    """
    A rerank rule. Each subclass is a frozen dataclass of its settings.

    Attributes:
        urgency: Precedence of `RuleState.required`: where two rules' conditions conflict, the higher urgency wins.
    """

    urgency: ClassVar[int] = 0

    @property
    def named_groups(self) -> Sequence[str]:
        """Groups of tracks that the settings refer to, such as 'artist_gender=female'."""
        return ()

    def prepared(self, candidates: CandidateSet) -> "RerankRule":  # noqa: ARG002 - for rules over all lists together
        """Return the rule with what it has to compute from all listeners' candidates before the selection."""
        return self

    def corrected(self, candidates: CandidateSet, chosen: I64) -> "RerankRule":  # noqa: ARG002
        """Return the rule adjusted to the outcome, columns of shape (n_users, k); `self` if no adjustment is needed."""
        return self

    @abstractmethod
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        """Return the state of this rule at the first position of a block of listeners."""


def reduce_dimensions(rows: Csr) -> F64:
    """
    Project rows onto their N_DIMENSIONS leading singular directions, shape (n_rows, at most N_DIMENSIONS).

    This uses subspace iteration from a fixed random start instead of a truncated decomposition: features that equally
    many tracks have give equal singular values, and rounding would decide which of them a decomposition drops.

    Source: Halko, Martinsson, Tropp, Finding Structure with Randomness (2011), algorithm 4.4.
    """
    if rows.shape[1] <= N_DIMENSIONS:
        dense: F64 = rows.toarray()
        return dense
    directions = np.random.default_rng(SEED).standard_normal((rows.shape[1], N_DIMENSIONS))
    for _ in range(N_ITERATIONS):
        directions = np.linalg.qr(rows.T @ (rows @ directions))[0]
    projected: F64 = rows @ directions
    return projected


def positions_of(candidates: pl.DataFrame) -> tuple[Rows, Rows]:
    """Return the listener's number, in order of appearance, and the position, from 0, of each row of a ranking."""
    user = candidates["user_id"].rle_id().to_numpy().astype(np.int64)
    return user, candidates["rank"].to_numpy().astype(np.int64) - 1


def _relevance(scores: F32) -> F32:
    """Scale each listener's scores to 0..1: 1 for all where all are equal, 0 at the padding (NaN)."""
    with np.errstate(invalid="ignore"):
        low, high = (np.nan_to_num(edge(scores, axis=1, keepdims=True)) for edge in (np.fmin.reduce, np.fmax.reduce))
    width = high - low
    scaled = np.where(width > 0, (scores - low) / np.where(width > 0, width, 1), 1)
    return np.where(np.isnan(scores), 0, scaled).astype(np.float32)


def rule_class(name: str) -> type[RerankRule]:
    """
    Return the class of the rule in recsys/rerank/rules/<name>.py.

    Raises:
        BadRecipe: There is no rule of that name.
    """
    if name not in rule_names():
        expected, hint = ", ".join(rule_names()), did_you_mean(name, rule_names())
        raise BadRecipe(f"[rerank]: found the rule {name!r}, expected one of {expected}.{hint}")
    return plugin_class(RULES, name, RerankRule)


def rule_names() -> Sequence[str]:
    """Return the names of all rules, one per file in `rerank/rules`."""
    return plugin_names(RULES)


RerankRules: TypeAlias = Mapping[str, RerankRule]
