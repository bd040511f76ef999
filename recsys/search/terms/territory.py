"""
Territory in which the recording may be played.

As the catalogue states it; no statement means everywhere. Of recordings with licences, one must permit streaming there
on the day of the lists.
"""

import re

import polars as pl

from recsys.ingest.countries import country_name
from recsys.search import places
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, Row, literal, marked, marks, name_of, rule
from recsys.search.grammar import Node, text_of
from recsys.warehouse.internal import internal_sql

EXAMPLES = ("available in Japan", "cleared for Brazil", "territory: DE")
_LEAD = r"(?:(?:available|licensable|cleared|licensed|playable)\s+(?:in|for)|territory\s*:?)\s+(?:the\s+)?"
_NAMES = places.country_pattern(with_adjectives=False)
_LICENCES = "marts.licensed_territories"
GRAMMAR = rule("territory", 46, rf"{_LEAD}(?:{_NAMES})(?!\w)", rf"{_LEAD}(?-i:[A-Z][A-Z])(?!\w)")


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """Return the condition of a territory."""
    name = re.sub(rf"^{_LEAD}", "", text_of(node), flags=re.IGNORECASE)
    code = places.country_named(name)
    param, n = name_of("streamed", code), catalogue.n_tracks
    licensed = _licensed(catalogue, code)
    permitted = licensed.filter(pl.col("is_cleared"))["row"].to_numpy()
    is_licensed = marked(param, n, 1)
    delivered = f"(t.available_in is null or list_contains(t.available_in, {literal(code)}))"
    return Condition(
        text=f"available in {country_name(code)}",
        where=f"({delivered} and ({marked(param, n, 0)} or not {is_licensed}))",
        values={"available_in": "t.available_in", "is_licensed": is_licensed},
        params={param: marks(n, permitted, licensed["row"].to_numpy())},
        reason=lambda row: _reason(row, country_name(code)),
    )


def _reason(row: Row, country: str) -> str:
    """Return what permits a recording to be played in a country."""
    if row["is_licensed"]:
        return f"licensed in {country}"
    return "available everywhere" if row["available_in"] is None else f"available in {country}"


def _licensed(catalogue: Catalogue, code: str) -> pl.DataFrame:
    """Return row and is_cleared of recordings with licences; none in a file without licences."""
    if _LICENCES not in catalogue.marts:
        return pl.DataFrame(schema={"row": pl.Int64, "is_cleared": pl.Boolean})
    known = catalogue.mart_query(
        internal_sql("cleared_tracks"), _LICENCES, use_type="stream", territory=code, day=catalogue.served_on
    )
    return catalogue.rows_of(known).drop_nulls("row")
