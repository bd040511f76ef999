"""
Weekly charts as they are usually shared: CSV or Parquet, one chart per file, one row per week and rank.

Columns are `date, rank, song or title, artist` (Hot 100, Billboard 200) or `chart_week, current_week, title,
performer`; all others are ignored. The chart is named after the file: `hot100_weekly.parquet` is the chart `hot100`.
"""

from collections.abc import Iterator

import polars as pl

from recsys.ingest.source import Chunk, Source
from recsys.ingest.tables import column_names, read

_NAMES = {
    "date": "chart_date",
    "chart_week": "chart_date",
    "current_week": "rank",
    "song": "title",
    "performer": "artist",
}
_NAMES |= {name: name for name in _NAMES.values()}
_NEEDED = {"chart_date", "rank", "title", "artist"}


def recognises(source: Source) -> bool:
    """
    Return whether the file has date, rank, title and artist, each under exactly one of its names.

    A file with a column `chart` is left to the other formats: here the chart is named by the file name.
    """
    names = [_NAMES.get(name, name) for name in column_names(source)]
    return "chart" not in names and all(names.count(name) == 1 for name in _NEEDED)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the file as rows of `charts`; `table` is ignored."""
    chart = source.path.name.partition(".")[0].removesuffix("_weekly")
    for rows, malformed in read(source, _NAMES):
        yield Chunk("charts", rows.with_columns(chart=pl.lit(chart)), malformed)
