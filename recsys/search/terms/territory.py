"""Territory in which the recording may be played, as the catalogue states it; no statement means everywhere."""

import re

from recsys.ingest.countries import country_name
from recsys.search import places
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, literal, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("available in Japan", "cleared for Brazil", "territory: DE")
_LEAD = r"(?:(?:available|licensable|cleared|licensed|playable)\s+(?:in|for)|territory\s*:?)\s+(?:the\s+)?"
_NAMES = places.country_pattern(with_adjectives=False)
GRAMMAR = rule("territory", 46, rf"{_LEAD}(?:{_NAMES})(?!\w)", rf"{_LEAD}(?-i:[A-Z][A-Z])(?!\w)")


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a territory."""
    name = re.sub(rf"^{_LEAD}", "", text_of(node), flags=re.IGNORECASE)
    code = places.country_named(name)
    return Condition(
        text=f"available in {country_name(code)}",
        where=f"(t.available_in is null or list_contains(t.available_in, {literal(code)}))",
        values={"available_in": "t.available_in"},
        reason=lambda row: (
            "available everywhere" if row["available_in"] is None else f"available in {country_name(code)}"
        ),
    )
