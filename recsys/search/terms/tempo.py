"""
Tempo: a range in bpm, or slow, mid-tempo, fast.

Tempo. A range with both ends also takes half and double the tempo, ranked lower; a single number takes 3 % around it.
Slow is up to 90 bpm, mid-tempo from there to 120 bpm, fast from there on.
"""

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, Row, Span, range_pattern, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("70-90 bpm", "under 100 bpm", "140+ bpm", "100 bpm or faster", "tempo 120", "slow")
GRAMMAR = rule(
    "tempo",
    50,
    rf"(?:tempo\s*:?\s*)?{range_pattern('bpm')}",
    rf"tempo\s*:?\s*{range_pattern('')}",
    r"(?:slow|mid[\s-]?tempo|fast)\b(?!\w)",
)
NAMED = {"slow": Span(None, 90.0), "mid": Span(90.0, 120.0), "fast": Span(120.0, None)}
TOLERANCE = 0.03
OCTAVE_SCORE = 0.4  # of a track whose tempo is in the range at half or double time


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a tempo."""
    text = text_of(node).lower()
    span = next((span for name, span in NAMED.items() if text.startswith(name)), None)
    if span is not None:
        return _condition(span, counts_octaves=False)
    span = Span.of(text.removeprefix("tempo").lstrip(" :"), tolerance=TOLERANCE)
    return _condition(span, counts_octaves=span.is_closed)


def _condition(span: Span, *, counts_octaves: bool) -> Condition:
    exact, note = span.sql("t.tempo_bpm"), ""
    where, score = exact, "1.0"
    if counts_octaves:
        where = f"({exact} or {span.scaled(2).sql('t.tempo_bpm')} or {span.scaled(0.5).sql('t.tempo_bpm')})"
        score, note = f"case when {exact} then 1.0 else {OCTAVE_SCORE} end", ", also half or double"
    return Condition(
        text=f"tempo {span} bpm{note}",
        where=where,
        score=score,
        values={"tempo_bpm": "t.tempo_bpm"},
        reason=lambda row: _reason(row, span),
        is_flexible=True,
    )


def _reason(row: Row, span: Span) -> str:
    tempo = row["tempo_bpm"]
    if span.low is not None and tempo < span.low:
        return f"{tempo:.0f} bpm, {2 * tempo:.0f} at double time"
    if span.high is not None and tempo > span.high:
        return f"{tempo:.0f} bpm, {tempo / 2:.0f} at half time"
    return f"{tempo:.0f} bpm"
