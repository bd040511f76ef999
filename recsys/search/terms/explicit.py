"""
Whether the lyrics are explicit, as delivered or else by their words; where neither tells, a recording is neither.

Where no flag was delivered, the words of English lyrics tell: explicit if the probability that such lyrics are marked
is at least .5, clean if it is at most .02, neither between. Each result says which of the two it is.
"""

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, Row, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("explicit", "clean", "not explicit", "clean lyrics")
GRAMMAR = rule("explicit", 40, r"(?:explicit|clean)\b(?:\s+(?:lyrics|words)\b)?")
MIN_EXPLICIT, MAX_CLEAN = 0.5, 0.02  # as in marts.lyric_conflicts
_PROBABILITY = "t.explicit_probability"
_BY_WORDS = f"case when {_PROBABILITY} >= {MIN_EXPLICIT} then true when {_PROBABILITY} <= {MAX_CLEAN} then false end"
_IS_EXPLICIT = f"coalesce(t.explicit, {_BY_WORDS})"


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition that lyrics are explicit, or that they are not."""
    is_explicit = text_of(node).lower().startswith("explicit")
    name = "explicit" if is_explicit else "not explicit"
    by_words = _PROBABILITY if is_explicit else f"1 - {_PROBABILITY}"

    def reason(row: Row) -> str:
        if row["stated_explicit"] is not None:
            return f"{name}, as delivered"
        return f"{name} by its words, probability of a flag {row['explicit_probability']:.2f}"

    return Condition(
        text=name,
        where=_IS_EXPLICIT if is_explicit else f"not {_IS_EXPLICIT}",
        score=f"case when t.explicit is null then {by_words} else 1.0 end",
        values={"stated_explicit": "t.explicit", "explicit_probability": _PROBABILITY},
        reason=reason,
    )
