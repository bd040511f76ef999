"""
Scrobbles exported by other sites and players: Last.fm CSV files, `.scrobbler.log`, maloja, Koito.

CSV with a header: `artist`, `track` (or `title`, `song`), `album`, MBIDs, and `uts` or a time such as `01 May 2026,
10:00`; or without a header: artist, album, track, time. `.scrobbler.log` (Audioscrobbler 1.1): artist, album, title,
track number, length in seconds, rating (L listened, S skipped), time, MBID. maloja: `scrobbles`, whose `duration` is
the time listened and `track.length` the recording's, in seconds. Koito: `listens` with primary aliases. Times without a
zone are UTC. The account is the one that Koito names, otherwise `Source.account`.

Sources: the exporter at https://lastfm.ghan.nl/export/; the Rockbox documentation on Audioscrobbler logs; the export
functions of maloja (https://github.com/krateng/maloja) and Koito (https://github.com/gabehf/Koito).
"""

import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from recsys.ingest import names
from recsys.ingest.encoding import text_lines, text_sample
from recsys.ingest.formats import csv
from recsys.ingest.json_records import Records, Scalar, first_record, frame, milliseconds, records
from recsys.ingest.source import Chunk, Source
from recsys.ingest.tables import column_names, read

_NAMES = {
    "uts": "listened_at", "utc_time": "time", "date": "time", "time": "time", "datetime": "time", "timestamp": "time",
    "artist": "artist", "artist_mbid": "artist_id", "album": "release_title", "track": "title", "title": "title",
    "song": "title", "track_mbid": "track_id",
}  # fmt: skip
_HEADERLESS = ["artist", "release_title", "title", "time"]
_TIMES = ("%d %b %Y, %H:%M:%S", "%d %b %Y, %H:%M", "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M")
_TIME = re.compile(rb'"?\d{1,2} [A-Z][a-z]{2} \d{4},? \d\d:\d\d(:\d\d)?"?\r?')
_LOG_HEAD = b"#AUDIOSCROBBLER/"
_LOG = ("artist", "release_title", "title", "duration_ms", "skipped", "listened_at", "track_id")
_JSON = ("user_id", "listened_at", "ms_played", "track_id", "title", "artist", "release_title", "duration_ms")


def recognises(source: Source) -> bool:
    """Return whether the file is a log, has columns of scrobbles, or is a JSON export of maloja or Koito."""
    return (
        text_sample(source).startswith(_LOG_HEAD)
        or _is_headerless(source)
        or bool(_json_key(source) or _csv_names(source))
    )


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read listens, tracks and artists; `table` is ignored."""
    if text_sample(source).startswith(_LOG_HEAD):
        return _log(source)
    return _from_json(source, _json_key(source)) if _json_key(source) else _from_csv(source)


def _csv_names(source: Source) -> list[str]:
    """Return the columns of scrobbles in a file, named for `names.listens`; empty if it is something else."""
    header = column_names(source)
    own_names = [_NAMES.get(name, name) for name in header]
    is_history = {"artist", "title"} <= set(own_names) and {"listened_at", "time"} & set(own_names)
    is_other = {"rank", "user_id", "track_id", "chart"} & set(header)
    is_clear = all(own_names.count(name) == 1 for name in own_names if name in _NAMES.values())
    return own_names if is_history and not is_other and is_clear else []


def _is_headerless(source: Source) -> bool:
    first = text_sample(source).split(b"\n", 1)[0]
    times = [field for field in (first.rpartition(b',"')[2], first.rpartition(b",")[2]) if _TIME.fullmatch(field)]
    return bool(times) and first.count(b",") >= len(_HEADERLESS) - 1


def _from_csv(source: Source) -> Iterator[Chunk]:
    headerless = csv.delimited(source, _HEADERLESS, ",", skip_rows=0) if _is_headerless(source) else None
    for rows, malformed in headerless or read(source, _NAMES):
        times = [name for name in ("listened_at", "time") if name in rows.columns]
        listened_at = pl.coalesce(*[_time(name) for name in times], pl.lit(None, pl.String))
        own = rows.with_columns(listened_at=listened_at, user_id=pl.lit(source.account))
        yield from names.listens(own, malformed)


def _time(name: str) -> pl.Expr:
    """Convert the spelled times of exporters to ISO 8601; others are kept for the contract."""
    spelled = [pl.col(name).str.to_datetime(form, time_unit="ms", strict=False) for form in _TIMES]
    return pl.coalesce(pl.coalesce(spelled).dt.to_string("%Y-%m-%dT%H:%M:%SZ"), pl.col(name))


def _log(source: Source) -> Iterator[Chunk]:
    rows: list[tuple[Scalar, ...]] = []
    lines: list[int] = []
    malformed: list[int] = []
    for line, record in text_lines(source):
        if record is None or (record.strip() and not record.startswith("#")):
            row = _log_row(record)
            (malformed if row is None else lines).append(line)
            rows += [row] if row else []
    own = frame(lines, rows, _LOG).with_columns(user_id=pl.lit(source.account))
    yield from names.listens(own, malformed)


def _log_row(record: str | None) -> tuple[Scalar, ...] | None:
    fields = record.split("\t") if record is not None else []
    if len(fields) not in {7, 8}:
        return None
    artist, album, title, _, length, rating, time, mbid = [*fields, ""][:8]
    duration = milliseconds(int(length)) if length.isdecimal() and length.isascii() else None
    return artist, album, title, duration, {"S": "true"}.get(rating), time, mbid


def _json_key(source: Source) -> str:
    """Return the name of the array in maloja's or Koito's export; '' if it is neither."""
    maloja = first_record(source, "scrobbles") if b'"scrobbles"' in text_sample(source) else {}
    if {"time", "track"} <= maloja.keys() and isinstance(maloja["track"], dict):
        return "scrobbles"
    koito = first_record(source, "listens") if b'"listens"' in text_sample(source) else {}
    return "listens" if {"listened_at", "track", "artists"} <= koito.keys() else ""


def _from_json(source: Source, key: str) -> Iterator[Chunk]:
    named = re.search(rb'"user"\s*:\s*"([^"\\]+)"', text_sample(source).partition(b'"listens"')[0])
    user = named[1].decode() if named and key == "listens" else source.account
    for found in records(source, dict[str, Any], key):
        row = _maloja if key == "scrobbles" else _koito
        read: Records[tuple[Scalar, ...]] = Records([], [], list(found.malformed))
        for line, record in zip(found.lines, found.values, strict=True):
            try:
                read.values.append((user, *row(record)))
                read.lines.append(line)
            except (KeyError, TypeError, AttributeError, IndexError):
                read.malformed.append(line)
        yield from names.listens(frame(read.lines, read.values, _JSON), sorted(read.malformed))


def _maloja(record: dict[str, Any]) -> tuple[Scalar, ...]:
    track = record["track"]
    album = track.get("album") or {}
    artists = ", ".join(track["artists"]) or None
    played, length = milliseconds(record.get("duration")), milliseconds(track.get("length"))
    return record["time"], played, None, track["title"], artists, album.get("albumtitle"), length


def _koito(record: dict[str, Any]) -> tuple[Scalar, ...]:
    track = record["track"]
    artists = ", ".join(_primary(artist) for artist in record["artists"]) or None
    album = _primary(record["album"]) if record.get("album") else None
    time, length = record["listened_at"], milliseconds(track.get("duration"))
    return time, None, track.get("mbid"), _primary(track), artists, album, length


def _primary(named: dict[str, Any]) -> str:
    """Return the primary alias of a recording, release or artist in Koito's export."""
    aliases = named["aliases"]
    return str(next((alias for alias in aliases if alias.get("is_primary")), aliases[0])["alias"])
