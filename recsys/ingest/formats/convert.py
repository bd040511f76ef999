"""
Data that is recognised but not read: each is named, with the command or option that makes it readable.

DuckDB's command line streams files of any size; `jq` does so for JSON.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from recsys.errors import UnknownContent
from recsys.ingest.encoding import text_sample
from recsys.ingest.json_records import first_record
from recsys.ingest.source import Chunk, Source
from recsys.ingest.tables import column_names


@dataclass(frozen=True)
class _Known:
    """
    Data that is recognised.

    Attributes:
        name: What it is.
        is_it: Whether a file is it.
        remedy: What makes it readable; F stands for the file.
    """

    name: str
    is_it: Callable[[Source], bool]
    remedy: str


def _columns(*names: str, but: str = "") -> Callable[[Source], bool]:
    """Return a function that tells whether a file has these columns, and not the column `but`."""

    def has_columns(source: Source) -> bool:
        given = set(column_names(source))
        return set(names) <= given and but not in given

    return has_columns


def _begins(*beginnings: bytes) -> Callable[[Source], bool]:
    return lambda source: source.sample.startswith(beginnings)


_DUCKDB = "Convert it: duckdb -c \"copy (select uid as user_id, item_id as track_id, timestamptz '2025-01-01 00:00Z' + "
_KNOWN = (
    _Known(
        "Yambda, a log of listens",
        _columns("uid", "item_id", "timestamp", "played_ratio_pct", "track_length_seconds"),
        _DUCKDB + "to_seconds(timestamp) as listened_at, cast(track_length_seconds * played_ratio_pct * 10 as bigint) "
        "as ms_played, if(is_organic = 1, 'active', 'algorithmic') as source from 'F') to 'listens.parquet'\". Its "
        "times count from an unstated origin, for which the command takes a day",
    ),
    _Known(
        "Yambda, a log of likes or dislikes",
        _columns("uid", "item_id", "timestamp", "is_organic", but="played_ratio_pct"),
        _DUCKDB + "to_seconds(timestamp) as event_at, 'like' as event from 'F') to 'events.parquet'\", for likes; "
        "dislikes have no event",
    ),
    _Known(
        "a slice of the Million Playlist Dataset",
        lambda source: b'"playlists"' in text_sample(source) and "pid" in first_record(source, "playlists"),
        "Convert it: jq -c '.playlists[] | .pid as $p | .tracks[] | {playlist_id: \"\\($p)\", position: (.pos + 1), "
        "track_id: .track_uri}' F > playlists.jsonl; and for the catalogue: jq -c '.playlists[].tracks[] | {track_id: "
        ".track_uri, title: .track_name, artist_id: .artist_uri, duration_ms, release_title: .album_name}' F > "
        "tracks.jsonl",
    ),
    _Known(
        "tracks.csv of FMA, with three header lines",
        lambda source: text_sample(source).startswith(b",album,album,"),
        "Write one header line with the columns of the table tracks: `track` and `title` are title, `artist` and `id` "
        "are artist_id, the first column is track_id",
    ),
    _Known(
        "counts of plays per listener and artist (HetRec 2011), without times",
        _columns("userid", "artistid", "weight"),
        "Give each count a day: duckdb -c \"copy (select userID as user_id, artistID as track_id, date '2011-05-01' as "
        "listened_at, weight as n_listens from read_csv('F', delim = '\\t')) to 'listens.parquet'\", with "
        "artists as recordings",
    ),
    _Known(
        "tags or friends of HetRec 2011",
        lambda source: _columns("userid", "friendid")(source) or _columns("userid", "artistid", "tagid")(source),
        "The lake has no table for them",
    ),
    _Known(
        "artists.dat of HetRec 2011",
        _columns("id", "name", "url", "pictureurl"),
        "Read it as artists: --map artist_id=id,name=name",
    ),
    _Known(
        "a listening history of Deezer",
        _columns("song title", "artist", "isrc", "date"),
        'Read it: --map title="Song Title",artist=Artist,isrc=ISRC,release_title="Album Title",listened_at=Date',
    ),
    _Known(
        "a listening history of Tidal",
        _columns("track_title", "artist_name", "entry_date"),
        "Read it: --map title=track_title,artist=artist_name,listened_at=entry_date,ms_played=stream_duration_ms",
    ),
    _Known(
        "days of Apple Music plays, without times",
        _columns("track description", "date played"),
        "Ingest 'Apple Music Play Activity.csv' of the same delivery instead",
    ),
    _Known(
        "redirects of MusicBrainz recordings",
        _columns("recording_mbid", "canonical_recording_mbid"),
        "The lake has no table for them; ingest canonical_musicbrainz_data.csv",
    ),
    _Known(
        "a watch history of YouTube as a web page",
        lambda source: text_sample(source).lstrip()[:5].lower() == b"<html" and b"YouTube" in text_sample(source),
        "Request it again at takeout.google.com, with JSON as the format of the history",
    ),
    _Known("an SQLite database", _begins(b"SQLite format 3\0"), "Export its tables as CSV"),
    _Known(
        "compressed by bzip2, xz, 7-Zip or RAR",
        _begins(b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf", b"Rar!"),
        "Decompress it; gzip, zstd, zip and tar are read",
    ),
    _Known("an old Excel workbook", _begins(b"\xd0\xcf\x11\xe0"), "Save its sheets as CSV"),
)  # fmt: skip


def recognises(source: Source) -> bool:
    """Return whether the file is one of the known data."""
    return _known(source) is not None


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Refuse the file with what it is and how to convert it."""
    known = _known(source)
    if known is None:
        raise UnknownContent(f"{source.path} is none of the data that this format names")
    raise UnknownContent(f"{source.path} is {known.name}. {known.remedy}")
    yield


def _known(source: Source) -> _Known | None:
    return next((known for known in _KNOWN if known.is_it(source)), None)
