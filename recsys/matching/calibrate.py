"""
Set the thresholds of match probabilities on strangers: recordings that are not in the index.

A threshold for 0.1 % false positives cannot be read off a few hundred windows, and windows of one recording resemble
each other. Therefore the log-odds above their 95th percentile are taken to fall exponentially (peaks over a threshold),
and recordings are resampled: the threshold is the upper limit of the 95 % interval, so that the rate of other
strangers is likely to be lower than stated.

Source: Coles, An Introduction to Statistical Modeling of Extreme Values (2001), chapter 4.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import expit

from recsys.arrays import F32, F64
from recsys.audio.fingerprint.fingerprinter import HOP, N_FFT, RATE_HZ, VECTOR_HOP_S, n_vectors
from recsys.audio.sandbox import Failure
from recsys.errors import InputError
from recsys.files import printable
from recsys.library.settings import AudioSettings
from recsys.matching.alignment import Calibration, MatchClassifier, align_query
from recsys.matching.audio_tasks import fingerprint_files, require_decoded
from recsys.matching.cue_sheets import shipped_calibration
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.uses import find_uses

TAIL_SHARE = 0.05  # share of the log-odds that make the tail
MIN_HOP = 18  # minimum distance between the windows of a recording, in vectors
MIN_SOUNDING = 0.9  # share of a window's vectors that are not silent
MIN_STRANGERS, MIN_WINDOWS = 20, 100  # fewer leave no interval worth the name
KNOWN_SHARE = 0.5  # of a file, from which a recording of the index makes it no stranger
N_RESAMPLED, UPPER, SEED = 500, 0.975, 7


def window_vectors(length_s: float) -> int:
    """Return the number of vectors of a query of this length [s]."""
    return n_vectors(1 + (int(length_s * RATE_HZ) - N_FFT) // HOP)


def windows(fingerprint: F32, n: int) -> Iterator[F32]:
    """Yield windows of n vectors that hardly overlap and are hardly silent, shape (n, 128)."""
    for first in range(0, len(fingerprint) - n + 1, max(n, MIN_HOP)):
        window = fingerprint[first : first + n]
        if window.any(axis=1).mean() >= MIN_SOUNDING:
            yield window


def tail_threshold(log_odds: F64, share: float) -> float:
    """Estimate the value that a share of the log-odds exceeds; at least the value that this share of them exceeds."""
    start = float(np.quantile(log_odds, 1 - TAIL_SHARE))
    excess = float(np.mean(np.maximum(log_odds - start, 0))) / TAIL_SHARE
    return max(start + excess * float(np.log(TAIL_SHARE / share)), float(np.quantile(log_odds, 1 - share)))


def upper_threshold(log_odds: F64, recordings: Sequence[str], share: float) -> float:
    """
    Return the upper limit of the 95 % interval of `tail_threshold`, bootstrapped over recordings.

    Args:
        log_odds: Log-odds of strangers' windows, shape (n,), n >= 1.
        recordings: Recording of each window.
        share: Rate of false positives, 0 < share < 0.05.
    """
    names, position = np.unique(np.asarray(recordings), return_inverse=True)
    by_recording = [log_odds[position == number] for number in range(len(names))]
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(len(names), size=(N_RESAMPLED, len(names)))
    estimates = [tail_threshold(np.concatenate([by_recording[row] for row in rows]), share) for rows in drawn]
    return float(np.quantile(estimates, UPPER))


def calibrated(calibration: Calibration, index: FingerprintIndex, strangers: Mapping[str, F32]) -> Calibration:
    """
    Return a calibration whose thresholds fit an index and strangers; the weights of the evidence stay.

    Args:
        calibration: The calibration whose weights are used.
        index: The index of the recordings that are looked for.
        strangers: Fingerprints of recordings that are not in the index, a quarter of a second apart, by name.

    Raises:
        InputError: There are too few strangers.
    """
    classifiers = []
    for classifier in calibration.classifiers:
        n = window_vectors(classifier.length_s)
        evidence = [
            (name, align_query(index, window).evidence)
            for name, fingerprint in strangers.items()
            for window in windows(fingerprint, n)
        ]
        names = [name for name, _ in evidence]
        if len(set(names)) < MIN_STRANGERS or len(names) < MIN_WINDOWS:
            raise InputError(
                f"found {len(names)} windows of {classifier.length_s:g} s in {len(set(names))} strangers, expected at "
                f"least {MIN_WINDOWS} in {MIN_STRANGERS}. Add recordings that are not in the catalogue"
            )
        log_odds = classifier.log_odds(np.stack([features for _, features in evidence]))
        classifiers.append(with_thresholds(classifier, log_odds, names))
    return replace(calibration, classifiers=classifiers)


@dataclass(frozen=True)
class Recalibration:
    """
    Thresholds that were set on an operator's own strangers.

    Attributes:
        calibration: The calibration with these thresholds.
        n_strangers: Number of strangers that they were set on.
        known: Files that were left out, since recordings of the index make up half of them or more.
        failures: Why files could not be decoded, by printable path.
    """

    calibration: Calibration
    n_strangers: int
    known: list[str]
    failures: dict[str, str]

    def require_complete(self) -> None:
        """Raise InputError if files could not be decoded; the message lists them."""
        require_decoded(self.failures)


def recalibrate(
    paths: Sequence[Path],
    index: FingerprintIndex,
    settings: AudioSettings,
    *,
    progress: Callable[[Path], None] = lambda _path: None,
) -> Recalibration:
    """
    Set the shipped calibration's thresholds on the files of strangers.

    Args:
        paths: The files, without duplicates.
        index: The index of the recordings that are looked for.
        settings: Limits of the worker processes.
        progress: Called with the path of each file that has been fingerprinted.

    Raises:
        InputError: There are too few strangers.
    """
    shipped = shipped_calibration()
    strangers: dict[str, F32] = {}
    known: list[str] = []
    failures: dict[str, str] = {}
    for path, result in fingerprint_files(paths, settings):
        name = printable(str(path))
        if isinstance(result, Failure):
            failures[name] = result.message
        elif _is_known(index, result.vectors, shipped):
            known.append(name)
        else:
            strangers[name] = result.vectors
        progress(path)
    found = calibrated(shipped, index, dict(sorted(strangers.items())))
    return Recalibration(found, len(strangers), sorted(known), dict(sorted(failures.items())))


def _is_known(index: FingerprintIndex, fingerprint: F32, calibration: Calibration) -> bool:
    """Return whether strict uses of recordings make up half of a file: then it is no stranger."""
    uses = [use for use in find_uses(index, fingerprint, calibration) if use.is_strict]
    used_s = max((use.ends_s - use.starts_s for use in uses), default=0.0)
    return used_s >= KNOWN_SHARE * len(fingerprint) * VECTOR_HOP_S


def with_thresholds(
    classifier: MatchClassifier, log_odds: F64, recordings: Sequence[str], *, margin: float = 1.0
) -> MatchClassifier:
    """
    Return a classifier with thresholds for 1 % and 0.1 % of strangers.

    Args:
        classifier: The classifier.
        log_odds: Its log-odds of strangers' windows, shape (n,).
        recordings: Recording of each window.
        margin: Both rates are divided by this for the thresholds of `upper_threshold`, for strangers of another kind.
    """
    at_1, at_01 = (float(expit(upper_threshold(log_odds, recordings, share / margin))) for share in (0.01, 0.001))
    return replace(classifier, threshold_1_percent=at_1, threshold_01_percent=at_01)
