"""Artist by name or words of it (the last may be cut short), up to the next comma; a name with a comma in quotes."""

import re

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, rule
from recsys.search.grammar import Node, text_of
from recsys.search.names import has_name

EXAMPLES = ("artist Zoë Tanabe", "by Neon Station Club", 'artist: "Thunder, Golden & Daughters"')
GRAMMAR = rule("artist", 43, r'(?:artist\s*:?|by)\s+(?:"[^"]*"|[^,;"]+)')


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of an artist."""
    name = re.sub(r"^(?:artist\s*:?|by)\s+", "", text_of(node), flags=re.IGNORECASE).strip('" ')
    return has_name("artist", name)
