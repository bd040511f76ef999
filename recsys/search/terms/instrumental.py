"""
Without a voice, where that is known.

Whether there is a voice, where that is known: from the language code `zxx` (no lyrics), or else from the tags of the
sound, by whichever of a voice and no voice has the higher confidence.
"""

from recsys.search.catalogue import TAGS_TABLE, Catalogue
from recsys.search.condition import Condition, Row, literals, rule
from recsys.search.grammar import Node, alias_of, text_of

EXAMPLES = ("instrumental", "no vocals", "with vocals")
GRAMMAR = rule(
    "instrumental",
    44,
    r"instrumentals?\b",
    r"(?:no|without)\s+(?:vocals?|voices?|singing|lyrics)\b",
    r"(?:with\s+)?(?:vocals|singing)\b",
)
NO_VOICE = ("instrumental", "no vocal", "no vocals", "no voice")
NO_LYRICS = "zxx"


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """Return the condition that there is no voice, or that there is one."""
    is_without = text_of(node).lower().startswith(("instrumental", "no ", "without"))
    sides = ("without_voice", "with_voice") if is_without else ("with_voice", "without_voice")
    by_language = f"case when t.language = '{NO_LYRICS}' then {'true' if is_without else 'false'} end"
    name = "instrumental" if is_without else "with vocals"
    if not catalogue.has_tags:
        return Condition(text=name, where=by_language, reason=lambda _row: name)
    alias = alias_of(node)
    heard = [f"{alias}.{side}" for side in sides]
    return Condition(
        text=name,
        where=f"coalesce({by_language}, {heard[0]} > {heard[1]})",
        score=f"coalesce(case when t.language = '{NO_LYRICS}' then 1.0 end, {heard[0]} / ({heard[0]} + {heard[1]}))",
        values={f"{alias}_this": heard[0], f"{alias}_other": heard[1]},
        joins={alias: _voice_sql()},
        reason=lambda row: _reason(name, row, alias),
    )


def _reason(name: str, row: Row, alias: str) -> str:
    if row[f"{alias}_this"] is None:
        return name
    return f"{name}: confidence {row[f'{alias}_this']:.2f} against {row[f'{alias}_other']:.2f}"


def _voice_sql() -> str:
    is_without = f"tag in {literals(NO_VOICE)}"
    return (
        f"select track_id, coalesce(max(case when {is_without} then confidence end), 0) as without_voice, "
        f"coalesce(max(case when not {is_without} then confidence end), 0) as with_voice "
        f"from {TAGS_TABLE} where kind = 'vocal' group by track_id"
    )
