"""
The `Scorer` interface, which every model implements: fit to interactions, then score every track for each user.

A scorer knows users and tracks by row number only. Ids, filters, top-k, the fallback and files are handled by
`recommenders.base.Recommender`, which wraps a scorer. A scorer may contain other scorers (see `recommenders.blend`) and
then calls only their public methods.

`scorer_class` finds a model by its file name, so models need no registration.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Self, TypeVar

from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.splits import Split
from recsys.errors import BadRecipe, did_you_mean
from recsys.installation.plugins import plugin_class, plugin_names
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.topk import Mask

PACKAGE, HELPERS = "recsys.recommenders", ("base", "scorer")
DECAYS = ("recency", "rank_recency")  # settings of models: decay of old plays by days, and by the user's later plays

Config = TypeVar("Config")


@dataclass(frozen=True, eq=False)
class Validation:
    """
    A validation split inside the training window, for scorers that learn to combine other scorers.

    Attributes:
        split: An earlier part of the training window, and the tracks that its users played afterwards.
        load_fitted: Loads the same scorer, already fitted to `split.train`. This saves one fit; results are the same
            without it, except that members that continue an earlier fit have learned longer. None: no such scorer was
            saved.
    """

    split: Split
    load_fitted: "Callable[[], Scorer[Any]] | None" = None


class Scorer(ABC, Generic[Config]):
    """
    A model that scores every track for each user.

    Call `fit` first, or `restore` with the `arrays` of a fitted scorer. Scoring then takes two steps: get the state of
    each user from `states` (for training users) or `fold_in` (for any history), and pass the states to `score`. A state
    is whatever the model computes scores from: a user vector, a weighted history, ...

    Attributes:
        name: Name of the model and of its file, used in recipes and saved models.
        config_class: Frozen dataclass of the model's settings.
        config: Settings of this instance.
    """

    name: ClassVar[str]
    config_class: ClassVar[type[Any]]

    def __init__(self, config: Config | None = None) -> None:
        self.config: Config = self.config_class() if config is None else config

    @property
    def reads_contents(self) -> bool:
        """Whether `fit` reads the features of tracks: metadata, and sound and words where they are known."""
        return bool(getattr(self.config, "side_weight", 0))

    @property
    def reads_listeners(self) -> bool:
        """Whether `fit` reads the features of listeners, such as their country."""
        return False

    @abstractmethod
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        """
        Fit the model to a window of interactions. The same window, config and seed give the same model.

        Args:
            interactions: The training window. Every user has at least one positive interaction.
            validation: A validation split within that window. Only scorers that combine other scorers use it.

        Returns:
            The scorer itself.
        """

    @abstractmethod
    def states(self, rows: Rows) -> Any:
        """
        Return the states of training users.

        Args:
            rows: User rows of the training window. Shape (n_users,), int64.

        Returns:
            One state per user, in a container that can be indexed by a slice, an array of rows or a boolean array.
        """

    @abstractmethod
    def keep_users(self, rows: Rows) -> None:
        """Keep only these training users, in this order, and remove what is stored of all others. Used by erasure."""

    @abstractmethod
    def fold_in(self, history: History) -> Any:
        """
        Compute the states of any users from their histories, without training again.

        Args:
            history: The history of each user: at least one track, with the columns of the training catalogue.

        Returns:
            One state per user, in the same container as `states`. For a training user's own history, the state equals
            that of `states`, up to rounding.
        """

    def decay_by_default(self) -> None:
        """Set the decays of old plays in `fold_in` to their defaults, for histories whose ages state only an order."""
        defaults = {name: value for name, value in vars(self.config_class()).items() if name in DECAYS}
        self.config = replace(self.config, **defaults)  # type: ignore[type-var] # a dataclass, see config_class

    @abstractmethod
    def score(self, states: Any, out: F32) -> None:
        """
        Write the score of every track for each user. Thread-safe.

        Args:
            states: User states from `states` or `fold_in`, or a slice of them.
            out: Receives the scores. Shape (n_users, n_tracks), float32. Every entry is overwritten, never with NaN.
        """

    def with_mask(self, states: Any, mask: Mask) -> Any:  # noqa: ARG002 - most scorers need no mask
        """Attach the exclusion mask to states. Most scorers ignore it: excluded tracks are masked after scoring."""
        return states

    def track_vectors(self) -> F32 | None:
        """
        Return the vectors of all tracks by which states are scored: score = inner product of state and track vector.

        Returns:
            Shape (n_tracks, n_dimensions), float32, in a model whose states are vectors of shape (n_users,
            n_dimensions). None: the model's scores are no inner products.
        """
        return None

    def attribution(self, history: History) -> Attribution | None:  # noqa: ARG002 - the default returns None
        """
        Split scores into contributions of the tracks in each user's history.

        Args:
            history: As in `fold_in`, but histories may be empty.

        Returns:
            The contributions to the score of any track. None if the model's scores cannot be split into contributions.
        """
        return None

    @abstractmethod
    def arrays(self) -> dict[str, Any]:
        """Return the fitted parameters as plain numpy arrays, by name."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, Any]) -> None:
        """
        Restore the parameters that `arrays` returned for a scorer with the same config.

        Raises:
            KeyError: An array is missing.
        """


class IterativeScorer(Scorer[Config]):
    """
    A scorer that learns track factors in epochs, and can continue an earlier fit.

    Attributes:
        config: Its settings include `epochs`.
        track_factors: Factors of all tracks. Shape (n_tracks, factors), float32.
    """

    track_factors: F32

    @abstractmethod
    def fit_from(self, track_factors: F32, interactions: Interactions) -> Self:
        """
        Fit the model to a window of interactions, starting from the track factors of an earlier fit.

        Args:
            track_factors: What to start from; rows of 0, of tracks that the earlier fit did not have, start anew.
                Shape (n_tracks, factors).
            interactions: The training window, as in `fit`.
        """


def scorer_class(name: str) -> type[Scorer[Any]]:
    """
    Return the scorer class in recsys/recommenders/<name>.py.

    Raises:
        BadRecipe: There is no model with this name.
    """
    names = scorer_names()
    if name not in names:
        hint = did_you_mean(name, names)
        raise BadRecipe(f"There is no recommender {name!r}; expected one of {', '.join(names)}.{hint}")
    return plugin_class(PACKAGE, name, Scorer)


def scorer_names() -> list[str]:
    """Return the names of all scorers: the modules of this folder, except `base` and `scorer`."""
    return plugin_names(PACKAGE, exclude=HELPERS)
