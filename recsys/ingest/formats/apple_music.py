"""
Apple Music's `Apple Music Play Activity.csv`, from the copy of personal data that Apple provides.

Of some 30 columns these are read: Event Type (only PLAY_END and unnamed events are listens), Event Start Timestamp (or
Event End Timestamp minus the duration), Play Duration Milliseconds, End Reason Type, UTC Offset In Seconds, Song Name,
Album Name or Container Album Name, Artist Name or Container Artist Name, Media Duration In Milliseconds. Exports often
name no artist: such a recording is identified by album and title, and no row of it is added to the catalogue. Places,
devices and addresses are not read. The account is `Source.account`.

Source: the column descriptions in the export ("Apple Media Services Information"), https://privacy.apple.com.
"""

from collections.abc import Iterator

import polars as pl

from recsys.ingest import names
from recsys.ingest.source import LINE, Chunk, Source
from recsys.ingest.tables import column_names, read

_NEEDED = {"song name", "play duration milliseconds", "end reason type"}
_STARTS = {"event start timestamp", "event end timestamp"}
_COLUMNS = (
    *_NEEDED, *_STARTS, "event type", "utc offset in seconds", "album name", "container album name", "artist name",
    "container artist name", "media duration in milliseconds",
)  # fmt: skip
_SKIPS = ("TRACK_SKIPPED_FORWARDS", "TRACK_SKIPPED_BACKWARDS", "MANUALLY_SELECTED_PLAYBACK_OF_A_DIFF_ITEM")
_ENDS = ("NATURAL_END_OF_TRACK",)
_FORM = "%Y-%m-%dT%H:%M:%S%.fZ"


def recognises(source: Source) -> bool:
    """Return whether the header has the columns of play activity."""
    header = set(column_names(source))
    return header >= _NEEDED and bool(header & _STARTS)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read plays as listens, tracks and artists; `table` is ignored."""
    for rows, malformed in read(source, {name: name for name in _COLUMNS}):
        yield from names.listens(_plays(rows, source.account), malformed)


def _plays(rows: pl.DataFrame, account: str) -> pl.DataFrame:
    played, reason = _of(rows, "play duration milliseconds"), _of(rows, "end reason type")
    skipped = (
        pl.when(reason.is_in(_SKIPS) | (played == "0")).then(pl.lit("true"))
        .when(reason.is_in(_ENDS)).then(pl.lit("false"))
    )  # fmt: skip
    by_album = names.named_id("release_title", "title").str.replace("name:", "album:", literal=True)
    ended = rows.filter(_of(rows, "event type").fill_null("PLAY_END").is_in(["PLAY_END", ""]))
    plays = ended.select(
        LINE,
        user_id=pl.lit(account),
        listened_at=_started(rows),
        ms_played=played,
        skipped=skipped,
        utc_offset_min=(_number(rows, "utc offset in seconds") // 60).cast(pl.String),
        title=_of(rows, "song name"),
        release_title=pl.coalesce(_of(rows, "album name"), _of(rows, "container album name")),
        artist=pl.coalesce(_of(rows, "artist name"), _of(rows, "container artist name")),
        duration_ms=_of(rows, "media duration in milliseconds"),
    )
    return plays.with_columns(track_id=pl.when(pl.col("artist").is_null()).then(by_album))


def _of(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Return a column; nulls if the export does not have it."""
    return pl.col(name) if name in rows.columns else pl.lit(None, pl.String)


def _number(rows: pl.DataFrame, name: str) -> pl.Expr:
    return _of(rows, name).str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)


def _started(rows: pl.DataFrame) -> pl.Expr:
    end = _of(rows, "event end timestamp").str.to_datetime(_FORM, time_unit="ms", strict=False)
    length = pl.duration(milliseconds=_number(rows, "play duration milliseconds"), time_unit="ms")
    return pl.coalesce(_of(rows, "event start timestamp"), (end - length).dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ"))
