"""What sounds like a track or a file: the question as a person asks it, from the command line or a page."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from recsys.arrays import F32
from recsys.audio.embedding.embed import Embedder
from recsys.audio.mel import RATE_HZ
from recsys.audio.sandbox import Failure, Workers
from recsys.audio.signal import UnreadableAudio, read_audio
from recsys.errors import InputError
from recsys.files import is_audio
from recsys.library.settings import AudioSettings
from recsys.search.by_sound import ListLimits, filter_tracks, nearest_tracks, track_vector
from recsys.search.stored_index import StaleIndex
from recsys.search.vector_index import Index
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


@dataclass(frozen=True, eq=False)
class Sound:
    """
    Where a file stands among recordings by its sound.

    Attributes:
        vector: Its place in the encoder's space, shape (d,), float32.
        encoder: What made it; only vectors of one encoder compare.
    """

    vector: F32
    encoder: str


@dataclass(frozen=True)
class EmbedFile:
    """The task of hearing a file: `encoder` is an encoder's name, or its folder."""

    encoder: str

    @cached_property
    def embedder(self) -> Embedder:
        """The encoder, loaded."""
        return Embedder.load(self.encoder)

    def __call__(self, path: Path) -> Sound:
        """Hear a file; raises UnreadableAudio where there is nothing to hear."""
        embedding = self.embedder.embed(read_audio(path).mono(RATE_HZ))
        if embedding is None:
            raise UnreadableAudio("empty", path, "silent, or shorter than a second")
        return Sound(embedding.vector, self.embedder.version)


def heard(path: Path, settings: AudioSettings) -> Sound:
    """
    Hear a file in a process of its own: nobody trusts it.

    Args:
        path: The file.
        settings: The encoder, and the limits of the process.

    Raises:
        InputError: Nothing of it can be heard within the limits.
        SetupError: The encoder is not there.
    """
    limit_bytes = settings.limit_gb << 30
    task = EmbedFile(settings.encoder)
    with Workers(task, n_workers=1, limit_s=settings.limit_s, limit_bytes=limit_bytes) as workers:
        _, result = next(workers.map([path]))
    if isinstance(result, Failure):
        raise InputError(f"{path}: {result.message}")
    return result


def named(track_or_file: str, settings: AudioSettings) -> str | Sound:
    """
    Return what a person names: a file, heard, where there is one, else the id of a track.

    Raises:
        InputError: It is written like a path, and there is no such file.
    """
    path = Path(track_or_file)
    if path.is_file():
        return heard(path, settings)
    if path.parent != Path() or is_audio(path):
        raise InputError(f"There is no file {path}. Give an audio file, or the id of a track (recsys find WORDS)")
    return track_or_file


def sounds_like(
    warehouse: Warehouse, index: Index, like: str | Sound, wanted: ListLimits, *, where: str | None = None
) -> pl.DataFrame:
    """
    List what sounds most like a recording.

    Args:
        warehouse: Asked.
        index: Of its vectors; it may hold others', which a condition leaves out.
        like: The id of a track that was heard, or a file's sound.
        wanted: Length and variety.
        where: A condition in SQL (see `by_sound.filter_tracks`).

    Returns:
        rank, track_id, title, artist_name, similarity, tempo_bpm, key, mode, energy.

    Raises:
        InputError: The condition is none.
        UnknownIds: No such track was heard.
        StaleIndex: The catalogue was heard by another encoder than the file.
    """
    tracks = warehouse.query(internal_sql("tracks_by_sound"))
    only = None if where is None else filter_tracks(warehouse, where)
    query = track_vector(index, like) if isinstance(like, str) else _vector_of(like, index.version)
    found = nearest_tracks(index, query, tracks, wanted, exclude=like if isinstance(like, str) else None, allowed=only)
    shown = ("track_id", "title", "artist_name", "tempo_bpm", "key", "mode", "energy")
    return found.join(tracks.select(shown), on="track_id", how="left", maintain_order="left").select(
        "rank", "track_id", "title", "artist_name", "similarity", *shown[3:]
    )


def _vector_of(sound: Sound, version: str) -> F32:
    if sound.encoder != version:
        raise StaleIndex(
            f"The catalogue was heard by {version}, the recipe's encoder is {sound.encoder}: their vectors do not "
            "compare. Scan again: recsys audio scan FOLDER, then recsys build"
        )
    return sound.vector
