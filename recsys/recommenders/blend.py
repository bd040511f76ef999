"""
A stacked ensemble: each member proposes candidates, and a small ranker, fitted on later choices, orders them.

The ranker learns from a validation cut only: members are fitted to the cut's training part, their candidates are
labelled by what users chose afterwards, and then the members are fitted again, to everything. So a member that
overfits its training data gains nothing. A fit costs two fits of every member.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.splits import Split
from recsys.errors import BadRecipe
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.candidate_features import N_TRACK_FEATURES, Catalogue, candidates, zscores
from recsys.recommenders.parts.ranker import Examples, Ranker
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.parts.topk import N_BLOCK, Mask
from recsys.recommenders.scorer import Scorer, Validation, scorer_class

MAX_EXAMPLE_USERS = 4000  # users that the ranker learns from, at most


@dataclass(frozen=True)
class BlendConfig:
    """
    Settings of `Blend`.

    Attributes:
        models: Its members with their settings; the first one gives attributions, and orders what is no candidate.
        n_candidates: Tracks that each member proposes per user.
        n_hidden: Width of the ranker's hidden layer.
        epochs: Passes of the ranker over its users.
        learning_rate: Of the ranker.
        seed: Of the ranker.
    """

    models: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"ease": {}, "als": {}, "item_knn": {}, "user_knn": {}, "sequential": {}}
    )
    n_candidates: int = 100
    n_hidden: int = 16
    epochs: int = 15
    learning_rate: float = 0.01
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse a blend of nothing, and of itself."""
        if not self.models or "blend" in self.models:
            raise BadRecipe(f"[recommenders.blend]: models is {self.models}; expected other recommenders, at least one")


@dataclass(frozen=True, eq=False)
class UserBatch:
    """
    Some users, as a blend scores them.

    Attributes:
        states: Of each member, its states of these users.
        history: What they like.
        mask: What must not be recommended to them; None: nothing.
    """

    states: list[Any]
    history: History
    mask: Mask | None = None

    def __getitem__(self, users: Any) -> Self:
        """Return some of them."""
        mask = None if self.mask is None else self.mask.of_users(users)
        return type(self)([states[users] for states in self.states], self.history[users], mask)


class Blend(Scorer[BlendConfig]):
    """
    Score of a track: the ranker's, for candidates; below them all others, in the first member's order.

    Attributes:
        members: The fitted scorers, in the order of `config.models`.
    """

    name: ClassVar[str] = "blend"
    config_class: ClassVar[type[Any]] = BlendConfig
    members: list[Scorer[Any]]

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        """Learn; where nothing was chosen in the validation cut, the ranker learns from each user's latest likes."""
        if validation is None or not validation.split.test.nnz:
            validation = Validation(Split.latest(interactions, seed=self.config.seed))
        self._ranker = self._fit_ranker(validation)
        del self.members  # they may be large: free them before as many are fitted again
        self.members = self._fit_members(interactions)
        self._catalogue = Catalogue.of(interactions)
        self._liked = interactions.liked
        return self

    def _fit_members(self, interactions: Interactions) -> list[Scorer[Any]]:
        return [member.fit(interactions) for member in self._new_members()]

    def _new_members(self) -> list[Scorer[Any]]:
        classes = {name: scorer_class(name) for name in self.config.models}
        return [found(found.config_class(**self.config.models[name])) for name, found in classes.items()]

    def _fit_ranker(self, validation: Validation) -> Ranker:
        """Fit the members to the cut's training part, and the ranker to what was chosen later."""
        learners = np.flatnonzero(np.diff(validation.split.train.matrix.indptr))
        train, chosen = validation.split.train.of_users(learners), validation.split.test[learners]
        self.members = _members_before(validation) or self._fit_members(train)
        self._catalogue = Catalogue.of(train)
        choosers = self._sampled(np.flatnonzero(np.diff(chosen.indptr)))
        users = UserBatch(
            [member.states(choosers) for member in self.members], train.liked[choosers], Mask.of(train.seen[choosers])
        )
        examples = examples_of(self._labelled(users[block], chosen[choosers[block]]) for block in blocks(len(choosers)))
        if examples is None:
            return Ranker.of_first(2 * len(self.members) + N_TRACK_FEATURES)
        config = self.config
        return Ranker.fit(
            examples,
            n_hidden=config.n_hidden,
            epochs=config.epochs,
            learning_rate=config.learning_rate,
            seed=config.seed,
        )

    def _sampled(self, rows: Rows) -> Rows:
        if len(rows) <= MAX_EXAMPLE_USERS:
            return rows
        return np.sort(np.random.default_rng(self.config.seed).choice(rows, MAX_EXAMPLE_USERS, replace=False))

    def _labelled(self, users: UserBatch, chosen: Any) -> tuple[Rows, F32, npt.NDArray[np.bool_]]:
        """Return user, features and whether it was chosen, for each candidate of a block."""
        (rows, tracks), features, _ = self._features(users)
        return rows, features, np.asarray(chosen[rows, tracks]).ravel().astype(np.bool_)

    def _features(self, users: UserBatch) -> tuple[tuple[Rows, Rows], F32, F32]:
        """Return the candidates of a block (user, track), their features, and the first member's scores of all."""
        scores = [
            self._scores(member, states, users) for member, states in zip(self.members, users.states, strict=True)
        ]
        at, ranks = candidates(scores, self.config.n_candidates)
        of_members = [*(zscores(member, at) for member in scores), *(np.log1p(rank) for rank in ranks)]
        return at, np.column_stack([*of_members, self._catalogue.features(users.history, at)]), scores[0]

    def _scores(self, member: Scorer[Any], states: Any, users: UserBatch) -> F32:
        scores = np.empty(users.history.matrix.shape, np.float32)
        member.score(states, scores)
        if users.mask is not None:
            users.mask.apply(slice(0, len(scores)), scores)
        return scores

    @override
    def score(self, states: UserBatch, out: F32) -> None:
        at, features, first = self._features(states)
        ranked = self._ranker.score(features)
        lowest = np.zeros(len(out), np.float32)
        np.minimum.at(lowest, at[0], ranked)
        behind = np.maximum(first.max(axis=1), np.finfo(np.float32).min)[:, None] - first  # >= 0
        np.subtract(lowest[:, None] - 1, behind, out=out)
        out[at] = ranked

    @override
    def states(self, rows: Rows) -> UserBatch:
        return UserBatch([member.states(rows) for member in self.members], self._liked[rows])

    @override
    def fold_in(self, history: History) -> UserBatch:
        return UserBatch([member.fold_in(history) for member in self.members], history)

    @override
    def with_mask(self, states: UserBatch, mask: Mask) -> UserBatch:
        """Attach the mask: candidates are chosen among what may be recommended."""
        return UserBatch(states.states, states.history, mask)

    @override
    def attribution(self, history: History) -> Attribution | None:
        return self.members[0].attribution(history)

    @override
    def arrays(self) -> dict[str, Any]:
        parts = {f"member{number}": member.arrays() for number, member in enumerate(self.members)}
        parts |= {"catalogue": self._catalogue.arrays(), "ranker": vars(self._ranker)}
        when = {"age_days": self._liked.age_days, "hours": self._liked.hours}
        parts |= {"liked": when | arrays_of("matrix", self._liked.matrix)}
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self.members = self._new_members()
        for number, member in enumerate(self.members):
            member.restore(part_of(arrays, f"member{number}"))
        self._catalogue = Catalogue.restore(part_of(arrays, "catalogue"))
        self._ranker = Ranker.restore(part_of(arrays, "ranker"))
        liked = part_of(arrays, "liked")
        self._liked = History(matrix_of("matrix", liked), liked["age_days"], liked["hours"])


def _members_before(validation: Validation) -> list[Scorer[Any]]:
    """Return the members of the blend that was fitted to the cut's training part before, none where there is none."""
    before = validation.fitted() if validation.fitted is not None else None
    return before.members if isinstance(before, Blend) else []


def blocks(n_users: int) -> list[slice]:
    """Return the slices that cover so many users."""
    return [slice(start, min(start + N_BLOCK, n_users)) for start in range(0, n_users, N_BLOCK)]


def examples_of(labelled: Iterable[tuple[Rows, F32, npt.NDArray[np.bool_]]]) -> Examples | None:
    """Concatenate blocks of labelled candidates, without users none of whose choices is a candidate."""
    features, chosen, counts = [], [], []
    for users, of_block, is_chosen in labelled:
        n_hits = np.bincount(users, weights=is_chosen)
        is_useful = n_hits[users] > 0
        features.append(of_block[is_useful])
        chosen.append(is_chosen[is_useful])
        counts.append(np.bincount(users)[n_hits > 0])
    if not sum(map(len, counts)):
        return None
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return Examples(np.concatenate(features), np.concatenate(chosen), starts)


def part_of(arrays: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the arrays named 'part.name', by name."""
    return {name.removeprefix(f"{part}."): arrays[name] for name in arrays if name.startswith(f"{part}.")}
