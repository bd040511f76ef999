"""JSON Lines: one object a line; lists become "a|b", nested objects stay JSON text."""

import json
import re
from collections.abc import Iterator
from itertools import islice

import polars as pl

from recsys.errors import UnreadableSource
from recsys.ingest.source import BOM, LINE, Chunk, Source, table_of

_LINES_A_CHUNK = 200_000
_ARRAY = re.compile(rb'\[\s*[{\["\]]')


def recognises(source: Source) -> bool:
    """Say whether the first line begins an object; or an array, so that it is not taken for CSV."""
    return source.sample.removeprefix(BOM).lstrip().startswith(b"{") or _is_array(source)


def _is_array(source: Source) -> bool:
    return _ARRAY.match(source.sample.removeprefix(BOM).lstrip()) is not None


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file some lines at a time; lines that are no JSON object are malformed; the first name the table."""
    if _is_array(source):
        raise UnreadableSource(
            f"{source.path} is a JSON array, not JSON Lines. Write one object a line: jq -c '.[]' FILE > FILE.jsonl"
        )
    found, first_line = None, 1
    with source.open() as stream:
        while lines := list(islice(stream, _LINES_A_CHUNK)):
            records = [(first_line + at, _record(line)) for at, line in enumerate(lines) if line.strip()]
            rows, malformed = _rows(records), [line for line, record in records if record is None]
            found = found or _table(source, table, rows)
            yield Chunk(found, rows, malformed)
            first_line += len(lines)


def _table(source: Source, table: str | None, rows: pl.DataFrame) -> str:
    if rows.is_empty():
        raise UnreadableSource(f"{source.path}: none of its first lines is a JSON object. Is it another --format?")
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
            "".join([*texts, *filter(None, texts.values())]).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return texts


def _text(value: object) -> str | None:
    match value:
        case None | str():
            return value
        case list():
            return "|".join(str(each) for each in value if each is not None)
        case _:
            return json.dumps(value)
