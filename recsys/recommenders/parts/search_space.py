"""
The search space of tuning: a model's config declares the range of a hyperparameter beside its default.

`recsys.experiments.tuning` reads these ranges. Hyperparameters without a range are not tuned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

_Value = TypeVar("_Value")
RANGE = "range"


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


def tunable_range(default: _Value, low: float, high: float, *, log: bool = False) -> _Value:
    """Return a dataclass field with this default and a range from which tuning samples."""
    return field(default=default, metadata={RANGE: Range(low, high, log)})


def tunable_choice(default: _Value, values: Sequence[_Value]) -> _Value:
    """Return a dataclass field with this default and the values that tuning chooses from."""
    return field(default=default, metadata={RANGE: Choice(tuple(values))})


def ranges(config_class: type[Any]) -> dict[str, Range | Choice]:
    """Return the `Range` or `Choice` of each tunable hyperparameter of a config class, by name."""
    return {setting.name: setting.metadata[RANGE] for setting in fields(config_class) if RANGE in setting.metadata}
