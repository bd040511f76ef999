"""
Weekly charts as they are usually shared: CSV, Parquet or JSON, one chart per file, one row per week and rank.

Columns are `date, rank, song or title, artist` (Hot 100, Billboard 200); `chart_week, current_week, title, performer`,
with `_` or a space; or `WeekID, Week Position, Song, Performer`, with days as month/day/year. JSON has such rows, or
one object per week with `date` and its songs in `data` (`song, artist, this_week`). In the wide form each row is a
song: `artist, track, date.entered, wk1, wk2 ...` with its rank in each week. Other columns are ignored. The chart is
named after the file: `hot100_weekly.parquet` is the chart `hot100`.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import polars as pl

from recsys.ingest.json_records import first_record, frame, records
from recsys.ingest.source import LINE, Chunk, Source
from recsys.ingest.tables import column_names, read

_NEEDED = ("chart_date", "rank", "title", "artist")
_NAMES = {
    "date": "chart_date", "chart_week": "chart_date", "chart week": "chart_date", "weekid": "chart_date",
    "current_week": "rank", "current week": "rank", "week position": "rank", "this_week": "rank", "song": "title",
    "performer": "artist",
} | {name: name for name in _NEEDED}  # fmt: skip
_WIDE = {"artist": "artist", "track": "title", "date.entered": "entered"}
_MOST_WEEKS = 200


def recognises(source: Source) -> bool:
    """
    Return whether the file has date, rank, title and artist, each under exactly one of its names.

    A file with a column `chart` is left to the other formats: here the chart is named by the file name.
    """
    given = column_names(source)
    names = [_NAMES.get(name, name) for name in given]
    is_long = "chart" not in names and all(names.count(name) == 1 for name in _NEEDED)
    return is_long or {*_WIDE, "wk1"} <= set(given) or _has_weeks(source)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the file as rows of `charts`; `table` is ignored."""
    chart = source.name.partition(".")[0].removesuffix("_weekly")
    for rows, malformed in _rows(source):
        by_month = pl.col("chart_date").str.to_date("%m/%d/%Y", strict=False).cast(pl.String)
        named = rows.with_columns(chart_date=pl.coalesce(by_month, "chart_date"), chart=pl.lit(chart))
        yield Chunk("charts", named, malformed)


def _rows(source: Source) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    if _has_weeks(source):
        return _weeks(source)
    return _wide(source) if "wk1" in column_names(source) else read(source, _NAMES)


def _has_weeks(source: Source) -> bool:
    first = first_record(source)
    return "date" in first and isinstance(first.get("data"), list)


def _weeks(source: Source) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    """Read the songs in the objects of weeks; a line is the number of the song in the file."""
    lines = count(1)
    for found in records(source, dict[str, Any]):
        songs = [(week.get("date"), song) for week in found.values for song in _songs(week)]
        texts = [(date, song.get("this_week"), song.get("song"), song.get("artist")) for date, song in songs]
        yield frame([next(lines) for _ in texts], texts, _NEEDED), found.malformed


def _songs(week: dict[str, Any]) -> list[dict[str, Any]]:
    songs = week.get("data")
    return [song for song in songs if isinstance(song, dict)] if isinstance(songs, list) else []


def _wide(source: Source) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    """Read one row per song and week; the line of a row is that of its song, times 200, plus the week."""
    weeks = [name for name in column_names(source) if name.startswith("wk") and name[2:].isdecimal()]
    for rows, malformed in read(source, _WIDE | {name: name for name in weeks}):
        long = rows.unpivot(weeks, index=[*_WIDE.values(), LINE], variable_name="week", value_name="rank")
        number = pl.col("week").str.slice(2).cast(pl.Int64, strict=False)
        entered = pl.col("entered").str.to_date("%Y-%m-%d", strict=False)
        chart_date = (entered + pl.duration(days=7 * (number - 1))).cast(pl.String)
        ranked = long.filter(~pl.col("rank").fill_null("NA").is_in(["NA", ""]), number <= _MOST_WEEKS)
        placed = ranked.with_columns(pl.col(LINE) * _MOST_WEEKS + number, chart_date=pl.coalesce(chart_date, "entered"))
        yield placed.select(LINE, *_NEEDED), [line * _MOST_WEEKS for line in malformed]
