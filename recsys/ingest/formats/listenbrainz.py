"""
ListenBrainz listens: the export of an account (zip with JSON Lines by month), the API's JSON, and the public dumps.

A listen has `listened_at` (dumps: `timestamp`) in seconds since 1970 and `track_metadata`. The recording is the MBID
that ListenBrainz mapped it to, or that the client submitted, otherwise it is derived from the names; the artist is the
MBID if there is exactly one. `isrc` and `duration_ms` (or `duration`, in seconds) become attributes of the recording.
The account is `user_name`, otherwise `Source.account`. The service and the client are not stored.

Source: ListenBrainz, JSON documentation (https://listenbrainz.readthedocs.io/en/latest/users/json.html).
"""

import re
from collections.abc import Iterator

import msgspec

from recsys.ingest import names
from recsys.ingest.encoding import text_sample
from recsys.ingest.json_records import Scalar, first_record, frame, milliseconds, records
from recsys.ingest.source import Chunk, Source

_COLUMNS = (
    "user_id", "listened_at", "track_id", "artist_id", "title", "artist", "release_title", "isrc", "duration_ms",
)  # fmt: skip


class _Mapping(msgspec.Struct):
    recording_mbid: Scalar = None
    artist_mbids: list[str] | None = None


class _Info(msgspec.Struct):
    recording_mbid: Scalar = None
    artist_mbids: list[str] | str | None = None
    isrc: Scalar = None
    duration_ms: Scalar = None
    duration: Scalar = None


class _Metadata(msgspec.Struct):
    track_name: Scalar = None
    artist_name: Scalar = None
    release_name: Scalar = None
    additional_info: _Info | None = None
    mbid_mapping: _Mapping | None = None


class _SubmittedListen(msgspec.Struct):
    track_metadata: _Metadata
    listened_at: Scalar = None
    timestamp: Scalar = None
    user_name: Scalar = None


def recognises(source: Source) -> bool:
    """Return whether the first record is a listen."""
    first = first_record(source, _key(source))
    return "track_metadata" in first and "score" not in first


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read listens, tracks and artists; `table` is ignored."""
    for found in records(source, _SubmittedListen, _key(source)):
        rows = (_row(listen, source.account) for listen in found.values)
        yield from names.listens(frame(found.lines, rows, _COLUMNS), found.malformed)


def _key(source: Source) -> str:
    """Return the name of the array in the API's answer; '' for JSON Lines."""
    return "listens" if re.match(rb'\s*\{\s*"payload"\s*:\s*\{', text_sample(source)) else ""


def _row(listen: _SubmittedListen, account: str) -> tuple[Scalar, ...]:
    metadata = listen.track_metadata
    info, mapping = metadata.additional_info or _Info(), metadata.mbid_mapping or _Mapping()
    return (
        listen.user_name or account,
        listen.timestamp if listen.listened_at is None else listen.listened_at,
        mapping.recording_mbid or info.recording_mbid,
        _only(mapping.artist_mbids) or _only(info.artist_mbids),
        metadata.track_name,
        metadata.artist_name,
        metadata.release_name,
        info.isrc,
        info.duration_ms or milliseconds(info.duration),
    )


def _only(mbids: list[str] | str | None) -> str | None:
    return mbids[0] if isinstance(mbids, list) and len(mbids) == 1 else None
