"""The declaration of one column of a raw table: name, type and allowed values."""

from dataclasses import dataclass
from enum import Enum

import polars as pl


class Kind(Enum):
    """Type of a column: how the text of a source file is parsed; the member's value is the polars type."""

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
        kind: Type of the column.
        required: Whether a row with a missing value is refused.
        low, high: Allowed range of a number, or of each number in a list; both ends included.
        allowed: Allowed values of a text, in lower case; empty allows all.
        pattern: Regular expression that a text, or each text in a list, must match; empty allows all.
        default: Value that replaces a missing one; None keeps it missing.
        may_be_future: Whether a day or instant after the day of ingest is allowed.
        is_personal: Whether it is free text written by people; e-mail and IP addresses in it are replaced.
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
