"""Integrated loudness. Loud and quiet are the loudest and the quietest two fifths of the analysed recordings."""

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, Span, range_pattern, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("-16 to -12 LUFS", "under -14 LUFS", "loud", "quiet")
GRAMMAR = rule("loudness", 50, rf"(?:loudness\s*:?\s*)?{range_pattern('LUFS')}", r"(?:loud|quiet)\b(?!\w)")


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """Return the condition of a loudness."""
    text = text_of(node).lower()
    named = {"loud": True, "quiet": False}.get(text)
    if named is None:
        span = Span.of(text.removeprefix("loudness").lstrip(" :"), tolerance=0.05)
        where, score, meaning = span.sql("t.loudness_lufs"), "1.0", f"loudness {span} LUFS"
    else:
        where, score = catalogue.quantiles["loudness_lufs"].side("t.loudness_lufs", is_high=named)
        meaning = text
    return Condition(
        text=meaning,
        where=where,
        score=score,
        values={"loudness_lufs": "t.loudness_lufs"},
        reason=lambda row: f"{row['loudness_lufs']:.1f} LUFS",
        is_flexible=True,
    )
