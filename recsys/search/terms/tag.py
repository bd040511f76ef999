"""Tags: genres of the catalogue, and genres, moods and instruments that taggers heard."""

from recsys.search.catalogue import TAGS_TABLE, Catalogue, tag_key
from recsys.search.condition import Condition, Row, literals
from recsys.search.grammar import Node, alias_of, text_of

MEANING = (
    "A tag: a genre that the catalogue states (which counts fully), or a genre, mood or instrument that a tagger heard with a "
    "confidence of at least .25 (which counts by its confidence). Spellings such as hip-hop and hip hop are one tag."
)
EXAMPLES = ("techno", "hip-hop", "piano", "ambient or classical", "not reggaeton")
GRAMMAR = """
tag: TAG_NAME
TAG_NAME.30: TAGS
"""
MIN_CONFIDENCE = 0.25


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
    return tagged(spellings, spellings[0], alias_of(node), has_tags=catalogue.has_tags)


def tagged(spellings: tuple[str, ...], name: str, alias: str, *, has_tags: bool) -> Condition:
    """
    Return the condition that a track has at least one of several tags.

    Args:
        spellings: The tags.
        name: What the condition is called.
        alias: Name of the table that the condition joins.
        has_tags: Whether the catalogue has a table of tags of the sound.
    """
    names = literals(spellings)
    stated = f"coalesce(list_has_any(t.genres, [{names[1:-1]}]), false)"
    if not has_tags:
        return Condition(text=name, where=stated, reason=lambda _row: f"genre {name}")
    heard = f"{alias}.confidence"
    return Condition(
        text=name,
        where=f"({stated} or {heard} is not null)",
        score=f"greatest(case when {stated} then 1.0 else 0 end, coalesce({heard}, 0))",
        values={f"{alias}_stated": stated, f"{alias}_heard": heard},
        joins={
            alias: f"select track_id, max(confidence) as confidence from {TAGS_TABLE} "
            f"where tag in {names} and confidence >= {MIN_CONFIDENCE} group by track_id"
        },
        reason=lambda row: _reason(name, row, alias),
    )


def _reason(name: str, row: Row, alias: str) -> str:
    if row[f"{alias}_stated"]:
        return f"genre {name}"
    return f"{name}: confidence {row[f'{alias}_heard']:.2f}"
