"""
What skips and whole plays say about the recordings that are left.

A skip lowers, and a whole play raises, the recordings that are near in tempo, energy, genre and artist: a kernel
estimate of what this listener wants now, on top of what the listener likes in general.
"""

from collections.abc import Iterable

import numpy as np

from recsys.arrays import F64
from recsys.soundtrack.plan import Recordings, tempo_distance

TEMPO_OCTAVES, ENERGY = 0.15, 0.15  # distances at which a recording counts 61 %
OTHER_GENRE, OTHER_ARTIST = 1.0, 0.5  # squared distance that another genre or artist adds
SKIPPED, PLAYED = -2.0, 1.0  # weights beside what is liked, 0..1


def adjustment(recordings: Recordings, outcomes: Iterable[tuple[int, bool]]) -> F64:
    """
    Return what to add to how much each recording is liked, shape (n,).

    Args:
        recordings: All recordings.
        outcomes: Rows of recordings that were heard, and whether each was skipped.
    """
    total = np.zeros(len(recordings.length_s))
    for row, is_skipped in outcomes:
        squared = (tempo_distance(recordings.octaves, float(recordings.octaves[row])) / TEMPO_OCTAVES) ** 2
        squared += ((recordings.energy - recordings.energy[row]) / ENERGY) ** 2
        squared += OTHER_GENRE * (recordings.genre != recordings.genre[row])
        squared += OTHER_ARTIST * (recordings.artist != recordings.artist[row])
        total += (SKIPPED if is_skipped else PLAYED) * np.exp(-squared / 2)
    return total
