"""
Where a use begins and ends: a ramp fitted to the similarity of query and recording around a rough edge.

In a cross-fade the similarity rises long after the recording has begun to sound, since the other music is louder at
first. The rise itself shows how long the fade is: the recording begins before it by a share of its length.
"""

import numpy as np

from recsys.arrays import F64
from recsys.audio.fingerprint.fingerprinter import VECTOR_HOP_S

REACH_S = 8.0  # the ramp lies within this distance of the rough edge [s]
STARTS_S = np.arange(-REACH_S, REACH_S, VECTOR_HOP_S)
WIDTHS_S = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0])
WIDTH_PENALTY = 0.05  # of the squared error, per second of a ramp: of equally good ramps, the steepest
MIN_FADE_S = 2.0  # a narrower ramp is a cut, which the rough edge places better
BLUR_S = 0.25  # a vector hears a second, so ramps begin early [s]
LEAD = 0.2  # share of a ramp's width by which a fade begins before it can be heard


def ramp(distances_s: F64, similarity: F64) -> tuple[float, float]:
    """
    Fit a ramp from 0 to 1.

    Args:
        distances_s: Distances from the rough edge, positive towards the inside of the use, shape (n,), n >= 1 [s].
        similarity: Similarity there, about 0 outside and 1 inside, shape (n,).

    Returns:
        Distance at which the ramp begins, and its width [s].
    """
    starts_s, widths_s = (pairs.ravel() for pairs in np.meshgrid(STARTS_S, WIDTHS_S))
    shapes = np.clip((distances_s - starts_s[:, None]) / widths_s[:, None], 0, 1)  # (n_ramps, n)
    errors = np.square(similarity - shapes).sum(axis=1) + WIDTH_PENALTY * widths_s
    best = int(errors.argmin())
    return float(starts_s[best]), float(widths_s[best])


def correction_s(distances_s: F64, similarity: F64) -> float:
    """
    Return the distance of an edge from a rough edge [s], negative where the use extends further outside; 0 for a cut.

    Args:
        distances_s: Distances from the rough edge, positive towards the inside of the use, shape (n,) [s].
        similarity: Similarity there, about 0 outside and 1 inside, shape (n,).
    """
    is_near = np.abs(distances_s) <= REACH_S
    if not is_near.any():
        return 0.0
    start_s, width_s = ramp(distances_s[is_near], similarity[is_near])
    return 0.0 if width_s < MIN_FADE_S else start_s + BLUR_S - LEAD * width_s
