"""
Free words, searched for in titles and names.

Any other words: each must be part of the title, the artist, the release, the label or an id; the title counts most,
and a whole word more than a part of one. Accents and case do not matter. Words in quotes must stand together.
"""

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, Row, name_of
from recsys.search.grammar import Node, text_of
from recsys.search.names import FIELDS, words_in_names

EXAMPLES = ("velvet harbour", '"The Engine Is Silver"', "steinhofel")
GRAMMAR = r"""
words: WORD+ | QUOTED
QUOTED.98: /"[^"]*"|“[^”]*”/
WORD.0: /[^\s,;]+/
"""


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition that every word is in a name."""
    text = text_of(node)
    is_quoted = len(text) > 1 and text[0] in '"“' and text[-1] in '"”'
    words = (text[1:-1].strip(),) if is_quoted else tuple(dict.fromkeys(text.split()))
    where, score, values = words_in_names(words)
    alias = name_of("words", where)
    own = {f"{name}_{alias}": sql for name, sql in values.items()}
    return Condition(
        text=f"words {text}",
        where=where,
        score=score,
        values=own,
        reason=lambda row: _reason(row, text, alias),
        words=words,
    )


def _reason(row: Row, text: str, alias: str) -> str:
    fields = [name for name in FIELDS if row[f"in_{name}_{alias}"]]
    return f"{text} in {' and '.join(fields)}"
