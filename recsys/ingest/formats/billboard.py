"""
Weekly charts as they are passed around: a row a place and week, CSV or Parquet, without a column that names the chart.

`date, rank, song or title, artist` (the Hot 100 and the Billboard 200) or `chart_week, current_week, title, performer`;
other columns are counted anew. The file's name names the chart: `hot100_weekly.parquet` is the chart `hot100`.
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
    """Say whether the columns are those of a chart, each once, and none names it."""
    names = [_NAMES.get(name, name) for name in _columns(source)]
    return "chart" not in names and all(names.count(name) == 1 for name in _NEEDED)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - every format takes it
    """Read the file as charts (`table` is not needed)."""
    chart = source.path.name.partition(".")[0].removesuffix("_weekly")
    for rows, malformed in _texts(source):
        yield Chunk("charts", rows.with_columns(chart=pl.lit(chart)), malformed)


def _columns(source: Source) -> list[str]:
    """List the columns, lower case; none of what is neither Parquet nor CSV."""
    if parquet.recognises(source):
        return [name.lower() for name in parquet.column_names(source)]
    return csv.header_of(source)[0] if csv.recognises(source) else []


def _texts(source: Source) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    if parquet.recognises(source):
        given = {_NAMES.get(name.lower(), name.lower()): name for name in parquet.column_names(source)}
        yield from ((rows, []) for rows in parquet.texts(source, {name: given[name] for name in sorted(_NEEDED)}))
    else:
        names, delimiter = csv.header_of(source)
        yield from csv.delimited(source, [_NAMES.get(name, name) for name in names], delimiter, skip_rows=1)
