"""
JSON Lines or a JSON array of objects whose keys are a table's columns; lists become "a|b", nested objects stay JSON.

The first records identify the table. A line or element without an object is malformed.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from recsys.errors import UnknownContent
from recsys.ingest.json_records import Records, as_text, is_json, records
from recsys.ingest.source import LINE, Chunk, Source, table_of
from recsys.lake.contract import CONTRACTS


def recognises(source: Source) -> bool:
    """Return whether the file begins with a JSON object or an array."""
    return is_json(source)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file in slices; the first one identifies the table."""
    named_table = ""
    for found in records(source, dict[str, Any]):
        named_table = named_table or _table(source, table, found)
        yield Chunk(named_table, _rows(found, CONTRACTS[named_table].names), found.malformed)
    if not named_table:
        raise UnknownContent(
            f"{source.path} has no JSON object, so that its table is unknown. Remove it from the folder"
        )


def _table(source: Source, table: str | None, found: Records[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name.lower() for record in found.values for name in record))
    if not names:
        raise UnknownContent(
            f"{source.path}: none of its first {len(found.malformed):,} lines is a JSON object. "
            "If the file has another format, name it with --format"
        )
    return table_of(names, source.path, table)


def _rows(found: Records[dict[str, Any]], known: list[str]) -> pl.DataFrame:
    """Return the known columns of records as texts; keys may be in upper or lower case."""
    own_names = {name: name.lower() for record in found.values for name in record if name.lower() in known}
    lowered = [
        {own_names[name]: value for name, value in record.items() if name in own_names} for record in found.values
    ]
    texts = {
        name: pl.Series([as_text(record.get(name)) for record in lowered], dtype=pl.String)
        for name in dict.fromkeys(own_names.values())
    }
    return pl.DataFrame({**texts, LINE: pl.Series(found.lines, dtype=pl.Int64)})
