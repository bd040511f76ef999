"""
JSON Lines or a JSON array of objects whose keys are a table's columns; lists become "a|b", nested objects stay JSON.

The first records identify the table. A line or element without an object is malformed.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from recsys.errors import UnknownContent
from recsys.ingest.json_records import Records, is_json, records
from recsys.ingest.source import Chunk, Source, table_of
from recsys.ingest.tables import rows_of
from recsys.lake.contract import CONTRACTS


def recognises(source: Source) -> bool:
    """Return whether the file begins with a JSON object or an array."""
    return is_json(source)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file in slices; the first one identifies the table."""
    named_table = ""
    for found in records(source, dict[str, Any]):
        named_table = named_table or _table(source, table, found)
        yield Chunk(named_table, rows_of(found, {name: name for name in CONTRACTS[named_table].names}), found.malformed)
    if not named_table:
        raise UnknownContent(
            f"{source.path} has no JSON object, so that its table is unknown. Remove it from the folder"
        )


def _table(source: Source, table: str | None, found: Records[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name.lower() for name in dict.fromkeys(chain.from_iterable(found.values))))
    if not names and not found.malformed:
        raise UnknownContent(f"{source.path} has no records. Remove it, or get the file again")
    if not names:
        raise UnknownContent(
            f"{source.path}: none of its first {len(found.malformed):,} lines is a JSON object. Write one object per "
            "line, as jq -c . FILE does; if the file has another format, name it with --format"
        )
    try:
        return table_of(names, source.path, table)
    except UnknownContent:
        if any(_has_records(value) for record in found.values[:1] for value in record.values()):
            raise UnknownContent(
                f"{source.path} has its records inside an object. Write the records alone, as jq -c '.KEY[]' FILE does "
                "with the key that has them"
            ) from None
        raise


def _has_records(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(it, dict) for it in value)
