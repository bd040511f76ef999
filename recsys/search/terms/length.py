"""Length of the recording; a single length takes 5 % around it."""

import re

from recsys.search.catalogue import Catalogue
from recsys.search.condition import DASH, RANGE, Condition, Span, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("3:00 to 3:30", "longer than 4 minutes", "under 90 seconds", "2-3 min")
_CLOCK = r"\d{1,3}:[0-5]\d"
_LEAD = (
    r"(?:(?:longer|shorter|more|less)\s+than|under|below|over|above|at\s+least|at\s+most|up\s+to|between|around|about)"
)
GRAMMAR = rule(
    "length",
    52,
    rf"(?:{_LEAD}\s+)?{_CLOCK}\+?(?:\s*(?:{DASH}|to|and)\s*{_CLOCK})?(?!\w)",
    rf"{RANGE}\s*(?:minutes?|mins?|seconds?|secs?)\b(?:\s+(?:or\s+)?(?:longer|shorter))?",
)
TOLERANCE = 0.05


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a length."""
    span = seconds_of(text_of(node).lower())
    return Condition(
        text=f"length {span} s",
        where=span.scaled(1000).sql("t.duration_ms"),
        values={"duration_ms": "t.duration_ms"},
        reason=lambda row: f"length {row['duration_ms'] // 60_000}:{row['duration_ms'] // 1000 % 60:02d}",
    )


def seconds_of(text: str) -> Span:
    """Return the range of seconds that a text names, in lower case."""
    text = re.sub(r"(\d+):(\d\d)", lambda clock: str(60 * int(clock[1]) + int(clock[2])), text)
    is_minutes = re.search(r"\bmin", text) is not None
    if text.endswith(("longer", "shorter")):
        text = f"{'over' if text.endswith('longer') else 'under'} {text}"
    return Span.of(text, tolerance=TOLERANCE).scaled(60.0 if is_minutes else 1.0)
