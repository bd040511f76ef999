"""Files with named columns, whether CSV, Parquet or JSON, as texts under the names that a format gives them."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from recsys.ingest.formats import csv, parquet
from recsys.ingest.json_records import Records, as_text, first_record, is_json, records
from recsys.ingest.source import LINE, Source


def column_names(source: Source) -> list[str]:
    """List the columns in lower case; of JSON, those of the first record. Empty if the file has no named columns."""
    if parquet.recognises(source):
        return [name.lower() for name in parquet.column_names(source)]
    if is_json(source):
        return list(dict.fromkeys(name.lower() for name in first_record(source)))
    return csv.header_of(source).names if csv.recognises(source) else []


def read(source: Source, renamed: Mapping[str, str]) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    """
    Read some columns of a file.

    Args:
        source: The file.
        renamed: Name of a column in lower case -> its name in the result; several columns may get one name if the file
            has one of them. Columns that the file does not have are ignored.

    Yields:
        The columns as texts with `_line`, and the lines that could not be parsed.
    """
    if parquet.recognises(source):
        own_names = {renamed[name.lower()]: name for name in parquet.column_names(source) if name.lower() in renamed}
        yield from ((rows, []) for rows in parquet.texts(source, own_names))
    elif is_json(source):
        yield from ((rows_of(found, renamed), found.malformed) for found in records(source, dict[str, Any]))
    else:
        header = csv.header_of(source)
        names = [renamed.get(name, f"_{n}") for n, name in enumerate(header.columns)]
        blocks = csv.delimited(source, names, header.delimiter, skip_rows=header.n_lines)
        yield from ((rows.select(pl.exclude(r"^_\d+$")), malformed) for rows, malformed in blocks)


def rows_of(found: Records[dict[str, Any]], renamed: Mapping[str, str]) -> pl.DataFrame:
    """Return the renamed columns of JSON objects as texts with `_line`; keys may be in upper or lower case."""
    own_names = {name: renamed[name.lower()] for record in found.values for name in record if name.lower() in renamed}
    known = [{own_names[name]: value for name, value in record.items() if name in own_names} for record in found.values]
    texts = {
        name: pl.Series([as_text(record.get(name)) for record in known], dtype=pl.String)
        for name in dict.fromkeys(own_names.values())
    }
    return pl.DataFrame({**texts, LINE: pl.Series(found.lines, dtype=pl.Int64)})
