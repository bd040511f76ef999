"""
Every error that a user can fix, and the exit status of the command line for it.

    RecsysError
    ├── InputError (exit 2; also a ValueError)   the data breaks its contract, or an argument is invalid
    │   ├── UnknownIds                           ids that the warehouse or model does not have
    │   ├── UnreadableSource                     a source file that cannot be read
    │   │   └── UnknownContent                   a source file whose format or table is not recognised
    │   └── BrokenCheck                          a table that breaks the contract in its header
    ├── SetupError (exit 3)                      the machine, the recipe or an artefact is not ready
    │   ├── BadRecipe                            a recipe with an unknown key or an invalid value
    │   ├── BadSqlFile                           a file in sql/ that breaks the project's SQL rules
    │   └── HomeIsBusy                           another run holds the lock of the home
    └── Refused (exit 4)                         the gate rejected the run; the last release stays published

A message says what was found, what was expected and what to do next. Bugs raise other exceptions and are never caught.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Self


class RecsysError(Exception):
    """An error that the user can fix; `exit_code` is the exit status of the command line."""

    exit_code = 1


class InputError(RecsysError, ValueError):
    """The data breaks its contract, or an argument is invalid."""

    exit_code = 2


class SetupError(RecsysError):
    """The machine, the recipe or an artefact is not ready."""

    exit_code = 3


class Refused(RecsysError):  # noqa: N818 - the gate's verdict, not a failure of the program
    """The gate rejected the run; the last release stays published."""

    exit_code = 4


class UnknownIds(InputError):  # noqa: N818 - reads as the sentence it prints
    """Ids that do not exist, with the most similar existing id as a suggestion."""

    @classmethod
    def of(cls, kind: str, unknown: Sequence[str], known: Iterable[str], where: str) -> Self:
        """Create the error for one or more ids of a `kind` (track, listener, table ...) that are not in `where`."""
        suggestion = did_you_mean(unknown[0], known)
        if len(unknown) == 1:
            return cls(f"There is no {kind} {unknown[0]!r} in {where}.{suggestion}")
        return cls(f"{len(unknown):,} {kind} ids are not in {where}, the first is {unknown[0]!r}.{suggestion}")


class UnreadableSource(InputError):  # noqa: N818 - reads as the sentence it prints
    """A source file that cannot be opened, or whose format or table is not recognised."""


class UnknownContent(UnreadableSource):
    """A source file whose format or table is not recognised; in an archive, such a file is skipped."""


class BrokenCheck(InputError):  # noqa: N818 - reads as the sentence it prints
    """A table that breaks the contract in its header."""


class BadRecipe(SetupError):  # noqa: N818 - reads as the sentence it prints
    """A recipe with an unknown key or an invalid value."""


class BadSqlFile(SetupError):  # noqa: N818 - reads as the sentence it prints
    """A file in `sql/` that breaks the project's SQL rules."""


class HomeIsBusy(SetupError):  # noqa: N818 - reads as the sentence it prints
    """Another run holds the lock of the home."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean X?' for the most similar known word, or '' if none is similar."""
    similar = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {similar[0]!r}?" if similar else ""
