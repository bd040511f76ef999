"""
Every error that a user can mend, and the exit status it gives.

    RecsysError
    ├── InputError (exit 2; also a ValueError)   the data is not as promised
    │   ├── UnknownIds                           ids that the warehouse or model does not know
    │   ├── UnreadableSource                     a file whose format or table nobody recognises
    │   └── BrokenCheck                          a table that breaks the contract in its header
    ├── SetupError (exit 3)                      machine, recipe or artefact is not ready
    │   ├── BadRecipe                            a key or value the recipe does not know
    │   ├── BadSqlFile                           a file in sql/ that breaks the rules of the house
    │   └── HomeIsBusy                           another run holds the home
    └── Refused (exit 4)                         the gate keeps last night's release

A message says what was found, what was expected and what to do next. A bug is none of these and is never caught.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Self


class RecsysError(Exception):
    """An error that the user can mend; `exit_code` is what the command line returns."""

    exit_code = 1


class InputError(RecsysError, ValueError):
    """The data is not as promised."""

    exit_code = 2


class SetupError(RecsysError):
    """The machine, the recipe or an artefact is not ready."""

    exit_code = 3


class Refused(RecsysError):  # noqa: N818 - the gate's verdict, not a failure of the program
    """The gate refused tonight's run; the last good release stays current."""

    exit_code = 4


class UnknownIds(InputError):  # noqa: N818 - reads as the sentence it prints
    """Ids that are not known, with the nearest known one as a hint."""

    @classmethod
    def of(cls, kind: str, unknown: Sequence[str], known: Iterable[str], where: str) -> Self:
        """Build the message for `unknown` ids of one `kind` (track, listener, table ...) in `where`."""
        hint = did_you_mean(unknown[0], known)
        if len(unknown) == 1:
            return cls(f"There is no {kind} {unknown[0]!r} in {where}.{hint}")
        return cls(f"{len(unknown):,} {kind} ids are not in {where}, the first is {unknown[0]!r}.{hint}")


class UnreadableSource(InputError):  # noqa: N818 - reads as the sentence it prints
    """A source file whose format or table cannot be recognised or opened."""


class BrokenCheck(InputError):  # noqa: N818 - reads as the sentence it prints
    """A table that breaks the contract in its header."""


class BadRecipe(SetupError):  # noqa: N818 - reads as the sentence it prints
    """A key or value that the recipe does not know."""


class BadSqlFile(SetupError):  # noqa: N818 - reads as the sentence it prints
    """A file in `sql/` that breaks the rules of the house."""


class HomeIsBusy(SetupError):  # noqa: N818 - reads as the sentence it prints
    """Another run holds the home."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean X?' for the nearest known word, or nothing where none is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def refuse_below(where: str, settings: object, **least: float) -> None:
    """Raise BadRecipe where a setting is below its least value."""
    for name, low in least.items():
        if getattr(settings, name) < low:
            raise BadRecipe(f"{where}: {name} is {getattr(settings, name)}; expected at least {low}")
