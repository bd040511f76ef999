"""
Several models in one: each proposes candidates, and a small ranker, fitted on what listeners chose later, orders them.

The ranker learns from a validation cut only: members are fitted to its training part, their candidates are held
against what its listeners chose afterwards, and then the members are fitted again, to everything. So a member that
remembers its training well gains nothing by it. A fit costs two fits of every member.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions, Split
from recsys.errors import BadRecipe
from recsys.recommenders.base import Recommender, recommender_class
from recsys.recommenders.parts.attribution import Kinship
from recsys.recommenders.parts.candidate_features import N_FACTS, Catalogue, candidates, standing
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.ranker import Examples, Ranker
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.parts.topk import N_BLOCK, Mask

N_TAUGHT = 4000  # listeners that the ranker learns from, at most


@dataclass(frozen=True)
class BlendConfig:
    """
    Settings of `Blend`.

    Attributes:
        models: Its members with their settings; the first one explains, and orders what is no candidate.
        n_candidates: How many tracks each member proposes to each listener.
        n_hidden: Width of the ranker.
        epochs: Passes of the ranker over its listeners.
        learning_rate: Step of the ranker's training.
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
class Tasters:
    """Some listeners as the members see them, what they like, and what they may not get."""

    states: list[Any]
    history: History
    mask: Mask | None = None

    def __getitem__(self, users: Any) -> Self:
        """Return some of them."""
        mask = None if self.mask is None else self.mask.of_users(users)
        return type(self)([states[users] for states in self.states], self.history[users], mask)


class Blend(Recommender[BlendConfig]):
    """Score of a track: the ranker's, for candidates; below them all others, in the first member's order."""

    name: ClassVar[str] = "blend"
    config_class: ClassVar[type[Any]] = BlendConfig
    _cut: Split | None
    _members: list[Recommender[Any]]

    @override
    def fit(
        self,
        taste: Interactions,
        *,
        validation: Split | None = None,
        fitted: Callable[[], Recommender[Any]] | None = None,
    ) -> Self:
        """Learn; where nothing was chosen in the validation cut, from the latest of each listener's likes."""
        is_telling = validation is not None and validation.test.nnz > 0
        self._cut = validation if is_telling else Split.latest(taste, seed=self.config.seed)
        self._members = _members_of(fitted()) if is_telling and fitted is not None else []
        return super().fit(taste)

    @override
    def _fit(self, taste: Interactions) -> None:
        self._ranker = self._taught(self._cut)
        del self._cut, self._members  # which may be large, before as many again are fitted
        self._members = self._fitted(taste)
        self._catalogue = Catalogue.of(taste)
        self._liked = taste.liked

    def _fitted(self, taste: Interactions) -> list[Recommender[Any]]:
        return [_member(name, settings).fit(taste) for name, settings in self.config.models.items()]

    def _taught(self, cut: Any) -> Ranker:
        """Fit the members to the cut's training part and the ranker to what was chosen later."""
        taste = cut.train.of_users(np.flatnonzero(np.diff(cut.train.matrix.indptr)))
        self._members, self._catalogue = self._members or self._fitted(taste), Catalogue.of(taste)
        chosen = cut.test[cut.train.users.rows(taste.users.ids())]
        asked = np.flatnonzero(np.diff(chosen.indptr))
        if len(asked) > N_TAUGHT:
            asked = np.sort(np.random.default_rng(self.config.seed).choice(asked, N_TAUGHT, replace=False))
        mask = Filters.of(taste).mask(taste.users.ids(asked))
        tasters = Tasters([member._states(asked) for member in self._members], taste.liked[asked], mask)  # noqa: SLF001
        examples = examples_of(self._judged(tasters[block], chosen[asked[block]]) for block in blocks(len(asked)))
        if examples is None:
            return Ranker.of_first(2 * len(self._members) + N_FACTS)
        config = self.config
        return Ranker.fit(
            examples,
            n_hidden=config.n_hidden,
            epochs=config.epochs,
            learning_rate=config.learning_rate,
            seed=config.seed,
        )

    def _judged(self, tasters: Tasters, chosen: Any) -> tuple[Rows, F32, npt.NDArray[np.bool_]]:
        """Return listener, evidence and whether it was chosen, for each candidate of a block."""
        (users, tracks), evidence, _ = self._evidence(tasters)
        return users, evidence, np.asarray(chosen[users, tracks]).ravel().astype(np.bool_)

    def _evidence(self, tasters: Tasters) -> tuple[tuple[Rows, Rows], F32, F32]:
        """Return the candidates of a block (user, track), their evidence, and the first member's scores of all."""
        scores = [self._scores(member, tasters, number) for number, member in enumerate(self._members)]
        at, ranks = candidates(scores, self.config.n_candidates)
        told = [*(standing(member, at) for member in scores), *(np.log1p(rank) for rank in ranks)]
        return at, np.column_stack([*told, self._catalogue.evidence(tasters.history, at)]), scores[0]

    def _scores(self, member: Recommender[Any], tasters: Tasters, number: int) -> F32:
        scores = np.empty((len(tasters.history), len(member.tracks)), np.float32)
        member._score(tasters.states[number], scores)  # noqa: SLF001 - of a member
        if tasters.mask is not None:
            tasters.mask.apply(slice(0, len(scores)), scores)
        return scores

    @override
    def _score(self, states: Tasters, out: F32) -> None:
        at, evidence, first = self._evidence(states)
        ranked = self._ranker.score(evidence)
        lowest = np.zeros(len(out), np.float32)
        np.minimum.at(lowest, at[0], ranked)
        behind = np.maximum(first.max(axis=1), np.finfo(np.float32).min)[:, None] - first  # >= 0
        np.subtract(lowest[:, None] - 1, behind, out=out)
        out[at] = ranked

    @override
    def _states(self, rows: Rows) -> Tasters:
        return Tasters([member._states(rows) for member in self._members], self._liked[rows])  # noqa: SLF001

    @override
    def _folded(self, history: History) -> Tasters:
        return Tasters([member._folded(history) for member in self._members], history)  # noqa: SLF001

    @override
    def _under(self, states: Tasters, mask: Mask) -> Tasters:
        return Tasters(states.states, states.history, mask)

    @override
    def _kinship(self, history: History) -> Kinship | None:
        return self._members[0]._kinship(history)  # noqa: SLF001

    @override
    def _arrays(self) -> dict[str, Any]:
        parts = {f"member{number}": member._arrays() for number, member in enumerate(self._members)}  # noqa: SLF001
        parts |= {"catalogue": self._catalogue.arrays(), "ranker": vars(self._ranker)}
        when = {"age_days": self._liked.age_days, "hours": self._liked.hours}
        parts |= {"liked": when | arrays_of("matrix", self._liked.matrix)}
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._members = [_member(name, settings) for name, settings in self.config.models.items()]
        for number, member in enumerate(self._members):
            member.users, member.tracks, member.fallback = self.users, self.tracks, self.fallback
            member._restore(part_of(arrays, f"member{number}"))  # noqa: SLF001
        self._catalogue = Catalogue.restore(part_of(arrays, "catalogue"))
        self._ranker = Ranker.restore(part_of(arrays, "ranker"))
        liked = part_of(arrays, "liked")
        self._liked = History(matrix_of("matrix", liked), liked["age_days"], liked["hours"])


def _members_of(blend: Recommender[Any]) -> list[Recommender[Any]]:
    return blend._members if isinstance(blend, Blend) else []  # noqa: SLF001 - of its own kind


def _member(name: str, settings: Mapping[str, Any]) -> Recommender[Any]:
    model_class = recommender_class(name)
    return model_class(model_class.config_class(**settings))


def blocks(n_users: int) -> list[slice]:
    """Return the slices that cover so many users."""
    return [slice(start, min(start + N_BLOCK, n_users)) for start in range(0, n_users, N_BLOCK)]


def examples_of(judged: Iterable[tuple[Rows, F32, npt.NDArray[np.bool_]]]) -> Examples | None:
    """Put blocks of judged candidates together; listeners none of whose choices is a candidate teach nothing."""
    evidence, chosen, counts = [], [], []
    for users, told, hit in judged:
        n_hits = np.bincount(users, weights=hit)
        useful = n_hits[users] > 0
        evidence.append(told[useful])
        chosen.append(hit[useful])
        counts.append(np.bincount(users)[n_hits > 0])
    if not sum(map(len, counts)):
        return None
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return Examples(np.concatenate(evidence), np.concatenate(chosen), starts)


def part_of(arrays: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the arrays named 'part.name', by name."""
    return {name.removeprefix(f"{part}."): arrays[name] for name in arrays if name.startswith(f"{part}.")}
