"""Year of release, a decade, or the last years up to the last day of the data; `before` and `after` exclude it."""

import re
from datetime import date, timedelta

from recsys.search.catalogue import Catalogue
from recsys.search.condition import DASH, Condition, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("1990s", "80s or older", "1995-1999", "before 2005", "since 2020", "released 2021", "last 5 years")
_YEAR, _DECADE = r"(?:19|20)\d\d", r"(?:(?:19|20)?\d0)'?s"
_LEAD = r"(?:released\s+|from\s+|in\s+)*(?:the\s+)?"
_OPEN = r"\s+(?:or|and)\s+(?:older|earlier|newer|later)"
GRAMMAR = rule(
    "year",
    48,
    rf"{_LEAD}(?:early\s+|late\s+)?{_DECADE}(?:{_OPEN})?(?!\w)",
    rf"{_LEAD}(?:before|after|since|until|up\s+to|year\s*:?)?\s*{_YEAR}(?:\s*(?:{DASH}|to)\s*{_YEAR}|{_OPEN}|\+)?(?!\w)",
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
    if found := re.search(rf"({_DECADE})", text):
        first, last = _decade(found[1])
        first, last = _part_of(text, first, last)
    else:
        years = sorted(int(year) for year in re.findall(_YEAR, text))
        first, last = years[0], years[-1]
    return _open_ended(text, first, last)


def _decade(text: str) -> tuple[int, int]:
    digits = int(re.sub(r"\D", "", text))
    first = digits if digits > 99 else digits + (1900 if digits >= 30 else 2000)
    return first, first + 9


def _part_of(text: str, first: int, last: int) -> tuple[int, int]:
    """Return the first or the last half of a decade, where a text says early or late."""
    if re.search(r"\bearly\b", text):
        return first, first + 4
    return (first + 5, last) if re.search(r"\blate\b", text) else (first, last)


def _open_ended(text: str, first: int, last: int) -> tuple[date, date]:
    start, end = date(first, 1, 1), date(last, 12, 31)
    if re.search(r"before", text):
        return FIRST, date(first - 1, 12, 31)
    if re.search(r"after", text):
        return date(last + 1, 1, 1), LAST
    if re.search(r"older|earlier|until|up\s+to", text):
        return FIRST, end
    if re.search(r"newer|later|since|\+", text):
        return start, LAST
    return start, end
