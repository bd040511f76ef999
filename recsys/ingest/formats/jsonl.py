"""JSON Lines: one object per line; lists become "a|b", nested objects stay JSON text."""

import json
import re
from collections.abc import Iterator
from itertools import islice

import polars as pl

from recsys.errors import UnreadableSource
from recsys.ingest.source import BOM, LINE, Chunk, Source, table_of

_LINES_PER_CHUNK = 200_000
_ARRAY = re.compile(rb'\[\s*[{\["\]]')


def recognises(source: Source) -> bool:
    """Return whether the file begins with a JSON object, or an array, which `chunks` refuses (CSV would misread it)."""
    return source.sample.removeprefix(BOM).lstrip().startswith(b"{") or _is_array(source)


def _is_array(source: Source) -> bool:
    return _ARRAY.match(source.sample.removeprefix(BOM).lstrip()) is not None


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file in chunks of lines; the first one identifies the table. A line without an object is malformed."""
    if _is_array(source):
        raise UnreadableSource(
            f"{source.path} is a JSON array, not JSON Lines. Write one object per line: jq -c '.[]' FILE > FILE.jsonl"
        )
    named_table, first_line = None, 1
    with source.open() as stream:
        while lines := list(islice(stream, _LINES_PER_CHUNK)):
            records = [(first_line + n, _record(line)) for n, line in enumerate(lines) if line.strip()]
            rows, malformed = _rows(records), [line for line, record in records if record is None]
            named_table = named_table or _table(source, table, rows)
            yield Chunk(named_table, rows, malformed)
            first_line += len(lines)


def _table(source: Source, table: str | None, rows: pl.DataFrame) -> str:
    if rows.is_empty():
        raise UnreadableSource(
            f"{source.path}: none of its first {_LINES_PER_CHUNK:,} lines is a JSON object. "
            "If the file has another format, name it with --format"
        )
    return table_of([name for name in rows.columns if name != LINE], source.path, table)


def _rows(records: list[tuple[int, dict[str, str | None] | None]]) -> pl.DataFrame:
    good = [record | {LINE: line} for line, record in records if record is not None]
    names = dict.fromkeys(name for record in good for name in record)
    return pl.DataFrame(good, schema={name: pl.Int64 if name == LINE else pl.String for name in names or [LINE]})


def _record(line: bytes) -> dict[str, str | None] | None:
    try:
        parsed = json.loads(line.removeprefix(BOM))
        texts = {name.lower(): _text(value) for name, value in parsed.items()} if isinstance(parsed, dict) else None
        if texts and b"\\ud" in line.lower():
            "".join([*texts, *filter(None, texts.values())]).encode()  # half a surrogate pair is not valid text
    except (ValueError, RecursionError):
        return None
    return texts


def _text(value: object) -> str | None:
    match value:
        case None | str():
            return value
        case list():
            return "|".join(str(element) for element in value if element is not None)
        case _:
            return json.dumps(value)
