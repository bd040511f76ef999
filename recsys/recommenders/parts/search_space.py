"""
Hyper-parameters that tuning may change: default and range stand together, in the field of the config.

`recsys.experiments.tuning` reads the ranges; a setting without one keeps its default.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

_Value = TypeVar("_Value")
RANGE = "range"


@dataclass(frozen=True)
class Range:
    """Values from `low` to `high`, both included; `log`: sampled on a log scale. Integers stay integers."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Any, ...]


def tunable_range(default: _Value, low: float, high: float, *, log: bool = False) -> _Value:
    """Return a dataclass field with a default and the range that tuning samples from."""
    return field(default=default, metadata={RANGE: Range(low, high, log)})


def tunable_choice(default: _Value, values: Sequence[_Value]) -> _Value:
    """Return a dataclass field with a default and the values that tuning chooses from."""
    return field(default=default, metadata={RANGE: Choice(tuple(values))})


def ranges(config_class: type[Any]) -> dict[str, Range | Choice]:
    """Return the range or choice of each tunable setting, by name."""
    return {each.name: each.metadata[RANGE] for each in fields(config_class) if RANGE in each.metadata}
