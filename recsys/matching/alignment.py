"""
Align a short query with indexed recordings: find the recording, the offset, the tempo ratio and the match probability.

Search: for each vector of the query, the nearest rows of the index vote for pairs of a recording and an offset. For the
pairs with the most votes, all tempo ratios and offsets nearby are scored with all vectors of the query.

Probability: a high cosine similarity is not enough, since any sustained tone resembles any other. A logistic regression
combines the score of the best recording, how much of it is due to changes over time (the contrast), the change of
tempo, the scores of other recordings, and the cosine similarity of the nearest vectors of other recordings. It was
fitted on recordings that are not in the index.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from scipy.special import expit, logit

from recsys import files
from recsys.arrays import F32, F64, I64
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, VECTOR_HOP_S
from recsys.matching.fingerprint_index import FingerprintIndex, Neighbours
from recsys.search.vector_index import NO_ROW

N_NEAREST = 32  # nearest rows of the index that are searched for per query vector
N_VOTING = 12  # nearest rows per query vector that vote
MIN_VOTE_COSINE = 0.25  # rows with a lower cosine do not vote
VOTE_S = 1.0  # width of an offset bin [s]: a tempo change of 10 % shifts the offset by 1 s within 10 s
N_SCORED = 24  # pairs of recording and offset that are scored
MIN_RECORDINGS = 8  # recordings that are scored at least, if so many have votes: a loop has many offsets
N_OTHERS = 8  # next best recordings whose mean score is evidence
N_OWN = 3  # features that describe the best recording; the others describe other recordings
RANKS = (0, 3, 11)  # ranks of the nearest rows of other recordings whose mean cosines are evidence
COPY_COSINE = 0.7  # mean cosine from which two passages are copies; 1 % of unrelated pairs of 2 s exceed .61
RATIOS = np.round(np.arange(0.78, 1.221, 0.02), 2)
OFFSETS_S = np.arange(-2.0, 2.001, 0.128)
MAX_TEMPO_CHANGE = 0.2  # relative, that is looked for
TEMPO_MARGIN = 0.015  # by which a measured ratio may exceed it: further out is the edge of the grid, no alignment
TIE = 1e-6  # of equal scores, the one with the smaller change of tempo is taken: one vector has no tempo
MIN_DECADE = 0.5  # log-odds by which the rate of false positives falls to a tenth, at least
FINE_RATIOS, FINE_OFFSETS_S = np.arange(-0.015, 0.0151, 0.005), np.arange(-0.128, 0.1281, 0.032)


@dataclass(frozen=True)
class Alignment:
    """
    A query aligned with a recording.

    Attributes:
        track_id: Id of the recording in the index.
        offset_s: Recording time at which the query starts; negative if it starts before the recording [s].
        ratio: Tempo of the query divided by that of the recording: 1.05 is 5 % faster.
        score: Mean cosine similarity of the query's vectors and the recording's vectors at the aligned times, -1..1.
        contrast: The part of the score that is due to changes that both share: the score minus the mean similarity of
            all pairs of these vectors, whatever their times. About 0 for noise and sustained tones, which resemble
            each other at any time.
        n_vectors: Number of query vectors whose aligned time lies within the recording.
    """

    track_id: str
    offset_s: float
    ratio: float
    score: float
    contrast: float
    n_vectors: int


@dataclass(frozen=True, eq=False)
class AlignedQuery:
    """
    The alignments of a short query, and the features of the match probability.

    Attributes:
        alignments: The best alignment with each scored recording, best first.
        evidence: The features from which the probability of the best alignment is computed, shape (8,), float64: its
            score, contrast and relative change of tempo; the score of the next best recording and the mean score of
            the next eight; and the mean cosine similarity of the query's vectors with the nearest, the 4th nearest and
            the 12th nearest row of other recordings. Copies of the best recording do not count as other recordings.
    """

    alignments: list[Alignment]
    evidence: F64


def align_query(index: FingerprintIndex, query: F32) -> AlignedQuery:
    """
    Align a short query, such as ten seconds, with the recordings of an index.

    Args:
        index: The index of recordings.
        query: Vectors of the query, a quarter of a second apart, shape (n, 128).

    Returns:
        The alignments. If no recording resembles the query, the list is empty and the evidence is all zeros.
    """
    return next(align_query_repeatedly(index, query), AlignedQuery([], np.zeros(N_OWN + 2 + len(RANKS))))


def align_query_repeatedly(index: FingerprintIndex, query: F32) -> Iterator[AlignedQuery]:
    """Yield the result of `align_query`, then without the best recording, then without the best two, and so on."""
    yield from aligned_repeatedly(index, query, nearest_rows(index, query))


def nearest_rows(index: FingerprintIndex, query: F32) -> Neighbours:
    """Return the rows of the index nearest to each vector of a query of any length, for `aligned_repeatedly`."""
    return index.search(query, N_NEAREST)


def vote_share(index: FingerprintIndex, near: Neighbours) -> float:
    """
    Return the votes per query vector for the best pair of recording and offset, 0..1.

    This costs little beside the alignment, and tells windows of unknown music from most others.
    """
    votes = _votes(index, near.rows[:, :N_VOTING], near.cosines[:, :N_VOTING])
    return max(votes.values(), default=0.0) / max(len(near.rows), 1)


def aligned_repeatedly(index: FingerprintIndex, query: F32, near: Neighbours) -> Iterator[AlignedQuery]:
    """Yield what `align_query_repeatedly` yields for a query whose nearest rows are known."""
    best: dict[int, Alignment] = {}  # by position of the recording in the index
    for track, offset_s in _voted(index, near.rows[:, :N_VOTING], near.cosines[:, :N_VOTING]):
        alignment = _best_alignment(index, query, track, offset_s)
        if alignment is not None and (track not in best or alignment.score > best[track].score):
            best[track] = alignment
    tracks = sorted(best, key=lambda track: (-best[track].score, best[track].track_id))
    while tracks:
        copies = _copies(index, best, tracks, len(query))
        others = [best[track] for track in tracks[1:] if track not in copies]
        evidence = _evidence(best[tracks[0]], others, _without(near, index, [tracks[0], *copies]))
        yield AlignedQuery([best[track] for track in tracks], evidence)
        near, tracks = _without(near, index, tracks[:1]), tracks[1:]


def _copies(index: FingerprintIndex, best: Mapping[int, Alignment], tracks: list[int], n: int) -> list[int]:
    """
    Return the recordings whose passage is a copy of the first recording's.

    Two recordings that both resemble the query need not resemble each other: their passages are compared directly.
    """
    first, *others = (aligned_vectors(index, best[track], n) for track in tracks)
    min_total = COPY_COSINE * np.count_nonzero(first.any(axis=1))
    return [track for track, other in zip(tracks[1:], others, strict=True) if float((first * other).sum()) >= min_total]


def aligned_vectors(index: FingerprintIndex, alignment: Alignment, n: int) -> F32:
    """
    Return the vectors of a recording at the times that are aligned with a query's n vectors.

    Returns:
        Unit vectors, interpolated between rows, shape (n, 128); zeros outside the recording.
    """
    n_rows = len(index.rows_of(alignment.track_id))
    positions = _fractional_rows(n, np.array([alignment.ratio]), np.array([alignment.offset_s]), 0)[0]
    is_within = (positions >= -0.5) & (positions <= n_rows - 0.5)
    vectors = index.interpolated(alignment.track_id, positions) * is_within[:, None]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), np.float32)


def _without(near: Neighbours, index: FingerprintIndex, tracks: list[int]) -> Neighbours:
    """Return the neighbours without the rows of these recordings (positions in the index)."""
    is_out = np.any(
        [(near.rows >= index.starts[track]) & (near.rows < index.starts[track + 1]) for track in tracks], axis=0
    )
    return Neighbours(np.where(is_out, NO_ROW, near.rows), near.cosines)


def _evidence(best: Alignment, others: list[Alignment], near: Neighbours) -> F64:
    """Return `AlignedQuery.evidence`; if fewer rows were found than a rank requires, the last row is used."""
    scores = [other.score for other in others[:N_OTHERS]] or [0.0]
    cosines = np.where(near.rows == NO_ROW, near.cosines.min(axis=1, keepdims=True), near.cosines)
    ranked = -np.sort(-cosines, axis=1)
    means = [float(ranked[:, min(rank, ranked.shape[1] - 1)].mean()) for rank in RANKS]
    return np.array([best.score, best.contrast, abs(best.ratio - 1), scores[0], float(np.mean(scores)), *means])


@dataclass(frozen=True)
class MatchClassifier:
    """
    A logistic regression from the evidence to the match probability, for queries of one length.

    Attributes:
        length_s: Length of the queries on which it was fitted [s].
        mean, std: Mean and standard deviation of each feature over these queries.
        weights: Weight of each standardised feature, followed by the intercept.
        threshold_1_percent, threshold_01_percent: Probabilities exceeded by at most 1 % and 0.1 % of queries whose
            recording is not in the index (false positives; see `recsys.matching.calibrate`).
    """

    length_s: float
    mean: list[float]
    std: list[float]
    weights: list[float]
    threshold_1_percent: float = 1.0
    threshold_01_percent: float = 1.0

    def standardise(self, evidence: F64) -> F64:
        """
        Return the standardised evidence, shape (..., 8).

        The features that describe other recordings are clipped below at their mean. Low values only show that the index
        is small; they are no evidence for the match.
        """
        standardised = (evidence - np.array(self.mean)) / np.array(self.std)
        return np.concatenate([standardised[..., :N_OWN], np.maximum(standardised[..., N_OWN:], 0)], axis=-1)

    def log_odds(self, evidence: F64) -> F64:
        """Return the log-odds that the best alignment is correct; evidence of shape (..., 8) -> (...)."""
        return np.asarray(self.standardise(evidence) @ np.array(self.weights[:-1]) + self.weights[-1])

    def significance(self, evidence: F64) -> F64:
        """
        Return the negative decimal logarithm of the rate of false positives at this evidence; (..., 8) -> (...).

        It is 2 at the threshold of 1 %, 3 at that of 0.1 %, and extrapolated beyond, since the tail of strangers'
        log-odds falls exponentially (see `recsys.matching.calibrate`).
        """
        at_1, at_01 = logit([self.threshold_1_percent, self.threshold_01_percent])
        return np.asarray(2 + (self.log_odds(evidence) - at_1) / max(at_01 - at_1, MIN_DECADE))

    def probability(self, evidence: F64) -> F64:
        """Return the probability that the best alignment is correct, 0..1; evidence of shape (..., 8) -> (...)."""
        return np.asarray(expit(self.log_odds(evidence)))


@dataclass(frozen=True)
class Calibration:
    """
    The match classifiers for queries of different lengths.

    Attributes:
        version: Version of the network that computed the vectors.
        classifiers: One classifier per query length, the shortest first.
    """

    version: str
    classifiers: list[MatchClassifier]

    def classifier(self, length_s: float) -> MatchClassifier:
        """Return the classifier whose query length is nearest to `length_s` (by ratio)."""
        return min(self.classifiers, key=lambda fitted: abs(np.log(fitted.length_s / max(length_s, 0.1))))

    def fits(self, other: Self) -> bool:
        """Return whether both judge vectors of the same network by the same evidence, for the same query lengths."""
        return self.version == other.version and self._form == other._form

    @property
    def _form(self) -> list[tuple[float, int]]:
        return [(classifier.length_s, len(classifier.weights)) for classifier in self.classifiers]

    def save(self, path: Path) -> None:
        """Write the calibration as JSON."""
        files.write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a calibration that `save` wrote."""
        stored = files.read_json(path)
        return cls(stored["version"], [MatchClassifier(**values) for values in stored["classifiers"]])


def _voted(index: FingerprintIndex, rows: I64, cosines: F32) -> list[tuple[int, float]]:
    """List the pairs of recording (position in the index) and offset [s] with the most votes."""
    return [(track, half_bins * VOTE_S / 2) for track, half_bins in _chosen(_votes(index, rows, cosines))]


def _votes(index: FingerprintIndex, rows: I64, cosines: F32) -> dict[tuple[int, int], float]:
    """Return the votes for pairs of recording (position in the index) and offset (in half bins)."""
    is_vote = (cosines >= MIN_VOTE_COSINE) & (rows != NO_ROW)
    if not is_vote.any():
        return {}
    vectors, _ = np.nonzero(is_vote)
    rows, weights = rows[is_vote], cosines[is_vote].astype(np.float64) ** 2
    tracks = np.searchsorted(index.starts, rows, side="right") - 1
    offsets_s = ((rows - index.starts[tracks]) * INDEX_STEP - vectors) * VECTOR_HOP_S
    n_bins = 1 << 24
    votes: dict[tuple[int, int], float] = {}
    for shift in (0.0, 0.5):  # two sets of bins, shifted by half a bin: no offset lies on an edge in both
        bins = np.floor(offsets_s / VOTE_S + shift).astype(np.int64)
        keys, key_of_vote = np.unique(tracks * n_bins + bins + n_bins // 2, return_inverse=True)
        # A query vector votes once per recording and offset, since a sustained note has many similar rows.
        for key, total in zip(keys, _sum_of_largest(key_of_vote, vectors, weights, len(keys)), strict=True):
            track, shifted_bin = divmod(int(key), n_bins)
            votes[track, round(2 * (shifted_bin - n_bins // 2 + 0.5 - shift))] = total
    return votes


def _chosen(votes: Mapping[tuple[int, int], float]) -> list[tuple[int, int]]:
    """List the pairs with the most votes, and the best pair of further recordings, so that some are compared."""
    ranked = sorted(votes, key=lambda pair: (-votes[pair], pair))
    chosen = ranked[:N_SCORED]
    known = {track for track, _ in chosen}
    for track, half_bins in ranked[N_SCORED:]:
        if len(known) >= MIN_RECORDINGS:
            break
        if track not in known:
            known.add(track)
            chosen.append((track, half_bins))
    return chosen


def _sum_of_largest(keys: I64, vectors: I64, weights: F64, n_keys: int) -> F64:
    """Sum per key the largest weight of each query vector; shape (n_keys,)."""
    order = np.lexsort((-weights, vectors, keys))
    keys, vectors, weights = keys[order], vectors[order], weights[order]
    is_first = np.r_[True, (np.diff(keys) != 0) | (np.diff(vectors) != 0)]
    sums: F64 = np.bincount(keys[is_first], weights[is_first], n_keys).astype(np.float64)
    return sums


def _best_alignment(index: FingerprintIndex, query: F32, track: int, offset_s: float) -> Alignment | None:
    """Find the best tempo ratio and offset near an offset, on a coarse grid and then on a fine grid."""
    step_s = INDEX_STEP * VECTOR_HOP_S
    first_row, end_row = index.starts[track], index.starts[track + 1]
    reach_s = len(query) * VECTOR_HOP_S * RATIOS[-1] + OFFSETS_S[-1]
    low = int(np.clip(np.floor((offset_s + OFFSETS_S[0]) / step_s), 0, end_row - first_row))
    high = int(np.clip(np.ceil((offset_s + reach_s) / step_s) + 1, low, end_row - first_row))
    if high - low < 1:
        return None
    cosines = query @ index.vectors(first_row + low, first_row + high).T  # (n, m)
    ratios, offsets_s = _grid(RATIOS, offset_s + OFFSETS_S)
    best = int((mean_cosines(cosines, ratios, offsets_s, low) - TIE * np.abs(ratios - 1)).argmax())
    ratios, offsets_s = _grid(ratios[best] + FINE_RATIOS, offsets_s[best] + FINE_OFFSETS_S)
    scores = mean_cosines(cosines, ratios, offsets_s, low)
    best = int((scores - TIE * np.abs(ratios - 1)).argmax())
    ratio, offset_s, score = float(ratios[best]), float(offsets_s[best]), float(scores[best])
    if not is_inside_grid(ratio):
        return None
    contrast, n_within = _contrast(cosines, ratio, offset_s, low)
    return Alignment(index.ids[track], offset_s, ratio, score, contrast, n_within)


def is_inside_grid(ratio: float) -> bool:
    """Return whether a measured tempo ratio is a maximum inside the grid of ratios, not its edge."""
    return abs(ratio - 1) < MAX_TEMPO_CHANGE + TEMPO_MARGIN - 1e-6


def _contrast(cosines: F32, ratio: float, offset_s: float, low: int) -> tuple[float, int]:
    """Return `Alignment.contrast` and `Alignment.n_vectors`; arguments as in `mean_cosines`."""
    n, m = cosines.shape
    positions = _fractional_rows(n, np.array([ratio]), np.array([offset_s]), low)[0]
    is_within = (positions >= -0.5) & (positions <= m - 0.5)
    left, right, share = _neighbours(positions[is_within], m)
    pairs = (cosines[:, left] * (1 - share) + cosines[:, right] * share)[is_within]  # (n_within, n_within)
    return float(np.trace(pairs) - pairs.mean(axis=1).sum()) / n, len(pairs)


def _grid(ratios: F64, offsets_s: F64) -> tuple[F64, F64]:
    """Return all pairs of a ratio and an offset, as two arrays of equal length."""
    return np.tile(ratios, len(offsets_s)), np.repeat(offsets_s, len(ratios))


def _fractional_rows(n: int, ratios: F64, offsets_s: F64, low: int) -> F32:
    """Return the fractional row, counted from row `low`, that is aligned with each query vector: (n_hypotheses, n)."""
    first = (offsets_s / (INDEX_STEP * VECTOR_HOP_S) - low).astype(np.float32)
    steps = (ratios / INDEX_STEP).astype(np.float32)
    return np.asarray(first[:, None] + steps[:, None] * np.arange(n, dtype=np.float32))


def mean_cosines(cosines: F32, ratios: F64, offsets_s: F64, low: int) -> F64:
    """
    Score hypotheses of how a query is aligned with a recording.

    Args:
        cosines: Cosines of the query's n vectors with m rows of the recording, shape (n, m).
        ratios: Tempo ratio of each hypothesis, shape (h,).
        offsets_s: Recording time at which the query starts, for each hypothesis, shape (h,) [s].
        low: Row of the recording that corresponds to the first column of `cosines`.

    Returns:
        The mean cosine of the query with the recording under each hypothesis, shape (h,). Cosines between two rows are
        interpolated; a query vector that is aligned with no row counts as 0.
    """
    n, m = cosines.shape
    rows = _fractional_rows(n, ratios, offsets_s, low)
    is_within = np.abs(rows - np.float32((m - 1) / 2)) <= m / 2
    rows = np.minimum(np.maximum(rows, 0), np.float32(m - 1))
    left = rows.astype(np.int32)
    shares = rows - left
    padded = np.concatenate([cosines, cosines[:, -1:]], axis=1).ravel()  # the last row has a next one, with share 0
    left += np.arange(n, dtype=np.int32) * np.int32(m + 1)
    before, after = padded.take(left), padded.take(left + 1)
    return np.asarray(np.einsum("hn,hn->h", before + (after - before) * shares, is_within) / n, np.float64)


def _neighbours(rows: F32, m: int) -> tuple[I64, I64, F32]:
    """Return the row before and after each fractional row, within 0..m-1, and the weight of the latter, 0..1."""
    rows = np.clip(rows, 0, m - 1)
    left = np.minimum(rows.astype(np.int64), max(m - 2, 0))
    return left, np.minimum(left + 1, m - 1), rows - left
