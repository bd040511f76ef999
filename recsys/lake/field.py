"""The declaration of one column of a raw table: name, type and allowed values."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import polars as pl

MAX_CHARS = 1_000  # of a text, and of each text in a list
_MAX_LIST_CHARS = 1_000_000


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
        is_binding: Whether a row with an invalid value is refused although the column is optional, since without the
            value the row would permit what the value forbids.
        low, high: Allowed range of a number, or of each number in a list; both ends included.
        allowed: Allowed values of a text, in lower case; empty allows all.
        pattern: Regular expression that a text, or each text in a list, must match; empty allows all.
        longest: Longest text of a value in a file [characters]; None is the default of the kind.
        is_country: Whether it is a country, or a list of countries: names and old codes become ISO 3166-1 codes.
        normal_code: For a code with check digits, the function of `recsys.lake.codes` that returns its normal form.
        default: Value that replaces a missing one; None keeps it missing.
        may_be_future: Whether a day or instant after the day of ingest is allowed.
        not_before: Of a day, the column of the day that it must not precede; empty for none.
        is_name: Whether it is a name or title; stored in the Unicode form NFC, so that SQL compares the same text.
        is_personal: Whether it is free text written by people; e-mail and IP addresses in it are replaced.
        is_withheld: Whether the quarantine must not have it: of a refused row it is left out.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    is_binding: bool = False
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    longest: int | None = None
    is_country: bool = False
    normal_code: Callable[[str], str | None] | None = None
    default: str | int | None = None
    may_be_future: bool = False
    not_before: str = ""
    is_name: bool = False
    is_personal: bool = False
    is_withheld: bool = False

    @property
    def refuses_row(self) -> bool:
        """Whether an invalid value refuses its row; otherwise the value becomes unknown, and the row is accepted."""
        return self.required or self.is_binding

    @property
    def max_chars(self) -> int:
        """Longest text of a value in a file [characters]."""
        return self.longest or (_MAX_LIST_CHARS if self.kind in (Kind.TEXTS, Kind.REALS) else MAX_CHARS)
