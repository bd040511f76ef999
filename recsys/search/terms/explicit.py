"""Whether the lyrics are marked explicit; where that is unknown, a recording is neither."""

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("explicit", "clean", "not explicit")
GRAMMAR = rule("explicit", 40, r"(?:explicit|clean)\b(?:\s+lyrics\b)?")


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition that lyrics are explicit, or that they are not."""
    is_explicit = text_of(node).lower().startswith("explicit")
    name = "explicit" if is_explicit else "not explicit"
    return Condition(text=name, where="t.explicit" if is_explicit else "not t.explicit", reason=lambda _row: name)
