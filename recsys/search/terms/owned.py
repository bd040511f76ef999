"""
Owner of a share of the work, by words of the name (the last may be cut short) or IPI name number, up to the next comma.

Shares of any right, in any territory, on the last day of the data, as any source states them; a name with a comma
stands in quotes. A recording without a work that somebody owns is neither.
"""

import re

import polars as pl

from recsys.errors import InputError
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, marked, marks, name_of, rule
from recsys.search.grammar import Node, text_of
from recsys.search.names import words
from recsys.warehouse.internal import internal_sql

EXAMPLES = ("owned by Harbour Music Publishing", 'owner: "Doe, Jane"', "owned by 00014107338")
_LEAD = r"(?:owned\s+by|owner\s*:)\s*"
GRAMMAR = rule("owned", 45, rf'{_LEAD}(?:"[^"]*"|[^,;"]+)')


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """
    Return the condition that somebody of that name owns a share.

    Raises:
        InputError: There is no name, or the file of the catalogue has no works.
    """
    name = re.sub(f"^{_LEAD}", "", text_of(node), flags=re.IGNORECASE).strip('" ')
    start = words(name)[1:-1].rstrip()
    if not start:
        raise InputError("'owned by' needs a name or an IPI name number, such as: owned by Harbour Music")
    known = catalogue.mart_query(
        internal_sql("owned_tracks"), "marts.rights_parties", name_words=start, ipi=name, day=catalogue.as_of
    )
    rows = catalogue.rows_of(known)
    param, n = name_of("owned", name), catalogue.n_tracks
    owned = rows.filter(pl.col("is_owned"))["row"].to_numpy()
    return Condition(
        text=f"owned by {name}",
        where=f"case when {marked(param, n, 1)} then {marked(param, n, 0)} end",
        params={param: marks(n, owned, rows["row"].to_numpy())},
        reason=lambda _row: f"owned by {name}",
    )
