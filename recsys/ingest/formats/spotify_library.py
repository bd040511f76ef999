"""
Spotify's saved tracks: YourLibrary.json of the account data, alone or in the delivered zip.

`tracks` has `artist`, `album`, `track` and `uri` of each saved track, without the time; it is saved on the stated day
(`Dialect.day`). Without one the file is refused, and passed over in an archive. Albums, artists, podcasts and banned
tracks are not read. The account is `Source.account`.

Source: Spotify, Understanding my data (https://support.spotify.com/article/understanding-my-data/), "Your Library".
"""

from collections.abc import Iterator

import msgspec
import polars as pl

from recsys.errors import UnknownContent
from recsys.ingest import names
from recsys.ingest.json_records import Scalar, first_record, frame, records
from recsys.ingest.source import Chunk, Source

_KEY = "tracks"
_COLUMNS = ("track_id", "title", "artist", "release_title")


class _Saved(msgspec.Struct):
    artist: Scalar = None
    album: Scalar = None
    track: Scalar = None
    uri: Scalar = None


def recognises(source: Source) -> bool:
    """Return whether the file is an object whose first saved track has the fields of the library."""
    return first_record(source, _KEY).keys() >= {"artist", "album", "track", "uri"}


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read saved tracks as events, tracks and artists; `table` is ignored. A line is the track's number."""
    if source.dialect.day is None:
        raise UnknownContent(
            f"{source.path} says which tracks were saved on Spotify, but not when. State the day of the export, such "
            "as --day 2026-01-31"
        )
    fixed = {"user_id": source.account, "event_at": f"{source.dialect.day}T00:00:00Z", "event": "save"}
    for found in records(source, _Saved, _KEY):
        rows = ((saved.uri, saved.track, saved.artist, saved.album) for saved in found.values)
        saved_tracks = frame(found.lines, rows, _COLUMNS).with_columns(
            pl.lit(text).alias(n) for n, text in fixed.items()
        )
        yield from names.reactions(saved_tracks, found.malformed)
