"""
Align melodies note by note: a fast score of one query against many references, and the path of one pair.

Both find the global alignment with the highest sum over aligned notes of

    s(i, j) = PITCH_POINTS[|pitch difference|] * 2 * min(importance of i, importance of j) / 10

less GAP points for each run of notes without a partner. Divided by the summed importance of both melodies this is the
share that agrees: 1 for equal melodies, 0 where no note agrees. All values are integers, so that 16 bits suffice, and
`align_pair` agrees exactly with `scores`. Both fill a row of the table at once. Without rhythm, all notes have the same
importance.

Source: Gotoh, An improved algorithm for matching biological sequences (1982), here without a cost per note of a gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys.arrays import F64, I16, I32, I64

PITCH_POINTS = np.array([10, 3, 3, 0], np.int16)  # by semitones apart, tenths; the last for all that are further
GAP = 8  # points for a run of notes without a partner: a note of mean importance is worth 16
MEAN_IMPORTANCE, LARGEST_RATIO = 8, 3.0
MAX_NOTES = 1_000  # of a melody; the sums fit into 16 bits
NO_PITCH = 999  # fills a block beyond the end of a melody
BLOCK = 256  # melodies that are aligned at once: the rows of a block fit into the cache


@dataclass(frozen=True)
class Contour:
    """
    A melody as it is aligned.

    Attributes:
        pitch: Pitches relative to the median pitch, shape (n,) [semitones].
        importance: Points of each note by its length, shape (n,), at least 1; the mean is 8.
        median: The median pitch (MIDI).
    """

    pitch: I16
    importance: I16
    median: int

    @classmethod
    def of(cls, pitch: I64, ioi: F64) -> "Contour":
        """Return the line of pitches (MIDI) and the time from each onset to the next, both of shape (n,)."""
        median = int(np.sort(pitch)[len(pitch) // 2])
        ratio = np.maximum(ioi, 1e-6) / np.exp(np.log(np.maximum(ioi, 1e-6)).mean())
        ratio = np.clip(ratio, 1 / LARGEST_RATIO, LARGEST_RATIO)
        points = np.floor(MEAN_IMPORTANCE * ratio / ratio.mean() + 0.5 + 1e-6)  # a tempo changes no rounding
        return cls((pitch - median).astype(np.int16), np.maximum(points, 1).astype(np.int16), median)

    def total(self, *, with_rhythm: bool) -> int:
        """Return the summed importance of the notes: the points of half an alignment with itself."""
        return int(self.importance.sum()) if with_rhythm else MEAN_IMPORTANCE * len(self.pitch)


@dataclass(frozen=True)
class Block:
    """
    Lines of similar length, side by side.

    Attributes:
        rows: Row of each line in the collection, shape (b,).
        n_notes: Number of notes of each, shape (b,).
        pitch, importance: Notes of each line in a column, shape (longest, b).
    """

    rows: I64
    n_notes: I64
    pitch: I16
    importance: I16


def blocks(lines: list[Contour]) -> list[Block]:
    """Arrange lines in blocks, by number of notes."""
    n_notes = np.array([len(line.pitch) for line in lines], np.int64)
    order = np.argsort(n_notes, kind="stable")
    return [_block(lines, order[first : first + BLOCK], n_notes) for first in range(0, len(lines), BLOCK)]


def _block(lines: list[Contour], rows: I64, n_notes: I64) -> Block:
    pitch = np.full((n_notes[rows].max(), len(rows)), NO_PITCH, np.int16)
    importance = np.zeros_like(pitch)
    for column, row in enumerate(rows):
        pitch[: n_notes[row], column] = lines[row].pitch
        importance[: n_notes[row], column] = lines[row].importance
    return Block(rows, n_notes[rows], pitch, importance)


def scores(query: Contour, arranged: list[Block], shifts: I64, *, with_rhythm: bool) -> I32:
    """
    Return the points of the best alignment of a query with each line.

    Args:
        query: The query.
        arranged: The lines, from `blocks`.
        shifts: By how much the pitches of each line exceed those of the query, shape (n_lines,) [semitones].
        with_rhythm: Whether notes count by their importance; otherwise all notes count alike.

    Returns:
        Points, shape (n_lines,).
    """
    points = np.zeros(len(shifts), np.int32)
    for block in arranged:
        points[block.rows] = _block_scores(query, block, shifts[block.rows].astype(np.int16), with_rhythm=with_rhythm)
    return points


def _block_scores(query: Contour, block: Block, shifts: I16, *, with_rhythm: bool) -> I16:
    relative = block.pitch - shifts
    best = np.full((len(relative) + 1, len(shifts)), -GAP, np.int16)  # points of the best alignment of the prefixes
    best[0] = 0
    above = best - np.int16(GAP)  # the same, if the query's last note has no partner
    new, spare = np.empty_like(best), np.empty_like(best)
    for agreement in _agreements(query, block, relative, with_rhythm=with_rhythm):
        np.maximum(above, np.subtract(best, GAP, out=spare), out=above)
        np.add(best[:-1], agreement, out=new[1:])
        np.maximum(new[1:], above[1:], out=new[1:])
        new[0] = above[0]
        np.copyto(best, new)
        best, spare = _running_maximum(best, spare)  # where a run of the line's notes without partner began
        np.subtract(best, GAP, out=best)
        np.maximum(best[:-1], new[1:], out=spare[1:])
        spare[0] = new[0]
        best, spare = spare, best
    return best[block.n_notes, np.arange(len(shifts))]


def _running_maximum(values: I16, spare: I16) -> tuple[I16, I16]:
    """Return the running maximum along the first axis by doubling steps, and the array that is free; both change."""
    step = 1
    while step < len(values):
        np.maximum(values[step:], values[:-step], out=spare[step:])
        spare[:step] = values[:step]
        values, spare = spare, values
        step *= 2
    return values, spare


def _agreements(query: Contour, block: Block, relative: I16, *, with_rhythm: bool) -> Iterator[I16]:
    """Yield for each note of the query its points with every note of a block, shape (longest, b)."""
    by_pitch: dict[int, I16] = {}
    for pitch, importance in zip(query.pitch, query.importance, strict=True):
        points = by_pitch.get(int(pitch))
        if points is None:
            points = PITCH_POINTS[np.minimum(np.abs(relative - pitch), len(PITCH_POINTS) - 1)]
            points = by_pitch[int(pitch)] = points if with_rhythm else points * (2 * MEAN_IMPORTANCE) // np.int16(10)
        yield points * np.minimum(block.importance, importance) // np.int16(5) if with_rhythm else points


def align_pair(query: Contour, other: Contour, shift: int, *, with_rhythm: bool) -> tuple[int, list[tuple[int, int]]]:
    """
    Align two lines and return which notes are partners.

    Args:
        query: A line.
        other: The line that it is aligned with.
        shift: By how much the pitches of the other line exceed those of the query [semitones].
        with_rhythm: Whether notes count by their importance.

    Returns:
        Points, and the pairs of notes (of the query, of the other) that agree in pitch within two semitones.
    """
    agreement = _pair_points(query, other, shift, with_rhythm=with_rhythm)
    n, m = agreement.shape
    best = np.full((n + 1, m + 1), -GAP)
    best[0, 0] = 0
    above, left = best - GAP, best - GAP
    for i in range(1, n + 1):
        above[i] = np.maximum(above[i - 1], best[i - 1] - GAP)
        without_left = above[i].copy()
        np.maximum(above[i, 1:], best[i - 1, :-1] + agreement[i - 1], out=without_left[1:])
        left[i, 1:] = np.maximum.accumulate(without_left)[:-1] - GAP
        best[i] = np.maximum(without_left, left[i])
    return int(best[n, m]), _partners(best, above, left, agreement)


def _pair_points(query: Contour, other: Contour, shift: int, *, with_rhythm: bool) -> I64:
    apart = np.abs(query.pitch[:, None] - (other.pitch - shift)[None]).astype(np.int64)
    points: I64 = PITCH_POINTS[np.minimum(apart, len(PITCH_POINTS) - 1)].astype(np.int64)
    shared = np.minimum(query.importance[:, None], other.importance[None]).astype(np.int64)
    agreement: I64 = points * shared // 5 if with_rhythm else points * (2 * MEAN_IMPORTANCE) // 10
    return agreement


def _partners(best: I64, above: I64, left: I64, agreement: I64) -> list[tuple[int, int]]:
    """Follow the alignment from its end to its beginning."""
    i, j = agreement.shape
    pairs = []
    while i and j:
        if best[i, j] == best[i - 1, j - 1] + agreement[i - 1, j - 1]:
            i, j = i - 1, j - 1
            if agreement[i, j]:
                pairs.append((i, j))
        elif best[i, j] == above[i, j]:
            i -= 1
            while i and above[i + 1, j] != best[i, j] - GAP:
                i -= 1
        else:
            j -= 1
            while j and left[i, j + 1] != best[i, j] - GAP:
                j -= 1
    return pairs[::-1]
