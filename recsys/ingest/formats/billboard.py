"""
Weekly charts as they are usually shared: CSV or Parquet, one chart per file, one row per week and rank.

Columns are `date, rank, song or title, artist` (Hot 100, Billboard 200) or `chart_week, current_week, title,
performer`; all others are ignored. The chart is named after the file: `hot100_weekly.parquet` is the chart `hot100`.
"""

from collections.abc import Iterator

import polars as pl

from recsys.ingest.formats import csv, parquet
from recsys.ingest.source import Chunk, Source

_NAMES = {
    "date": "chart_date",
    "chart_week": "chart_date",
    "current_week": "rank",
    "song": "title",
    "performer": "artist",
}
_NEEDED = {"chart_date", "rank", "title", "artist"}


def recognises(source: Source) -> bool:
    """
    Return whether the file has date, rank, title and artist, each under exactly one of its names.

    A file with a column `chart` is left to the other formats: here the chart is named by the file name.
    """
    names = [_NAMES.get(name, name) for name in _columns(source)]
    return "chart" not in names and all(names.count(name) == 1 for name in _NEEDED)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the file as rows of `charts`; `table` is ignored."""
    chart = source.path.name.partition(".")[0].removesuffix("_weekly")
    for rows, malformed in _texts(source):
        yield Chunk("charts", rows.with_columns(chart=pl.lit(chart)), malformed)


def _columns(source: Source) -> list[str]:
    """List the columns in lower case; empty if the file is neither Parquet nor CSV."""
    if parquet.recognises(source):
        return [name.lower() for name in parquet.column_names(source)]
    return csv.header_of(source).names if csv.recognises(source) else []


def _texts(source: Source) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    if parquet.recognises(source):
        own_names = {_NAMES.get(name.lower(), name.lower()): name for name in parquet.column_names(source)}
        columns = {name: own_names[name] for name in sorted(_NEEDED)}
        yield from ((rows, []) for rows in parquet.texts(source, columns))
    else:
        header = csv.header_of(source)
        names = [_NAMES.get(name, name) for name in header.columns]
        yield from csv.delimited(source, names, header.delimiter, skip_rows=header.n_lines)
