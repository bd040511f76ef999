"""
The interface of a rerank rule, and its inputs: the candidates and the context (features and groups of tracks).

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
N_DIMENSIONS = 32  # dimensions of the track vectors whose cosine is the similarity of two tracks
SEED = 7  # seed of the random start of subspace iteration
N_ITERATIONS = 4


@dataclass(frozen=True, eq=False)
class RerankContext:
    """
    Training interactions and track groups: the inputs of rules that are the same for every set of candidates.

    Attributes:
        interactions: The interactions that the recommender was trained on.
        groups: The groups of each track in `interactions`, which fairness rules use, such as 'artist_gender=female'.
    """

    interactions: Interactions
    groups: Features

    @classmethod
    def of(cls, interactions: Interactions, tracks: pl.DataFrame | None = None) -> Self:
        """Build from a table of track_id and one column per kind of group. None: the track features are the groups."""
        return cls(
            interactions,
            Features.of(interactions.tracks, tracks) if tracks is not None else interactions.track_features,
        )

    @classmethod
    def of_groups(cls, interactions: Interactions, groups: pl.DataFrame) -> Self:
        """Build from the rows of marts.track_groups: track_id, group_kind, group_name."""
        return cls.of(interactions, groups.pivot("group_kind", index="track_id", values="group_name"))

    @cached_property
    def artists(self) -> Rows:
        """Artist number of each track; of several artists, the first. -1 if unknown. Shape (n_tracks,), int64."""
        made = artists_of(self.interactions.track_features).tocsr()
        n_artists = np.diff(made.indptr)
        artists = np.full(len(n_artists), -1)
        artists[n_artists > 0] = made.indices[made.indptr[:-1][n_artists > 0]]
        return artists

    @cached_property
    def vectors(self) -> F32:
        """
        Track vectors of norm 1; zeros for tracks without features. Shape (n_tracks, at most N_DIMENSIONS), float32.

        Computed by latent semantic analysis of the tf-idf weights of the tracks' features. If no track has a known
        feature, the listeners of each track are used as its features.

        Source: Deerwester et al., Indexing by Latent Semantic Analysis (1990).
        """
        known = tfidf_features(self.interactions.track_features)
        known = known if known.nnz else unit_rows(self.interactions.matrix.T.tocsr())
        vectors = reduce_dimensions(known.astype(np.float64))
        # A short vector is only rounding error: the reduction dropped all features of the track.
        vectors[np.linalg.norm(vectors, axis=1) <= 1e-6] = 0
        scaled: F32 = unit_rows(vectors).astype(np.float32)
        return scaled

    def members(self, group: str) -> Bool:
        """
        Return True for each track in a group, such as 'artist_gender=female'. Shape (n_tracks,), bool.

        Raises:
            BadRecipe: No group has this kind, or `group` is not of the form 'kind=value'.
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
    The candidates of some listeners: the tracks from which their lists are chosen.

    Attributes:
        tracks: Track rows, in the recommender's order, best first; padded with -1. Shape (n_users, n), int32.
        relevance: The recommender's scores, scaled to 0..1 per listener: 1 for the best candidate, 0 for the last. They
            are scaled because raw scores of two listeners, or of a model and its fallback, are not comparable. Shape
            (n_users, n), float32.
        history: Each listener's liked tracks, as rows of `context.interactions.tracks`.
        profile: Training statistics of these listeners and of all tracks; the same that the metrics use.
        context: Training interactions and track groups.
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
        """Build from a table of user_id, track_id, rank, score, in which the rows of each listener are adjacent."""
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

    Methods return arrays of shape (n_block, n): one value per candidate.
    """

    def gain(self) -> F32 | float:
        """Return what the rule adds to each candidate's relevance at the next position; a penalty is negative."""
        return 0.0

    def allowed(self) -> Bool | None:
        """Return a mask of the candidates that may be chosen next. None: no mask."""
        return None

    def required(self) -> Bool | None:
        """Return a mask of the candidates to choose from next; ignored if none of them is allowed. None: no mask."""
        return None

    def update(self, users: Rows, columns: Rows) -> None:
        """Update the state after candidate `columns[i]` was chosen for listener `users[i]` of the block, for each i."""


class RerankRule(ABC):
    """
    A rerank rule. Each subclass is a frozen dataclass of its settings.

    Attributes:
        urgency: Precedence of `RuleState.required`: if the masks of two rules conflict, the higher urgency wins.
    """

    urgency: ClassVar[int] = 0

    @property
    def named_groups(self) -> Sequence[str]:
        """Groups of tracks that the settings refer to, such as 'artist_gender=female'."""
        return ()

    def prepared(self, candidates: CandidateSet) -> "RerankRule":  # noqa: ARG002 - for rules over all lists together
        """Return the rule with parameters computed from all listeners' candidates. Called before the selection."""
        return self

    def corrected(self, candidates: CandidateSet, chosen: I64) -> "RerankRule":  # noqa: ARG002
        """
        Return the rule adjusted after a selection, or `self` if nothing needs adjusting.

        Args:
            candidates: The candidates.
            chosen: The result of `select.choose`. Shape (n_users, k).
        """
        return self

    @abstractmethod
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        """Return this rule's state for a block of listeners whose lists are still empty."""


def reduce_dimensions(rows: Csr) -> F64:
    """
    Project rows onto their N_DIMENSIONS leading singular directions. Shape (n_rows, at most N_DIMENSIONS).

    Subspace iteration from a fixed random start is used instead of a truncated SVD: singular values can tie, and
    rounding would decide which of the tied directions a truncated SVD drops.

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
    """
    Return, for each row of a ranking, the listener's index and the 0-based position in the listener's list.

    Listeners are numbered from 0 in order of first appearance. Shape (n_rows,) each, int64.
    """
    user = candidates["user_id"].rle_id().to_numpy().astype(np.int64)
    return user, candidates["rank"].to_numpy().astype(np.int64) - 1


def _relevance(scores: F32) -> F32:
    """Scale each listener's scores to 0..1. If all are equal, all become 1. Padding (NaN) becomes 0."""
    with np.errstate(invalid="ignore"):
        low, high = (np.nan_to_num(edge(scores, axis=1, keepdims=True)) for edge in (np.fmin.reduce, np.fmax.reduce))
    width = high - low
    scaled = np.where(width > 0, (scores - low) / np.where(width > 0, width, 1), 1)
    return np.where(np.isnan(scores), 0, scaled).astype(np.float32)


def rule_class(name: str) -> type[RerankRule]:
    """
    Return the class of the rule in recsys/rerank/rules/<name>.py.

    Raises:
        BadRecipe: There is no rule with this name.
    """
    if name not in rule_names():
        expected, hint = ", ".join(rule_names()), did_you_mean(name, rule_names())
        raise BadRecipe(f"[rerank]: found the rule {name!r}, expected one of {expected}.{hint}")
    return plugin_class(RULES, name, RerankRule)


def rule_names() -> Sequence[str]:
    """Return the names of all rules, one per file in `rerank/rules`."""
    return plugin_names(RULES)


RerankRules: TypeAlias = Mapping[str, RerankRule]
