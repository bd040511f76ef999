"""Files with named columns, whether CSV, Parquet or JSON, as texts under the names that a format gives them."""

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

import polars as pl

from recsys.ingest.formats import csv, parquet
from recsys.ingest.json_records import Records, column, first_record, is_json, records
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
        blocks = csv.delimited(source, names, header.delimiter, skip_rows=header.n_lines, n_needed=header.n_needed)
        yield from ((rows.select(pl.exclude(r"^_\d+$")), malformed) for rows, malformed in blocks)


def rows_of(found: Records[dict[str, Any]], renamed: Mapping[str, str]) -> pl.DataFrame:
    """Return the renamed columns of JSON objects as texts with `_line`; keys may be in upper or lower case."""
    given = sorted(set[str]().union(*found.values))
    own_names: dict[str, list[str]] = {}
    for name in given:
        if name.lower() in renamed:
            own_names.setdefault(renamed[name.lower()], []).append(name)
    texts = {name: column(_values(found.values, own)) for name, own in own_names.items()}
    return pl.DataFrame({**texts, LINE: pl.Series(found.lines, dtype=pl.Int64)})


def _values(objects: list[dict[str, Any]], names: list[str]) -> list[Any]:
    """Return the value of each record under the first of the names that it has, or None."""
    if len(names) == 1:
        try:
            return list(map(itemgetter(names[0]), objects))
        except KeyError:
            return [record.get(names[0]) for record in objects]
    return [next((record[name] for name in names if name in record), None) for record in objects]
