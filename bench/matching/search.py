"""
Search a query of one window as `recsys match` does.

The query is searched at its own pitch and after shifts. The rates of false positives of these searches add up to those
stated: what one of them finds loses the significance that `recsys.matching.uses.look_costs` states.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import N_DIMENSIONS, RATE_HZ, Fingerprinter
from recsys.audio.signal import resample
from recsys.matching.alignment import Calibration, MatchClassifier, align_query
from recsys.matching.audio_tasks import SHIFTS_SEMITONES
from recsys.matching.cue_sheets import shipped_calibration
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.uses import MIN_CONTRAST, look_costs


class Best(NamedTuple):
    """
    What a query resembles most.

    Attributes:
        recording: Id of the recording; empty if there is none.
        offset_s: Recording time at which the query starts [s].
        significance: Negative decimal logarithm of the rate of false positives, at least 0: 2 at the point of 1 %.
    """

    recording: str = ""
    offset_s: float = float("nan")
    significance: float = 0.0


@cache
def network() -> Fingerprinter:
    """Load the shipped fingerprint network."""
    return Fingerprinter.load()


@cache
def calibration() -> Calibration:
    """Load the shipped calibration."""
    return shipped_calibration()


def looks_of(mono: F32, rate_hz: int) -> list[F32]:
    """Return the vectors of a sound, shape (n,), at its own pitch and after each shift; each of shape (m, 128)."""
    sound, empty = resample(mono, rate_hz, RATE_HZ), np.empty((1 + len(SHIFTS_SEMITONES), 0, N_DIMENSIONS), np.float32)
    return list(np.concatenate([empty, *network().stream_shifted([sound], (0.0, *SHIFTS_SEMITONES))], axis=1))


def best(index: FingerprintIndex, looks: Iterable[F32], length_s: int) -> Best:
    """Return what the looks at a query of this length [s] resemble most, by significance and then in their order."""
    classifier = calibration().classifier(length_s)
    found = [
        _best(index, look, classifier, cost)
        for look, cost in zip(looks, look_costs(len(SHIFTS_SEMITONES)), strict=True)
    ]
    return max(found, key=lambda candidate: (candidate.significance, bool(candidate.recording)))


def _best(index: FingerprintIndex, look: F32, classifier: MatchClassifier, cost: float) -> Best:
    aligned = align_query(index, look)
    if not aligned.alignments:
        return Best()
    first = aligned.alignments[0]
    significance = float(classifier.significance(aligned.evidence)) - cost if first.contrast >= MIN_CONTRAST else 0.0
    return Best(first.track_id, first.offset_s, max(0.0, significance))
