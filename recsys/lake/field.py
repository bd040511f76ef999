"""One column of a raw table: its name, how its text is read and what it may hold."""

from dataclasses import dataclass
from enum import Enum

import polars as pl


class Kind(Enum):
    """How a raw text is read."""

    TEXT = pl.String()
    INTEGER = pl.Int64()
    BOOLEAN = pl.Boolean()
    INSTANT = pl.Datetime("us", "UTC")
    DAY = pl.Date()
    TEXTS = pl.List(pl.String())
    REAL = pl.Float64()
    REALS = pl.List(pl.Float32())


@dataclass(frozen=True)
class Field:
    """
    One column of a raw table.

    Attributes:
        name: Column name, in files and in the lake.
        kind: How its text is read.
        required: Whether a row without it is refused.
        low, high: Allowed range of a number, or of each number of a list; both ends included.
        allowed: Allowed values of a text, lower case.
        pattern: What each text must look like.
        default: What a missing value becomes.
        may_be_future: Whether a day or instant after the day of ingest is plausible.
        is_personal: Whether listeners write it, so that e-mail and IP addresses are blanked out.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    default: str | int | None = None
    may_be_future: bool = False
    is_personal: bool = False
