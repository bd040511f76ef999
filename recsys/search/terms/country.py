"""
Country of the artist; an adjective that is also a language takes either.

Country of the artist. An adjective that also names a language, such as French, takes recordings of artists from there
and recordings in that language.
"""

import re

from recsys.ingest.countries import country_name
from recsys.search import places
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, literal, rule
from recsys.search.grammar import Node, text_of

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
    spoken = f" or t.language = {literal(language)}" if language else ""
    return Condition(
        text=f"artist from {country_name(code)}" + (f", or language {language}" if language else ""),
        where=f"(t.artist_country = {literal(code)}{spoken})",
        values={"artist_country": "t.artist_country", "language": "t.language"},
        reason=lambda row: (
            f"artist from {country_name(code)}" if row["artist_country"] == code else f"language {row['language']}"
        ),
    )
