"""What is known of a written or heard note in numbers: the alignment, and the notes beside it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.arrays import F32, F64, I64, Bool
from recsys.audio.pitch import FRAME_S, PitchTrack
from recsys.matching.tunes.melody import Melody
from recsys.practice.follow import Followed
from recsys.practice.heard import PEAK_STEPS, STEP_S, HeardNote

WEAK_PEAK = 0.07  # of novelty, for a beginning within a note that is looked at, too
APART_S, SETTLED_S, LOOKED_S = 0.06, 0.03, 0.15  # from other beginnings; where the pitch is read after one
FAR_S, FAR_SEMITONES = 0.5, 13.0


@dataclass(frozen=True, eq=False)
class Sounds:
    """
    Whatever begins in a take, in order of time: the heard notes, and beginnings within them.

    Attributes:
        notes: The sounds.
        is_within: Whether each is only a beginning within a heard note. Shape (n_sounds,).
        left_over: Probability that each belongs to no written note. Shape (n_sounds,).
        written: Number of the written note that each belongs to, -1: none. Shape (n_sounds,).
        shift: What is heard minus what is written [semitones].
    """

    notes: list[HeardNote]
    is_within: Bool
    left_over: F64
    written: I64
    shift: float

    @classmethod
    def of(cls, heard: list[HeardNote], track: PitchTrack, growth: F64, melody: Melody, followed: Followed) -> Self:
        """Find the sounds of a take; those within heard notes have the pitch that is tracked, or else the written."""
        from scipy.ndimage import maximum_filter1d  # noqa: PLC0415 - slow to import

        is_peak = (growth == maximum_filter1d(growth, 2 * PEAK_STEPS + 1)) & (growth > WEAK_PEAK)
        times_s, start_s = np.flatnonzero(is_peak) * STEP_S, np.array([note.start_s for note in heard])
        is_new = (np.abs(times_s[:, None] - start_s).min(axis=1) >= APART_S) & (times_s >= followed.due_s[0] - 0.2)
        within = [_within(time_s, track, growth, melody, followed) for time_s in times_s[is_new].tolist()]
        written = np.full(len(heard), -1)
        numbers = np.flatnonzero(followed.heard >= 0)
        written[followed.heard[numbers]] = numbers
        both = [*heard, *within]
        order = np.argsort([note.start_s for note in both], kind="stable")
        n = len(within)
        return cls(
            [both[place] for place in order.tolist()],
            np.repeat([False, True], [len(heard), n])[order],
            np.append(followed.left_over, np.ones(n))[order],
            np.append(written, np.full(n, -1))[order],
            followed.shift,
        )

    def traits(self, due_s: F64) -> F32:
        """Return numbers about each sound, shape (n_sounds, n_traits), given when written notes are due [s]."""
        n = len(self.notes)
        start_s, length_s, attack, midi = (
            np.array([getattr(note, name) for note in self.notes]) for name in ("start_s", "length_s", "attack", "midi")
        )
        columns = [
            *(self.left_over, self.written >= 0, np.minimum(length_s, 1), attack),
            np.array([note.is_voiced_before for note in self.notes]),
            *(self.is_within, np.abs((midi - self.shift + 0.5) % 1 - 0.5)),
        ]
        for step in (-2, -1, 1, 2):
            beside = np.clip(np.arange(n) + step, 0, n - 1)
            columns += [
                np.clip(midi[beside] - midi, -FAR_SEMITONES, FAR_SEMITONES) / 6,
                np.minimum(np.abs(start_s[beside] - start_s), 1),
                *(attack[beside], self.left_over[beside], np.minimum(length_s[beside], 1)),
            ]
        nearest_s = np.abs(start_s[:, None] - due_s).min(axis=1)
        found = len(np.unique(self.written[self.written >= 0])) / len(due_s)
        whole = (float(np.median(attack)), found, float((~self.is_within).sum()) / len(due_s))
        columns += [np.minimum(nearest_s, FAR_S) * 4, *(np.full(n, it) for it in whole)]
        return np.stack(columns, axis=1).astype(np.float32)


def _within(time_s: float, track: PitchTrack, growth: F64, melody: Melody, followed: Followed) -> HeardNote:
    frames = slice(round((time_s + SETTLED_S) / FRAME_S), round((time_s + LOOKED_S) / FRAME_S))
    tracked = track.midi[frames][track.is_voiced[frames]]
    place = max(0, int(np.searchsorted(followed.due_s, time_s + SETTLED_S)) - 1)
    midi = float(np.median(tracked)) if len(tracked) else float(melody.pitch[place] + followed.shift)
    attack = float(growth[round(time_s / STEP_S)])
    return HeardNote(time_s, time_s + LOOKED_S, midi, attack, is_voiced_before=False, frames=frames)


def written_traits(melody: Melody, heard: list[HeardNote], followed: Followed, late_s: F64) -> F32:
    """
    Return numbers about each written note, shape (n_notes, n_traits).

    Args:
        melody: What is written.
        heard: What is heard.
        followed: The alignment of both.
        late_s: How late the heard note begins [s]; NaN: none is found. Shape (n_notes,).
    """
    found, place = followed.heard >= 0, followed.heard
    n = len(found)
    midi, attacks, length_s = (np.array([getattr(note, it) for note in heard]) for it in ("midi", "attack", "length_s"))
    of_heard = (midi[place] - followed.shift - melody.pitch, attacks[place], length_s[place])
    columns = [found, followed.sureness, *(np.where(found, it, 0) for it in of_heard)]
    for step in range(-2, 3):
        beside = _beside(late_s, step, np.nan)
        columns += [np.nan_to_num(np.clip(beside, -FAR_S, FAR_S)) * 4, np.isnan(beside)]
    gaps_s, steps = np.diff(followed.due_s), np.diff(melody.pitch)
    columns += [_beside(followed.sureness, -1, 0), _beside(followed.sureness, 1, 0)]
    columns += [np.minimum(np.append(gaps_s, 1), 2), np.minimum(np.insert(gaps_s, 0, 1), 2)]
    columns += [np.append(steps, 0) / 6, np.insert(steps, 0, 0) / 6]
    columns += [np.append(steps, 1) == 0, np.insert(steps, 0, 1) == 0]
    spread_s = float(np.nanmedian(np.abs(late_s))) if found.any() else 0.0
    whole = (float(np.median(attacks)), 15 * spread_s, float(found.mean()), float(np.log(len(heard) / n)))
    return np.stack([*columns, *(np.full(n, it) for it in whole)], axis=1).astype(np.float32)


def _beside(values: F64, step: int, empty: float) -> F64:
    """Return the values so many places further on; beyond the ends, `empty`."""
    places = np.arange(len(values)) + step
    is_inside = (places >= 0) & (places < len(values))
    return np.where(is_inside, values[np.clip(places, 0, len(values) - 1)], empty)
