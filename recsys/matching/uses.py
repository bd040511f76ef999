"""
Uses: which recordings of an index a query contains, from when to when, where in the recording, how fast.

A query is cut into overlapping windows of ten seconds; a shorter query is one window. Windows whose alignments with a
recording agree are joined into one use. The use is then extended in both directions for as long as query and recording
sound alike. If it fits several places of a recording that repeats itself, the earliest place is reported.

False positives: 1 % or 0.1 % of windows of music that is in no index exceed the two thresholds of the calibration. A
query of one window has to exceed the first. A longer query has many windows, so one window has to exceed the second
threshold, or two windows without common sound that continue each other have to exceed the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from recsys.arrays import F32, F64, Bool
from recsys.audio.fingerprint.fingerprinter import FIRST_VECTOR_S, INDEX_STEP, VECTOR_HOP_S
from recsys.matching.alignment import Alignment, Calibration, MatchClassifier, align_query_repeatedly, mean_cosines
from recsys.matching.fingerprint_index import FingerprintIndex

WINDOW, HOP = 36, 18  # vectors: ten seconds, and half of that
MAX_SIMULTANEOUS = 4  # recordings that are searched for in one window
MAX_PAUSE = 4  # consecutive silent vectors within a window
HELD_TONE = 0.9  # length of a window's mean vector above which it is a held tone and matches nothing; music: .4 to .8
TOLERANCE_S = 1.0  # largest difference between the alignments of two windows of one use
SCORE_TOLERANCE = 0.05  # score that a window may lose when it joins a use with a different alignment
MAX_GAP = 4  # windows within a use that may lack a match, such as speech over the music
MIN_WINDOWS_FOR_SLOPE = 4  # with fewer windows, the tempo of a use is the mean of their tempi
SMOOTHING = 5  # vectors over which similarity is averaged before a use is extended
MAX_UNLIKE = 10  # consecutive vectors that may differ within a use
ALIKE = 0.5  # share of a use's score below which query and recording no longer sound alike
N_PLACED = 128  # vectors of a use that are compared with all places of its recording
STEP_S = 0.128  # between these places
FITS = 0.93  # share of the best score from which another place fits as well
MIN_DISTANCE_S = 2.0  # between two places that fit


@dataclass(frozen=True)
class Use:
    """
    A recording used in a query.

    Attributes:
        audio_id: The id of the recording in the index.
        starts_s, ends_s: Start and end in the query [s].
        reference_starts_s, reference_ends_s: Start and end in the recording [s].
        tempo_ratio: Tempo in the query divided by that of the recording: 1.05 is 5 % faster.
        probability: Match probability of its best window, 0..1.
        is_strict: Whether it passes at 0.1 % false positives; at 1 % otherwise.
        n_places: Number of places in the recording that fit; if there are several, the earliest is reported.
        score: Mean cosine of query and recording over the use, -1..1.
    """

    audio_id: str
    starts_s: float
    ends_s: float
    reference_starts_s: float
    reference_ends_s: float
    tempo_ratio: float
    probability: float
    is_strict: bool
    n_places: int
    score: float


@dataclass(frozen=True)
class TimeAlignment:
    """Maps query time to recording time: what sounds at t in the query sounds at offset_s + ratio * t [s] there."""

    offset_s: float
    ratio: float

    def reference_s(self, query_s: float) -> float:
        """Return the moment of the recording that sounds at a moment of the query [s]."""
        return self.offset_s + self.ratio * query_s


@dataclass(frozen=True)
class WindowMatch:
    """
    A window of the query that matches a recording.

    Attributes:
        first: Its first vector, counted from the start of the query.
        n: Number of its vectors.
        alignment: Its alignment with the recording; the offset counts from the start of the window.
        probability: Match probability, 0..1.
        is_strict: Whether the probability exceeds the threshold of 0.1 % false positives.
    """

    first: int
    n: int
    alignment: Alignment
    probability: float
    is_strict: bool

    @property
    def middle_s(self) -> float:
        """The middle of the window in the query [s]."""
        return (self.first + self.n / 2) * VECTOR_HOP_S

    @property
    def time_alignment(self) -> TimeAlignment:
        """The alignment, with the offset counted from the start of the query."""
        ratio = self.alignment.ratio
        return TimeAlignment(self.alignment.offset_s - ratio * self.first * VECTOR_HOP_S, ratio)


@dataclass
class OpenMatch:
    """A use that may still grow: the windows joined so far, in the order of time."""

    windows: list[WindowMatch] = field(default_factory=list)

    @property
    def time_alignment(self) -> TimeAlignment:
        """The alignment of all windows: their mean tempo if they are few, the slope through them otherwise."""
        query_s = np.array([window.middle_s for window in self.windows])
        reference_s = np.array([window.time_alignment.reference_s(window.middle_s) for window in self.windows])
        if len(self.windows) >= MIN_WINDOWS_FOR_SLOPE:
            ratio = float(np.polyfit(query_s, reference_s, 1)[0])
        else:
            ratio = float(np.mean([window.alignment.ratio for window in self.windows]))
        return TimeAlignment(float(np.mean(reference_s - ratio * query_s)), ratio)

    @property
    def is_strict(self) -> bool:
        """Whether one window is strict, or two windows without common sound match."""
        has_strict = any(window.is_strict for window in self.windows)
        return has_strict or self.windows[-1].first - self.windows[0].first >= WINDOW


def find_uses(index: FingerprintIndex, query: F32, calibration: Calibration) -> list[Use]:
    """
    Find every use of recordings of an index in a query.

    Args:
        index: The recordings.
        query: Vectors of the query, a quarter of a second apart, zeros for silence; shape (n, 128).
        calibration: The match classifiers of the network that made the vectors.

    Returns:
        The uses, in the order of their start. Uses overlap where several recordings sound at once, or where the index
        holds copies of a recording.
    """
    windows = list(_windows(query))
    matches: dict[str, list[OpenMatch]] = {}
    for first, n in windows:
        classifier = calibration.classifier(n * VECTOR_HOP_S + FIRST_VECTOR_S)
        for window in _window_matches(index, query[first : first + n], first, classifier):
            _join(matches.setdefault(window.alignment.track_id, []), window, index, query)
    uses = []
    for own in matches.values():  # of one recording
        accepted = [match for match in own if match.is_strict or len(windows) == 1]
        uses += _without_overlaps([_use(index, query, match) for match in accepted])
    return sorted(uses, key=lambda use: (use.starts_s, -use.probability, use.audio_id))


def _without_overlaps(uses: list[Use]) -> list[Use]:
    """Leave out uses of a recording during a longer use of it: the recording repeats itself."""
    kept: list[Use] = []
    for use in sorted(uses, key=lambda use: use.starts_s - use.ends_s):
        shared_s = (min(use.ends_s, other.ends_s) - max(use.starts_s, other.starts_s) for other in kept)
        if max(shared_s, default=0.0) < (use.ends_s - use.starts_s) / 2:
            kept.append(use)
    return kept


def _windows(query: F32) -> Iterator[tuple[int, int]]:
    """Yield first vector and length of the windows of each stretch of sound; the last window ends with the stretch."""
    sounding = np.flatnonzero(query.any(axis=1))
    for stretch in np.split(sounding, np.flatnonzero(np.diff(sounding) > MAX_PAUSE) + 1):
        if len(stretch):
            first, end = int(stretch[0]), int(stretch[-1]) + 1
            if end - first < WINDOW + HOP:
                yield first, end - first
            else:
                yield from ((start, WINDOW) for start in range(first, end - WINDOW, HOP))
                yield end - WINDOW, WINDOW


def _window_matches(
    index: FingerprintIndex, window: F32, first: int, classifier: MatchClassifier
) -> Iterator[WindowMatch]:
    """Yield the recordings that match a window, best first, each as if the better ones were not in the index."""
    if float(np.linalg.norm(window.mean(axis=0))) > HELD_TONE:
        return
    for aligned, _ in zip(align_query_repeatedly(index, window), range(MAX_SIMULTANEOUS), strict=False):
        probability = float(classifier.probability(aligned.evidence))
        if probability <= classifier.threshold_1_percent:
            return
        is_strict = probability > classifier.threshold_01_percent
        yield WindowMatch(first, len(window), aligned.alignments[0], probability, is_strict)


def _join(matches: list[OpenMatch], window: WindowMatch, index: FingerprintIndex, query: F32) -> None:
    """Add a window to the latest use whose alignment it shares, or fits nearly as well as its own; else open a use."""
    for match in reversed(matches):
        if window.first - match.windows[-1].first > MAX_GAP * HOP:
            continue
        shared = match.time_alignment
        own_s = window.time_alignment.reference_s(window.middle_s)
        if abs(shared.reference_s(window.middle_s) - own_s) <= TOLERANCE_S:
            match.windows.append(window)
            return
        part = query[window.first : window.first + window.n]
        cosines = cosines_along(index, part, window.alignment.track_id, shared, window.first)
        if float(np.nan_to_num(cosines).mean()) >= window.alignment.score - SCORE_TOLERANCE:
            match.windows.append(_realigned(window, shared))
            return
    matches.append(OpenMatch([window]))


def _realigned(window: WindowMatch, shared: TimeAlignment) -> WindowMatch:
    """Replace the alignment of a window by that of a use."""
    offset_s = shared.reference_s(window.first * VECTOR_HOP_S)
    own = window.alignment
    alignment = Alignment(own.track_id, offset_s, shared.ratio, own.score, window.n)
    return WindowMatch(window.first, window.n, alignment, window.probability, window.is_strict)


def cosines_along(
    index: FingerprintIndex, query: F32, audio_id: str, time_alignment: TimeAlignment, first: int = 0
) -> F64:
    """
    Return the cosine of each vector of a query with the recording at the aligned moment.

    Args:
        index: Holds the recording.
        query: Vectors, a quarter of a second apart, shape (n, 128); all of the query, or a part of it.
        audio_id: The id of the recording.
        time_alignment: Aligns the whole query with the recording.
        first: Position in the whole query of the first vector of `query`.

    Returns:
        Cosines, shape (n,); NaN where the aligned moment lies outside of the recording.
    """
    rows = index.rows_of(audio_id)
    query_s = VECTOR_HOP_S * (first + np.arange(len(query)))
    positions = (time_alignment.offset_s + time_alignment.ratio * query_s) / (
        INDEX_STEP * VECTOR_HOP_S
    )  # fractional rows
    is_within = (positions >= -1) & (positions <= len(rows))
    cosines = np.full(len(query), np.nan)
    if is_within.any():
        positions = np.clip(positions[is_within], 0, len(rows) - 1)
        left = np.minimum(positions.astype(np.int64), max(len(rows) - 2, 0))
        low, high = int(left.min()), min(int(left.max()) + 2, len(rows))
        vectors = index.vectors(rows.start + low, rows.start + high)
        right = np.minimum(left + 1, len(rows) - 1)
        share = (positions - left)[:, None]
        interpolated = vectors[left - low] * (1 - share) + vectors[right - low] * share
        cosines[is_within] = (query[is_within] * interpolated).sum(axis=1)
    return cosines


def _use(index: FingerprintIndex, query: F32, match: OpenMatch) -> Use:
    """Extend a match as far as query and recording sound alike, and move it to the earliest place that fits."""
    found, audio_id = match.time_alignment, match.windows[0].alignment.track_id
    begin, end, score = _extent(cosines_along(index, query, audio_id, found), match)
    earliest, n_places = _earliest(index, query[begin : min(end, begin + N_PLACED)], audio_id, found, begin)
    starts_s = begin * VECTOR_HOP_S if begin == 0 else (begin - 0.5) * VECTOR_HOP_S + FIRST_VECTOR_S
    ends_s = (end - 1) * VECTOR_HOP_S + (2 * FIRST_VECTOR_S if end == len(query) else FIRST_VECTOR_S + VECTOR_HOP_S / 2)
    return Use(
        audio_id=audio_id,
        starts_s=starts_s,
        ends_s=ends_s,
        reference_starts_s=max(0.0, earliest.reference_s(starts_s)),
        reference_ends_s=earliest.reference_s(ends_s),
        tempo_ratio=earliest.ratio,
        probability=max(window.probability for window in match.windows),
        is_strict=match.is_strict,
        n_places=n_places,
        score=score,
    )


def _extent(cosines: F64, match: OpenMatch) -> tuple[int, int, float]:
    """Return first vector, end (exclusive) and mean cosine of the stretch around the windows that sounds alike."""
    known = np.nan_to_num(cosines)
    kernel = np.ones(SMOOTHING)
    smooth = np.convolve(known, kernel, "same") / np.convolve(np.ones(len(known)), kernel, "same")
    core = np.concatenate([np.arange(window.first, window.first + window.n) for window in match.windows])
    is_alike = (smooth >= ALIKE * float(np.median(smooth[core]))) & ~np.isnan(cosines)
    inside = core[is_alike[core]]
    begin, end = (int(inside.min()), int(inside.max()) + 1) if len(inside) else (int(core.min()), int(core.max()) + 1)
    begin -= _length_alike(is_alike[:begin][::-1])
    end += _length_alike(is_alike[end:])
    return begin, end, float(known[begin:end].mean())


def _length_alike(is_alike: Bool) -> int:
    """Return the number of vectors until similarity ends; up to MAX_UNLIKE consecutive vectors may differ."""
    alike = np.flatnonzero(is_alike)
    too_wide = np.flatnonzero(np.diff(np.r_[-1, alike]) > MAX_UNLIKE)
    kept = alike[: too_wide[0]] if len(too_wide) else alike
    return int(kept[-1]) + 1 if len(kept) else 0


def _earliest(
    index: FingerprintIndex, part: F32, audio_id: str, found: TimeAlignment, first: int
) -> tuple[TimeAlignment, int]:
    """Compare part of a use with all places of its recording; return the earliest that fits, and how many fit."""
    rows = index.rows_of(audio_id)
    found_s = found.reference_s(first * VECTOR_HOP_S)
    last_s = len(rows) * INDEX_STEP * VECTOR_HOP_S - found.ratio * VECTOR_HOP_S * (len(part) - 1)
    offsets_s = np.r_[found_s, np.arange(0.0, max(last_s, 0.0), STEP_S)]
    cosines = part @ index.vectors(rows.start, rows.stop).T
    scores = mean_cosines(cosines, np.full(len(offsets_s), found.ratio), offsets_s, 0)
    places_s = [found_s]
    for candidate in np.argsort(-scores, kind="stable"):
        if scores[candidate] < FITS * scores[0]:
            break
        if all(abs(offsets_s[candidate] - place_s) >= MIN_DISTANCE_S for place_s in places_s):
            places_s.append(float(offsets_s[candidate]))
    return TimeAlignment(found.offset_s + min(places_s) - found_s, found.ratio), len(places_s)
