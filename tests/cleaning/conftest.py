"""Catalogues of a few recordings, written as short rows."""

from typing import Any

import polars as pl

from recsys.cleaning.duplicates import Decisions, find_duplicates
from recsys.cleaning.recordings import recordings

TRACKS = {
    "track_id": pl.String,
    "title": pl.String,
    "artist_id": pl.String,
    "artist_name": pl.String,
    "artist_type": pl.String,
    "release_title": pl.String,
    "release_date": pl.Date,
    "duration_ms": pl.Int64,
    "isrc": pl.String,
    "explicit": pl.Boolean,
    "genre": pl.String,
    "audio_id": pl.String,
    "audio_ms": pl.Int64,
}
SOUNDS = {"track_id": pl.String, "other_track_id": pl.String, "share": pl.Float64, "detail": pl.String}
NO_SOUNDS, NO_DECISIONS = pl.DataFrame(schema=SOUNDS), Decisions()
ISRC = "USRC17607839"


def tracks(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return a catalogue: t1, t2 and so on, by Ada, three minutes long, unless a row says otherwise."""
    given = {"artist_id": "ada", "artist_name": "Ada", "artist_type": "person", "duration_ms": 180_000}
    filled = [dict.fromkeys(TRACKS) | given | {"track_id": f"t{n}"} | row for n, row in enumerate(rows, start=1)]
    return pl.DataFrame(filled, TRACKS)


def sounds(*pairs: tuple[str, str, float]) -> pl.DataFrame:
    """Return pairs of recordings that sound the same, with the share that does."""
    return pl.DataFrame([(*pair, "the same sound") for pair in pairs], SOUNDS, orient="row")


def found(
    catalogue: pl.DataFrame, heard: pl.DataFrame = NO_SOUNDS, decisions: Decisions = NO_DECISIONS
) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """Return the status of each pair with evidence, and the representative of each linked recording."""
    pairs, links = find_duplicates(recordings(catalogue), heard, decisions)
    status = {(one, other): state for one, other, state in pairs.select("track_id", "other_track_id", "status").rows()}
    return status, dict(links.select("track_id", "same_as").rows())
