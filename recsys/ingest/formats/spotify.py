"""
Spotify's personal data: the extended streaming history and the account data, as JSON arrays or the delivered zip.

Extended history (`Streaming_History_Audio_*.json`, formerly `endsong_*.json`): `ts` is when the stream ended, so that
it started `ms_played` earlier. `reason_end` and `skipped` say whether the listener ended it; a stream of 0 ms is a
skip. The recording is `spotify_track_uri`. Streams of podcasts and books have no recording and are refused. Platform,
country, IP address and user agent are not read.

Account data (`StreamingHistory_music_*.json`): `endTime` (to the minute), `artistName`, `trackName`, `msPlayed`.

The account is `username` where the file has it (until 2023), otherwise `Source.account`.

Source: Spotify, Understanding my data (https://support.spotify.com/article/understanding-my-data/).
"""

from collections.abc import Iterator
from typing import TypeVar

import msgspec
import polars as pl

from recsys.ingest import names
from recsys.ingest.json_records import Records, Scalar, column, first_record, records
from recsys.ingest.source import LINE, Chunk, Source

_EXTENDED = {"ts", "ms_played", "spotify_track_uri"}
_FORMERLY = {"ts", "ms_played", "master_metadata_track_name"}
_ACCOUNT = {"endTime", "artistName", "trackName", "msPlayed"}
_LISTENER_ENDED = ("fwdbtn", "backbtn", "clickrow", "clickside", "endplay", "nextbtn", "uriopen")
_LISTENER_CHOSE = ("clickrow", "clickside", "playbtn", "uriopen")
_LONGEST_MS = 86_400_000
T = TypeVar("T", bound=msgspec.Struct)


class _Stream(msgspec.Struct):
    ts: Scalar = None
    username: Scalar = None
    ms_played: Scalar = None
    spotify_track_uri: Scalar = None
    master_metadata_track_name: Scalar = None
    master_metadata_album_artist_name: Scalar = None
    master_metadata_album_album_name: Scalar = None
    reason_start: Scalar = None
    reason_end: Scalar = None
    skipped: Scalar = None


class _AccountStream(msgspec.Struct, rename="camel"):
    end_time: Scalar = None
    artist_name: Scalar = None
    track_name: Scalar = None
    ms_played: Scalar = None


def recognises(source: Source) -> bool:
    """Return whether the first record has the fields of either history."""
    fields = first_record(source).keys()
    return fields >= _EXTENDED or fields >= _FORMERLY or fields >= _ACCOUNT


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read a history as listens, tracks and artists; `table` is ignored."""
    if first_record(source).keys() >= _ACCOUNT:
        for found in records(source, _AccountStream):
            yield from names.listens(_account_data(found, source.account), found.malformed)
    else:
        for streams in records(source, _Stream):
            yield from names.listens(_extended(streams, source.account), streams.malformed)


def _columns(found: Records[T], kind: type[T]) -> pl.DataFrame:
    """Return the fields of records as texts, with their lines."""
    fields = msgspec.structs.fields(kind)
    texts = {field.name: column(getattr(value, field.name) for value in found.values) for field in fields}
    return pl.DataFrame({**texts, LINE: pl.Series(found.lines, dtype=pl.Int64)})


def _extended(found: Records[_Stream], account: str) -> pl.DataFrame:
    ended, chosen = pl.col("reason_end").is_in(_LISTENER_ENDED), pl.col("reason_start").is_in(_LISTENER_CHOSE)
    skipped = (
        pl.when((pl.col("ms_played") == "0") | ended).then(pl.lit("true"))
        .when(pl.col("reason_end") == "trackdone").then(pl.lit("false"))
        .otherwise("skipped")
    )  # fmt: skip
    return _columns(found, _Stream).select(
        LINE,
        "ms_played",
        user_id=pl.coalesce("username", pl.lit(account)),
        listened_at=_started("ts", "%Y-%m-%dT%H:%M:%SZ"),
        skipped=skipped,
        source=pl.when(chosen).then(pl.lit("active")),
        track_id="spotify_track_uri",
        title="master_metadata_track_name",
        artist="master_metadata_album_artist_name",
        release_title="master_metadata_album_album_name",
    )


def _account_data(found: Records[_AccountStream], account: str) -> pl.DataFrame:
    return _columns(found, _AccountStream).select(
        LINE,
        "ms_played",
        user_id=pl.lit(account),
        listened_at=_started("end_time", "%Y-%m-%d %H:%M"),
        skipped=pl.when(pl.col("ms_played") == "0").then(pl.lit("true")),
        title="track_name",
        artist="artist_name",
    )


def _started(ended: str, form: str) -> pl.Expr:
    """Return the start of a stream from its end and length; an end in another form is kept, for the contract."""
    length = pl.col("ms_played").cast(pl.Int64, strict=False)
    known = pl.when(length.is_between(0, _LONGEST_MS)).then(length).otherwise(0)
    end = pl.col(ended).str.to_datetime(form, time_unit="ms", strict=False)
    start = (end - pl.duration(milliseconds=known, time_unit="ms")).dt.to_string("%Y-%m-%dT%H:%M:%SZ")
    return pl.coalesce(start, ended)
