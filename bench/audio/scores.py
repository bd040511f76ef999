"""Scores of chords, beats and probabilities against exact labels."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from recsys.arrays import F64, Bool
from recsys.audio.features.chords import NAMES, NONE

if TYPE_CHECKING:
    from bench.audio.rendered import Truth

TOLERANCE_S = 0.07  # of a beat
N_BINS = 10  # of probabilities

Segment = tuple[float, float, str]  # start and end [s], name of a chord


def true_chords(truth: "Truth", duration_s: float) -> list[Segment]:
    """Return the chords of a piece of this length without gaps: where there is none, the name is N."""
    segments: list[Segment] = []
    end_s = 0.0
    for chord in truth.chords or ():
        start_s = max(chord.start_s, end_s)
        if start_s > end_s:
            segments.append((end_s, start_s, NONE))
        if chord.end_s > start_s:
            segments.append((start_s, chord.end_s, NAMES[2 * chord.root + chord.is_minor]))
        end_s = max(end_s, chord.end_s)
    return [*segments, (end_s, duration_s, NONE)] if end_s < duration_s else segments


def weighted_overlap(found: Iterable[Segment], true: Iterable[Segment]) -> float:
    """Return the share of the true chords' length in which the found chord has the same name, 0..1."""
    listed, length_s, agreed_s = list(found), 0.0, 0.0
    for start_s, end_s, name in true:
        length_s += end_s - start_s
        agreed_s += sum(
            max(0.0, min(end_s, other_end_s) - max(start_s, other_start_s))
            for other_start_s, other_end_s, other in listed
            if other == name
        )
    return agreed_s / length_s


def f_measure(found_s: Sequence[float], true_s: Sequence[float]) -> float:
    """
    Return the F-measure of times, 0..1: a found time is right if it is within 70 ms of a true one not yet matched.

    1 if there are none of either.
    """
    if not len(found_s) and not len(true_s):
        return 1.0
    n_right, unmatched = 0, list(true_s)
    for time_s in found_s:
        near = [other for other in unmatched if abs(other - time_s) <= TOLERANCE_S]
        if near:
            unmatched.remove(min(near, key=lambda other: abs(other - time_s)))
            n_right += 1
    return 2 * n_right / (len(found_s) + len(true_s))


def calibration_error(confidences: F64, is_right: Bool) -> float:
    """Return the expected calibration error over ten bins of the confidence, 0..1."""
    bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    gaps = [abs(confidences[bins == b].sum() - is_right[bins == b].sum()) for b in range(N_BINS)]
    return float(np.sum(gaps) / len(confidences))
