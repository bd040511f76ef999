"""
Find recordings of the same tune by their chromagrams, in any key, at 80 to 125 % of the tempo, with other instruments.

First every recording is correlated with the query over time and pitch classes, for a number of tempos: this gives the
likeliest transposition, tempo and offset. The best ten are then aligned frame by frame at that transposition: a local
alignment, in which the tempo may vary, and which says where both agree (after qmax). What the query also gains played
backwards is chance, such as a key, a drone or two chords in turn, and is taken away.

A tune in notes is compared in the same way: its melody and chord symbols are written as the chromagram of a recording.

Source: Serra, Serra and Andrzejak, Cross recurrence quantification for cover song identification (2009).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.fft import fft, ifft, irfft, next_fast_len, rfft

from recsys.arrays import F32, F64, I64
from recsys.audio.features.chromagram import FRAME_S, LONGEST_FRAMES
from recsys.matching.tunes.melody import Melody

N_ALIGNED = 10  # recordings, the best by correlation, that are aligned: the dearest part of a search
TEMPOS = np.geomspace(0.8, 1.25, 15)  # at which a query is correlated
TEMPOS_OF_NOTES = np.geomspace(0.5, 2.0, 45)  # the same of notes, whose tempo is unknown
KEY_SHARE = 1.0  # of the mean over time that is taken away: what all tunes of a key have in common
CONTEXT = 8  # successive frames that are compared at once in an alignment
GAP = 0.5  # points for a frame without partner
TAIL = (0.06, 0.015)  # of strangers' scores: the best of n is about START + SCALE * ln(n)
STRICT, USUAL = 0.001, 0.01  # expected strangers at the operating points of .1 % and 1 %
QUIET_SHARE = 0.3  # of the median strength; weaker frames count less
LEAST_FRAMES = 78  # 20 s: a shorter recording is not compared, since it holds too little evidence
POOL = 2  # frames that are one in a correlation
CROTCHETS_PER_MIN, CHORD_STRENGTH = 110.0, 0.5  # of the chromagram of notes
BLOCK, ALIGNED_BLOCK = 64, 8  # recordings that are correlated, and aligned, at once
Complex = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class SoundMatch:
    """
    A recording whose tune resembles a query.

    Attributes:
        row: Row of the recording in the index.
        score: Points of the alignment per frame of both, less those of the query played backwards, 0..1.
        expected: How many strangers in the catalogue are expected to score at least as high.
        transposition: By how much the recording is higher, -5..6 [semitones].
        tempo_ratio: Its tempo divided by that of the query.
        starts_s, ends_s: Where they agree in the query [s].
        other_starts_s, other_ends_s: The same in the recording [s].
    """

    row: int
    score: float
    expected: float
    transposition: int
    tempo_ratio: float
    starts_s: float
    ends_s: float
    other_starts_s: float
    other_ends_s: float


class Likely(NamedTuple):
    """The likeliest relation of each recording to a query: correlation, tempo ratio, transposition; shapes (n,)."""

    value: F64
    tempo: F64
    transposition: I64


def chromagram_of_notes(melody: Melody) -> F32:
    """
    Return the chromagram of a tune in notes, played at CROTCHETS_PER_MIN: its melody and, half as strong, its chords.

    Returns:
        Strengths of the pitch classes in each frame, shape (n_frames, 12); what follows after ten minutes is left out.
    """
    frames_per_quarter = 60 / CROTCHETS_PER_MIN / FRAME_S
    n_frames = int(min(LONGEST_FRAMES, max(2, np.ceil(melody.length * frames_per_quarter))))
    frames = np.zeros((n_frames, 12), np.float32)
    for onset, end, pitch in zip(melody.onset, melody.onset + melody.duration, melody.pitch.tolist(), strict=True):
        frames[:, pitch % 12] += _covered(onset * frames_per_quarter, end * frames_per_quarter, n_frames)
    ends = [*(chord.onset for chord in melody.chords[1:]), melody.length]
    for chord, end in zip(melody.chords, ends, strict=False):
        covered = _covered(chord.onset * frames_per_quarter, end * frames_per_quarter, n_frames)
        for step in (0, 3 if chord.is_minor else 4, 7):
            frames[:, (chord.root + step) % 12] += CHORD_STRENGTH * covered
    return frames


def _covered(start: float, end: float, n_frames: int) -> F32:
    """Return the share of each frame between two times [frames], shape (n_frames,)."""
    edges = np.arange(n_frames + 1)
    return np.diff(np.clip(edges, start, end)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class SoundIndex:
    """
    Recordings that are searched.

    Attributes:
        frames: Standardised chromagram of each, shape (n_frames, 12).
        n_strangers: Number of recordings of the catalogue, of which these may be a part: by it chance is counted.
    """

    frames: tuple[F32, ...]
    n_strangers: int

    @classmethod
    def of(cls, chromagrams: Sequence[F32], n_strangers: int | None = None) -> Self:
        """
        Return the index of recordings.

        Args:
            chromagrams: Strengths of pitch classes in each frame, shapes (n_frames, 12).
            n_strangers: Number of recordings of the catalogue of which these are a part; None if they are all.
        """
        return cls(tuple(map(standardised, chromagrams)), n_strangers or len(chromagrams))

    @cached_property
    def _pooled(self) -> list[F32]:
        return [_pooled(frames) for frames in self.frames]

    def search(self, chromagram: F32, tempos: F64 = TEMPOS, n: int = N_ALIGNED) -> list[SoundMatch]:
        """
        Return the recordings whose tunes resemble a query most, best first: those that are aligned.

        Args:
            chromagram: Strengths of pitch classes in each frame of the query, shape (n_frames, 12).
            tempos: Tempos of a recording, relative to the query's, at which they are correlated.
            n: Number of recordings that are aligned, the best by correlation.
        """
        query = standardised(chromagram)
        likely = self._likely(query, tempos)
        rows = np.argsort(-likely.value, kind="stable")[:n]
        found = [
            match
            for tempo in np.unique(likely.tempo[rows]).tolist()
            for match in self._aligned(query, tempo, rows[likely.tempo[rows] == tempo], likely.transposition)
        ]
        return sorted(found, key=lambda match: (-match.score, match.row))

    def _likely(self, query: F32, tempos: F64) -> Likely:
        played = [_pooled(_resampled(query, tempo)) for tempo in tempos.tolist()]
        longest = max(map(len, self._pooled)) + max(map(len, played))
        period = int(next_fast_len(longest))  # in which nothing wraps around
        spectra = [np.conj(_spectrum(pooled, period)) for pooled in played]
        parts = list[Likely]()
        for first in range(0, len(self._pooled), BLOCK):
            block = self._pooled[first : first + BLOCK]
            of_block = np.stack([_spectrum(pooled, period) for pooled in block])
            values = np.stack([_highest(of_block * spectrum) for spectrum in spectra], axis=1)  # (b, tempos, 12)
            values = values / np.sqrt(np.array([len(pooled) for pooled in played]))[:, None]
            best = values.reshape(len(block), -1).argmax(axis=1)
            value = values.max(axis=(1, 2)) / np.sqrt([len(pooled) for pooled in block])
            parts.append(Likely(value, tempos[best // 12], best % 12))
        return Likely(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _aligned(self, query: F32, tempo: float, rows: I64, transpositions: I64) -> Iterator[SoundMatch]:
        """Align the query, played at a tempo, with recordings, a block at a time."""
        played = _resampled(query, tempo)
        for first in range(0, len(rows), ALIGNED_BLOCK):
            block = rows[first : first + ALIGNED_BLOCK]
            others = [np.roll(self.frames[row], -transpositions[row], axis=1) for row in block]
            for row, found, chance in zip(
                block.tolist(), align(played, others), align(played[::-1], others), strict=True
            ):
                starts, ends = (played_at * FRAME_S * tempo for played_at in (found.first, found.last + 1))
                other_starts, other_ends = (frame * FRAME_S for frame in (found.other_first, found.other_last + 1))
                n_frames = float(np.sqrt(len(played) * len(self.frames[row])))
                score = max(0.0, found.points - chance.points) / n_frames
                yield SoundMatch(
                    row=row,
                    score=score,
                    expected=self.n_strangers * float(np.exp((TAIL[0] - score) / TAIL[1])),
                    transposition=int((transpositions[row] + 5) % 12 - 5),
                    tempo_ratio=(ends - starts) / (other_ends - other_starts),
                    starts_s=starts,
                    ends_s=ends,
                    other_starts_s=other_starts,
                    other_ends_s=other_ends,
                )


def _highest(spectra: Complex) -> F32:
    """Return the highest correlation over time for each transposition from spectra, (b, period, 7) -> (b, 12)."""
    highest: F32 = irfft(ifft(spectra, axis=1), 12, axis=2).max(axis=1)
    return highest


class LocalAlignment(NamedTuple):
    """The best local alignment: its points, and the first and last frames of the query and of the other recording."""

    points: float
    first: int
    last: int
    other_first: int
    other_last: int


def align(query: F32, others: Sequence[F32]) -> list[LocalAlignment]:
    """
    Align a query with recordings in the same key, frame by frame.

    A step goes one frame further in both, or two in one of them, which costs GAP. Its points are the mean
    similarity over CONTEXT steps, -1 to 1, of all of its frames; the alignment with most points is taken.

    Args:
        query: Standardised chromagram, shape (n, 12).
        others: The same of each recording, shapes (n_frames, 12).
    """
    longest = max(map(len, others))
    padded = np.stack([np.pad(frames, ((0, longest - len(frames)), (0, 0))) for frames in others])
    points = _smoothed(np.einsum("ip,bjp->ibj", query, padded, optimize=True))  # (n, b, longest)
    shape = (len(others), longest + 2)
    last, before = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    start, start_before = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    best = [LocalAlignment(0.0, 0, 0, 0, 0)] * len(others)
    fresh = np.arange(longest, dtype=np.int32)
    for i, row in enumerate(points):
        steps = np.stack([last[:, 1:-1], before[:, 1:-1] - GAP, last[:, :-2] - GAP])
        origins = np.stack([start[:, 1:-1], start_before[:, 1:-1], start[:, :-2]])
        chosen = steps.argmax(axis=0)[None]
        came = np.take_along_axis(steps, chosen, 0)[0]
        origin = np.where(came > 0, np.take_along_axis(origins, chosen, 0)[0], i * longest + fresh)
        before, start_before = last, start
        last, start = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
        last[:, 2:] = np.maximum(row + np.maximum(came, 0), 0)
        start[:, 2:] = origin
        for place, (end, value) in enumerate(zip(last.argmax(axis=1).tolist(), last.max(axis=1).tolist(), strict=True)):
            if value > best[place].points:
                first, other_first = divmod(int(start[place, end]), longest)
                best[place] = LocalAlignment(value, first, i, other_first, end - 2)
    return best


def _smoothed(similarity: F32) -> F32:
    """Return the mean similarity over CONTEXT steps that end at two frames, shape (n, b, longest)."""
    total = similarity.copy()
    for step in range(1, CONTEXT):
        total[step:, :, step:] += similarity[:-step, :, :-step]
    return np.asarray(total / CONTEXT, np.float32)


def standardised(chromagram: F32) -> F32:
    """
    Return frames of length 1, without their mean over pitch classes and without what all frames have in common.

    Args:
        chromagram: Strengths of pitch classes, shape (n_frames, 12); only the first ten minutes count.
    """
    frames = chromagram[:LONGEST_FRAMES]
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - KEY_SHARE * frames.mean(axis=0)
    norms = np.linalg.norm(frames, axis=1, keepdims=True)
    return np.asarray(frames / np.maximum(norms, QUIET_SHARE * np.median(norms) + 1e-6), np.float32)


def _resampled(frames: F32, tempo: float) -> F32:
    """Return frames as if they were played at a multiple of their tempo."""
    position = np.linspace(0, len(frames) - 1, max(2, round(len(frames) / tempo)))
    before = np.minimum(position.astype(np.int64), max(len(frames) - 2, 0))
    after = np.minimum(before + 1, len(frames) - 1)
    weight = (position - before).astype(np.float32)[:, None]
    return np.asarray(frames[before] * (1 - weight) + frames[after] * weight)


def _pooled(frames: F32) -> F32:
    """Return the mean of every POOL successive frames, the last ones padded by 0."""
    padded = np.pad(frames, ((0, -len(frames) % POOL), (0, 0)))
    return np.asarray(padded.reshape(-1, POOL, 12).mean(axis=1))


def _spectrum(frames: F32, period: int) -> Complex:
    """Return the spectrum over time and pitch classes, shape (period, 7)."""
    return np.asarray(fft(rfft(frames, axis=1), period, axis=0), np.complex64)
