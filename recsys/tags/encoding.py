"""
Encoding of the inputs of heads as finite numbers.

Each part of a block is encoded on its own: a narrow one by quantiles (each number becomes the position within every
interval between quantiles, as in piecewise linear encoding), a wide one, such as an embedding, by z-scores of its
principal components. A missing value is encoded as zeros, with a column of its own that says so; in a wide part, one
missing value is the whole part missing. Where heads learn from recordings without labels too, there are axes besides
(`recsys.tags.artist_axes`).

Source: Gorishniy, Rubachev, Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (NeurIPS 2022).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.arrays import F32, F64, Rows
from recsys.tags.artist_axes import ArtistAxes
from recsys.tags.inputs import TrackInputs

N_QUANTILES, MIN_QUANTILES = 64, 4  # of a column
PER_QUANTILE = 15  # known values; with few values, there are fewer quantiles
WIDE = 64  # a part with more columns is encoded by principal components, at most so many
CLIP = 4.0  # of z-scores


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
    if not len(known):
        return np.zeros(0)
    n_quantiles = min(max(len(known) // PER_QUANTILE, MIN_QUANTILES), N_QUANTILES)
    found: F64 = np.unique(np.quantile(known, np.linspace(0, 1, n_quantiles + 1)))
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
    """
    The encoding of all parts.

    Attributes:
        blocks: Encodings of the parts, by name of the block.
        axes: Axes of the encoded parts, which are inputs besides these; None for none.
    """

    blocks: Mapping[str, tuple[_Narrow | _Wide, ...]]
    axes: ArtistAxes | None = None

    @classmethod
    def of(cls, inputs: TrackInputs, others: TrackInputs | None = None) -> Self:
        """Learn quantiles and principal components of the values that are known; a part may have none."""
        every = [inputs] if others is None else [inputs, others]
        return cls(
            {
                name: tuple(_encoding_of(np.concatenate(parts)) for parts in zip(*of_all, strict=True))
                for name in inputs.blocks
                for of_all in [[of.blocks[name] for of in every]]
            }
        )

    def encode(self, inputs: TrackInputs) -> F32:
        """Encode recordings, shape (n_tracks, n_inputs), float32; all values are finite."""
        encoded = np.hstack(
            [
                encoding.encode(part)
                for name, encodings in self.blocks.items()
                for encoding, part in zip(encodings, inputs.blocks[name], strict=True)
            ]
        )
        return encoded if self.axes is None else np.hstack([encoded, self.axes.encode(encoded)])


def _encoding_of(part: F32) -> _Narrow | _Wide:
    return (_Wide if part.shape[1] > WIDE else _Narrow).of(part)
