"""
Last.fm's loved tracks: answers of user.getLovedTracks as JSON, one page per file.

A loved track has `name`, `artist` (`name`, `mbid`), `mbid` and `date.uts`, the time at which it was loved. The account
is `@attr.user` of the page, otherwise `Source.account`.

Source: Last.fm, API method user.getLovedTracks (https://www.last.fm/api/show/user.getLovedTracks).
"""

import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from recsys.ingest import names
from recsys.ingest.encoding import text_sample
from recsys.ingest.formats.lastfm_json import scalar, text_of, user_of
from recsys.ingest.json_records import Scalar, frame, records
from recsys.ingest.source import Chunk, Source

_COLUMNS = ("event_at", "track_id", "artist_id", "title", "artist")


def recognises(source: Source) -> bool:
    """Return whether the file is a page of loved tracks."""
    return re.match(rb'\s*\{\s*"lovedtracks"\s*:', text_sample(source)) is not None


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read likes, tracks and artists; `table` is ignored. A line is the track's number."""
    for found in records(source, dict[str, Any], "track"):
        rows = frame(found.lines, map(_row, found.values), _COLUMNS)
        likes = rows.with_columns(user_id=pl.lit(user_of(source)), event=pl.lit("like"))
        yield from names.reactions(likes, found.malformed)


def _row(loved: dict[str, Any]) -> tuple[Scalar, ...]:
    date, artist = loved.get("date"), loved.get("artist")
    return (
        date.get("uts") if isinstance(date, dict) else scalar(date),
        scalar(loved.get("mbid")),
        scalar(artist.get("mbid")) if isinstance(artist, dict) else None,
        scalar(loved.get("name")),
        text_of(artist),
    )
