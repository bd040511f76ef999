"""
Find the uses of indexed recordings in a query: start and end in the query, position in the recording, and tempo ratio.

A query is cut into overlapping windows of ten, five and three seconds; a query of less than fourteen seconds is one
window. Windows with consistent alignments to a recording are joined into one use. The use is then extended in both
directions as long as query and recording sound similar. If a recording repeats itself and several positions match
equally well, the earliest is reported.

False positives: windows of music that is not in the index exceed the two thresholds of the calibration in 1 % and 0.1 %
of cases. A query of one window must exceed the first threshold. A longer query has many windows; there, one window of
ten seconds must exceed the second (strict) threshold, or the rates of windows of the same use that do not overlap must
multiply to 0.01 %: two windows at 1 %, or one that is better than any threshold. Where the same passage of the
recording is used strictly elsewhere in the query, as in a loop, 0.1 % in all windows together suffices.

The network is robust against two semitones. Therefore the query is searched again with its pitch shifted, in windows
that must pass at a tenth of the rates; the rates of all windows are lowered so that they add up to those stated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recsys.arrays import F32, F64, Bool
from recsys.audio.fingerprint.fingerprinter import FIRST_VECTOR_S, INDEX_STEP, VECTOR_HOP_S
from recsys.matching.alignment import (
    MAX_TEMPO_CHANGE,
    TEMPO_MARGIN,
    Alignment,
    Calibration,
    MatchClassifier,
    aligned_repeatedly,
    is_inside_grid,
    mean_cosines,
    nearest_rows,
    vote_share,
)
from recsys.matching.edges import corrections_s, fit_fades
from recsys.matching.fingerprint_index import FingerprintIndex, Neighbours

WINDOW, HOP = 36, 18  # vectors: ten seconds, and half a window
SHORT_WINDOWS = (18, 10)  # vectors: five and three seconds; these windows overlap by half, too
MIN_VOTE_SHARE = 0.1  # of a short window; 4 to 18 % of those of unknown music have more, clean uses at least twice that
LOOSE, STRICT, JOINT = 2.0, 3.0, 4.0  # significance of a window, one of ten seconds, and all of a use together
SHIFTED_COST = 1.0  # significance that a window of a shifted query loses against one of the query itself
MAX_SIMULTANEOUS = 4  # maximum number of recordings that match the same window
MAX_PAUSE = 4  # consecutive silent vectors within a window
MIN_CONTRAST = 0.1  # of a match: noise and sustained tones have at most .09, 99 % of distorted uses at least .14
TOLERANCE_S = 1.0  # maximum difference between a window's alignment and that of its use [s]
SCORE_TOLERANCE = 0.05  # maximum loss of score when a window joins a use with a different alignment
MAX_GAP = 4  # maximum number of windows without a match within a use, such as speech over the music
MIN_WINDOWS_FOR_SLOPE = 4  # with fewer windows, tempo and offset are fitted to all vectors of a use
FITTED_RATIOS = 1 + np.arange(-MAX_TEMPO_CHANGE - TEMPO_MARGIN, MAX_TEMPO_CHANGE + TEMPO_MARGIN + 1e-6, 0.0025)
FITTED_OFFSETS_S = np.arange(-0.8, 0.801, 0.032)  # of the middle of a use
RATIO_COST = 0.02  # loss of score per change of tempo: of nearly equal scores, the smaller change is taken
SMOOTHING = 5  # vectors over which similarity is averaged before a use is extended
MAX_DISSIMILAR = 10  # maximum number of consecutive dissimilar vectors within a use
MIN_SIMILARITY_SHARE = 0.5  # vectors are similar from this share of the median similarity in the use's windows
N_COMPARED = 128  # vectors of a use that are compared with all positions in its recording
STEP_S = 0.128  # distance between compared positions [s]
MIN_SCORE_SHARE = 0.93  # positions match equally well from this share of the best score
MIN_DISTANCE_S = 2.0  # minimum distance between two positions that match equally well [s]


@dataclass(frozen=True)
class Use:
    """
    The use of a recording in a query.

    Attributes:
        audio_id: Id of the recording in the index.
        starts_s, ends_s: Start and end in the query [s].
        reference_starts_s, reference_ends_s: Start and end in the recording [s].
        tempo_ratio: Tempo in the query divided by that of the recording: 1.05 is 5 % faster.
        probability: Match probability of its best window, 0..1.
        is_strict: True if it passes the threshold of 0.1 % false positives; otherwise it passes only that of 1 %.
        n_places: Number of positions in the recording that match equally well; the earliest is reported.
        score: Mean cosine similarity of query and recording over the use, -1..1.
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
    """Maps time in the query to time in the recording: t [s] is mapped to offset_s + ratio * t [s]."""

    offset_s: float
    ratio: float

    def reference_s(self, query_s: float) -> float:
        """Return the recording time that is aligned with a query time [s]."""
        return self.offset_s + self.ratio * query_s


@dataclass(frozen=True)
class WindowMatch:
    """
    A window of the query that matches a recording.

    Attributes:
        first_vector: Position of its first vector in the query.
        n_vectors: Number of its vectors.
        alignment: Its alignment with the recording; offset_s is the recording time at the start of the window.
        probability: Match probability, 0..1.
        significance: See `MatchClassifier.significance`.
    """

    first_vector: int
    n_vectors: int
    alignment: Alignment
    probability: float
    significance: float

    @property
    def end_vector(self) -> int:
        """Position of the vector after its last."""
        return self.first_vector + self.n_vectors

    @property
    def middle_s(self) -> float:
        """The query time of the middle of the window [s]."""
        return (self.first_vector + self.n_vectors / 2) * VECTOR_HOP_S

    @property
    def time_alignment(self) -> TimeAlignment:
        """The alignment of the window as a mapping from query time to recording time."""
        ratio = self.alignment.ratio
        return TimeAlignment(self.alignment.offset_s - ratio * self.first_vector * VECTOR_HOP_S, ratio)


@dataclass
class OpenMatch:
    """
    A use to which further windows may be added.

    Attributes:
        windows: The windows so far, in chronological order.
        is_repetition: Whether the passage of the recording is used strictly elsewhere in the query.
    """

    windows: list[WindowMatch] = field(default_factory=list)
    is_repetition: bool = False

    @property
    def time_alignment(self) -> TimeAlignment:
        """
        The common alignment of the telling windows.

        The ratio is the slope of the line through their middles (query time, recording time); with fewer than
        `MIN_WINDOWS_FOR_SLOPE` windows, the mean of their ratios. The offset is the mean that fits this ratio.
        """
        windows = self.telling
        query_s = np.array([window.middle_s for window in windows])
        reference_s = np.array([window.time_alignment.reference_s(window.middle_s) for window in windows])
        if len(windows) >= MIN_WINDOWS_FOR_SLOPE:
            ratio = float(np.polyfit(query_s, reference_s, 1)[0])
        else:
            ratio = float(np.mean([window.alignment.ratio for window in windows]))
        return TimeAlignment(float(np.mean(reference_s - ratio * query_s)), ratio)

    @property
    def telling(self) -> list[WindowMatch]:
        """The windows that tell its alignment: as long as the most significant one. Longer ones exceed the use."""
        best = max(self.windows, key=lambda window: (window.significance, window.n_vectors))
        return [window for window in self.windows if window.n_vectors == best.n_vectors]

    @property
    def passage_s(self) -> tuple[float, float]:
        """Start and end, in the recording, of its telling windows [s]."""
        windows, alignment = self.telling, self.time_alignment
        end = max(window.end_vector for window in windows)
        return alignment.reference_s(VECTOR_HOP_S * windows[0].first_vector), alignment.reference_s(VECTOR_HOP_S * end)

    @property
    def is_strict(self) -> bool:
        """
        True if a window of ten seconds passes the threshold of 0.1 %, or all windows together that of 0.01 %.

        A repetition needs 0.1 % in all windows together.
        """
        has_strict = any(window.significance > STRICT for window in self.windows if window.n_vectors >= WINDOW)
        return has_strict or self.significance >= (STRICT if self.is_repetition else JOINT)

    @property
    def significance(self) -> float:
        """The largest sum of the significance of windows that do not overlap."""
        best = [(0, 0.0)]  # the best sum of windows that end at or before a vector, by vector
        for window in sorted(self.windows, key=lambda window: window.end_vector):
            before = max(total for end, total in best if end <= window.first_vector)
            best.append((window.end_vector, max(before + window.significance, best[-1][1])))
        return best[-1][1]


@dataclass(frozen=True, eq=False)
class RoughUse:
    """
    A use from its first to its last similar vector.

    Attributes:
        match: Its windows.
        begin, end: Position of its first vector in the query, and of the vector after its last.
        earliest: The earliest position in the recording that matches equally well.
        n_places, score: As in `Use`.
        after, before: Position of the vector after the last use of the same recording before it, and of the first
            vector of the next; its edges stay between them. -inf and inf if there are none.
        fades: Likelihoods of the fades at its start and end, shape (2, len(FADES_S), len(STARTS_S)).
    """

    match: OpenMatch
    begin: int
    end: int
    earliest: TimeAlignment
    n_places: int
    score: float
    fades: F64
    after: float = -np.inf
    before: float = np.inf

    def placed(self, first_s: float, last_s: float, n: int) -> Use:
        """
        Return the use in a query of n vectors.

        Its edges are moved towards its inside by first_s and last_s, at most to its middle, and away from it at most to
        other uses of the same recording.
        """
        duration_s, half_s = VECTOR_HOP_S * (n - 1) + 2 * FIRST_VECTOR_S, VECTOR_HOP_S * (self.end - self.begin) / 2
        first_s, last_s = min(first_s, half_s), min(last_s, half_s)
        starts_s = max(0.0, _edge_s(self.after), _edge_s(self.begin) + first_s) if self.begin > 0 else 0.0
        ends_s = min(duration_s, _edge_s(self.before), _edge_s(self.end) - last_s) if self.end < n else duration_s
        best = max(self.match.windows, key=lambda window: window.probability)
        return Use(
            audio_id=best.alignment.track_id,
            starts_s=starts_s,
            ends_s=ends_s,
            reference_starts_s=max(0.0, self.earliest.reference_s(starts_s)),
            reference_ends_s=self.earliest.reference_s(ends_s),
            tempo_ratio=self.earliest.ratio,
            probability=best.probability,
            is_strict=self.match.is_strict,
            n_places=self.n_places,
            score=self.score,
        )


def find_uses(index: FingerprintIndex, query: F32, calibration: Calibration, shifted: Sequence[F32] = ()) -> list[Use]:
    """
    Find every use of indexed recordings in a query.

    Args:
        index: The index of recordings.
        query: Vectors of the query, a quarter of a second apart, zeros for silence; shape (n, 128).
        calibration: The match classifiers of the network that computed the vectors.
        shifted: Vectors of the same query after shifts of its pitch, each of shape (n, 128): changes of pitch and speed
            that the network is not robust against are found in them.

    Returns:
        The uses, in the order of their start. Uses overlap if several recordings sound at the same time, or if the
        index contains copies of a recording.
    """
    rough: dict[str, list[RoughUse]] = {}
    for look, cost in zip([query, *shifted], look_costs(len(shifted)), strict=True):
        for audio_id, uses in _rough_uses(index, look, calibration, cost).items():
            rough.setdefault(audio_id, []).extend(uses)
    kept = [use for of_recording in rough.values() for use in _without_overlaps(of_recording)]
    return sorted(_with_edges(kept, len(query)), key=lambda use: (use.starts_s, -use.probability, use.audio_id))


def look_costs(n_shifted: int) -> list[float]:
    """
    Return the significance that windows lose: those of the query, and those of each of its n_shifted shifts.

    The rates of false positives of all together are those stated.
    """
    shared = float(np.log10(1 + n_shifted * 10**-SHIFTED_COST))
    return [shared, *[shared + SHIFTED_COST] * n_shifted]


def _rough_uses(
    index: FingerprintIndex, query: F32, calibration: Calibration, cost: float
) -> dict[str, list[RoughUse]]:
    """Find the uses of each recording in one look at the query; `cost` is the significance that each window loses."""
    windows, near = list(_windows(query)), nearest_rows(index, query)
    matches: dict[str, list[OpenMatch]] = {}
    for first, n in windows:
        classifier = calibration.classifier(n * VECTOR_HOP_S + FIRST_VECTOR_S)
        part = Neighbours(near.rows[first : first + n], near.cosines[first : first + n])
        if n in SHORT_WINDOWS and len(windows) > 1 and vote_share(index, part) < MIN_VOTE_SHARE:
            continue
        for window in _window_matches(index, query[first : first + n], part, first, classifier, cost=cost):
            _join(matches.setdefault(window.alignment.track_id, []), window, index, query)
    for of_recording in matches.values():
        _mark_repetitions(of_recording)
    return {
        audio_id: _inside_grid(index, query, [match for match in found if match.is_strict or len(windows) == 1])
        for audio_id, found in matches.items()
    }


def _inside_grid(index: FingerprintIndex, query: F32, matches: list[OpenMatch]) -> list[RoughUse]:
    """Return the uses of matches, without those whose tempo turns out to be outside what is looked for."""
    uses = (_rough_use(index, query, match) for match in matches)
    return [use for use in uses if is_inside_grid(use.earliest.ratio)]


def _mark_repetitions(matches: list[OpenMatch]) -> None:
    """Mark the matches of a recording of whose passage another, strict match has at least half."""
    strict = [match for match in matches if match.is_strict]
    for match in matches:
        starts_s, ends_s = match.passage_s
        others_s = [other.passage_s for other in strict if other is not match]
        shared_s = [min(ends_s, other_end_s) - max(starts_s, other_s) for other_s, other_end_s in others_s]
        match.is_repetition = max(shared_s, default=0.0) >= (ends_s - starts_s) / 2


def _without_overlaps(uses: list[RoughUse]) -> list[RoughUse]:
    """
    Remove uses that mostly overlap with another use of the same recording, which is strict, longer or more similar.

    The recording repeats itself, or a shifted query finds the use as well.

    The others know which of them are next to them.
    """
    kept: list[RoughUse] = []
    for use in sorted(uses, key=lambda use: (not use.match.is_strict, (use.begin - use.end) * use.score)):
        shared = (min(use.end, other.end) - max(use.begin, other.begin) for other in kept)
        if max(shared, default=0) < (use.end - use.begin) / 2:
            kept.append(use)
    return [
        replace(
            use,
            after=max((other.end for other in kept if other.end <= use.begin), default=-np.inf),
            before=min((other.begin for other in kept if other.begin >= use.end), default=np.inf),
        )
        for use in kept
    ]


def _edge_s(position: float) -> float:
    """Return the time between a vector of the query and the vector before it [s]."""
    return VECTOR_HOP_S * (position - 0.5) + FIRST_VECTOR_S


def _windows(query: F32) -> list[tuple[int, int]]:
    """
    Return the first vector and the length of each window, in the order of their start, the longest first.

    No window extends over a pause longer than MAX_PAUSE.
    """
    sounding = np.flatnonzero(query.any(axis=1))
    windows: list[tuple[int, int]] = []
    for stretch in np.split(sounding, np.flatnonzero(np.diff(sounding) > MAX_PAUSE) + 1):
        if len(stretch):
            first, end = int(stretch[0]), int(stretch[-1]) + 1
            if end - first < WINDOW + HOP:
                windows.append((first, end - first))
            else:
                windows += [window for n in (WINDOW, *SHORT_WINDOWS) for window in _of_length(first, end, n)]
    return sorted(windows, key=lambda window: (window[0], -window[1]))


def _of_length(first: int, end: int, n: int) -> Iterator[tuple[int, int]]:
    """Yield windows of n vectors of a stretch, which overlap by half; the last one ends with the stretch."""
    yield from ((start, n) for start in range(first, end - n, n // 2))
    yield end - n, n


def _window_matches(
    index: FingerprintIndex, window: F32, near: Neighbours, first: int, classifier: MatchClassifier, *, cost: float
) -> Iterator[WindowMatch]:
    """Yield the matches of a window, best first; each is found as if the better recordings were not in the index."""
    for aligned, _ in zip(aligned_repeatedly(index, window, near), range(MAX_SIMULTANEOUS), strict=False):
        significance = float(classifier.significance(aligned.evidence)) - cost
        if not significance > LOOSE:  # also of thresholds that are no numbers
            return
        if aligned.alignments[0].contrast >= MIN_CONTRAST:
            probability = float(classifier.probability(aligned.evidence))
            yield WindowMatch(first, len(window), aligned.alignments[0], probability, significance)


def _join(matches: list[OpenMatch], window: WindowMatch, index: FingerprintIndex, query: F32) -> None:
    """
    Add a window to the latest use with a consistent alignment; if there is none, start a new use.

    An alignment is consistent if it agrees with that of the window, or if the window's score hardly drops under it.
    """
    for match in reversed(matches):
        if window.first_vector - match.windows[-1].first_vector > MAX_GAP * HOP:
            continue
        shared = match.time_alignment
        window_s = window.time_alignment.reference_s(window.middle_s)
        if abs(shared.reference_s(window.middle_s) - window_s) <= TOLERANCE_S:
            match.windows.append(window)
            return
        part = query[window.first_vector : window.first_vector + window.n_vectors]
        cosines = cosines_along(index, part, window.alignment.track_id, shared, window.first_vector)
        if float(np.nan_to_num(cosines).mean()) >= window.alignment.score - SCORE_TOLERANCE:
            match.windows.append(_realigned(window, shared))
            return
    matches.append(OpenMatch([window]))


def _realigned(window: WindowMatch, shared: TimeAlignment) -> WindowMatch:
    """Return a window with its alignment replaced by that of a use."""
    offset_s = shared.reference_s(window.first_vector * VECTOR_HOP_S)
    alignment = replace(window.alignment, offset_s=offset_s, ratio=shared.ratio, n_vectors=window.n_vectors)
    return replace(window, alignment=alignment)


def cosines_along(
    index: FingerprintIndex, query: F32, audio_id: str, time_alignment: TimeAlignment, first: int = 0
) -> F64:
    """
    Return the cosine similarity of each query vector with the recording at the aligned time.

    Args:
        index: An index with the recording.
        query: Vectors of the whole query or of a part, a quarter of a second apart, shape (n, 128).
        audio_id: Id of the recording.
        time_alignment: The alignment of the whole query with the recording.
        first: Position of the first vector of `query` in the whole query.

    Returns:
        Cosines, shape (n,); NaN where the aligned time is outside the recording.
    """
    rows = index.rows_of(audio_id)
    query_s = VECTOR_HOP_S * (first + np.arange(len(query)))
    positions = (time_alignment.offset_s + time_alignment.ratio * query_s) / (
        INDEX_STEP * VECTOR_HOP_S
    )  # fractional rows
    is_within = (positions >= -1) & (positions <= len(rows))
    cosines = np.full(len(query), np.nan)
    if is_within.any():
        aligned = index.interpolated(audio_id, np.asarray(positions[is_within], np.float64))
        cosines[is_within] = (query[is_within] * aligned).sum(axis=1)
    return cosines


def _rough_use(index: FingerprintIndex, query: F32, match: OpenMatch) -> RoughUse:
    """Extend a match as far as query and recording sound similar, and move it to the earliest matching position."""
    found, audio_id = match.time_alignment, match.windows[0].alignment.track_id
    cosines = cosines_along(index, query, audio_id, found)
    begin, end, score = _extent(cosines, match)
    if len(match.telling) < MIN_WINDOWS_FOR_SLOPE:
        found = _fitted(index, query[begin:end], audio_id, found, begin)
        cosines = cosines_along(index, query, audio_id, found)
        begin, end, score = _extent(cosines, match)
    earliest, n_places = _earliest(index, query[begin : min(end, begin + N_COMPARED)], audio_id, found, begin)
    rows = index.rows_of(audio_id)
    contrast = cosines - query @ index.vectors(rows.start, rows.stop).mean(axis=0)
    return RoughUse(match, begin, end, earliest, n_places, score, _fades(contrast, begin, end))


def _fitted(index: FingerprintIndex, part: F32, audio_id: str, found: TimeAlignment, first: int) -> TimeAlignment:
    """Fit tempo and offset to all vectors of a use together; `first` is the position of the first in the query."""
    first_s, half_s = VECTOR_HOP_S * first, VECTOR_HOP_S * len(part) / 2
    middles_s = found.reference_s(first_s + half_s) + FITTED_OFFSETS_S
    ratios, middles_s = np.tile(FITTED_RATIOS, len(middles_s)), np.repeat(middles_s, len(FITTED_RATIOS))
    rows = index.rows_of(audio_id)
    cosines = part @ index.vectors(rows.start, rows.stop).T
    scores = mean_cosines(cosines, ratios, middles_s - ratios * half_s, 0) - RATIO_COST * np.abs(ratios - 1)
    ratio, middle_s = float(ratios[scores.argmax()]), float(middles_s[scores.argmax()])
    return TimeAlignment(middle_s - ratio * (first_s + half_s), ratio)


def _fades(contrast: F64, begin: int, end: int) -> F64:
    """
    Return the likelihoods of the fades (see `fit_fades`) at the start and at the end of a use.

    Args:
        contrast: For each query vector, its cosine with the recording at the aligned time, minus its mean cosine with
            the whole recording; NaN where the aligned time is outside the recording.
        begin: Position of the first vector of the use.
        end: Position of the vector after its last.
    """
    positions = np.arange(len(contrast), dtype=np.float64) + 0.5  # the rough edges lie between two vectors
    similarity = np.nan_to_num(contrast) / max(float(np.nanmedian(contrast[begin:end])), MIN_CONTRAST)
    middle = (begin + end) // 2
    first = fit_fades(VECTOR_HOP_S * (positions - begin)[: middle + 1], similarity[: middle + 1])
    last = fit_fades(VECTOR_HOP_S * (end - positions)[middle:], similarity[middle:])
    unknown = np.ones_like(first)  # the edge of the query says nothing about fades
    return np.stack([first if begin > 0 else unknown, last if end < len(contrast) else unknown])


def _with_edges(uses: list[RoughUse], n: int) -> list[Use]:
    """Place the edges of the uses in a query of n vectors; an edge at the query's own edge stays there."""
    if not uses:
        return []
    corrections = corrections_s(np.concatenate([use.fades for use in uses])).reshape(-1, 2)
    return [use.placed(float(first), float(last), n) for use, (first, last) in zip(uses, corrections, strict=True)]


def _extent(cosines: F64, match: OpenMatch) -> tuple[int, int, float]:
    """Return first vector, end (exclusive) and mean cosine of the similar stretch around the windows of a match."""
    known = np.nan_to_num(cosines)
    kernel = np.ones(SMOOTHING)
    smooth = np.convolve(known, kernel, "same") / np.convolve(np.ones(len(known)), kernel, "same")
    windows = match.telling if match.is_repetition else match.windows  # longer ones reach into other repetitions
    core = np.concatenate([np.arange(window.first_vector, window.end_vector) for window in windows])
    is_alike = (smooth >= MIN_SIMILARITY_SHARE * float(np.median(smooth[core]))) & ~np.isnan(cosines)
    inside = core[is_alike[core]]
    begin, end = (int(inside.min()), int(inside.max()) + 1) if len(inside) else (int(core.min()), int(core.max()) + 1)
    begin -= _length_alike(is_alike[:begin][::-1])
    end += _length_alike(is_alike[end:])
    return begin, end, float(known[begin:end].mean())


def _length_alike(is_alike: Bool) -> int:
    """Return the number of vectors before the first run of more than MAX_DISSIMILAR dissimilar vectors."""
    alike = np.flatnonzero(is_alike)
    too_wide = np.flatnonzero(np.diff(np.r_[-1, alike]) > MAX_DISSIMILAR)
    kept = alike[: too_wide[0]] if len(too_wide) else alike
    return int(kept[-1]) + 1 if len(kept) else 0


def _earliest(
    index: FingerprintIndex, part: F32, audio_id: str, found: TimeAlignment, first: int
) -> tuple[TimeAlignment, int]:
    """Compare part of a use with all positions in its recording; return the earliest that matches, and their number."""
    rows = index.rows_of(audio_id)
    found_s = found.reference_s(first * VECTOR_HOP_S)
    last_s = len(rows) * INDEX_STEP * VECTOR_HOP_S - found.ratio * VECTOR_HOP_S * (len(part) - 1)
    offsets_s = np.r_[found_s, np.arange(0.0, max(last_s, 0.0), STEP_S)]
    cosines = part @ index.vectors(rows.start, rows.stop).T
    scores = mean_cosines(cosines, np.full(len(offsets_s), found.ratio), offsets_s, 0)
    places_s = [found_s]
    for candidate in np.argsort(-scores, kind="stable"):
        if scores[candidate] < MIN_SCORE_SHARE * scores[0]:
            break
        if all(abs(offsets_s[candidate] - place_s) >= MIN_DISTANCE_S for place_s in places_s):
            places_s.append(float(offsets_s[candidate]))
    return TimeAlignment(found.offset_s + min(places_s) - found_s, found.ratio), len(places_s)
