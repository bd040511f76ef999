"""
Calibrated probabilities: of the recordings that get a probability of .7, seven in ten have the tag.

Scores are divided by a temperature, which is fitted on recordings that the head was not trained on. The expected
calibration error (ECE) has one definition here: probabilities are sorted into 15 bins of equal width; the error is the
mean, weighted by the size of the bin, of the difference between the mean probability of a bin and the share of its
recordings that have the tag. For a kind whose tags exclude each other, the ECE of the kind is that of each recording's
most probable tag; the ECE of a tag is always over all recordings.

Source: Guo, Pleiss, Sun, Weinberger, On Calibration of Modern Neural Networks (ICML 2017).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, log_softmax, softmax

from recsys.arrays import F32, F64, Bool

N_BINS = 15
MAX_ECE = 0.05  # a tag above it is not shown
MIN_POSITIVES = 10  # held-out recordings with the tag; with fewer, its calibration is not known
N_DRAWS = 200  # of labels that the probabilities would give
CHANCE = 0.95  # share of draws below which an error is no proof
LOG_RANGE = (-3.0, 3.0)  # of a temperature


def temperature(scores: F64, targets: F32, *, exclusive: bool) -> float:
    """
    Return the temperature that gives held-out targets the highest likelihood, .05..20; 1 without rows.

    Args:
        scores: As `head.scores` returns them. Shape (n, n_tags).
        targets: Share of each tag, 0..1. Shape (n, n_tags).
        exclusive: Whether tags exclude each other.
    """
    if not len(scores):
        return 1.0

    def surprise(log_t: float) -> float:
        scaled = scores / np.exp(log_t)
        if exclusive:
            return float(-(targets * log_softmax(scaled, axis=1)).sum())
        return float(-(targets * log_expit(scaled) + (1 - targets) * log_expit(-scaled)).sum())

    return float(np.exp(minimize_scalar(surprise, bounds=LOG_RANGE, method="bounded").x))


def probabilities(scores: F64, temperature: float, *, exclusive: bool) -> F64:
    """Return calibrated probabilities, shape (n, n_tags); rows sum to 1 if tags exclude each other."""
    scaled = scores / temperature
    calibrated: F64 = softmax(scaled, axis=1) if exclusive else expit(scaled)
    return calibrated


def ece(probability: F64, has_tag: Bool | F32) -> float:
    """
    Return the expected calibration error, 0..1; NaN without recordings.

    Args:
        probability: Of each recording, 0..1. Shape (n,).
        has_tag: Whether the recording has the tag. Shape (n,).

    >>> ece(np.array([0.9, 0.9, 0.1, 0.1]), np.array([True, True, False, True]))
    0.25
    """
    if not len(probability):
        return float("nan")
    bins = np.minimum((probability * N_BINS).astype(np.int64), N_BINS - 1)
    excess = np.bincount(bins, probability - has_tag, N_BINS)  # (n_bins,): sum of probability minus outcome
    return float(np.abs(excess).sum() / len(probability))


def top_tag_ece(probability: F64, has_tag: F32) -> float:
    """Return the ECE of each recording's most probable tag. Both have the shape (n, n_tags)."""
    top = probability.argmax(axis=1)[:, None]
    return ece(np.take_along_axis(probability, top, axis=1).ravel(), np.take_along_axis(has_tag, top, axis=1).ravel())


@dataclass(frozen=True)
class TagCalibration:
    """
    Calibration of a tag on recordings that its head was not trained on.

    Attributes:
        n_positives: Recordings with the tag.
        ece: Expected calibration error, 0..1.
        chance_ece: Error that perfectly calibrated probabilities exceed in 5 of 100 cases, by the number of recordings.
        reason: Why the tag is not shown; empty if it is shown.
    """

    n_positives: int
    ece: float
    chance_ece: float
    reason: str

    @property
    def is_shown(self) -> bool:
        """Whether the tag is shown."""
        return not self.reason


def tag_calibration(probability: F64, has_tag: F32, rng: np.random.Generator) -> TagCalibration:
    """
    Decide whether a tag is shown: its error must be at most .05, or no larger than chance explains.

    Args:
        probability: Of held-out recordings, 0..1. Shape (n,).
        has_tag: 1 if the recording has the tag, 0 if not. Shape (n,).
        rng: Draws the labels that calibrated probabilities would give.
    """
    n_positives, found = int(has_tag.sum()), ece(probability, has_tag)
    draws = rng.random((N_DRAWS, len(probability))) < probability
    chance = float(np.quantile([ece(probability, drawn) for drawn in draws], CHANCE)) if len(probability) else 0.0
    if n_positives < MIN_POSITIVES:
        reason = f"only {n_positives} held-out recordings have it, at least {MIN_POSITIVES} are needed"
    elif found > max(MAX_ECE, chance):
        reason = f"its probabilities are off by {found:.3f} on held-out recordings, at most {MAX_ECE} is allowed"
    else:
        reason = ""
    return TagCalibration(n_positives, found, chance, reason)
