"""
Free words, searched for in titles and names.

Any other words: each must be part of the title, the artist, the release, the label or an id; the title counts most,
and a whole word more than a part of one. Accents and case do not matter. Words in quotes must stand together. Words
that are not in quotes also find the mood or instrument that is closest to them in meaning, such as happy for joyful or
sad for triste, if one is close; it counts less.
"""

from dataclasses import replace

from recsys.search.catalogue import Catalogue, tag_key
from recsys.search.condition import Condition, Row, any_of, name_of
from recsys.search.grammar import Node, text_of
from recsys.search.names import FIELDS, words_in_names
from recsys.search.terms.tag import tagged

EXAMPLES = ("velvet harbour", '"The Engine Is Silver"', "steinhofel", "joyful")
GRAMMAR = r"""
words: WORD+ | QUOTED
QUOTED.98: /"[^"]*"|“[^”]*”/
WORD.0: /[^\s,;]+/
"""


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """Return the condition that every word is in a name, or that a tag with their meaning applies."""
    text = text_of(node)
    is_quoted = len(text) > 1 and text[0] in '"“' and text[-1] in '"”'
    if is_quoted:
        return _in_names(text, (text[1:-1].strip(),))
    in_names = _in_names(text, tuple(dict.fromkeys(text.split())))
    return any_of([in_names, *_by_meaning(text, catalogue)])


def _in_names(text: str, words: tuple[str, ...]) -> Condition:
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


def _by_meaning(text: str, catalogue: Catalogue) -> list[Condition]:
    """Return the condition of the tag that is closest in meaning; nothing if none is close."""
    closest = catalogue.meanings.closest(text)
    if closest is None:
        return []
    spellings = catalogue.spellings[tag_key(closest.text)]
    tag = tagged(spellings, closest.text, catalogue)
    return [
        replace(
            tag,
            text=f"{closest.text}, close in meaning to {text}",
            score=f"{closest.similarity:.2f} * ({tag.score})",
            reason=lambda row: f"{tag.reason(row)}, close in meaning to {text}",
        )
    ]


def _reason(row: Row, text: str, alias: str) -> str:
    fields = [name for name in FIELDS if row[f"in_{name}_{alias}"]]
    return f"{text} in {' and '.join(fields)}"
