"""
Tags: genres of the catalogue, and genres, moods and instruments that taggers heard.

A tag: a genre that the catalogue states (which counts fully), or a genre, mood or instrument that a tagger heard (which
counts less, and more with its confidence): with a calibrated probability of at least .5, or else with a confidence of
at least .25 or, from .1 on, in the tenth of the recordings with the highest one of this tag. Spellings such as hip-hop
and hip hop are one tag.
"""

from recsys.search.catalogue import Catalogue, tag_key
from recsys.search.condition import Condition, Row, literal, name_of
from recsys.search.grammar import Node, text_of

EXAMPLES = ("techno", "hip-hop", "piano", "ambient or classical", "not reggaeton")
HALF_SCORE = 0.25  # confidence of a tag that was heard at which a track has half the score
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
    return tagged(spellings, spellings[0], catalogue)


def tagged(spellings: tuple[str, ...], name: str, catalogue: Catalogue) -> Condition:
    """
    Return the condition that a track has at least one of several tags.

    That it has none is known where its genres are stated, if any track states one of the tags; or where taggers heard
    it, if they heard one of the tags in any track.

    Args:
        spellings: The tags.
        name: What the condition is called.
        catalogue: The catalogue.
    """
    alias = name_of("tag", *spellings)
    any_stated = " or ".join(f"list_contains(t.genres, {literal(tag)})" for tag in spellings)
    stated, confidence = f"coalesce({any_stated}, false)", f"{alias}.confidence"
    is_known = "len(t.genres) > 0"
    if catalogue.heard.isdisjoint(spellings):
        where = f"case when {is_known} then {stated} end"
        return Condition(text=name, where=where, reason=lambda _row: f"genre {name}", is_flexible=True)
    is_known = "t.is_heard" if catalogue.stated.isdisjoint(spellings) else f"({is_known} or t.is_heard)"
    return Condition(
        text=name,
        where=f"case when {stated} or {confidence} is not null then true when {is_known} then false end",
        score=f"case when {stated} then 1.0 else coalesce({confidence} / ({confidence} + {HALF_SCORE}), 0) end",
        values={f"{alias}_stated": stated, f"{alias}_heard": confidence},
        joins={alias: f"select row, max(confidence) as confidence from tags where {_any_of(spellings)} group by row"},
        reason=lambda row: _reason(name, row, alias),
        is_flexible=True,
    )


def _any_of(tags: tuple[str, ...]) -> str:
    return f"tag in ({', '.join(map(literal, tags))})"


def _reason(name: str, row: Row, alias: str) -> str:
    if row[f"{alias}_stated"]:
        return f"genre {name}"
    return f"{name}: confidence {row[f'{alias}_heard']:.2f}"
