"""
Language of the lyrics, as delivered or else as the text tells.

By its English name or its ISO 639 code. Where no language was delivered, it is the one that the text of the lyrics as a
whole tells, ranked by its probability; each result says which of the two it is.
"""

import re

from recsys.search import places
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, Row, literal, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("in Portuguese", "lyrics in Spanish", "English lyrics", "language: fr", "sung in Spanish")
_NAMES = places.language_pattern()
_OF = r"lyrics|words|vocals|sung|singing"
GRAMMAR = rule(
    "language",
    42,
    rf"(?:(?:{_OF}|songs?)\s+in|in|language\s*:?)\s+(?:{_NAMES})(?!\w)(?:\s+language)?",
    r"language\s*:?\s+[a-z][a-z](?!\w)",
    rf"(?:{_NAMES})[\s-]+(?:{_OF}|language)\b",
)
_AROUND = re.compile(rf"^(?:(?:(?:{_OF}|songs?)\s+)?in|language\s*:?)\s+|[\s-]+(?:{_OF}|language)$", re.IGNORECASE)


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a language."""
    return of_language(places.language_named(_AROUND.sub("", text_of(node))))


def of_language(code: str) -> Condition:
    """
    Return the condition of a language.

    Args:
        code: ISO 639-1 code.
    """

    def reason(row: Row) -> str:
        if row["language"] is not None:
            return f"language {code}, as delivered"
        return f"language {code} by the text, probability {row['text_confidence']:.2f}"

    return Condition(
        text=f"language {code}",
        where=f"coalesce(t.language, t.text_language) = {literal(code)}",
        score="case when t.language is null then t.text_confidence else 1.0 end",
        values={"language": "t.language", "text_confidence": "t.text_confidence"},
        reason=reason,
    )
