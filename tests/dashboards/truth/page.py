"""What a page should show, and how numbers and dates are written on it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
import pycountry

NOTHING = ""


@dataclass(frozen=True)
class Truth:
    """
    What a view of a page should show.

    Attributes:
        metrics: Name -> number and change, as written.
        rows: Key of a figure or a table -> its rows, in order; only columns that were computed again.
        sentences: The bulleted sentences, without markup.
        texts: Titles and captions that carry numbers or dates; pages show others as well.
    """

    metrics: dict[str, tuple[str, str]] = field(default_factory=dict)
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __or__(self, other: "Truth") -> "Truth":
        """Return what both say of a page."""
        return Truth(
            self.metrics | other.metrics,
            self.rows | other.rows,
            [*self.sentences, *other.sentences],
            [*self.texts, *other.texts],
        )


def country(code: str) -> str:
    """Name a country: its common name in ISO 3166-1, or its name there."""
    found = pycountry.countries.get(alpha_2=code)
    return code if found is None else str(getattr(found, "common_name", found.name))


def language(code: str) -> str:
    """Name a language of two letters: its name in ISO 639-3, without a remark in brackets."""
    found = pycountry.languages.get(alpha_2=code)
    return code if found is None else str(found.name).split(" (")[0]


def number(value: Any) -> str:
    """Write a count, or another number with three digits."""
    if value is None:
        return "-"
    whole = float(value).is_integer() or abs(value) >= 1_000
    return f"{value:,.0f}" if whole else f"{value:.3g}"


def percent(value: float | None) -> str:
    """Write a share."""
    return "-" if value is None else f"{value:.1%}"


def signed(value: float | None) -> str:
    """Write a relative change; nothing where there is none."""
    return NOTHING if value is None else f"{value:+.1%}"


def written(day: date) -> str:
    """Write a date: 30 June 2026."""
    return f"{day.day} {day:%B %Y}"


def span(first: date, last: date) -> str:
    """Write a period: on 30 June 2026, or from 22 June to 28 June."""
    return f"on {written(last)}" if first == last else f"from {first:%-d %B} to {last:%-d %B}"


def quotient(part: float | None, whole: float | None) -> float | None:
    """Divide; None where either is missing or the whole is 0."""
    return None if part is None or not whole else part / whole
