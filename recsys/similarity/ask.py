"""What sounds like a track or a file: the question as a person asks it, from the command line or a page."""

from pathlib import Path

import polars as pl

from recsys.audio.embed import Embedder
from recsys.audio.mel import RATE_HZ
from recsys.audio.signal import read_audio
from recsys.errors import InputError
from recsys.similarity.discover import TRACKS_SQL, Wanted, allowed_by, discover, named_track
from recsys.similarity.index import F32, Index, StaleIndex
from recsys.warehouse.query import Warehouse


def sounds_like(
    warehouse: Warehouse, index: Index, track_or_file: str, wanted: Wanted, *, where: str | None = None, encoder: str
) -> pl.DataFrame:
    """
    List what sounds most like a recording.

    Args:
        warehouse: Asked.
        index: Of the warehouse's vectors.
        track_or_file: A file of music, or the id of a track that was heard.
        wanted: Length and variety.
        where: A condition in SQL (see `discover.allowed_by`).
        encoder: What a file is heard by: that of the recipe.

    Returns:
        rank, track_id, title, artist_name, similarity, tempo_bpm, key, mode, energy.

    Raises:
        InputError: The file is silent, or the condition is none.
        UnknownIds: There is no such file, and no such track was heard.
        StaleIndex: The catalogue was heard by another encoder.
    """
    tracks = warehouse.frame(TRACKS_SQL)
    only = None if where is None else allowed_by(warehouse, where)
    path = Path(track_or_file)
    if path.is_file():
        query, without = _vector_of(path, Embedder.load(encoder), index.version), None
    else:
        query, without = named_track(index, track_or_file), track_or_file
    found = discover(index, query, tracks, wanted, without=without, only=only)
    shown = ("track_id", "title", "artist_name", "tempo_bpm", "key", "mode", "energy")
    return found.join(tracks.select(shown), on="track_id", how="left", maintain_order="left").select(
        "rank", "track_id", "title", "artist_name", "similarity", *shown[3:]
    )


def _vector_of(path: Path, embedder: Embedder, version: str) -> F32:
    if embedder.version != version:
        raise StaleIndex(
            f"The catalogue was heard by {version}, the recipe's encoder is {embedder.version}: their vectors do not "
            "compare. Scan again: recsys audio scan FOLDER, then recsys build"
        )
    embedding = embedder.embed(read_audio(path).mono(RATE_HZ))
    if embedding is None:
        raise InputError(f"{path} is silent or shorter than a second. Give a longer piece")
    return embedding.vector
