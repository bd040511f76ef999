"""
Set the thresholds of match probabilities on strangers: recordings that are not in the index.

A threshold for 0.1 % false positives cannot be read off a few hundred windows, and windows of one recording resemble
each other. Therefore the log-odds above their 95th percentile are taken to fall exponentially (peaks over a threshold),
and recordings are resampled: the threshold is the upper limit of the 95 % interval, so that the rate of other
strangers is likely to be lower than stated. Resampling hardly varies a tail that a few recordings make up, so the mean
excess of an operator's few strangers is raised to its upper limit for so many recordings as well.

Source: Coles, An Introduction to Statistical Modeling of Extreme Values (2001), chapter 4.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import expit
from scipy.stats import chi2

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
MAX_LOG_ODDS = 12.0  # of a threshold; beyond, hardly a use would exceed it
MANY_STRANGERS = 200  # from so many on, thresholds are about as high as with more
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


def tail_threshold(log_odds: F64, share: float, *, factor: float = 1.0) -> float:
    """
    Estimate the value that a share of the log-odds exceeds; at least the value that this share of them exceeds.

    The mean excess of the tail is multiplied by `factor`.
    """
    start = float(np.quantile(log_odds, 1 - TAIL_SHARE))
    excess = factor * float(np.mean(np.maximum(log_odds - start, 0))) / TAIL_SHARE
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


def upper_threshold_of_few(log_odds: F64, recordings: Sequence[str], share: float) -> float:
    """
    Return `upper_threshold`, or if it is higher the upper limit that the number of recordings in the tail leaves.

    The mean of k exponential excesses is at most 2 k / q times smaller than their expectation, where q is the lower
    quantile of the chi-squared distribution with 2 k degrees of freedom; windows of one recording count as one excess.
    """
    in_tail = log_odds > np.quantile(log_odds, 1 - TAIL_SHARE)
    n = max(1, len(set(np.asarray(recordings)[in_tail])))
    limit = tail_threshold(log_odds, share, factor=2 * n / float(chi2.ppf(1 - UPPER, 2 * n)))
    return max(limit, upper_threshold(log_odds, recordings, share))


def calibrated(calibration: Calibration, index: FingerprintIndex, strangers: Mapping[str, F32]) -> Calibration:
    """
    Return a calibration whose thresholds fit an index and strangers; the weights of the evidence stay.

    Args:
        calibration: The calibration whose weights are used.
        index: The index of the recordings that are looked for.
        strangers: Fingerprints of recordings that are not in the index, a quarter of a second apart, by name.

    Raises:
        InputError: There are too few strangers, or so few make up the highest scores that thresholds would be useless.
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
        classifiers.append(with_thresholds(classifier, log_odds, names, threshold=upper_threshold_of_few))
        if not classifiers[-1].threshold_01_percent < expit(MAX_LOG_ODDS):
            raise InputError(
                f"too few of {len(set(names))} strangers make up the highest scores of windows of "
                f"{classifier.length_s:g} s: thresholds would be so high that no use is found. Add recordings that are "
                "not in the catalogue"
            )
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

    @property
    def certainty(self) -> str:
        """How certain the thresholds are, in words."""
        limits = "The thresholds are upper limits of 95 % intervals"
        if self.n_strangers >= MANY_STRANGERS:
            return f"{limits}."
        return (
            f"{limits}, which {self.n_strangers} strangers leave wide, so that fewer uses are found. With "
            f"{MANY_STRANGERS} or more strangers they are lower."
        )

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
        InputError: There are too few strangers; the message lists the files that are none.
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
    try:
        found = calibrated(shipped, index, dict(sorted(strangers.items())))
    except InputError as too_few:
        left_out = dict.fromkeys(known, "left out, since it contains a recording that is looked for") | failures
        listed = "".join(f"\n  {name}: {reason}" for name, reason in sorted(left_out.items()))
        raise InputError(f"{too_few}{listed}") from too_few
    return Recalibration(found, len(strangers), sorted(known), dict(sorted(failures.items())))


def _is_known(index: FingerprintIndex, fingerprint: F32, calibration: Calibration) -> bool:
    """Return whether strict uses of recordings make up half of a file: then it is no stranger."""
    uses = [use for use in find_uses(index, fingerprint, calibration) if use.is_strict]
    used_s = max((use.ends_s - use.starts_s for use in uses), default=0.0)
    return used_s >= KNOWN_SHARE * len(fingerprint) * VECTOR_HOP_S


def with_thresholds(
    classifier: MatchClassifier,
    log_odds: F64,
    recordings: Sequence[str],
    *,
    margin: float = 1.0,
    threshold: Callable[[F64, Sequence[str], float], float] = upper_threshold,
) -> MatchClassifier:
    """
    Return a classifier with thresholds for 1 % and 0.1 % of strangers.

    Args:
        classifier: The classifier.
        log_odds: Its log-odds of strangers' windows, shape (n,).
        recordings: Recording of each window.
        margin: Both rates are divided by this for the thresholds, for strangers of another kind.
        threshold: `upper_threshold` or `upper_threshold_of_few`.
    """
    at_1, at_01 = (float(expit(threshold(log_odds, recordings, share / margin))) for share in (0.01, 0.001))
    return replace(classifier, threshold_1_percent=at_1, threshold_01_percent=at_01)
