"""
A stacked ensemble: each member model proposes candidates, and a small learning-to-rank model orders them.

The ranker learns from a validation split: members are fitted to the training part of the split, and their candidates
are labelled as positive if the user played them afterwards. Then the members are fitted again, to the whole
window. So a member that overfits its training data gets no advantage. Each member is fitted twice; a member that learns
in epochs divides them between the two fits, of one at least each, and the second continues the first.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.sparse import entries
from recsys.dataset.splits import Split
from recsys.errors import BadRecipe
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.candidate_features import N_TRACK_FEATURES, TrackStatistics, candidates, zscores
from recsys.recommenders.parts.ranker import Examples, Ranker
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.parts.topk import Mask, blocks_of_users
from recsys.recommenders.scorer import IterativeScorer, Scorer, Validation, scorer_class
from recsys.settings import Count, Positive, Seed, Settings

FIRST_EPOCHS = 0.6  # share of a member's epochs in its first fit; the second fit has the rest
MAX_EXAMPLE_USERS = 4000  # maximum number of users whose candidates are training examples


@dataclass(frozen=True)
class BlendConfig(Settings):
    """
    Settings of `Blend`.

    Attributes:
        models: Settings of each member, by name. The first member also provides attributions, and orders the tracks
            that are not candidates.
        n_candidates: Number of tracks that each member proposes per user.
        n_hidden: Number of units of the ranker's hidden layer.
        epochs: Training epochs of the ranker.
        learning_rate: Learning rate of the ranker.
        seed: Seed of the ranker: its initial weights, batches and sample of users.
    """

    models: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"ease": {}, "als": {}, "item_knn": {}, "user_knn": {}, "sequential": {}}
    )
    n_candidates: Count = 100
    n_hidden: Count = 16
    epochs: Count = 15
    learning_rate: Positive = 0.01
    seed: Seed = 7

    @override
    def __post_init__(self) -> None:
        """Raise BadRecipe if a value is invalid, there is no member, or a member is a blend."""
        super().__post_init__()
        if not self.models or "blend" in self.models:
            found = ", ".join(self.models) or "none"
            raise BadRecipe(f"[recommenders.blend] models: found {found}, expected at least one, and not blend itself")


@dataclass(frozen=True, eq=False)
class UserBatch:
    """
    User states of a blend: the states of its members, and the history and mask for candidate features.

    Attributes:
        states: The user states of each member, in the order of the members.
        history: Histories of these users.
        mask: Exclusion mask of these users. None: nothing is excluded.
    """

    states: list[Any]
    history: History
    mask: Mask | None = None

    def blocks(self) -> list[slice]:
        """Return slices of the users that are scored at once."""
        return blocks_of_users(*self.history.matrix.shape)

    def __getitem__(self, users: Any) -> Self:
        """Return a subset of the users: a slice, rows, or a boolean array."""
        mask = None if self.mask is None else self.mask.of_users(users)
        return type(self)([states[users] for states in self.states], self.history[users], mask)


class Blend(Scorer[BlendConfig]):
    """
    Score of a candidate = the ranker's score. All other tracks rank below, in the first member's order.

    Attributes:
        members: Fitted scorers, in the order of `config.models`.
    """

    name: ClassVar[str] = "blend"
    config_class: ClassVar[type[Any]] = BlendConfig
    members: list[Scorer[Any]]

    @property
    @override
    def reads_contents(self) -> bool:
        return True  # the ranker compares the features of a candidate and of the history

    @property
    @override
    def reads_listeners(self) -> bool:
        return any(member.reads_listeners for member in self.members)

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        """Fit members and ranker. If there is no validation split with test pairs, hold out the latest tracks."""
        if validation is None or not validation.split.test.nnz:
            validation = Validation(Split.hold_out_latest(interactions, seed=self.config.seed))
        self._ranker = self._fit_ranker(validation)
        earlier = validation.split.train.tracks.find(interactions.tracks.ids())
        starts = [_track_factors(member, earlier) for member in self.members]
        del self.members  # they may be large: free the memory before fitting them again
        self.members = self._fit_members(interactions, starts)
        self._statistics = TrackStatistics.of(interactions)
        self._liked = interactions.liked
        return self

    def _fit_members(self, interactions: Interactions, starts: Sequence[F32 | None] = ()) -> list[Scorer[Any]]:
        """Fit new members, each from the track factors in `starts` if it has some."""
        members = self._new_members(is_first=not starts)
        return [_fitted(member, start, interactions) for member, start in zip_longest(members, starts)]

    def _new_members(self, *, is_first: bool = False) -> list[Scorer[Any]]:
        models = self.config.models.items()
        return [_new_member(scorer_class(name), settings, is_first=is_first) for name, settings in models]

    def _fit_ranker(self, validation: Validation) -> Ranker:
        """Fit the members to the training part of the split, and the ranker to their candidates."""
        split = validation.split
        training_rows = np.flatnonzero(np.diff(split.train.matrix.indptr))
        train, test, hidden = (
            split.train.of_users(training_rows),
            split.test[training_rows],
            split.hidden[training_rows],
        )
        self.members = _fitted_members(validation) or self._fit_members(train)
        self._statistics = TrackStatistics.of(train)
        rows = self._sampled(np.flatnonzero(np.diff(test.indptr)))  # users with a test track
        users = UserBatch([member.states(rows) for member in self.members], train.liked[rows], Mask.of(hidden[rows]))
        examples = examples_of(self._labelled(users[block], test[rows[block]]) for block in users.blocks())
        if examples is None:
            return Ranker.by_first_feature(self._n_features())
        config = self.config
        return Ranker.fit(
            examples,
            n_hidden=config.n_hidden,
            epochs=config.epochs,
            learning_rate=config.learning_rate,
            seed=config.seed,
        )

    def _n_features(self) -> int:
        return 2 * len(self.members) + N_TRACK_FEATURES

    def _sampled(self, rows: Rows) -> Rows:
        if len(rows) <= MAX_EXAMPLE_USERS:
            return rows
        return np.sort(np.random.default_rng(self.config.seed).choice(rows, MAX_EXAMPLE_USERS, replace=False))

    def _labelled(self, users: UserBatch, test: Any) -> tuple[Rows, F32, npt.NDArray[np.bool_]]:
        """Return user row, features and label (True for a test pair) of each candidate of a block of users."""
        (rows, tracks), features, _ = self._features(users)
        return rows, features, entries(test, (rows, tracks)).astype(np.bool_)

    def _features(self, users: UserBatch) -> tuple[tuple[Rows, Rows], F32, F32]:
        """Return a block's candidates (user rows, track rows), their features, and all scores of the first member."""
        scores = [
            self._scores(member, states, users) for member, states in zip(self.members, users.states, strict=True)
        ]
        pairs, ranks = candidates(scores, self.config.n_candidates)
        of_members = [*(zscores(member, pairs) for member in scores), *(np.log1p(rank) for rank in ranks)]
        return pairs, np.column_stack([*of_members, self._statistics.features(users.history, pairs)]), scores[0]

    def _scores(self, member: Scorer[Any], states: Any, users: UserBatch) -> F32:
        scores = np.empty(users.history.matrix.shape, np.float32)
        member.score(states, scores)
        if users.mask is not None:
            users.mask.apply(slice(0, len(scores)), scores)
        return scores

    @override
    def keep_users(self, rows: Rows) -> None:
        self._liked = self._liked[rows]
        for member in self.members:
            member.keep_users(rows)

    @override
    def score(self, states: UserBatch, out: F32) -> None:
        pairs, features, first = self._features(states)
        ranked = self._ranker.score(features)
        lowest = np.zeros(len(out), np.float32)
        np.minimum.at(lowest, pairs[0], ranked)
        behind = np.maximum(first.max(axis=1), np.finfo(np.float32).min)[:, None] - first  # >= 0
        np.subtract(lowest[:, None] - 1, behind, out=out)  # not candidates: below the user's lowest candidate
        out[pairs] = ranked

    @override
    def states(self, rows: Rows) -> UserBatch:
        return UserBatch([member.states(rows) for member in self.members], self._liked[rows])

    @override
    def fold_in(self, history: History) -> UserBatch:
        return UserBatch([member.fold_in(history) for member in self.members], history)

    @override
    def decay_by_default(self) -> None:
        for member in self.members:
            member.decay_by_default()

    @override
    def with_mask(self, states: UserBatch, mask: Mask) -> UserBatch:
        """Attach the exclusion mask, so that only allowed tracks become candidates."""
        return UserBatch(states.states, states.history, mask)

    @override
    def attribution(self, history: History) -> Attribution | None:
        return self.members[0].attribution(history)

    @override
    def arrays(self) -> dict[str, Any]:
        parts = {f"member{number}": member.arrays() for number, member in enumerate(self.members)}
        parts |= {"catalogue": self._statistics.arrays(), "ranker": vars(self._ranker)}
        times = {"age_days": self._liked.age_days, "hours": self._liked.hours}
        parts |= {"liked": times | arrays_of("matrix", self._liked.matrix)}
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self.members = self._new_members()
        for number, member in enumerate(self.members):
            member.restore(arrays_with_prefix(arrays, f"member{number}"))
        self._statistics = TrackStatistics.restore(arrays_with_prefix(arrays, "catalogue"))
        self._ranker = Ranker.restore(arrays_with_prefix(arrays, "ranker"))
        if len(self._ranker.mean) != self._n_features():
            raise KeyError(f"its ranker has {len(self._ranker.mean)} features, expected {self._n_features()}")
        liked = arrays_with_prefix(arrays, "liked")
        self._liked = History(matrix_of("matrix", liked), liked["age_days"], liked["hours"])


def _new_member(model_class: type[Scorer[Any]], settings: dict[str, Any], *, is_first: bool) -> Scorer[Any]:
    """Return an unfitted member for the first or second fit, with its part of the epochs if it learns in epochs."""
    config = model_class.config_class(**settings)
    if issubclass(model_class, IterativeScorer):
        n_first = math.ceil(FIRST_EPOCHS * config.epochs)
        config = replace(config, epochs=n_first if is_first else max(1, config.epochs - n_first))
    return model_class(config)


def _fitted(member: Scorer[Any], start: F32 | None, interactions: Interactions) -> Scorer[Any]:
    if start is not None and isinstance(member, IterativeScorer):
        return member.fit_from(start, interactions)
    return member.fit(interactions)


def _track_factors(member: Scorer[Any], rows: Rows) -> F32 | None:
    """Return the track factors of these rows, 0 where the row is -1. None: the member learns none in epochs."""
    if not isinstance(member, IterativeScorer):
        return None
    return np.where(rows[:, None] >= 0, member.track_factors[rows], np.float32(0))


def _fitted_members(validation: Validation) -> list[Scorer[Any]]:
    """Return the members already fitted to the training part of the split; [] if there are none."""
    fitted = validation.load_fitted() if validation.load_fitted is not None else None
    return fitted.members if isinstance(fitted, Blend) else []


def examples_of(labelled: Iterable[tuple[Rows, F32, npt.NDArray[np.bool_]]]) -> Examples | None:
    """
    Concatenate blocks of labelled candidates into training examples of the ranker.

    Args:
        labelled: Per block of users: user row, features and label of each candidate, sorted by user.

    Returns:
        The examples of users with at least one positive candidate. None if there is no such user.
    """
    features, chosen, counts = [], [], []
    for users, block_features, labels in labelled:
        n_hits = np.bincount(users, weights=labels)
        is_useful = n_hits[users] > 0
        features.append(block_features[is_useful])
        chosen.append(labels[is_useful])
        counts.append(np.bincount(users)[n_hits > 0])
    if not sum(map(len, counts)):
        return None
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return Examples(np.concatenate(features), np.concatenate(chosen), starts)


def arrays_with_prefix(arrays: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the arrays named '<prefix>.<name>', by <name>."""
    return {name.removeprefix(f"{prefix}."): arrays[name] for name in arrays if name.startswith(f"{prefix}.")}
