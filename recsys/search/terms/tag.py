"""
Tags: genres of the catalogue, and genres, moods and instruments that taggers heard.

A tag: a genre that the catalogue states (which counts fully), or a genre, mood or instrument that a tagger heard
(which counts less, and more with its confidence): with at least .25, or in the tenth of the recordings with the
highest confidence of this tag, from .1 on. Spellings such as hip-hop and hip hop are one tag.
"""

from recsys.search.catalogue import CONFIDENT, TAGS_TABLE, Catalogue, tag_key
from recsys.search.condition import Condition, Row, literal, literals
from recsys.search.grammar import Node, alias_of, text_of

EXAMPLES = ("techno", "hip-hop", "piano", "ambient or classical", "not reggaeton")
GRAMMAR = """
tag: TAG_NAME
TAG_NAME.30: TAGS
"""


def vocabulary(catalogue: Catalogue) -> dict[str, list[str]]:
    """Return the texts of the tags: every spelling, and `and` or `n` for an ampersand."""
    spellings = [spelling for spellings in catalogue.spellings.values() for spelling in spellings]
    return {"TAGS": [variant for spelling in spellings for variant in _variants(spelling)]}


def _variants(spelling: str) -> set[str]:
    plain = spelling.replace("-", " ").lower()
    return {plain, plain.replace(" ", ""), *(plain.replace("&", by) for by in (" and ", " n ", "n"))}


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """Return the condition of a tag."""
    name = text_of(node)
    spellings = catalogue.spellings.get(tag_key(name), (name.lower(),))
    return tagged(spellings, spellings[0], alias_of(node), catalogue)


def tagged(spellings: tuple[str, ...], name: str, alias: str, catalogue: Catalogue) -> Condition:
    """
    Return the condition that a track has at least one of several tags.

    Args:
        spellings: The tags.
        name: What the condition is called.
        alias: Name of the table that the condition joins.
        catalogue: Whether it has tags of the sound, and from which confidence on they count.
    """
    names = literals(spellings)
    stated = f"coalesce(list_has_any(t.genres, [{names[1:-1]}]), false)"
    if not catalogue.has_tags:
        return Condition(text=name, where=stated, reason=lambda _row: f"genre {name}")
    heard = f"{alias}.confidence"
    return Condition(
        text=name,
        where=f"({stated} or {heard} is not null)",
        score=f"case when {stated} then 1.0 else coalesce({heard} / ({heard} + {CONFIDENT}), 0) end",
        values={f"{alias}_stated": stated, f"{alias}_heard": heard},
        joins={
            alias: f"select track_id, max(confidence) as confidence from {TAGS_TABLE} "
            f"where {_heard(spellings, catalogue)} group by track_id"
        },
        reason=lambda row: _reason(name, row, alias),
        is_flexible=True,
    )


def _heard(spellings: tuple[str, ...], catalogue: Catalogue) -> str:
    return " or ".join(
        f"(tag = {literal(tag)} and confidence >= {catalogue.thresholds.get(tag, CONFIDENT)!r})" for tag in spellings
    )


def _reason(name: str, row: Row, alias: str) -> str:
    if row[f"{alias}_stated"]:
        return f"genre {name}"
    return f"{name}: confidence {row[f'{alias}_heard']:.2f}"
