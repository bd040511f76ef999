"""Language of the lyrics, by its English name or its ISO 639 code."""

import re

from recsys.search import places
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, literal, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("in Portuguese", "English lyrics", "language: fr", "sung in Spanish")
_NAMES = places.language_pattern()
GRAMMAR = rule(
    "language",
    42,
    rf"(?:sung\s+in|in|language\s*:?)\s+(?:{_NAMES})(?!\w)(?:\s+language)?",
    r"language\s*:?\s+[a-z][a-z](?!\w)",
    rf"(?:{_NAMES})[\s-]+(?:lyrics|vocals|language|sung)\b",
)
_AROUND = re.compile(r"^(?:sung\s+in|in|language\s*:?)\s+|[\s-]+(?:lyrics|vocals|language|sung)$", re.IGNORECASE)


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a language."""
    code = places.language_named(_AROUND.sub("", text_of(node)))
    return Condition(
        text=f"language {code}",
        where=f"t.language = {literal(code)}",
        values={"language": "t.language"},
        reason=lambda row: f"language {row['language']}",
    )
