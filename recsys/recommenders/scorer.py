"""
The interface that a model file implements: learn from interactions, then score every track for users given by row.

A scorer knows users and tracks by row number only. Ids, filters, top-k, the fallback and files belong to
`recommenders.base.Recommender`, which is composed over a scorer. A scorer may hold other scorers (see
`recommenders.blend`), and calls nothing but the methods below.

`scorer_class` finds a model by its file name: there is no list to keep.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.splits import Split
from recsys.errors import BadRecipe, did_you_mean
from recsys.installation.plugins import plugin_class, plugin_names
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.topk import Mask

PACKAGE, HELPERS = "recsys.recommenders", ("base", "scorer")

Config = TypeVar("Config")


@dataclass(frozen=True, eq=False)
class Validation:
    """
    A cut through an earlier part of the training window, for scorers that learn how far to trust other scorers.

    Attributes:
        split: What may be learned from, and what users chose afterwards.
        fitted: Loads the same scorer, fitted to `split.train`. It saves a fit and changes no result; None: there is
            none.
    """

    split: Split
    fitted: "Callable[[], Scorer[Any]] | None" = None


class Scorer(ABC, Generic[Config]):
    """
    A model that scores every track for each user.

    A scorer is fitted by `fit`, or takes over the fitted `arrays` of another one by `restore`. Users then reach it in
    one of two ways: `states` for those of the training window, `fold_in` for anybody with a history. Both give one
    entry per user, which `score` turns into scores.

    Attributes:
        name: The file's name, by which recipes and saved models refer to it.
        config_class: The frozen dataclass of its settings.
        config: Its settings.
    """

    name: ClassVar[str]
    config_class: ClassVar[type[Any]]

    def __init__(self, config: Config | None = None) -> None:
        self.config: Config = self.config_class() if config is None else config

    @abstractmethod
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        """
        Learn from a window of interactions; the same window, config and seed give the same model.

        Args:
            interactions: The training window. Every user in it has at least one liked track.
            validation: A cut through an earlier part of that window; only scorers over other scorers use it.
        """

    @abstractmethod
    def states(self, rows: Rows) -> Any:
        """
        Return what the model knows of training users.

        Args:
            rows: User rows of the training window, shape (n_users,), int64.

        Returns:
            One entry per user, which can be indexed by a slice, by rows or by a boolean array.
        """

    @abstractmethod
    def fold_in(self, history: History) -> Any:
        """
        Return the states of users outside training, without training again.

        Args:
            history: What each user likes, at least one track, in the columns of the training catalogue.

        Returns:
            As `states`; for a training user's own history, the same as their row's within rounding.
        """

    @abstractmethod
    def score(self, states: Any, out: F32) -> None:
        """
        Write the score of every track for each user; several threads may call it at once.

        Args:
            states: As `states` or `fold_in` return, or some of them.
            out: Shape (n_users, n_tracks), float32. Every entry is overwritten, none with NaN.
        """

    def with_mask(self, states: Any, mask: Mask) -> Any:  # noqa: ARG002 - most scorers need no mask
        """Attach the exclusion mask to states; scorers may ignore it, excluded tracks are masked after scoring."""
        return states

    def attribution(self, history: History) -> Attribution | None:  # noqa: ARG002 - this default knows of none
        """
        Split scores into contributions of the tracks in each user's history.

        Args:
            history: As for `fold_in`; a user without any track is allowed.

        Returns:
            How far each track of a history contributes to the score of any other; None where scores do not come from
            single tracks.
        """
        return None

    @abstractmethod
    def arrays(self) -> dict[str, Any]:
        """Return all that was learned, as plain arrays by name."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, Any]) -> None:
        """
        Take over what `arrays` returned of a scorer with the same config.

        Raises:
            KeyError: An array is missing.
        """


def scorer_class(name: str) -> type[Scorer[Any]]:
    """
    Return the scorer in recsys/recommenders/<name>.py.

    Raises:
        BadRecipe: There is none of that name.
    """
    names = scorer_names()
    if name not in names:
        hint = did_you_mean(name, names)
        raise BadRecipe(f"no recommender is called {name!r}; expected one of {', '.join(names)}.{hint}")
    return plugin_class(PACKAGE, name, Scorer)


def scorer_names() -> list[str]:
    """Return the names of all scorers: every module of this folder but the two that all models share."""
    return plugin_names(PACKAGE, exclude=HELPERS)
