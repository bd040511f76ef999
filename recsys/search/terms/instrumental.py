"""
Without a voice, where that is known.

Whether there is a voice, where that is known: from the language code `zxx` (no lyrics), or else from the tags of the
sound, by whichever of a voice and no voice has the higher confidence.
"""

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("instrumental", "no vocals", "with vocals")
GRAMMAR = rule(
    "instrumental",
    44,
    r"instrumentals?\b",
    r"(?:no|without)\s+(?:vocals?|voices?|singing|lyrics)\b",
    r"(?:with\s+)?(?:vocals|singing)\b",
)
NO_LYRICS = "zxx"


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition that there is no voice, or that there is one."""
    is_without = text_of(node).lower().startswith(("instrumental", "no ", "without"))
    this, other = ("without_voice", "with_voice") if is_without else ("with_voice", "without_voice")
    name = "instrumental" if is_without else "with vocals"
    stated = f"case when t.language = '{NO_LYRICS}' then {'true' if is_without else 'false'} end"
    return Condition(
        text=name,
        where=f"coalesce({stated}, t.{this} > t.{other})",
        score=f"case when t.language = '{NO_LYRICS}' then 1.0 else t.{this} / (t.{this} + t.{other}) end",
        values={"without_voice": "t.without_voice", "with_voice": "t.with_voice"},
        reason=lambda row: _reason(name, row[this], row[other]),
    )


def _reason(name: str, this: float | None, other: float | None) -> str:
    return name if this is None or other is None else f"{name}: confidence {this:.2f} against {other:.2f}"
