"""
Which recordings of the index are in a query: from when to when, how fast, how sure.

The way of a query: its vectors -> the nearest rows of the index -> votes for (recording, where it would begin) -> for
the best of these, all tempi and beginnings nearby are tried on all vectors of the query -> alignments, best first.

A cosine does not say how sure a match is: a held tone is near to every held tone. So what is known of a query is told
together: how well the best recording lies along it, how well others do, and how near other recordings' seconds are to
its seconds at all. A logistic regression, fitted on recordings outside of the index, makes a probability of it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from recsys import files
from recsys.arrays import F32, F64, I64
from recsys.audio.fingerprint.fingerprinter import APART_S, INDEX_STEP
from recsys.matching.fingerprint_index import FingerprintIndex, Neighbours
from recsys.search.vector_index import NOTHING

N_NEAREST = 32  # rows that each vector of a query is near to
N_VOTING = 12  # of which so many vote
VOTE_FROM = 0.25  # cosine below which a row has no vote
VOTE_S = 1.0  # width of a vote: a tempo off by 10 % moves by a second in ten
N_TRIED = 24  # beginnings that are tried
N_SPARED, N_OTHERS = 3, 6  # alignments that count as others; the next best may be copies of the best
RANKS = (0, 3, 11)  # of rows of other recordings
COPY_SCORE, COPY_SHARE = 0.4, 0.8  # what scores as much, and so much of the best, is the same recording again
RATIOS = np.round(np.arange(0.84, 1.161, 0.02), 2)
BEGINNINGS_S = np.arange(-2.0, 2.001, 0.128)
FINE_RATIOS, FINE_S = np.arange(-0.015, 0.0151, 0.005), np.arange(-0.128, 0.1281, 0.032)


@dataclass(frozen=True)
class Alignment:
    """
    A recording laid along a query.

    Attributes:
        track_id: The recording.
        offset_s: Where in the recording the query begins; below 0 where the query begins earlier [s].
        ratio: How much faster than the recording the query is; 1.05 for 5 %.
        score: Mean cosine of the query's vectors with those of the recording they lie on, -1..1.
        n_vectors: How many of the query's vectors lie on the recording.
    """

    track_id: str
    offset_s: float
    ratio: float
    score: float
    n_vectors: int


@dataclass(frozen=True, eq=False)
class Answer:
    """
    What is known of a short query.

    Attributes:
        alignments: The best one of each recording that was tried, best first.
        evidence: By which it is judged whether the first is right: its score, the mean score of the others, and the
            mean cosine of the query's vectors with the nearest, the fourth and the twelfth nearest row of other
            recordings, shape (5,). What scores nearly as well as the first is a copy of it, and no other.
    """

    alignments: list[Alignment]
    evidence: F64


def answer(prints: FingerprintIndex, query: F32) -> Answer:
    """
    Lay recordings along a short query, such as ten seconds.

    Args:
        prints: Searched.
        query: Its vectors, a quarter of a second apart, shape (n, 128).
    """
    return next(answers(prints, query), Answer([], np.zeros(2 + len(RANKS))))


def answers(prints: FingerprintIndex, query: F32) -> Iterator[Answer]:
    """Yield the answer to a query, then what it would be without the best recording of that one, and so on."""
    near = prints.search(query, N_NEAREST)
    best: dict[int, Alignment] = {}
    for track, begins_s in _begun(prints, near.rows[:, :N_VOTING], near.cosines[:, :N_VOTING]):
        found = _tried(prints, query, track, begins_s)
        if found is not None and (track not in best or found.score > best[track].score):
            best[track] = found
    tracks = sorted(best, key=lambda track: (-best[track].score, best[track].track_id))
    while tracks:
        least = max(COPY_SCORE, COPY_SHARE * best[tracks[0]].score)
        copies = [track for track in tracks[1:] if best[track].score >= least]
        others = [best[track] for track in tracks[1 + len(copies) :]]
        evidence = _evidence(best[tracks[0]].score, others, _without(near, prints, [tracks[0], *copies]))
        yield Answer([best[track] for track in tracks], evidence)
        near, tracks = _without(near, prints, tracks[:1]), tracks[1:]


def _without(near: Neighbours, prints: FingerprintIndex, tracks: list[int]) -> Neighbours:
    """Leave the rows of some recordings out."""
    is_out = np.any([(near.rows >= prints.starts[at]) & (near.rows < prints.starts[at + 1]) for at in tracks], axis=0)
    return Neighbours(np.where(is_out, NOTHING, near.rows), near.cosines)


def _evidence(score: float, others: list[Alignment], near: Neighbours) -> F64:
    """Put together what `Answer.evidence` says; where fewer rows are known, the farthest that is counts."""
    scores = [each.score for each in others[N_SPARED : N_SPARED + N_OTHERS]]
    around = -np.sort(-np.where(near.rows == NOTHING, near.cosines.min(axis=1, keepdims=True), near.cosines), axis=1)
    ranks = [float(around[:, min(rank, around.shape[1] - 1)].mean()) for rank in RANKS]
    return np.array([score, float(np.mean(scores)) if scores else 0.0, *ranks])


@dataclass(frozen=True)
class MatchClassifier:
    """
    A logistic regression over the evidence for queries of one length, and where it is to be cut.

    Attributes:
        length_s: Of the queries it was fitted on [s].
        mean, spread: Of each piece of evidence.
        weights: Of each, in units of its spread, and the constant last.
        at_1_percent, at_01_percent: Probability above which 1 % and 0.1 % of queries that are not in the index lie.
    """

    length_s: float
    mean: list[float]
    spread: list[float]
    weights: list[float]
    at_1_percent: float = 1.0
    at_01_percent: float = 1.0

    def standard(self, evidence: F64) -> F64:
        """
        Return evidence in units of its spread, shape (..., 5).

        What is known of other recordings counts as usual where it is less: that little is near to anything says that
        the index is small, not that an alignment is right.
        """
        standard = (evidence - np.array(self.mean)) / np.array(self.spread)
        return np.concatenate([standard[..., :1], np.maximum(standard[..., 1:], 0)], axis=-1)

    def probability(self, evidence: F64) -> F64:
        """Return how sure the best alignment is right, 0..1, for evidence of shape (..., 5)."""
        chance: F64 = 1 / (1 + np.exp(-(self.standard(evidence) @ np.array(self.weights[:-1]) + self.weights[-1])))
        return chance


@dataclass(frozen=True)
class Calibration:
    """
    Judges by length.

    Attributes:
        version: The network whose vectors they judge.
        judges: Shortest first.
    """

    version: str
    judges: list[MatchClassifier]

    def judge(self, length_s: float) -> MatchClassifier:
        """Return the judge whose length is nearest, by ratio."""
        return min(self.judges, key=lambda each: abs(np.log(each.length_s / max(length_s, 0.1))))

    def save(self, path: Path) -> None:
        """Write it down."""
        files.write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read it."""
        told = files.read_json(path)
        return cls(told["version"], [MatchClassifier(**each) for each in told["judges"]])


def _begun(prints: FingerprintIndex, rows: I64, cosines: F32) -> list[tuple[int, float]]:
    """List recordings and where in them the query would begin, by votes."""
    is_vote = (cosines >= VOTE_FROM) & (rows != NOTHING)
    if not is_vote.any():
        return []
    at, _ = np.nonzero(is_vote)
    rows, weights = rows[is_vote], cosines[is_vote].astype(np.float64) ** 2
    tracks = np.searchsorted(prints.starts, rows, side="right") - 1
    begins = ((rows - prints.starts[tracks]) * INDEX_STEP - at) * APART_S
    n_wide = 1 << 24
    votes: dict[tuple[int, int], float] = {}
    for shift in (0.0, 0.5):  # bins that overlap by half: no beginning lies on an edge of both
        bins = np.floor(begins / VOTE_S + shift).astype(np.int64)
        keys, where = np.unique(tracks * n_wide + bins + n_wide // 2, return_inverse=True)
        # each second of the query counts once for a recording and beginning: a held note has many rows
        for key, total in zip(keys, _most_of_each(where, at, weights, len(keys)), strict=True):
            track, place = divmod(int(key), n_wide)
            votes[track, round(2 * (place - n_wide // 2 + 0.5 - shift))] = total
    chosen = sorted(votes, key=lambda each: (-votes[each], each))[:N_TRIED]
    return [(track, half * VOTE_S / 2) for track, half in chosen]


def _most_of_each(where: I64, at: I64, weights: F64, n_keys: int) -> F64:
    """Sum, for each key, the largest weight that each vector of the query gives it."""
    order = np.lexsort((-weights, at, where))
    where, at, weights = where[order], at[order], weights[order]
    is_first = np.r_[True, (np.diff(where) != 0) | (np.diff(at) != 0)]
    sums: F64 = np.bincount(where[is_first], weights[is_first], n_keys).astype(np.float64)
    return sums


def _tried(prints: FingerprintIndex, query: F32, track: int, begins_s: float) -> Alignment | None:
    """Try all tempi and beginnings near a beginning."""
    step_s = INDEX_STEP * APART_S
    first_row, last_row = prints.starts[track], prints.starts[track + 1]
    long_s = len(query) * APART_S * RATIOS[-1] + BEGINNINGS_S[-1]
    low = int(np.clip(np.floor((begins_s + BEGINNINGS_S[0]) / step_s), 0, last_row - first_row))
    high = int(np.clip(np.ceil((begins_s + long_s) / step_s) + 1, low, last_row - first_row))
    if high - low < 1:
        return None
    likeness = query @ prints.vectors(first_row + low, first_row + high).T  # (n, m)
    ratios, begins = (each.ravel() for each in np.meshgrid(RATIOS, begins_s + BEGINNINGS_S))
    scores = mean_along(likeness, ratios, begins, low)
    at = int(scores.argmax())
    ratios, begins = (each.ravel() for each in np.meshgrid(ratios[at] + FINE_RATIOS, begins[at] + FINE_S))
    scores = mean_along(likeness, ratios, begins, low)
    at = int(scores.argmax())
    places = _places(len(query), ratios[at : at + 1], begins[at : at + 1], low)[0]
    n_on = int(((places >= -0.5) & (places <= likeness.shape[1] - 0.5)).sum())
    return Alignment(prints.ids[track], float(begins[at]), float(ratios[at]), float(scores[at]), n_on)


def _places(n: int, ratios: F64, begins: F64, low: int) -> F64:
    """Return on which row of a recording, counted from `low`, each vector lies: shape (n_hypotheses, n)."""
    seconds = begins[:, None] + ratios[:, None] * (APART_S * np.arange(n))
    places: F64 = seconds / (INDEX_STEP * APART_S) - low
    return places


def mean_along(likeness: F32, ratios: F64, begins: F64, low: int) -> F64:
    """
    Return the mean cosine of a query with a recording along each hypothesis of where it lies.

    Args:
        likeness: Cosines of the query's vectors with rows of the recording, shape (n, m).
        ratios: Tempo of each hypothesis, shape (h,).
        begins: Where in the recording the query would begin, shape (h,) [s].
        low: Row of the recording that is the first of `likeness`.

    Returns:
        Shape (h,); between rows in proportion, beside the rows 0.
    """
    n, m = likeness.shape
    places = _places(n, ratios, begins, low)
    is_on = (places >= -0.5) & (places <= m - 0.5)
    places = np.clip(places, 0, m - 1)
    left = np.minimum(places.astype(np.int64), max(m - 2, 0))
    share = places - left
    rows = np.arange(n)
    right = np.minimum(left + 1, m - 1)
    along = likeness[rows, left] * (1 - share) + likeness[rows, right] * share
    means: F64 = np.where(is_on, along, 0).mean(axis=1)
    return means
