"""
MusicBrainz canonical data, a CSV file: names of recordings, releases and artists by MBID.

A recording becomes a track with its title, release and artist; the artist is the MBID in `artist_mbids` if there is
exactly one, otherwise it is derived from `artist_credit_name`. Rows are fill-only: delivered tracks and artists keep
theirs. `score` and `combined_lookup` are not stored.

Source: MetaBrainz, canonical data dumps (https://metabrainz.org/datasets/derived-dumps).
"""

from collections.abc import Iterator

import polars as pl

from recsys.ingest import names
from recsys.ingest.source import LINE, Chunk, Source
from recsys.ingest.tables import column_names, read

_COLUMNS = {
    "recording_mbid": "track_id",
    "recording_name": "title",
    "release_name": "release_title",
    "artist_credit_name": "artist",
    "artist_mbids": "artist_id",
}


def recognises(source: Source) -> bool:
    """Return whether the file has the columns of canonical data."""
    return {*_COLUMNS, "artist_credit_id"} <= set(column_names(source))


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read recordings as tracks and artists; `table` is ignored."""
    for rows, malformed in read(source, _COLUMNS):
        only = pl.col("artist_id").str.extract(r"^\{?([0-9A-Fa-f-]{36})\}?$").str.to_lowercase()
        identified = rows.with_columns(artist_id=pl.coalesce(only, names.named_id("artist")))
        tracks = identified.select("track_id", "title", "artist_id", "release_title", LINE)
        yield Chunk("tracks", tracks, malformed, is_fill_only=True)
        yield names.artists(identified)
