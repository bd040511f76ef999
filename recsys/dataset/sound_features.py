"""
Sound as features of tracks: which of some dozens of typical sounds each recording is near to.

Vectors of an encoder have hundreds of numbers, of which recommenders that read features as words can make nothing. So
the catalogue's sounds are grouped, by vector and by what is measured most surely (tempo, onsets, brightness, mode), and
a track is described by the groups it is nearest to, each by its weight: a new track shares groups with what its
listeners play already. Only recordings whose holder allows training are used, for
the groups and in the description.
"""

import numpy as np
import polars as pl
from scipy.cluster.vq import kmeans2

from recsys.arrays import F64

MEASURED = ("tempo", "onsets", "brightness", "minor")
DIMENSIONS = 24  # of vectors in the space in which groups are looked for
N_NEAREST = 6  # groups that describe a track
MOST_GROUPS = 64
TRACKS_A_GROUP = 8
SHARPNESS = 3.0  # of the weights: exp(sharpness * cosine)
LOUDEST = 5.0  # weight of the nearest group, beside 1 of a genre: nobody needs to be told a sound
FEWEST = 16  # vectors, below which there are no groups to speak of
SEED = 7


def sound_features(vectors: pl.DataFrame) -> pl.DataFrame:
    """
    Describe tracks by the sounds they are near to.

    Args:
        vectors: What `sql/internal/sound_of_tracks.sql` answers; vectors of the encoder that made most of them are
            used.

    Returns:
        track_id, name ('sound=07'), weight (0..5, the largest of a track is 5); at most six rows a track. Empty where
        there are fewer than 16 vectors.
    """
    encoder = vectors["encoder"].mode().sort().head(1)
    chosen = vectors.filter(pl.col("encoder").is_in(encoder.implode()))
    if len(chosen) < FEWEST:
        return pl.DataFrame(schema={"track_id": pl.String, "name": pl.String, "weight": pl.Float64})
    places = _places(np.stack(chosen["vector"].to_list()).astype(np.float64), chosen.select(MEASURED).to_numpy())
    near = places @ _groups(places).T  # (n_tracks, n_groups)
    nearest = np.argsort(-near, axis=1, kind="stable")[:, :N_NEAREST]
    cosines = np.take_along_axis(near, nearest, axis=1)
    weights = LOUDEST * np.exp(SHARPNESS * (cosines - cosines[:, :1]))
    return pl.DataFrame(
        {
            "track_id": np.repeat(chosen["track_id"].to_numpy(), nearest.shape[1]),
            "name": [f"sound={group:02d}" for group in nearest.ravel()],
            "weight": weights.ravel(),
        }
    )


def _places(vectors: F64, measured: F64) -> F64:
    """
    Return where each track is among the sounds, as vectors of length 1.

    That is along the directions in which the catalogue's vectors vary most, and in standard deviations of what is
    measured, at most three; what was not measured is in the middle.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    centred = unit - unit.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    turned = _unit(centred @ directions[:DIMENSIONS].T)
    n_known = np.maximum((~np.isnan(measured)).sum(axis=0), 1)
    off = np.nan_to_num(measured - np.nansum(measured, axis=0) / n_known)
    deviations = (off / np.maximum(np.sqrt((off**2).sum(axis=0) / n_known), 1e-9)).clip(-3, 3)
    return _unit(np.hstack([turned, deviations]))


def _unit(rows: F64) -> F64:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _groups(places: F64) -> F64:
    """Return the middles of groups of like sounds, of length 1, shape (n_groups, n_dimensions)."""
    n_groups = int(np.clip(len(places) // TRACKS_A_GROUP, 2, MOST_GROUPS))
    middles, _ = kmeans2(places, n_groups, minit="++", rng=np.random.default_rng(SEED), missing="warn")
    return _unit(middles)
