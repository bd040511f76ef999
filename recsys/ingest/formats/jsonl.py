"""JSON Lines: one object a line; lists become "a|b", nested objects stay JSON text."""

import json
from collections.abc import Iterator
from itertools import islice

import polars as pl

from recsys.ingest.source import LINE, Chunk, Source, table_of

_LINES_A_CHUNK = 200_000


def recognises(source: Source) -> bool:
    """Say whether the first line begins an object."""
    return source.sample.lstrip().startswith(b"{")


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file some lines at a time; lines that are no JSON object are malformed."""
    with source.open() as stream:
        first_line = 1
        while lines := list(islice(stream, _LINES_A_CHUNK)):
            records = [(first_line + at, _record(line)) for at, line in enumerate(lines) if line.strip()]
            first_line += len(lines)
            yield _chunk(source, table, records)


def _chunk(source: Source, table: str | None, records: list[tuple[int, dict[str, str | None] | None]]) -> Chunk:
    good = [record | {LINE: line} for line, record in records if record is not None]
    names = list(dict.fromkeys(name for record in good for name in record))
    schema = {name: pl.Int64 if name == LINE else pl.String for name in names or [LINE]}
    malformed = [line for line, record in records if record is None]
    return Chunk(table_of(names, source.path, table), pl.DataFrame(good, schema=schema), malformed)


def _record(line: bytes) -> dict[str, str | None] | None:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return {name.lower(): _text(value) for name, value in parsed.items()} if isinstance(parsed, dict) else None


def _text(value: object) -> str | None:
    match value:
        case None | str():
            return value
        case list():
            return "|".join(str(each) for each in value)
        case _:
            return json.dumps(value)
