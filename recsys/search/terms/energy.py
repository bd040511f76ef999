"""
Energy and danceability: high, low, or a range from 0 to 1.

Energy or danceability, formulas from 0 to 1, also in percent. High and low are the upper and the lower two fifths of
the analysed recordings.
"""

import re

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, Span, range_pattern, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("high energy", "energy 0.4-0.6", "energy over 60%", "danceable", "low danceability")
_PERCENT = r"%|per\s?cent\b"
_RANGE = range_pattern(rf"{_PERCENT}|")
GRAMMAR = rule(
    "energy",
    50,
    r"(?:high|low)[\s-]+(?:energy|danceability)\b",
    rf"(?:energy|danceability)\s*:?\s*(?:{_RANGE}|high\b|low\b)",
    r"danceable\b",
)


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """Return the condition of energy or danceability."""
    text = text_of(node).lower()
    name = "danceability" if "dance" in text else "energy"
    column, quantiles = f"t.{name}", catalogue.quantiles[name]
    if re.search(r"\d", text):
        span = Span.of(re.sub(r"^\w+\s*:?\s*", "", text), tolerance=0.05).scaled(
            0.01 if re.search(_PERCENT, text) else 1.0
        )
        where, score, meaning = span.sql(column), "1.0", f"{name} {span}"
    else:
        is_high = "low" not in text
        where, score = quantiles.side(column, is_high=is_high)
        meaning = f"{'high' if is_high else 'low'} {name}"
    return Condition(
        text=meaning,
        where=where,
        score=score,
        values={name: column},
        reason=lambda row: f"{name} {row[name]:.2f}",
        is_flexible=True,
    )
