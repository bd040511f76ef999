"""
The inputs of heads: sound, metadata, lyrics and listening of each recording, as blocks of numbers.

A block consists of parts that can be missing each for itself: sound of measures and an embedding, lyrics of measures,
language and a vector of their words. Genres are no input, since they are what heads learn. Lyrics whose consent to
training (`marts.track_lyrics`) is not given are missing; what heads that hear sound are trained on is decided in
`recsys.tags.train`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from recsys.arrays import F32, Bool, Rows
from recsys.dataset.vocab import Vocab
from recsys.tags.latent import listening_vectors, word_vectors
from recsys.warehouse.internal import internal_sql

if TYPE_CHECKING:
    from recsys.dataset.interactions import Interactions
    from recsys.warehouse.query import Warehouse

SOUND, METADATA, LYRICS, LISTENING = "sound", "metadata", "lyrics", "listening"
BLOCKS = (SOUND, METADATA, LYRICS, LISTENING)
MEASURED = (
    *("log_tempo", "loudness_lufs", "energy", "danceability", "onset_rate_hz", "beat_strength", "log_brightness"),
    *("spectral_flatness", "loudness_range_lu", "is_minor"),
)
DESCRIBED = ("release_year", "log_duration", "explicit")
NAMED = ("language", "artist_type")  # one column per value
WORDED = ("log_words", "distinct_share", "repetition")  # of lyrics
MAX_VALUES = 20  # columns of a named feature: its most frequent values
UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class TrackInputs:
    """
    The inputs of some recordings.

    Attributes:
        tracks: The recordings.
        blocks: Parts by name of the block: numbers, NaN where missing. Each part has the shape (n_tracks, n_columns).
        facts: track_id, artist_id, training_consent, genre, language and country (of the artist) of each recording, in
            the order of `tracks`.
    """

    tracks: Vocab
    blocks: Mapping[str, tuple[F32, ...]]
    facts: pl.DataFrame

    @classmethod
    def read(
        cls,
        warehouse: "Warehouse",
        interactions: "Interactions | None",
        names: Sequence[str] = BLOCKS,
        consents: Sequence[str] = ("granted",),
    ) -> Self:
        """
        Read the inputs of the whole catalogue.

        Args:
            warehouse: The warehouse.
            interactions: Listening, for the block `listening`; None if it is not among `names`.
            names: The blocks to read.
            consents: Values of `training_consent` whose lyrics are read.
        """
        rows = warehouse.query(internal_sql("inputs_of_tags"))
        tracks = Vocab.of(rows["track_id"], kind="track")
        facts = rows.select("track_id", "artist_id", "training_consent", "genre", "language", "country")
        blocks: dict[str, Callable[[], tuple[F32, ...]]] = {
            SOUND: lambda: (_numbers(rows, MEASURED), vectors_of(rows)),
            METADATA: lambda: (_numbers(rows, DESCRIBED), *(_one_hot(rows[column]) for column in NAMED)),
            LYRICS: lambda: _lyrics(warehouse, tracks, consents),
            LISTENING: lambda: (listening_vectors(interactions, tracks),),
        }
        return cls(tracks, {name: blocks[name]() for name in names}, facts)

    def of_rows(self, rows: Rows) -> Self:
        """Return the inputs of some recordings, by sorted rows."""
        blocks = {name: tuple(part[rows] for part in parts) for name, parts in self.blocks.items()}
        return type(self)(Vocab.of(self.tracks.ids(rows), kind="track"), blocks, self.facts[rows])

    def with_blocks(self, names: Sequence[str]) -> Self:
        """Return the inputs with some blocks only."""
        return type(self)(self.tracks, {name: self.blocks[name] for name in names}, self.facts)

    @property
    def is_described(self) -> Bool:
        """Which recordings have at least one value. Shape (n_tracks,)."""
        found = np.zeros(len(self.tracks), np.bool_)
        for part in chain.from_iterable(self.blocks.values()):
            found |= ~np.isnan(part).all(axis=1)
        return found


def _lyrics(warehouse: "Warehouse", tracks: Vocab, consents: Sequence[str]) -> tuple[F32, ...]:
    values: dict[str, object] = {"consents": list(consents)}
    measures = warehouse.query(internal_sql("lyrics_of_tags"), values)
    words = warehouse.query(internal_sql("words_of_tags"), values)
    rows = pl.DataFrame({"track_id": tracks.ids()}).join(measures, on="track_id", how="left", maintain_order="left")
    return _numbers(rows, WORDED), _one_hot(rows["lyric_language"]), word_vectors(words, tracks)


def _numbers(rows: pl.DataFrame, columns: Sequence[str]) -> F32:
    numbers: F32 = rows.select(pl.col(columns).cast(pl.Float32).fill_null(np.nan)).to_numpy().astype(np.float32)
    return numbers


def _one_hot(values: pl.Series) -> F32:
    """Return a column per frequent value, NaN where the value is unknown. Shape (n_tracks, at most 20)."""
    known = values.filter(values.is_not_null() & (values != UNKNOWN))
    frequent = (
        known.value_counts(sort=True, name="n")
        .sort("n", values.name, descending=[True, False])[values.name]
        .head(MAX_VALUES)
    )
    hot: F32 = (values.to_numpy()[:, None] == frequent.to_numpy()[None, :]).astype(np.float32)
    hot[(values.is_null() | (values == UNKNOWN)).to_numpy()] = np.nan
    return hot


def vectors_of(rows: pl.DataFrame) -> F32:
    """
    Return the embeddings of the most frequent encoder, NaN for other recordings. Shape (n_tracks, n_dimensions).

    Vectors whose length is not the most frequent one of that encoder are missing too.
    """
    length = pl.col("vector").list.len()
    kinds = rows.drop_nulls(["encoder", "vector"]).group_by("encoder", n_dimensions=length).len()
    first = kinds.sort("len", "encoder", "n_dimensions", descending=[True, False, False]).head(1)
    if first.is_empty():
        return np.zeros((len(rows), 0), np.float32)
    encoder, n_dimensions, _ = first.row(0)
    own = rows.with_row_index("row").filter(encoder=encoder).filter(length == n_dimensions)
    found = np.full((len(rows), n_dimensions), np.nan, np.float32)
    found[own["row"].to_numpy()] = own["vector"].explode().to_numpy().reshape(-1, n_dimensions)
    return found
