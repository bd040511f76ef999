"""Year of release, a decade, or the last years up to the last day of the data; `before` and `after` exclude it."""

import re
from datetime import date, timedelta

from recsys.search.catalogue import Catalogue
from recsys.search.condition import DASH, Condition, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = (
    "1990s",
    "80s or older",
    "1995-1999",
    "2010 to now",
    "before 2005",
    "since 2020",
    "released 2021",
    "last 5 years",
)
_YEAR, _DECADE = r"(?:19|20)\d\d", r"['\u2019]?(?:(?:19|20)?\d0)['\u2019]?s"
_PART_OF_DECADE = rf"(?:(?:early|late)\s+)?{_DECADE}"
_SIDE = r"(?:before|after|since|until|up\s+to|between|year\s*:?)"
_LEAD = rf"(?:released\s+|from\s+|in\s+)*(?:{_SIDE}\s*)?(?:the\s+)?"
_TO = rf"\s*(?:{DASH}|to\b|and\b)\s*(?:the\s+)?"
_NOW = r"(?:now|today|present)"
_OPEN = r"\s+(?:or|and)\s+(?:older|earlier|newer|later)|\+"
GRAMMAR = rule(
    "year",
    48,
    rf"{_LEAD}{_PART_OF_DECADE}(?:{_TO}(?:{_PART_OF_DECADE}|{_NOW})|{_OPEN})?(?!\w)",
    rf"{_LEAD}{_YEAR}(?:{_TO}(?:{_YEAR}|{_NOW})|{_OPEN})?(?!\w)",
    r"(?:in\s+)?(?:the\s+)?(?:last|past)\s+(?:\d{1,2}\s+)?years?(?!\w)",
)
DAYS_PER_YEAR = 365.2425
FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """Return the condition of a release date."""
    first, last = days_of(text_of(node).lower(), catalogue.as_of)
    ends = ([f"from {first}"] if first > FIRST else []) + ([f"to {last}"] if last < LAST else [])
    return Condition(
        text=f"released {' '.join(ends)}",
        where=f"t.release_date between date '{first.isoformat()}' and date '{last.isoformat()}'",
        values={"release_date": "t.release_date"},
        reason=lambda row: f"released {row['release_date']}",
    )


def days_of(text: str, as_of: date) -> tuple[date, date]:
    """Return the first and the last day that a text names, in lower case; `as_of` ends the last years."""
    if found := re.search(r"(?:last|past)\s+(\d*)", text):
        return as_of - timedelta(days=round(DAYS_PER_YEAR * int(found[1] or 1)) - 1), as_of
    decades = [_years_of(decade) for decade in re.findall(_PART_OF_DECADE, text)]
    years = [year for ends in decades for year in ends] or [int(year) for year in re.findall(_YEAR, text)]
    return _open_ended(text, min(years), max(years))


def _years_of(decade: str) -> tuple[int, int]:
    """Return the first and the last year of a decade, or of its early or late half."""
    digits = int(re.sub(r"\D", "", decade))
    first = digits if digits > 99 else digits + (1900 if digits >= 30 else 2000)
    return first + 5 * decade.startswith("late"), first + (4 if decade.startswith("early") else 9)


def _open_ended(text: str, first: int, last: int) -> tuple[date, date]:
    start, end = date(first, 1, 1), date(last, 12, 31)
    if re.search(r"before", text):
        return FIRST, date(first - 1, 12, 31)
    if re.search(r"after", text):
        return date(last + 1, 1, 1), LAST
    if re.search(r"older|earlier|until|up\s+to", text):
        return FIRST, end
    if re.search(rf"newer|later|since|\+|{_NOW}", text):
        return start, LAST
    return start, end
