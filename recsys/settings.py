"""
Settings classes: types of fields with their ranges, and the creation of a settings class from the values of a recipe.

A settings class is a frozen dataclass with the base class `Settings`, whose fields have the types of this module.
msgspec checks type and range, however the object is created; the error for an invalid value names the section or class,
the field, the value and the allowed range. `MAX_VALUE` is the upper limit of settings that have no limit of their own,
so that none can be infinite.
"""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from recsys.errors import BadRecipe, did_you_mean

DEFAULT_RECIPE = Path(__file__).with_name("default.toml")
MAX_VALUE = 1_000_000_000
Count = Annotated[int, Meta(ge=1, le=MAX_VALUE)]
CountOrZero = Annotated[int, Meta(ge=0, le=MAX_VALUE)]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0, le=MAX_VALUE)]
PositiveOrZero = Annotated[float, Meta(ge=0, le=MAX_VALUE)]
Exponent = Annotated[float, Meta(ge=0, le=10)]
Recency = Annotated[float, Meta(ge=0, le=16)]
Dropout = Annotated[float, Meta(ge=0, lt=1)]

_Settings = TypeVar("_Settings")
_MAX_SHOWN = 60  # characters of an invalid value that a message shows
_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


class Settings:
    """Base class of settings: raises BadRecipe if a value has the wrong type or is out of range."""

    def __post_init__(self) -> None:
        """Check every field."""
        for name, kind in _field_types(type(self)).items():
            check_value(getattr(self, name), kind, f"{type(self).__name__} {name}")


def create_settings(settings: type[_Settings], given: object, where: str) -> _Settings:
    """
    Create a settings object from the values of a section; a missing field takes its default.

    Args:
        settings: The settings class.
        given: The values by field name, as read from TOML.
        where: Name of the section, for messages.

    Raises:
        BadRecipe: `given` is not a section, a field is unknown, or a value has the wrong type or is out of range.
    """
    types = _field_types(settings)
    values = check_section(given, list(types), where)
    return settings(**{name: check_value(value, types[name], f"{where} {name}") for name, value in values.items()})


def read_recipe_file(path: Path) -> dict[str, Any]:
    """Return the sections of a recipe as they are written; raises BadRecipe if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise BadRecipe(f"{path} does not exist. Copy {DEFAULT_RECIPE} there and change it") from missing
    except OSError as unreadable:
        raise BadRecipe(f"{path} cannot be read: {unreadable.strerror}") from unreadable
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise BadRecipe(f"{path} is not TOML in UTF-8: {broken}") from broken


def read_section(name: str, settings: type[_Settings], path: Path | None = None) -> _Settings:
    """
    Read one section of a recipe; what other sections set is neither imported nor checked (see `recipe.read_recipe`).

    Args:
        name: Name of the section.
        settings: Class of its settings.
        path: The recipe; None for the default one.

    Raises:
        BadRecipe: As for `read_recipe`, where the error is in this section or the file is not TOML.
    """
    given = read_recipe_file(path) if path else {}
    return create_settings(settings, given.get(name, read_recipe_file(DEFAULT_RECIPE)[name]), f"[{name}]")


def _field_types(settings: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(settings, include_extras=True)
    return {field.name: hints[field.name] for field in fields(settings)}


def check_section(given: object, known: list[str], where: str) -> dict[str, Any]:
    """Return the values of a section; raises BadRecipe if `given` is not a section, or has a key that is not known."""
    if not isinstance(given, dict):
        raise BadRecipe(f"{where}: found {_shortened(given)}, expected a section of settings")
    for name in given:
        if name not in known:
            raise BadRecipe(
                f"{where}: there is no setting {name!r}; known: {', '.join(known)}.{did_you_mean(name, known)}"
            )
    return given


def check_value(value: object, kind: Any, where: str) -> Any:
    """Return a value converted to the type `kind`; raises BadRecipe if it has another type or is out of range."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as invalid:
        names = get_args(kind) if get_origin(kind) is Literal and isinstance(value, str) else ()
        hint = did_you_mean(str(value), names)
        raise BadRecipe(f"{where}: found {_shortened(value)}, expected {describe_type(kind)}.{hint}") from invalid


def describe_type(kind: Any) -> str:
    """Describe a field's type and range in words, such as 'a whole number from 1 to 1,000,000,000'."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return " ".join(filter(None, [describe_type(parts[0]), *map(_limits, parts[1:])]))
    if origin is Literal:
        return " or ".join(f'"{name}"' for name in parts)
    if origin in {list, tuple}:
        return f"a list, each entry {describe_type(parts[0])}"
    if origin is dict:
        return "a section of settings" if parts[1] is Any else f"names, each with {describe_type(parts[1])}"
    return _NAMES.get(kind, "a section of settings")


def _limits(meta: Meta) -> str:
    """Describe the range of a field in words, such as 'from 1 up to 10' or 'from 0 to below 1'."""
    of = f"in steps of {meta.multiple_of}" if meta.multiple_of is not None else ""
    low = f"from {meta.ge:,}" if meta.ge is not None else f"above {meta.gt:,} and"
    to = "to below" if meta.ge is not None else "below"
    high = f"up to {meta.le:,}" if meta.le is not None else f"{to} {meta.lt:,}"
    return " ".join(filter(None, [low, high, of]))


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
