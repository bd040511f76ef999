"""
Axes along which recordings of an artist are alike: what recordings without labels teach about the inputs.

Recordings of an artist mostly share genre, instruments and voice. Directions of the inputs that vary much between
artists and little within them therefore tell tags better than others, and no label is needed to find them: this is
linear discriminant analysis with artists in place of classes.

Source: Fisher, The Use of Multiple Measurements in Taxonomic Problems (Annals of Eugenics 1936).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.linalg import eigh

from recsys.arrays import F32, F64, I64

N_AXES = 12
N_COMPONENTS = 128  # principal components in which axes are searched
MIN_REPEATS = 4  # recordings per component beyond the first of each artist; with fewer, there are no axes
SHRINKAGE = 0.03  # of the scatter within artists
SCALE = 3.0  # beside the other inputs


@dataclass(frozen=True, eq=False)
class ArtistAxes:
    """
    Axes of encoded inputs; without enough artists with several recordings there are none.

    Attributes:
        mean: Of the inputs. Shape (n_inputs,).
        axes: Each with a standard deviation of 3 times the root of the share of variance that lies between artists.
            Shape (n_inputs, at most 12).
    """

    mean: F64
    axes: F64

    @classmethod
    def of(cls, encoded: F32, artists: I64) -> Self:
        """
        Find the axes.

        Args:
            encoded: Inputs of recordings. Shape (n, n_inputs).
            artists: Number of each recording's artist, 0 to n_artists - 1. Shape (n,).
        """
        mean = encoded.mean(axis=0, dtype=np.float64)
        centred = encoded - mean
        power, directions = np.linalg.eigh(centred.T @ centred)
        leading = np.argsort(-power)[:N_COMPONENTS]
        leading = leading[power[leading] > 1e-9 * power.max(initial=1)]
        components = directions[:, leading]
        n_repeats = len(artists) - len(np.unique(artists))
        if not len(leading) or n_repeats < MIN_REPEATS * len(leading):
            return cls(mean, np.zeros((len(mean), 0)))
        return cls(mean, components @ _discriminants(centred @ components, artists, n_repeats))

    def encode(self, encoded: F32) -> F32:
        """Return the coordinates of recordings. Shape (n, n_axes)."""
        return ((encoded - self.mean) @ self.axes).astype(np.float32)


def _discriminants(points: F64, artists: I64, n_repeats: int) -> F64:
    """Return the directions with the largest ratio of variance in all to that within artists, scaled."""
    sums = np.zeros((artists.max() + 1, points.shape[1]))
    np.add.at(sums, artists, points)
    inner = points - (sums / np.bincount(artists)[:, None])[artists]
    within = inner.T @ inner / n_repeats
    within += SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    total = points.T @ points / len(points)
    ratios, directions = eigh(total, within)
    leading = np.argsort(-ratios)[:N_AXES]
    between_share = (1 - 1 / ratios[leading]).clip(min=0)
    found: F64 = directions[:, leading] * SCALE * np.sqrt(between_share / ratios[leading])
    return found
