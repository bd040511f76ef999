"""
The inputs of heads: sound, metadata and listening of each recording, as blocks of numbers.

A block consists of parts that can be missing each for itself: sound of measures and an embedding. Each part is encoded
on its own: a narrow one by quantiles (each number becomes the position within every interval between quantiles, as in
piecewise linear encoding), a wide one, such as an embedding, by z-scores of its principal components. A missing value
is encoded as zeros, with a column of its own that says so; in a wide part, one missing value is the whole part missing.
Genres are no input, since they are what heads learn.

Source: Gorishniy, Rubachev, Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (NeurIPS 2022).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from recsys.arrays import F32, F64, Bool, Rows
from recsys.dataset.feature_vectors import tfidf
from recsys.dataset.vocab import Vocab
from recsys.warehouse.internal import internal_sql

if TYPE_CHECKING:
    from recsys.dataset.interactions import Interactions
    from recsys.warehouse.query import Warehouse

SOUND, METADATA, LISTENING = "sound", "metadata", "listening"
BLOCKS = (SOUND, METADATA, LISTENING)
MEASURED = (
    *("log_tempo", "loudness_lufs", "energy", "danceability", "onset_rate_hz", "beat_strength", "log_brightness"),
    *("spectral_flatness", "loudness_range_lu", "is_minor"),
)
DESCRIBED = ("release_year", "log_duration", "explicit")
NAMED = ("language", "artist_type")  # one column per value
MAX_VALUES = 20  # columns of a named feature: its most frequent values
N_LISTENING = 32  # dimensions of the vectors of listening
N_QUANTILES = 64
WIDE = 64  # a block with more columns is encoded by principal components, at most so many
CLIP = 4.0  # of z-scores
UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class TrackInputs:
    """
    The inputs of some recordings.

    Attributes:
        tracks: The recordings.
        blocks: Parts by name of the block: numbers, NaN where missing. Each part has the shape (n_tracks, n_columns).
        facts: track_id, artist_id, training_consent, genre and language of each recording, in the order of `tracks`.
    """

    tracks: Vocab
    blocks: Mapping[str, tuple[F32, ...]]
    facts: pl.DataFrame

    @classmethod
    def read(cls, warehouse: "Warehouse", interactions: "Interactions | None", names: Sequence[str] = BLOCKS) -> Self:
        """
        Read the inputs of the whole catalogue.

        Args:
            warehouse: The warehouse.
            interactions: Listening, for the block `listening`; None if it is not among `names`.
            names: The blocks to read.
        """
        rows = warehouse.query(internal_sql("inputs_of_tags"))
        tracks = Vocab.of(rows["track_id"], kind="track")
        facts = rows.select("track_id", "artist_id", "training_consent", "genre", "language")
        return cls(tracks, {name: _block(name, rows, interactions, tracks) for name in names}, facts)

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


def _block(name: str, rows: pl.DataFrame, interactions: "Interactions | None", tracks: Vocab) -> tuple[F32, ...]:
    if name == LISTENING:
        return (listening_vectors(interactions, tracks),)
    if name == SOUND:
        return _numbers(rows, MEASURED), vectors_of(rows)
    return _numbers(rows, DESCRIBED), *(_one_hot(rows[column]) for column in NAMED)


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


def listening_vectors(interactions: "Interactions | None", tracks: Vocab) -> F32:
    """
    Return vectors of who listens to a recording: left singular vectors of its tf-idf weighted listeners.

    Returns:
        Shape (n_tracks, at most 32), float32; NaN for recordings without plays.
    """
    from scipy.sparse.linalg import svds  # noqa: PLC0415 - other inputs need no solver

    missing = np.full((len(tracks), N_LISTENING), np.nan, np.float32)
    if interactions is None or min(interactions.matrix.shape) <= N_LISTENING:
        return missing
    plays = tfidf(interactions.matrix.T.astype(np.float64).tocsr())  # (n_played, n_users), rows of norm 1
    rng = np.random.default_rng(7)
    left, strength, _ = svds(plays, k=N_LISTENING, v0=rng.standard_normal(min(plays.shape)))
    own, is_played = tracks.find(interactions.tracks.ids()), np.diff(plays.indptr) > 0
    kept = is_played & (own >= 0)
    missing[own[kept]] = (left * strength)[kept]
    return missing


@dataclass(frozen=True, eq=False)
class _Narrow:
    """
    Piecewise linear encoding of a narrow part.

    Attributes:
        low, high: Ends of each interval. Shape (n_intervals,); a column without two different values has none.
        column: The column that each interval belongs to. Shape (n_intervals,).
    """

    low: F64
    high: F64
    column: Rows

    @classmethod
    def of(cls, block: F32) -> Self:
        edges = [_edges(values) for values in block.T]
        low, high = ([part for column in edges for part in column[cut]] for cut in (slice(None, -1), slice(1, None)))
        n_intervals = np.array([max(len(column) - 1, 0) for column in edges], np.int64)
        column = np.repeat(np.arange(len(edges)), n_intervals)
        return cls(np.array(low, np.float64), np.array(high, np.float64), column)

    def encode(self, block: F32) -> F32:
        within = (block[:, self.column] - self.low) / (self.high - self.low)  # (n,n_intervals)
        is_missing = np.isnan(block)
        return np.hstack([np.nan_to_num(within.clip(0, 1)), is_missing]).astype(np.float32)


def _edges(values: F32) -> F64:
    known = values[~np.isnan(values)].astype(np.float64)
    found: F64 = np.unique(np.quantile(known, np.linspace(0, 1, N_QUANTILES + 1))) if len(known) else np.zeros(0)
    return found


@dataclass(frozen=True, eq=False)
class _Wide:
    """
    Encoding of a wide part by z-scores of its principal components.

    Attributes:
        mean, std: Of each column. Shape (n_columns,).
        axes: Principal axes of the z-scores. Shape (n_columns, n_components).
    """

    mean: F64
    std: F64
    axes: F64

    @classmethod
    def of(cls, block: F32) -> Self:
        known = block[~np.isnan(block).any(axis=1)].astype(np.float64)
        if not len(known):
            nothing = np.zeros(block.shape[1])
            return cls(nothing, nothing, np.zeros((block.shape[1], 0)))
        mean, std = known.mean(axis=0), known.std(axis=0)
        standard = ((known - mean) / np.where(std > 0, std, 1)).clip(-CLIP, CLIP)
        power, axes = np.linalg.eigh(standard.T @ standard / len(standard))
        leading = np.argsort(-power)[:WIDE]
        kept = leading[power[leading] > 1e-9]
        return cls(mean, std, axes[:, kept] / np.sqrt(power[kept]).clip(min=power.max(initial=0) ** 0.5 / 10))

    def encode(self, block: F32) -> F32:
        standard = ((block - self.mean) / np.where(self.std > 0, self.std, 1)).clip(-CLIP, CLIP)
        is_missing = np.isnan(block).any(axis=1, keepdims=True)
        return np.hstack([np.nan_to_num(standard) @ self.axes * ~is_missing, is_missing]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Encoding:
    """The encoding of all parts; `of` learns it from recordings, `encode` returns shape (n_tracks, n_inputs)."""

    blocks: Mapping[str, tuple[_Narrow | _Wide, ...]]

    @classmethod
    def of(cls, inputs: TrackInputs) -> Self:
        """Learn quantiles and principal components of the values that are known; a part may have none."""
        return cls(
            {
                name: tuple((_Wide if part.shape[1] > WIDE else _Narrow).of(part) for part in parts)
                for name, parts in inputs.blocks.items()
            }
        )

    def encode(self, inputs: TrackInputs) -> F32:
        """Encode recordings, shape (n_tracks, n_inputs), float32; all values are finite."""
        return np.hstack(
            [
                encoding.encode(part)
                for name, encodings in self.blocks.items()
                for encoding, part in zip(encodings, inputs.blocks[name], strict=True)
            ]
        )
