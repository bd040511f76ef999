"""
Claims and licences with lists of territories: tables with the columns of `work_shares` or `licences`.

Files are CSV, JSON Lines or Parquet. Instead of `territory`, of which a row has one, they have `territories`:
countries, CISAC numbers (TIS) or names separated by `|`, those after a minus sign excluded, as in `2136|-US`. Blank is
the world.
"""

from collections.abc import Iterator

import polars as pl

from recsys.ingest.source import LINE, Chunk, Source
from recsys.ingest.tables import column_names, read
from recsys.ingest.territories import by_territory, steps_of
from recsys.lake.contract import CONTRACTS, WORLD

_LIST = "territories"
_EXCLUDED = {"work_shares": ("share", "0"), "licences": ("is_granted", "false")}  # what a row of an excluded one has
_NEEDED = {
    "work_shares": {"source", "work_id", "party_id", "right_type", "share", _LIST},
    "licences": {"source", "licence_id", "use_type", _LIST},
}
TABLES = tuple(_NEEDED)


def recognises(source: Source) -> bool:
    """Return whether the file has claims or licences with lists of territories."""
    return _table(source) is not None


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the rows as those of the table, one per territory."""
    named = table or _table(source) or TABLES[0]
    columns = {name: name for name in (*CONTRACTS[named].names, _LIST)}
    for rows, malformed in read(source, columns):
        yield Chunk(named, _by_territory(rows, *_EXCLUDED[named]), malformed)


def _table(source: Source) -> str | None:
    given = set(column_names(source))
    return next((table for table, needed in _NEEDED.items() if needed <= given), None)


def _by_territory(rows: pl.DataFrame, column: str, of_excluded: str) -> pl.DataFrame:
    """Return a row per territory of each list; `column` of an excluded one has the value `of_excluded`."""
    lists = rows[_LIST].unique()
    included = [by_territory(((*step, True) for step in steps_of(text)), nothing=False) for text in lists]
    named = pl.DataFrame(
        [
            (text, None if territory == WORLD else territory, is_included)
            for text, territories in zip(lists, included, strict=True)
            for territory, is_included in territories.items()
        ],
        {_LIST: pl.String, "territory": pl.String, "is_included": pl.Boolean},
        orient="row",
    )
    listed = rows.select(pl.exclude("territory")).join(named, on=_LIST, nulls_equal=True, maintain_order="left")
    own = pl.col(column) if column in rows.columns else pl.lit(None, pl.String)
    value = pl.when("is_included").then(own).otherwise(pl.lit(of_excluded))
    return listed.with_columns(value.alias(column)).drop(_LIST, "is_included").sort(LINE)
