"""Length of the recording; a single length takes 5 % around it."""

import re

from recsys.search.catalogue import Catalogue
from recsys.search.condition import NUMBER, Condition, Span, range_pattern, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("3:00 to 3:30", "longer than 4 minutes", "under 90 seconds", "2-3 min", "10 minutes or less")
_CLOCK = r"\d{1,3}:[0-5]\d"
_UNIT = r"minutes?|mins?|seconds?|secs?"
GRAMMAR = rule("length", 52, range_pattern(rf"{_UNIT}|", _CLOCK), range_pattern(_UNIT))
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
    text = re.sub(r"(\d+):(\d\d)", lambda clock: f"{60 * int(clock[1]) + int(clock[2])} seconds", text)
    if "sec" not in text:
        return Span.of(text, tolerance=TOLERANCE).scaled(60.0)
    seconds = re.sub(rf"({NUMBER})\s*min\w*", lambda minutes: f"{60 * float(minutes[1]):g} seconds", text)
    return Span.of(seconds, tolerance=TOLERANCE)
