"""Recordings whose lyrics say similar things to those of a recording, in any language, for `recsys similar`."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from recsys.arrays import F32
from recsys.errors import SetupError, UnknownIds
from recsys.home import Home
from recsys.published.search import published_verses
from recsys.search.by_sound import ListLimits, allowed_tracks, credits_of, within_limits
from recsys.search.by_text import VerseIndex
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

N_NEAREST = 300  # sections per section of the recording, whose recordings are compared


def verses_of(home: Home) -> VerseIndex:
    """Return the index of verses of the published release; raises SetupError if it has none."""
    verses = published_verses(home)
    if verses is None:
        raise SetupError(
            "The release has no index of verses. Install the extras text and audio, ingest lyrics (docs/formats.md), "
            "then run: recsys build"
        )
    return verses


def similar_lyrics(home: Home, track_id: str, limits: ListLimits, *, where: str | None = None) -> pl.DataFrame:
    """List the published recordings whose lyrics are most similar to those of a recording (see `says_like`)."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        return says_like(warehouse, verses_of(home), track_id, limits, where=where)


def says_like(
    warehouse: Warehouse, verses: VerseIndex, track_id: str, limits: ListLimits, *, where: str | pl.Series | None = None
) -> pl.DataFrame:
    """
    List the recordings whose lyrics are most similar to those of a recording.

    Args:
        warehouse: Contains the tracks and their attributes.
        verses: The vectors of sections. Recordings that are not in the warehouse are not listed.
        track_id: The recording.
        limits: Maximum number of recordings, in total, per artist and per release.
        where: A condition in SQL (see `by_sound.filter_tracks`), or the ids themselves; None allows all.

    Returns:
        rank, track_id, title, artist_name, similarity (mean over the sections of the recording of the cosine similarity
        to the most similar section of the other, -1..1), language (of the whole lyrics), n_words.

    Raises:
        InputError: The condition is not valid.
        UnknownIds: The recording has no vectors of lyrics.
    """
    own = verses.vectors_of(track_id)
    if not len(own):
        raise UnknownIds.of("track", [track_id], verses.ids, "the index of verses")
    tracks = warehouse.query(internal_sql("tracks_by_lyrics"))
    allowed = allowed_tracks(warehouse, where)
    listed = set(tracks["track_id"] if allowed is None else allowed)
    near = {verse.track_id for found in verses.nearest(own, N_NEAREST) for verse in found}
    ranked = _ranked(own, sorted(near & listed), verses)
    chosen = within_limits([name for _, name in ranked], credits_of(tracks), limits, track_id)
    rows = [(rank, ranked[place][1], -ranked[place][0]) for rank, place in enumerate(chosen, start=1)]
    schema = {"rank": pl.Int32, "track_id": pl.String, "similarity": pl.Float64}
    named = tracks.select("track_id", "title", "artist_name", "language", "n_words")
    return (
        pl.DataFrame(rows, schema, orient="row")
        .join(named, on="track_id", how="left", maintain_order="left")
        .select("rank", "track_id", "title", "artist_name", "similarity", "language", "n_words")
    )


def _ranked(own: F32, track_ids: Sequence[str], verses: VerseIndex) -> list[tuple[float, str]]:
    """Return negative similarity and id of each recording, the most similar first."""
    similarities = {name: float((own @ verses.vectors_of(name).T).max(axis=1).mean()) for name in track_ids}
    return sorted((-round(float(np.clip(value, -1, 1)), 4), name) for name, value in similarities.items())
