"""
YouTube Music in Google Takeout: the playlist of liked music, and `music library songs.csv`; alone or in the zip.

A playlist is a CSV of `Video ID` and `Playlist Video Creation Timestamp` (before: `Time Added`), the time at which the
video was liked. Only its file name says which playlist it is: "Liked music" is read as likes, any other is refused, and
passed over in an archive, as "Liked videos" is, which has videos without music. The library has `Song Title`, `Album
Title` and `Artist Name 1` to `10` of each saved song, but not when it was saved: that is the stated day, as for
Spotify's library. A recording is `youtube:<video>`, as in the watch history. The account is `Source.account`.

Source: Google Takeout (https://takeout.google.com), "YouTube and YouTube Music", playlists and music library.
"""

import re
from collections.abc import Iterator

import polars as pl

from recsys.errors import UnknownContent
from recsys.ingest import names
from recsys.ingest.formats.csv import delimited, header_of
from recsys.ingest.source import Chunk, Source

_LIKED = re.compile(r"liked[ _-]?music", re.IGNORECASE)
_VIDEO, _TIMES = "video id", (["playlist video creation timestamp"], ["time added"])
_SAVED = {"song title": "title", "artist name 1": "artist", "album title": "release_title"}


def recognises(source: Source) -> bool:
    """Return whether the header is that of a playlist or of the library."""
    columns = header_of(source).columns
    return _is_library(columns) or (columns[:1] == [_VIDEO] and columns[1:2] in _TIMES)


def _is_library(columns: list[str]) -> bool:
    """The column of the video comes first; its name is in the language of the account."""
    return _SAVED.keys() <= set(columns[1:])


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read likes and saved songs as events, and saved songs as tracks and artists; `table` is ignored."""
    header = header_of(source)
    columns = header.columns
    event, time = ("save", _day(source)) if _is_library(columns) else ("like", _liked_at(source, columns))
    new = {
        "user_id": pl.lit(source.account),
        "track_id": pl.format("youtube:{}", pl.col(columns[0]).str.strip_chars()),
        "event": pl.lit(event),
        "event_at": time,
    }
    for rows, malformed in delimited(source, columns, header.delimiter, skip_rows=header.n_lines):
        named = rows.rename({name: column for name, column in _SAVED.items() if name in rows.columns})
        yield from names.reactions(named.with_columns(**new), malformed)


def _day(source: Source) -> pl.Expr:
    if source.dialect.day is None:
        raise UnknownContent(
            f"{source.path} says which songs were saved on YouTube Music, but not when. State the day of the export, "
            "such as --day 2026-01-31"
        )
    return pl.lit(f"{source.dialect.day}T00:00:00Z")


def _liked_at(source: Source, columns: list[str]) -> pl.Expr:
    if not _LIKED.search(source.member.name if source.member else source.path.name):
        raise UnknownContent(
            f"{source.path} is a playlist of YouTube; only liked music is read. If it is that, name it Liked music.csv"
        )
    return pl.col(columns[1])
