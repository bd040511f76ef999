"""
ListenBrainz feedback: feedback.jsonl of an account's export (zip), and answers of the API's `get-feedback`.

A feedback has `recording_mbid`, `score` and `created`, in seconds since 1970. Score 1 is a like, 0 withdraws it; -1, a
dislike, has no event and is left out. The recording is the MBID (its own, or the one it was mapped to), otherwise it is
derived from the names that the API adds with `metadata=true`; without either it is refused. The account is the API's
`user_id`, otherwise `Source.account`.

Sources: ListenBrainz, feedback API (https://listenbrainz.readthedocs.io/en/latest/users/api/recordings.html) and its
export (https://github.com/metabrainz/listenbrainz-server, `listenbrainz/background/export.py`).
"""

import re
from collections.abc import Iterator

import msgspec

from recsys.ingest import names
from recsys.ingest.encoding import text_sample
from recsys.ingest.json_records import Records, Scalar, first_record, frame, records
from recsys.ingest.source import Chunk, Source

_COLUMNS = ("user_id", "event_at", "event", "track_id", "title", "artist", "release_title")
_EVENTS = {1: "like", 0: "unlike"}
_DISLIKE = -1


class _Mapping(msgspec.Struct):
    recording_mbid: Scalar = None


class _Metadata(msgspec.Struct):
    track_name: Scalar = None
    artist_name: Scalar = None
    release_name: Scalar = None
    mbid_mapping: _Mapping | None = None


class _Feedback(msgspec.Struct):
    score: int
    created: Scalar = None
    recording_mbid: Scalar = None
    user_id: Scalar = None
    track_metadata: _Metadata | None = None


def recognises(source: Source) -> bool:
    """Return whether the first record is a feedback."""
    return first_record(source, _key(source)).keys() >= {"score", "created", "recording_mbid"}


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read events, tracks and artists; `table` is ignored."""
    for found in records(source, _Feedback, _key(source)):
        rows = [(n, _row(given, source.account)) for n, given in _likes(found)]
        yield from names.reactions(frame((n for n, _ in rows), (row for _, row in rows), _COLUMNS), found.malformed)


def _key(source: Source) -> str:
    """Return the name of the array in the API's answer; '' for JSON Lines."""
    return "feedback" if re.search(rb'"feedback"\s*:\s*\[', text_sample(source)) else ""


def _likes(found: Records[_Feedback]) -> Iterator[tuple[int, _Feedback]]:
    return ((n, given) for n, given in zip(found.lines, found.values, strict=True) if given.score != _DISLIKE)


def _row(given: _Feedback, account: str) -> tuple[Scalar, ...]:
    metadata = given.track_metadata or _Metadata()
    mapping = metadata.mbid_mapping or _Mapping()
    return (
        given.user_id or account,
        given.created,
        _EVENTS.get(given.score, str(given.score)),  # the contract refuses another score
        given.recording_mbid or mapping.recording_mbid,
        metadata.track_name,
        metadata.artist_name,
        metadata.release_name,
    )
