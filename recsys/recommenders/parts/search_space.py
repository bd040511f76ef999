"""
The search space of tuning: a model's config declares the range of a hyperparameter beside its default.

`recsys.experiments.tuning` reads these ranges. Hyperparameters without a range are not tuned, and neither are those
that act on something that the interactions lack: no trial is spent where all give the same lists.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np

from recsys.dataset.interactions import Interactions

_Value = TypeVar("_Value")
RANGE, NEEDS = "range", "needs"
RECENCIES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # from no decay to the latest few alone

Need: TypeAlias = Literal["order", "features", "strengths"]  # what a hyperparameter acts on


@dataclass(frozen=True)
class Range:
    """Values from `low` to `high`, inclusive. If `log`, sampled on a log scale. Integer settings get integers."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """Values that tuning chooses from."""

    values: tuple[Any, ...]


def tunable_range(default: _Value, low: float, high: float, *, log: bool = False, needs: Need | None = None) -> _Value:
    """Return a dataclass field with this default and a range from which tuning samples."""
    return field(default=default, metadata={RANGE: Range(low, high, log), NEEDS: needs})


def tunable_choice(default: _Value, values: Sequence[_Value], *, needs: Need | None = None) -> _Value:
    """Return a dataclass field with this default and the values that tuning chooses from."""
    return field(default=default, metadata={RANGE: Choice(tuple(values)), NEEDS: needs})


def tunable_recency(default: float) -> float:
    """Return a dataclass field with this default, for which tuning chooses from `RECENCIES`."""
    return tunable_choice(default, RECENCIES, needs="order")


def ranges(config_class: type[Any], given: Collection[Need] | None = None) -> dict[str, Range | Choice]:
    """
    Return the `Range` or `Choice` of each tunable hyperparameter of a config class, by name.

    Args:
        config_class: The config class.
        given: What the interactions have, see `needs_met`; hyperparameters that need anything else are left out. None:
            everything.
    """
    tunable = [setting for setting in fields(config_class) if RANGE in setting.metadata]
    met = [s for s in tunable if given is None or s.metadata[NEEDS] is None or s.metadata[NEEDS] in given]
    return {setting.name: setting.metadata[RANGE] for setting in met}


def needs_met(interactions: Interactions) -> set[Need]:
    """
    Return what the interactions have for hyperparameters to act on.

    Order: some listener's tracks differ in age. Strengths: some differ from 1. Features: some track has one.
    """
    counts = np.diff(interactions.matrix.indptr)
    is_same_user = np.diff(np.repeat(np.arange(len(counts)), counts)) == 0
    met: dict[Need, bool] = {
        "order": bool((np.diff(interactions.age_days)[is_same_user] != 0).any()),
        "strengths": bool((interactions.matrix.data != 1).any()),
        "features": bool(interactions.track_features.matrix.nnz),
    }
    return {need for need, is_met in met.items() if is_met}
