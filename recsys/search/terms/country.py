"""
Country of the artist; an adjective that is also a language takes either.

Country of the artist. An adjective that also names a language, such as French, takes recordings of artists from there
and recordings in that language.
"""

import re

from recsys.ingest.countries import country_name
from recsys.search import places
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, any_of, literal, rule
from recsys.search.grammar import Node, text_of
from recsys.search.terms.language import of_language

EXAMPLES = ("from Brazil", "artists from Nigeria", "country: Ireland", "Mexican", "French")
_NAMES = places.country_pattern(with_adjectives=True)
GRAMMAR = rule(
    "country",
    41,
    rf"(?:country\s*:?\s+|(?:artists?\s+)?from\s+(?:the\s+)?)?(?:{_NAMES})(?!\w)(?:\s+(?:artists?|bands?|singers?)\b)?",
    r"(?:country\s*:?\s+|artists?\s+from\s+)(?-i:[A-Z][A-Z])(?!\w)",
)


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a country."""
    name = re.sub(
        r"^(?:country\s*:?\s+|(?:artists?\s+)?from\s+(?:the\s+)?)|\s+(?:artists?|bands?|singers?)$",
        "",
        text_of(node),
        flags=re.IGNORECASE,
    )
    code = places.country_named(name)
    language = places.languages().get(name.lower()) if name.lower() in places.ADJECTIVES else None
    artist = Condition(
        text=f"artist from {country_name(code)}",
        where=f"t.artist_country = {literal(code)}",
        reason=lambda _row: f"artist from {country_name(code)}",
    )
    return any_of([artist, *([of_language(language)] if language else [])])
