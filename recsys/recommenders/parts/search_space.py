"""
Settings that may be searched: the default and the range stand in one place, the field of the config.

`recsys.experiments.tuning` reads the ranges; a setting without one is never searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

_Value = TypeVar("_Value")
RANGE = "range"


@dataclass(frozen=True)
class Range:
    """Values from `low` to `high`, both included; `log`: by factors, not by steps. Whole numbers stay whole."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Any, ...]


def searched(default: _Value, low: float, high: float, *, log: bool = False) -> _Value:
    """Return a dataclass field with a default and the range that a search may try."""
    return field(default=default, metadata={RANGE: Range(low, high, log)})


def chosen(default: _Value, values: Sequence[_Value]) -> _Value:
    """Return a dataclass field with a default and the values that a search may try."""
    return field(default=default, metadata={RANGE: Choice(tuple(values))})


def ranges(config_class: type[Any]) -> dict[str, Range | Choice]:
    """Return what may be searched of a config, by setting."""
    return {each.name: each.metadata[RANGE] for each in fields(config_class) if RANGE in each.metadata}
