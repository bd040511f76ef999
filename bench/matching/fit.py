"""
Fit the match classifiers: a logistic regression on the evidence, and thresholds at two false-positive rates.

Excerpts of the two calibration parts are distorted in 31 ways. Each is a use in the index of all recordings, and a
stranger in the index without its package. Windows of training recordings that are not indexed, and of rendered pieces,
are strangers too, and so are sounds that are no music (`bench.matching.sounds`), about one in twenty; the thresholds
are set on all strangers together.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from bench.audio.recordings import recordings
from bench.matching.distortions import DISTORTIONS, RATE_HZ
from bench.matching.queries import CALIBRATION, N_FILLING, N_OTHERS, QueryCounts, QuerySet, queries, read_sound
from bench.matching.search import network
from bench.matching.sounds import other_sounds
from bench.options import audio_folder
from recsys.arrays import F32, F64
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP
from recsys.matching.alignment import MatchClassifier, align_query
from recsys.matching.calibrate import window_vectors, windows, with_thresholds
from recsys.matching.fingerprint_index import FingerprintIndex

PENALTY = 1e-4
LONGEST_S = 10  # of an excerpt; shorter ones are its beginning
MARGIN = 2.0  # the thresholds aim at half their rate: music of users differs more than the packages at hand
N_FOLDS = 4  # indexes from which packages are left out
FILLING_PACKAGES = 3  # every third package of the training part is not indexed; its recordings are strangers


@dataclass(frozen=True, eq=False)
class Excerpt:
    """An excerpt: the file name of its recording, and its vectors, shape (n, 128)."""

    recording: str
    vectors: F32

    @property
    def package(self) -> str:
        """The source package of the recording, whose recordings share artists; a rendered piece is its own."""
        return package_of(self.recording)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence on an excerpt, shape (8,), its recording, and whether that was ranked first."""

    recording: str
    is_found: bool
    features: F64


def package_of(recording: str) -> str:
    """Return the part of a file name that states the source package."""
    return recording.split("__", maxsplit=1)[0]


@dataclass(frozen=True, eq=False)
class Development:
    """The index, the excerpts that are uses, strangers or both, and excerpts of sounds that are no music."""

    index: FingerprintIndex
    distorted: list[Excerpt]
    strangers: list[Excerpt]
    other_sounds: list[Excerpt]

    def uses(self, length_s: int) -> list[Evidence]:
        """Return the evidence on distorted excerpts whose recording is in the index."""
        return _evidence(self.index, self.distorted, window_vectors(length_s))

    def negatives(self, length_s: int) -> list[Evidence]:
        """Return the evidence on all excerpts, each in an index without its package."""
        n = window_vectors(length_s)
        packages = sorted({excerpt.package for excerpt in self.distorted})
        found = _evidence(self.index, [*self.strangers, *self.other_sounds], n)
        for fold in range(N_FOLDS):
            left_out = set(packages[fold::N_FOLDS])
            index = copy(self.index)
            index.remove([name for name in index.ids if package_of(name) in left_out])
            found += _evidence(index, [excerpt for excerpt in self.distorted if excerpt.package in left_out], n)
        return found


def _evidence(index: FingerprintIndex, excerpts: Iterable[Excerpt], n: int) -> list[Evidence]:
    found = []
    for excerpt in excerpts:
        aligned = align_query(index, excerpt.vectors[:n])
        is_found = bool(aligned.alignments) and aligned.alignments[0].track_id == excerpt.recording
        found.append(Evidence(excerpt.recording, is_found, aligned.evidence))
    return found


def development(pool: Executor, home: Path, counts: QueryCounts) -> Development:
    """Fingerprint the recordings of training and calibration, and the distorted excerpts of the latter."""
    by_part = recordings(audio_folder())
    packages = sorted({package_of(path.name) for path in by_part["train"]})
    unused = set(packages[::FILLING_PACKAGES])
    mixed_in = by_part["train"][N_FILLING : N_FILLING + N_OTHERS]  # in queries, so that they are no strangers there
    train = [path for path in by_part["train"] if package_of(path.name) not in unused and path not in mixed_in]
    strangers = [path for path in by_part["train"] if package_of(path.name) in unused][: counts.max_per_part]
    parts = (CALIBRATION.indexed, CALIBRATION.strangers)
    indexed = [path for part in parts for path in by_part[part][: counts.max_per_part]]
    indexed += [*train[: min(N_FILLING, counts.max_per_part)], *sorted((home / "filling").iterdir())]
    rendered = sorted((home / CALIBRATION.rendered).iterdir())[: counts.rendered]
    vectors = list(pool.map(_vectors, indexed))
    index = FingerprintIndex.build(
        [path.name for path in indexed], [whole[::INDEX_STEP] for whole in vectors], version=network().version
    )
    unknown = [*strangers, *rendered]
    plain = [
        Excerpt(path.name, window)
        for path, whole in zip(unknown, pool.map(_vectors, unknown), strict=True)
        for window in windows(whole, window_vectors(LONGEST_S))
    ]
    noises = [
        Excerpt(name, heard)
        for name, sound in other_sounds(home, CALIBRATION.noise, LONGEST_S)
        if len(heard := network().vectors(sound, RATE_HZ))
    ]
    return Development(index, list(_distorted(pool, home, parts, counts)), plain, noises)


def _vectors(path: Path) -> F32:
    return network().recording_vectors(read_sound(path), RATE_HZ)


def _distorted(pool: Executor, home: Path, parts: Iterable[str], counts: QueryCounts) -> Iterator[Excerpt]:
    for part in parts:
        query_set = QuerySet(home, part, CALIBRATION.noise, LONGEST_S, counts.real, counts.max_per_part, False)
        for excerpts in pool.map(partial(_excerpts, query_set), DISTORTIONS):
            yield from excerpts


def _excerpts(query_set: QuerySet, distortion: str) -> list[Excerpt]:
    excerpts = (
        Excerpt(query.path.name, network().vectors(query.sound, RATE_HZ)) for query in queries(query_set, distortion)
    )
    return [excerpt for excerpt in excerpts if len(excerpt.vectors)]


def fit(uses: list[Evidence], strangers: list[Evidence], length_s: int) -> MatchClassifier:
    """Fit a classifier on found uses (positives) and strangers (negatives), and set its thresholds on the strangers."""
    positives, negatives = (
        np.stack([one.features for one in some]) for some in ([one for one in uses if one.is_found], strangers)
    )
    classifier = _regression(positives, negatives, length_s)
    names = [one.recording for one in strangers]
    return with_thresholds(classifier, classifier.log_odds(negatives), names, margin=MARGIN)


def _regression(uses: F64, strangers: F64, length_s: int) -> MatchClassifier:
    from sklearn.linear_model import LogisticRegression

    x = np.concatenate([uses, strangers])
    is_use = np.arange(len(x)) < len(uses)
    classifier = MatchClassifier(length_s, x.mean(axis=0).tolist(), x.std(axis=0).tolist(), [0.0] * x.shape[1])
    design = np.c_[classifier.standardise(x), np.ones(len(x))]  # the intercept is penalised too
    model = LogisticRegression(C=1 / (2 * PENALTY * len(x)), fit_intercept=False, tol=1e-8, max_iter=1000)
    return replace(classifier, weights=model.fit(design, is_use).coef_[0].tolist())
