"""The recordings of a catalogue, prepared for comparison: codes in normal form, titles and credits read."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from recsys.cleaning.credits import ArtistNames, Credit, split_credit
from recsys.cleaning.text import fold
from recsys.cleaning.titles import Title, read_title
from recsys.lake.codes import normal_isrc

RECORDINGS = pl.Schema(
    {
        "track_id": pl.String(),
        "isrc": pl.String(),
        "title_key": pl.String(),
        "version": pl.String(),
        "artist_key": pl.String(),
        "artists": pl.List(pl.String()),
        "featured": pl.List(pl.String()),
        "duration_ms": pl.Int64(),
        "explicit": pl.Boolean(),
        "release_key": pl.String(),
        "release_date": pl.Date(),
        "audio_id": pl.String(),
        "audio_ms": pl.Int64(),
    }
)


def artist_names(tracks: pl.DataFrame) -> ArtistNames:
    """Return the artists of a catalogue: those with a known type are one person or one group."""
    named = tracks.select("artist_name", "artist_type").drop_nulls("artist_name").unique()
    single = named.filter(pl.col("artist_type").is_in(["person", "group"]))
    return ArtistNames(named["artist_name"], single["artist_name"])


def recordings(tracks: pl.DataFrame) -> pl.DataFrame:
    """
    Read the codes, titles and credits of a catalogue.

    Args:
        tracks: track_id, title, artist_id, artist_name, artist_type, release_title, release_date, duration_ms, isrc,
            explicit, audio_id, audio_ms (length of the analysed file). Only track_id is never null.

    Returns:
        RECORDINGS, sorted by track_id: isrc in normal form, null if malformed; title_key, null if the title says
        nothing; version; artist_key, the folded main artists, or the artist's id if it has no name; artists, all
        folded names; featured, the folded names that the title or the credit features.
    """
    artists = artist_names(tracks)
    titles = {text: read_title(text, artists) for text in tracks["title"].drop_nulls().unique()}
    credited = {text: split_credit(text, artists) for text in tracks["artist_name"].drop_nulls().unique()}
    columns = ("title", "artist_name", "artist_id", "isrc", "release_title")
    read = [
        _read(titles.get(title), credited.get(name), artist_id, isrc, release)
        for title, name, artist_id, isrc, release in tracks.select(columns).iter_rows()
    ]
    same = tracks.select("track_id", "duration_ms", "explicit", "release_date", "audio_id", "audio_ms")
    schema = {name: dtype for name, dtype in RECORDINGS.items() if name not in same.columns}
    joined = pl.concat([same, pl.DataFrame(read, schema, orient="row")], how="horizontal")
    return joined.select(RECORDINGS.names()).cast(RECORDINGS).sort("track_id")


def trust_order(read: pl.DataFrame) -> dict[str, int]:
    """Number recordings by how far their metadata is trusted: with an ISRC first, then by release date, then by id."""
    ordered = read.select("track_id", "release_date", has_isrc=pl.col("isrc").is_not_null()).sort(
        "has_isrc", "release_date", "track_id", descending=[True, False, False], nulls_last=True
    )
    return {track_id: number for number, track_id in enumerate(ordered["track_id"])}


def _read(
    title: Title | None, credit: Credit | None, artist_id: str | None, isrc: str | None, release: str | None
) -> tuple[Any, ...]:
    """Return isrc, title_key, version, artist_key, artists, featured and release_key of one recording."""
    title, credit = title or Title(""), credit or Credit(())
    main = _artist_keys(credit.main)
    featured = [name for name in _artist_keys(title.featured + credit.featured) if name not in main]
    by_id = [] if artist_id is None else [artist_id]  # without a name
    artists, key = [*main, *featured] or by_id, " / ".join(main) or artist_id
    return normal_isrc(isrc), title.key or None, title.version, key, artists, featured, fold(release or "")


def _artist_keys(names: Iterable[str]) -> list[str]:
    return sorted({fold(name).removeprefix("the ") for name in names} - {""})
