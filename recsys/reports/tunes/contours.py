"""
The contours of two melodies, one over the other, as shapes of an SVG drawing.

Time runs as in the query. The other melody is moved to the query's key, and its time is stretched so that the notes
that agree coincide: a drawn difference is one of pitch, or of the number of notes.
"""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import F64, I64
from recsys.matching.tunes.agreement import Agreement
from recsys.matching.tunes.melody import Melody

PER_QUARTER, LEAST_WIDTH, LARGEST_WIDTH = 16.0, 480.0, 4_000.0  # pixels
HEIGHT, LARGEST_STEP = 220.0, 9.0  # of all pitches, of a semitone [pixels]
MARGIN = 14.0  # around the contours [pixels]
LEAST_APART = 28.0  # of two bar numbers [pixels]


@dataclass(frozen=True)
class Contours:
    """
    A drawing.

    Attributes:
        width, height: Its size [pixels].
        query, other: Paths of the contours in the notation of SVG.
        spans: Left edge and width of each span that agrees.
        phrase: Left edge and width of the longest common phrase.
        bars: Place and number of bars of the query.
    """

    width: float
    height: float
    query: str
    other: str
    spans: tuple[tuple[float, float], ...]
    phrase: tuple[float, float]
    bars: tuple[tuple[float, int], ...]


def contours(query: Melody, other: Melody, how: Agreement, largest_width: float = LARGEST_WIDTH) -> Contours:
    """Draw two melodies that agree in this way, at most so wide [pixels]."""
    width = float(np.clip(PER_QUARTER * query.length, LEAST_WIDTH, largest_width))
    scale = width / query.length
    own_x = MARGIN + scale * _edges(query)
    other_x = MARGIN + scale * _query_times(query, other, how)
    is_inside = (other_x[:-1] < MARGIN + width) & (other_x[1:] > MARGIN)
    moved = (other.pitch - how.transposition)[is_inside]
    other_x = np.clip(np.append(other_x[:-1][is_inside], other_x[1:][is_inside][-1:]), MARGIN, MARGIN + width)
    pitches = np.concatenate([query.pitch, moved])
    step = min(LARGEST_STEP, HEIGHT / max(int(np.ptp(pitches)), 1))
    top = int(pitches.max())
    return Contours(
        width=width + 2 * MARGIN,
        height=step * (top - int(pitches.min())) + 3 * MARGIN,
        query=_path(own_x, MARGIN + step * (top - query.pitch.astype(np.float64))),
        other=_path(other_x, MARGIN + step * (top - moved.astype(np.float64))),
        spans=tuple(_stretch(own_x, span.notes) for span in how.spans),
        phrase=_stretch(own_x, how.phrase),
        bars=_bar_numbers(query.bar, own_x),
    )


def _edges(melody: Melody) -> F64:
    """Return the onsets, and the end of the last note, shape (n + 1,)."""
    return np.append(melody.onset, melody.length)


def _query_times(query: Melody, other: Melody, how: Agreement) -> F64:
    """Return the time in the query of each onset of the other melody, and of its end, shape (n + 1,)."""
    edges = _edges(other)
    if not how.partners:
        return np.asarray(edges * query.length / max(other.length, 1e-6))
    own, others = np.array(how.partners).T
    known, there = query.onset[own], other.onset[others]
    before = np.minimum(edges - there[0], 0.0) / how.tempo_ratio
    after = np.maximum(edges - there[-1], 0.0) / how.tempo_ratio
    return np.asarray(np.interp(edges, there, known) + before + after)


def _path(edges: F64, heights: F64) -> str:
    """Return a path with a level stretch per note, from its onset to the next."""
    stretches = zip(edges, heights, edges[1:], strict=False)
    return "M" + "L".join(f"{start:.1f} {y:.1f}H{end:.1f}" for start, y, end in stretches)


def _stretch(edges: F64, notes: tuple[int, int]) -> tuple[float, float]:
    first, last = edges[list(notes)].tolist()
    return first, last - first


def _bar_numbers(bar: I64, edges: F64) -> tuple[tuple[float, int], ...]:
    """Return where bars begin, but for those too near to the last one that is numbered."""
    numbered: list[tuple[float, int]] = []
    for place in np.flatnonzero(np.diff(bar, prepend=bar[0] - 1)).tolist():
        if not numbered or edges[place] - numbered[-1][0] >= LEAST_APART:
            numbered.append((float(edges[place]), int(bar[place])))
    return tuple(numbered)
