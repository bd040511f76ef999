"""
Whether a written note that was not found sounds all the same: new energy, against what the take's own notes show.

What counts is by how much the sound grows when the note is due, not how loud it is, so that a note that rings on hides
none; only at harmonics that the notes around it lack; and in units of what the notes that were found grow by. A note
that repeats the one before must show as much of a beginning as repeats that are played do.
"""

from dataclasses import dataclass, replace

import numpy as np

from recsys.arrays import F64, I64
from recsys.practice.envelope import Spectra
from recsys.practice.heard import HeardNote

BEFORE_S, AFTER_S, LEAST_S = 0.16, 0.28, 0.1  # where a beginning is looked for, and how much of it is left at least
GAP_S = 0.03  # kept from the beginning of the next note
SAME_PITCH = 0.6  # sounds so near are of one pitch [semitones]
NEAR = 5  # pitches that may be played instead [semitones]
ABSENT, ABSENT_REPEATED, INSTEAD = 0.33, 0.25, 0.5  # of the growth of notes that are found
REPEATS_HEARD = 0.7  # share of repeats that are found, from which one that is not found may be missing
SOFT_ATTACK = 0.1


@dataclass(frozen=True, eq=False)
class Presence:
    """
    What is known of notes that were not found.

    Attributes:
        sound: The take's spectra.
        heard: What is heard.
        pitch: Written pitches in the take's key and tuning [semitones]. Shape (n_notes,).
        due_s: When they are due, or begin if they were found [s]. Shape (n_notes,).
        usual: Median growth of notes that were found.
        is_soft: Whether notes set in softly.
        hears_repeats: Whether of notes that repeat a pitch, nearly all are found.
    """

    sound: Spectra
    heard: list[HeardNote]
    pitch: F64
    due_s: F64
    usual: float
    is_soft: bool
    hears_repeats: bool

    @classmethod
    def of(cls, sound: Spectra, heard: list[HeardNote], pitch: F64, due_s: F64, match: I64) -> "Presence":
        """Measure the notes that were found: `match` has the heard note of each written one, -1 for none."""
        start_s = np.array([note.start_s for note in heard])
        found = np.flatnonzero(match >= 0)
        start_s, attacks = (np.array(it) for it in zip(*((note.start_s, note.attack) for note in heard), strict=True))
        is_soft = bool(np.median(attacks[match[found]]) < SOFT_ATTACK)
        repeats = match[1:][np.diff(pitch) == 0]
        hears_repeats = len(repeats) > 0 and float(np.mean(repeats >= 0)) >= REPEATS_HEARD
        times_s = np.where(match >= 0, start_s[match], due_s)
        unscaled = cls(sound, heard, pitch, times_s, 1.0, is_soft, hears_repeats)
        return replace(unscaled, usual=float(np.median([unscaled.growth(int(number), 0) for number in found])))

    def doubt(self, number: int) -> str:
        """Return why a note that was not found may sound all the same; empty if it is missing."""
        if self._is_repeat(number):
            is_absent = self.hears_repeats and self.growth(number, 0) < ABSENT_REPEATED
            return "" if is_absent else "it repeats the note before, and its beginning is not clear"
        if not self.growth(number, 0) < ABSENT:
            return "it may sound softly"
        beside = [] if self.is_soft else np.round(self.pitch[[number - 1, (number + 1) % len(self.pitch)]]).tolist()
        steps = [it for it in range(-NEAR, NEAR + 1) if it and round(self.pitch[number] + it) not in beside]
        is_other = any(self.growth(number, step) > INSTEAD for step in steps)
        return "something sounds, but its pitch is not clear" if is_other else ""

    def growth(self, number: int, step: int) -> float:
        """Return the growth of a pitch so many semitones from a note when that is due, in units of the usual one."""
        due_s, pitch = float(self.due_s[number]), float(self.pitch[number] + step)
        after = [it.start_s for it in self.heard if it.start_s > due_s + LEAST_S and abs(it.midi - pitch) > SAME_PITCH]
        end_s = max(due_s + LEAST_S, min([due_s + AFTER_S, *(start_s - GAP_S for start_s in after)]))
        around = self.pitch[max(0, number - 1) : number + 2].tolist()
        around += [it.midi for it in self.heard if it.start_s < end_s and it.end_s > due_s - BEFORE_S]
        others = [other for other in around if abs(other - pitch) > SAME_PITCH]
        return self.sound.own_growth(pitch, others, due_s - BEFORE_S, end_s) / self.usual

    def _is_repeat(self, number: int) -> bool:
        return number > 0 and bool(self.pitch[number - 1] == self.pitch[number])
