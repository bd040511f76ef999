"""
Use that a licence permits in a territory on the day of the lists; a recording without any licence is neither.

Uses are streaming, download, broadcast, synchronisation (sync), identification and training; `in the world` needs a
licence for the whole world, of which countries may be left out. Without a use, `cleared in` means the territory alone.
"""

import re

import polars as pl

from recsys.ingest.countries import country_name
from recsys.lake.contract import WORLD
from recsys.search import places
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, marked, marks, name_of, rule
from recsys.search.grammar import Node, text_of
from recsys.warehouse.internal import internal_sql

EXAMPLES = ("cleared in Japan for streaming", "licensed for sync in DE", "cleared in the world for training")
USES = {
    **dict.fromkeys(("streaming", "streams", "stream"), "stream"),
    **dict.fromkeys(("downloads", "download"), "download"),
    **dict.fromkeys(("broadcasting", "broadcast", "radio", "tv"), "broadcast"),
    **dict.fromkeys(("synchronisation", "synchronization", "sync", "film"), "synchronisation"),
    "identification": "identification",
    "training": "training",
}
_WORLD = ("world", "whole world")
_LEAD = r"(?:cleared|licensed)\s+"
_NAMED = f"{places.alternatives(list(_WORLD))}|{places.country_pattern(with_adjectives=False)}"
_PLACE = rf"(?:the\s+)?(?:{_NAMED}|(?-i:[A-Z][A-Z]))"
_USE = f"(?:{places.alternatives(list(USES))})"
GRAMMAR = rule(
    "cleared", 47, rf"{_LEAD}(?:in|for)\s+{_PLACE}\s+for\s+{_USE}(?!\w)", rf"{_LEAD}for\s+{_USE}\s+in\s+{_PLACE}(?!\w)"
)
_PARTS = (
    re.compile(rf"{_LEAD}for\s+(?P<use>{_USE})\s+in\s+(?:the\s+)?(?P<place>.+)", re.IGNORECASE),
    re.compile(rf"{_LEAD}(?:in|for)\s+(?:the\s+)?(?P<place>.+)\s+for\s+(?P<use>{_USE})", re.IGNORECASE),
)


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """
    Return the condition that a licence permits the use.

    Raises:
        InputError: The file of the catalogue has no licences.
    """
    use, territory = parts_of(text_of(node))
    known = catalogue.mart_query(
        internal_sql("cleared_tracks"),
        "marts.licensed_territories",
        use_type=use,
        territory=territory,
        day=catalogue.served_on,
    )
    rows = catalogue.rows_of(known)
    param, n = name_of("cleared", use, territory), catalogue.n_tracks
    cleared = rows.filter(pl.col("is_cleared"))["row"].to_numpy()
    named = "the world" if territory == WORLD else country_name(territory)
    return Condition(
        text=f"cleared in {named} for {use}",
        where=f"case when {marked(param, n, 1)} then {marked(param, n, 0)} end",
        params={param: marks(n, cleared, rows["row"].to_numpy())},
        reason=lambda _row: f"cleared in {named} for {use}",
    )


def parts_of(text: str) -> tuple[str, str]:
    """
    Return use and territory of a term.

    >>> parts_of("cleared in Japan for streaming"), parts_of("licensed for sync in the world")
    (('stream', 'JP'), ('synchronisation', 'WW'))
    """
    words = " ".join(text.split())
    found = next(match for pattern in _PARTS if (match := pattern.fullmatch(words)))
    place = found["place"].lower().replace("-", " ")
    return USES[found["use"].lower()], WORLD if place in _WORLD else places.country_named(found["place"])
