"""
What a term of the search makes of its text: one SQL predicate, one SQL score, and the reason that a result shows.

SQL refers to `t`, a row of marts.track_features, and to the tables that the condition joins. A predicate is null where
the value is unknown, so an unknown value satisfies neither a condition nor its opposite.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
from typing_extensions import override

from recsys.arrays import Rows
from recsys.errors import InputError

Row = Mapping[str, Any]  # values of a result by name
UNKNOWN = "unknown"
NUMBER = r"-?\d{1,9}(?:\.\d+)?"
_BELOW = r"under|below|(?:less|slower|shorter|quieter)\s+than|up\s+to|at\s+most|max(?:imum)?|before|<=?"
_ABOVE = r"over|above|(?:more|faster|longer|louder)\s+than|at\s+least|min(?:imum)?|>=?"
_OR_BELOW = r"or\s+(?:less|lower|fewer|slower|shorter|quieter|below|under)"
_OR_ABOVE = r"or\s+(?:more|higher|faster|longer|louder|above|over)|and\s+up"
DASH = "-|\N{EN DASH}|\N{EM DASH}"
LEAD = rf"(?:(?:{_BELOW}|{_ABOVE}|between|from|around|about|~)\s*)?"
OPEN_END = rf"(?:\s+(?:{_OR_BELOW}|{_OR_ABOVE})(?!\w|\s+than\b|\s+energetic\b|\s*[-\d]))?"


def range_pattern(unit: str, number: str = NUMBER) -> str:
    """
    Return a regular expression of a range such as `70-90 bpm`, `from 70 bpm to 90 bpm` or `90 bpm or faster`.

    Args:
        unit: Regular expression of the unit, which stands after the last number and may stand after the first.
        number: Regular expression of a number.
    """
    end = rf"(?:\s*(?:{unit}))?\s*(?:{DASH}|to\b|and\b)\s*{number}"
    return rf"{LEAD}{number}\+?(?:{end})?\s*(?:{unit})(?!\w){OPEN_END}"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """
    One condition of a search.

    Attributes:
        text: How the text was understood, such as `tempo 70 to 90 bpm, also half or double`.
        where: SQL predicate.
        score: SQL of how well a track that satisfies it fits, 0..1.
        values: Name -> SQL of what `reason` reads.
        joins: Alias -> SELECT with a column row, the number of a track; joined where a track has a row.
        params: Parameters of the joins and of `where`, each in one condition alone.
        reason: What a result shows of the condition: the track's own value.
        words: Words that are searched for in names, in the order of the text; empty for other conditions.
        sound: What the tracks must sound like, a `catalogue.Reference`; None for other conditions.
        is_flexible: Whether a track that misses only this may be shown after the others: what was measured or heard
            may be missed, what was stated or is licensed may not.
    """

    text: str
    where: str
    reason: Callable[[Row], str]
    score: str = "1.0"
    values: Mapping[str, str] = field(default_factory=dict)
    joins: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    sound: Any = None
    is_flexible: bool = False


@dataclass(frozen=True)
class Span:
    """A range of numbers; an end that is not given is None. A reversed range is put in order."""

    low: float | None
    high: float | None

    @classmethod
    def of(cls, text: str, *, tolerance: float = 0.0) -> "Span":
        """
        Read a range such as `70-90`, `under 95`, `140+` or `120`.

        Args:
            text: The range, as `range_pattern` matches it; units are ignored.
            tolerance: A single number x means x * (1 - tolerance) to x * (1 + tolerance).
        """
        lower = text.lower()
        plain = re.sub(rf"(\d)\s*(?:(?!to\b|and\b)[a-z%]+)?\s*(?:{DASH})\s*(?={NUMBER})", r"\1 to ", lower)
        numbers = [float(number) for number in re.findall(NUMBER, plain)]
        if len(numbers) > 1:
            return cls(min(numbers[:2]), max(numbers[:2]))
        if re.match(rf"\s*(?:{_BELOW})|.*\s(?:{_OR_BELOW})", lower):
            return cls(None, numbers[0])
        if "+" in lower or re.match(rf"\s*(?:{_ABOVE})|.*\s(?:{_OR_ABOVE})", lower):
            return cls(numbers[0], None)
        margin = abs(numbers[0]) * tolerance
        return cls(numbers[0] - margin, numbers[0] + margin)

    @property
    def is_closed(self) -> bool:
        """Whether both ends are given."""
        return self.low is not None and self.high is not None

    def scaled(self, factor: float) -> "Span":
        """Return the range with both ends multiplied by a positive factor."""
        ends = [None if end is None else end * factor for end in (self.low, self.high)]
        return Span(*ends)

    def sql(self, column: str) -> str:
        """Return the predicate that a column is within the range, null where the column is null."""
        ends = [f"{column} {sign} {end!r}" for sign, end in ((">=", self.low), ("<=", self.high)) if end is not None]
        return f"({' and '.join(ends)})"

    @override
    def __str__(self) -> str:
        """Return the range in words."""
        if self.low is None:
            return f"at most {self.high:g}"
        if self.high is None:
            return f"at least {self.low:g}"
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


def rule(term: str, priority: int, *patterns: str) -> str:
    """
    Return the grammar of a term that is one terminal.

    Args:
        term: Name of the term.
        priority: Terminals with a higher priority are tried first, see `recsys/search/terms/__init__.py`.
        patterns: Regular expressions, of which the first that matches is taken; case does not matter.
    """
    pattern = "|".join(patterns).replace("/", r"\/")
    return f"{term}: {term.upper()}\n{term.upper()}.{priority}: /{pattern}/i\n"


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


def literals(texts: Sequence[str]) -> str:
    """Return texts as an SQL list of literals, in brackets."""
    return f"({', '.join(map(literal, texts))})"


def listed_rows(alias: str, **columns: tuple[str, Sequence[object]]) -> tuple[str, dict[str, object]]:
    """
    Return a SELECT of rows that Python has found, and its parameters.

    Args:
        alias: Alias of the rows in the search, with which the names of the parameters begin.
        columns: Name -> SQL type, and the values.

    >>> listed_rows("a", row=("bigint", [4, 7]))
    ('select unnest($a_row::bigint[]) as row', {'a_row': [4, 7]})
    """
    listed = ", ".join(f"unnest(${alias}_{name}::{kind}[]) as {name}" for name, (kind, _) in columns.items())
    return f"select {listed}", {f"{alias}_{name}": list(values) for name, (_, values) in columns.items()}


def marks(n_tracks: int, *sets: Rows) -> str:
    """
    Return sets of rows that Python has found as a text of bits, one per set and track: SQL reads it faster than lists.

    Args:
        n_tracks: Number of tracks.
        sets: Row numbers, below `n_tracks`.

    >>> marks(3, np.array([0, 2]), np.array([2]))
    '101001'
    """
    is_in = np.zeros(len(sets) * n_tracks, np.bool_)
    for nth, rows in enumerate(sets):
        is_in[nth * n_tracks + rows] = True
    return np.where(is_in, b"1", b"0").tobytes().decode()


def marked(param: str, n_tracks: int, nth: int) -> str:
    """Return the predicate that `t` is in one of the sets of a parameter that `marks` returned, counted from 0."""
    return f"(get_bit(${param}::bit, (t.row + {nth * n_tracks})::integer) = 1)"


def opposite(condition: Condition) -> Condition:
    """Return the condition that a known value is not as asked; raises InputError for a similar sound."""
    _refuse_sound(condition)
    return Condition(
        text=f"not {condition.text}",
        where=f"not ({condition.where})",
        values=condition.values,
        joins=condition.joins,
        params=condition.params,
        reason=lambda _row: f"not {condition.text}",
    )


def _refuse_sound(*conditions: Condition) -> None:
    if any(condition.sound is not None for condition in conditions):
        raise InputError("'like' cannot follow 'not' or stand beside 'or'. Write it as a term of its own")


def distinct(conditions: Sequence[Condition]) -> list[Condition]:
    """Return the conditions without those that an earlier one already states."""
    first: dict[tuple[str, str], Condition] = {}
    for one in conditions:
        first.setdefault((one.where, one.text if one.sound is not None else ""), one)
    return list(first.values())


def params_of(conditions: Sequence[Condition]) -> dict[str, object]:
    """Return the parameters of all conditions."""
    return {name: value for one in conditions for name, value in one.params.items()}


def name_of(kind: str, *texts: str) -> str:
    """Return an SQL name that the same texts always get, and others do not."""
    return f"{kind}_{crc32(chr(0).join(texts).encode()):x}"


def any_of(conditions: Sequence[Condition]) -> Condition:
    """
    Return the condition that at least one of several is satisfied; a track scores by the best of them.

    Raises:
        InputError: One of several is about similar sound.
    """
    conditions = distinct(conditions)
    if len(conditions) == 1:
        return conditions[0]
    _refuse_sound(*conditions)
    flags = {name_of("holds", one.where): f"coalesce({one.where}, false)" for one in conditions}
    scores = [f"case when {one.where} then {one.score} else 0 end" for one in conditions]

    def reason(row: Row) -> str:
        shown = [one.reason(row) for flag, one in zip(flags, conditions, strict=True) if row[flag]]
        return "; ".join(shown)

    return Condition(
        text=" or ".join(one.text for one in conditions),
        where=" or ".join(f"({one.where})" for one in conditions),
        score=f"greatest({', '.join(scores)})",
        values={name: sql for one in conditions for name, sql in one.values.items()} | flags,
        joins={name: sql for one in conditions for name, sql in one.joins.items()},
        params=params_of(conditions),
        reason=reason,
        words=tuple(word for one in conditions for word in one.words),
        is_flexible=all(one.is_flexible for one in conditions),
    )
