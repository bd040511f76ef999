"""
Last.fm scrobbles as JSON: answers of `user.getRecentTracks`, alone or as an array of pages, or an array of scrobbles.

A scrobble has `name`, `artist` and `album` (`#text`, or `name` in the extended form), `mbid` and `date.uts`. The track
that is playing now has no date and is left out. The account is `@attr.user` of the page, otherwise `Source.account`.

Source: Last.fm, API method user.getRecentTracks (https://www.last.fm/api/show/user.getRecentTracks).
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from recsys.ingest import names
from recsys.ingest.encoding import text_sample
from recsys.ingest.json_records import Scalar, first_record, frame, records
from recsys.ingest.source import Chunk, Source

_COLUMNS = ("user_id", "listened_at", "track_id", "artist_id", "title", "artist", "release_title")


def recognises(source: Source) -> bool:
    """Return whether the first record is a scrobble, or a page of scrobbles."""
    first = first_record(source, _key(source))
    page = first.get("track")
    scrobble = page[0] if isinstance(page, list) and page else first
    return isinstance(scrobble, dict) and {"name", "artist", "mbid"} <= scrobble.keys()


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read listens, tracks and artists; `table` is ignored. A line is the number of the scrobble in the file."""
    user, lines = user_of(source), count(1)
    for found in records(source, dict[str, Any], _key(source)):
        scrobbles = [(next(lines), _row(*pair)) for page in found.values for pair in _scrobbles(page, user)]
        kept = [(line, row) for line, row in scrobbles if row is not None]
        rows = frame((line for line, _ in kept), (row for _, row in kept), _COLUMNS)
        yield from names.listens(rows, found.malformed)


def _key(source: Source) -> str:
    return "track" if re.match(rb'\s*\{\s*"recenttracks"', text_sample(source)) else ""


def user_of(source: Source) -> str:
    """Return the account that the file names in its first 64 KiB, before or after its scrobbles."""
    named = re.search(rb'"@attr"\s*:\s*\{[^{}]*"user"\s*:\s*"([^"\\]+)"', text_sample(source))
    return named[1].decode() if named else source.account


def _scrobbles(page: dict[str, Any], user: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the scrobbles of a page with its account; a scrobble is a page of its own."""
    if not isinstance(page.get("track"), list):
        yield page, user
        return
    attributes = page.get("@attr")
    named = attributes.get("user") if isinstance(attributes, dict) else None
    yield from ((track, named or user) for track in page["track"] if isinstance(track, dict))


def _row(scrobble: dict[str, Any], user: str) -> tuple[Scalar, ...] | None:
    if "date" not in scrobble and isinstance(scrobble.get("@attr"), dict):
        return None
    date, artist = scrobble.get("date"), scrobble.get("artist")
    return (
        user,
        date.get("uts") if isinstance(date, dict) else scalar(date),
        scalar(scrobble.get("mbid")),
        artist.get("mbid") if isinstance(artist, dict) else None,
        scalar(scrobble.get("name")),
        text_of(artist),
        text_of(scrobble.get("album")),
    )


def text_of(value: object) -> Scalar:
    """Return the name of an artist or release: a text, or an object with `#text` or `name`."""
    return value.get("#text") or value.get("name") if isinstance(value, dict) else scalar(value)


def scalar(value: object) -> Scalar:
    """Return a value that is neither an object nor a list, otherwise None."""
    return value if isinstance(value, str | int | float | bool) else None
