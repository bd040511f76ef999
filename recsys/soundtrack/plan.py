"""
The order of recordings that follows a curve best: a beam search over sequences.

A sequence costs, per second, the squared distance of tempo and energy from the curve, less what the listener likes; and
per transition, a change of tempo, keys that clash and an artist who was just heard. Twice and half a tempo carry the
same beat, and cost as much as a tenth of an octave. Distances are measured in tolerances, `TEMPO_OCTAVES` and `ENERGY`:
a recording that is one off costs 1 per `SLOT_S` seconds.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.arrays import F64, I64
from recsys.soundtrack.curve import Curve

TEMPO_OCTAVES, ENERGY = 0.1, 0.1
DOUBLE_OCTAVES = 0.1  # distance of a tempo from its double
SLOT_S = 180.0
LONG_S = 600.0  # a recording may be longer only if it is no more than a third of the activity
LIKED = 1.0  # weight of what is liked (0..1)
CHANGE, CLASH, AGAIN = 0.25, 0.3, 3.0  # weights of a squared change of tempo, keys that clash, an artist again
RECENT = 3  # recordings within which an artist should not come again
WIDTH, N_BRANCHES = 12, 12  # sequences that are kept, and continuations of each
N_GRID, N_POOL = 24, 300  # moments of the curve, and recordings that fit each best: the others are not considered
FADE_BEATS, MAX_FADE_S = 16, 12.0
KEYS = ("C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F")  # the circle of fifths


@dataclass(frozen=True, eq=False)
class Recordings:
    """
    Recordings to choose from, those with tempo and energy.

    Attributes:
        ids: Track ids, shape (n,).
        length_s: Length [s].
        octaves: Tempo, log2 of beats per minute.
        energy: Energy, 0..1.
        fifths: Place on the circle of fifths of the major key with the same notes, 0..11; -1 where unknown.
        artist: A number per artist; one of its own where unknown.
        genre: A number per genre.
        liked: How much the listener likes it, 0..1.
    """

    ids: pl.Series
    length_s: F64
    octaves: F64
    energy: F64
    fifths: I64
    artist: I64
    genre: I64
    liked: F64

    @classmethod
    def of(cls, tracks: pl.DataFrame) -> "Recordings":
        """
        Prepare tracks: track_id, duration_ms, tempo_bpm, energy, key, mode, artist_id, genre, liked (0..1).

        Tracks without length, tempo or energy are left out.
        """
        known = tracks.drop_nulls(["duration_ms", "tempo_bpm", "energy"]).filter(pl.col("duration_ms") > 0)
        tonic = (
            known["key"]
            .cast(pl.String)
            .replace_strict(list(KEYS), range(len(KEYS)), default=-1, return_dtype=pl.Int64)
            .to_numpy()
        )
        relative = (tonic - 3 * (known["mode"] == "minor").fill_null(value=False).to_numpy()) % 12
        return cls(
            known["track_id"],
            known["duration_ms"].to_numpy() / 1000,
            np.log2(known["tempo_bpm"].to_numpy()),
            known["energy"].to_numpy().astype(np.float64),
            np.where(tonic < 0, -1, relative),
            _numbers(known["artist_id"].fill_null(known["track_id"])),
            _numbers(known["genre"].fill_null("unknown")),
            known["liked"].to_numpy().astype(np.float64),
        )


class Step(NamedTuple):
    """
    A recording of a soundtrack.

    Attributes:
        row: Row of the recording.
        start_s: When it starts, from the beginning of the activity [s].
        tempo_bpm, energy: What the curve asks for in its middle.
        fade_s: Length of the crossfade to the next recording [s]: 16 beats, at most 12 s.
    """

    row: int
    start_s: float
    tempo_bpm: float
    energy: float
    fade_s: float


def plan(
    recordings: Recordings,
    curve: Curve,
    length_s: float,
    *,
    start_s: float = 0.0,
    heard: Collection[int] = (),
    adjustment: F64 | None = None,
) -> list[Step]:
    """
    Choose recordings from `start_s` to `length_s`; the last one may end later. None are chosen once the time is over.

    Args:
        recordings: Recordings to choose from; each is chosen once.
        curve: Tempo and energy over the whole length.
        length_s: Length of the activity [s].
        start_s: Time that has already passed [s].
        heard: Rows that were heard or skipped, in that order, and are not chosen again.
        adjustment: Added to how much each recording is liked, shape (n,).

    Returns:
        The recordings in order; fewer than the time needs if none is left.
    """
    if start_s >= length_s:
        return []
    search = _Search(
        recordings,
        curve,
        length_s,
        start_s,
        tuple(heard),
        recordings.liked if adjustment is None else recordings.liked + adjustment,
    )
    return search.steps(search.best())


def tempo_distance(octaves: F64, other: F64 | float) -> F64:
    """Return the distance of tempi [octaves]; twice and half a tempo are a tenth of an octave away."""
    apart = np.abs(octaves - other)
    return np.asarray(np.minimum(apart, np.abs(apart - 1) + DOUBLE_OCTAVES))


def misfit(recordings: Recordings, rows: I64, curve: Curve, start: float, end: float | F64) -> F64:
    """
    Return the squared distance of recordings from a curve, in tolerances: the mean of their start, middle and end.

    `start` and `end` are shares of the curve's time; what lies after its end counts as its end.
    """
    moments = [curve.values(np.minimum(share, 1.0)) for share in (start, (start + end) / 2, end)]
    distances = [
        (tempo_distance(recordings.octaves[rows], np.log2(tempo_bpm)) / TEMPO_OCTAVES) ** 2
        + ((recordings.energy[rows] - energy) / ENERGY) ** 2
        for tempo_bpm, energy in moments
    ]
    return np.asarray(np.mean(distances, axis=0))


class _Sequence(NamedTuple):
    cost: float
    end_s: float
    rows: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Search:
    """A search for the sequence of lowest cost per second from `start_s` to `length_s`, after those that were heard."""

    recordings: Recordings
    curve: Curve
    length_s: float
    start_s: float
    heard: tuple[int, ...]
    liked: F64

    def best(self) -> tuple[int, ...]:
        """Return the rows of the best sequence; none if there is no recording."""
        pool = np.setdiff1d(self._fitting(), self.heard)
        open_, done = [_Sequence(0.0, self.start_s, ())], list[_Sequence]()
        while open_:
            longer = sorted((more for sequence in open_ for more in self._continued(sequence, pool)), key=self._rate)
            ends = [sequence.end_s >= self.length_s or len(sequence.rows) == len(pool) for sequence in longer]
            done += [sequence for sequence, is_end in zip(longer, ends, strict=True) if is_end]
            open_ = [sequence for sequence, is_end in zip(longer, ends, strict=True) if not is_end][:WIDTH]
        return min(done, key=self._rate).rows if done else ()

    def steps(self, rows: tuple[int, ...]) -> list[Step]:
        """Return the times of a sequence, and what the curve asks for."""
        steps, time_s = [], self.start_s
        for row in rows:
            length, fade = float(self.recordings.length_s[row]), self._fade_s(row)
            tempo, energy = self.curve.values(min((time_s + length / 2) / self.length_s, 1.0))
            steps.append(Step(row, time_s, float(tempo), float(energy), fade))
            time_s += length - fade
        return steps

    def _rate(self, sequence: _Sequence) -> float:
        """Return the cost per second, so that sequences of different length compare."""
        return sequence.cost / (sequence.end_s - self.start_s)

    def _fitting(self) -> I64:
        """Return the rows of the recordings that fit any moment of the rest of the curve best, ascending."""
        short = np.flatnonzero(self.recordings.length_s <= max(self.length_s / 3, LONG_S))
        if len(short) <= N_POOL:
            return short
        chosen = []
        for share in np.linspace(self.start_s / self.length_s, 1, N_GRID):
            cost = misfit(self.recordings, short, self.curve, share, share) - LIKED * self.liked[short]
            chosen.append(short[np.argpartition(cost, N_POOL - 1)[:N_POOL]])
        return np.unique(np.concatenate(chosen))

    def _continued(self, sequence: _Sequence, pool: I64) -> list[_Sequence]:
        """Return the best continuations of a sequence by one recording."""
        rows = np.setdiff1d(pool, sequence.rows)
        lengths = self.recordings.length_s[rows]
        start, ends = sequence.end_s / self.length_s, (sequence.end_s + lengths) / self.length_s
        off = misfit(self.recordings, rows, self.curve, start, ends)
        cost = lengths / SLOT_S * (off - LIKED * self.liked[rows])
        before = (*self.heard, *sequence.rows)[-RECENT:]
        cost = cost + (_transition(self.recordings, before, rows) if before else 0.0)
        return [
            _Sequence(
                sequence.cost + float(cost[place]),
                sequence.end_s + float(lengths[place]) - self._fade_s(int(rows[place])),
                (*sequence.rows, int(rows[place])),
            )
            for place in np.argsort(cost, kind="stable")[:N_BRANCHES]
        ]

    def _fade_s(self, row: int) -> float:
        """Return the length of the crossfade at a recording's end: at most a quarter of it [s]."""
        beats_s = FADE_BEATS * 60 / 2 ** float(self.recordings.octaves[row])
        return min(beats_s, MAX_FADE_S, float(self.recordings.length_s[row]) / 4)


def _transition(recordings: Recordings, before: tuple[int, ...], rows: I64) -> F64:
    """Return the cost of each of some recordings after those heard last."""
    change = tempo_distance(recordings.octaves[rows], float(recordings.octaves[before[-1]])) / TEMPO_OCTAVES
    steps = np.abs(recordings.fifths[rows] - recordings.fifths[before[-1]])
    is_known = (recordings.fifths[rows] >= 0) & (recordings.fifths[before[-1]] >= 0)
    clash = is_known & (np.minimum(steps, 12 - steps) > 1)
    again = np.isin(recordings.artist[rows], recordings.artist[list(before)])
    return np.asarray(CHANGE * change**2 + CLASH * clash + AGAIN * again)


def _numbers(values: pl.Series) -> I64:
    return values.rank("dense").to_numpy().astype(np.int64)
