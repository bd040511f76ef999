"""Tracks that sound like a given track or audio file, for `recsys similar` and the search page."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recsys.arrays import F32
from recsys.errors import InputError
from recsys.files import is_audio
from recsys.home import Home
from recsys.library.settings import AudioSettings
from recsys.releases import registry
from recsys.search.by_sound import ListLimits, allowed_tracks, nearest_tracks, track_vector
from recsys.search.stored_index import StaleIndex
from recsys.search.vector_index import Index
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.audio.embedding.embed import Embedder


@dataclass(frozen=True, eq=False)
class FileEmbedding:
    """
    The embedding of an audio file.

    Attributes:
        vector: Shape (d,), float32.
        encoder: Version of the encoder that computed it; only vectors of the same encoder can be compared.
    """

    vector: F32
    encoder: str


@dataclass(frozen=True)
class EmbedFile:
    """A task for worker processes: embed an audio file. `encoder` is the name of an encoder, or a folder with one."""

    encoder: str

    @cached_property
    def embedder(self) -> "Embedder":
        """The encoder, loaded when it is first used."""
        from recsys.audio.embedding.embed import Embedder  # noqa: PLC0415 - torch, which a track by its id does not need

        return Embedder.load(self.encoder)

    def __call__(self, path: Path) -> FileEmbedding:
        """Embed a file; raises UnreadableAudio if it is silent or shorter than a second."""
        from recsys.audio.signal import UnreadableAudio, read_audio  # noqa: PLC0415 - as above

        embedding = self.embedder.embed(read_audio(path))
        if embedding is None:
            raise UnreadableAudio("empty", path, "silent, or shorter than a second")
        return FileEmbedding(embedding.vector, self.embedder.version)


def embed_file(path: Path, settings: AudioSettings) -> FileEmbedding:
    """
    Embed an untrusted audio file in a separate process.

    Args:
        path: The file.
        settings: The encoder, and the limits of the process.

    Raises:
        InputError: The file cannot be embedded within the limits.
        SetupError: The encoder is not installed.
    """
    from recsys.audio.sandbox import run_one  # noqa: PLC0415 - as above

    task = EmbedFile(settings.encoder)
    return run_one(task, path, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30)


def track_or_embedding(track_or_file: str, settings: AudioSettings) -> str | FileEmbedding:
    """
    Return the embedding of a file if the text is the path of an existing file; otherwise the text, as a track id.

    Raises:
        InputError: The text looks like a path but there is no such file, or the file cannot be embedded.
    """
    path = Path(track_or_file)
    if path.is_file():
        return embed_file(path, settings)
    if path.parent != Path() or is_audio(path):
        raise InputError(f"No file found at {path}. Give an audio file, or the id of a track (recsys find WORDS)")
    return track_or_file


def similar_sound(
    home: Home, track_or_file: str, limits: ListLimits, settings: AudioSettings, *, where: str | None = None
) -> pl.DataFrame:
    """
    List the published tracks that sound most similar to a track or to an audio file (see `sounds_like`).

    Args:
        home: A home with a published release.
        track_or_file: Id of a track, or path of a file.
        limits: As in `sounds_like`.
        settings: The encoder, and the limits of the process that reads a file.
        where: As in `sounds_like`.
    """
    query = track_or_embedding(track_or_file, settings)
    with Warehouse.open(home.published_warehouse()) as warehouse:
        return sounds_like(warehouse, Index.load(registry.index_folder(home)), query, limits, where=where)


def sounds_like(
    warehouse: Warehouse,
    index: Index,
    like: str | FileEmbedding,
    limits: ListLimits,
    *,
    where: str | pl.Series | None = None,
) -> pl.DataFrame:
    """
    List the tracks that sound most similar to a track or file.

    Args:
        warehouse: Contains the tracks and their attributes.
        index: The vector index. It may contain tracks that are not in the warehouse; exclude these by `where`.
        like: The id of an indexed track, or the embedding of a file.
        limits: Maximum number of tracks, in total, per artist and per release.
        where: A condition in SQL (see `by_sound.filter_tracks`), or the ids themselves; None allows all tracks.

    Returns:
        rank, track_id, title, artist_name, similarity (cosine, -1..1), tempo_bpm, key, mode, beats_per_bar,
        main_chords, energy.

    Raises:
        InputError: The condition is not valid.
        UnknownIds: The index has no such track.
        StaleIndex: The index and the file's embedding come from different encoders.
    """
    tracks = warehouse.query(internal_sql("tracks_by_sound"))
    allowed = allowed_tracks(warehouse, where)
    query = track_vector(index, like) if isinstance(like, str) else _comparable_vector(like, index.version)
    found = nearest_tracks(
        index, query, tracks, limits, exclude=like if isinstance(like, str) else None, allowed=allowed
    )
    attributes = ("tempo_bpm", "key", "mode", "beats_per_bar", "main_chords", "energy")
    named = tracks.select("track_id", "title", "artist_name", *attributes)
    return found.join(named, on="track_id", how="left", maintain_order="left").select(
        "rank", "track_id", "title", "artist_name", "similarity", *attributes
    )


def _comparable_vector(embedding: FileEmbedding, version: str) -> F32:
    if embedding.encoder != version:
        raise StaleIndex(
            f"The index holds embeddings of the encoder {version}; expected those of the recipe's encoder "
            f"{embedding.encoder}. Scan again: recsys audio scan FOLDER, then recsys build"
        )
    return embedding.vector
