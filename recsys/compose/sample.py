"""
Draw melodies from the network, note by note, among the notes that the controls allow (constrained decoding).

The network's logits are divided by a temperature and tilted by the knobs; what is not allowed has probability 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from recsys.arrays import F64
from recsys.compose.controls import Controls, Knobs, chord_notes
from recsys.compose.network import MelodyNetwork
from recsys.compose.tokens import LENGTHS, TICKS, WIDEST, TokenLine, interval_token
from recsys.synth.tune import SCALES, Chord, Note

TEMPERATURE, FREEDOM = 1.0, 0.2  # at freedom 0, and by how much freedom 1 raises it
LEAP, DENSITY = 0.12, 0.9  # logits per semitone and per halving of the length, at a knob of 1
REPEAT = 2.5  # semitones that a repeated note counts as, for the knob of leaps
MOST_REPEATS = 2  # of a pitch in succession
FIRST_LENGTHS = (0.25, 0.6, 0.15)  # how often a melody begins with a beat, half and quarter of one: it sets the pace


@dataclass
class Writer:
    """
    Writes a melody, note by note, with the network's state after the notes so far.

    Attributes:
        network: The network.
        line: The melody so far.
        rng: Random generator.
        knobs: How it leans.
    """

    network: MelodyNetwork
    line: TokenLine
    rng: np.random.Generator
    knobs: Knobs = field(default_factory=Knobs)
    _before: torch.Tensor | None = None

    @torch.no_grad()
    def _states(self) -> torch.Tensor:
        features = torch.tensor(self.line.features())[None, None]  # (1, 1, 10)
        states, self._before = self.network.states(features, self._before)
        return states

    def follow(self, pitch: int, length: int) -> None:
        """Add a note that is given: its pitch (MIDI), and its length [ticks]."""
        if self.line.tokens:  # in training, too, the first note is given
            self._states()
        self.line.add(pitch, length)

    @torch.no_grad()
    def choose(self, pitches: list[int], lengths: Callable[[int], frozenset[int]]) -> tuple[int, int]:
        """
        Draw a note, add it and return it.

        Args:
            pitches: Pitches that it may have (MIDI).
            lengths: Lengths that it may have [ticks], by its pitch; some tokens of `LENGTHS`, or any single length.

        Returns:
            Pitch (MIDI) and length [ticks].
        """
        states = self._states()
        logits = self.network.intervals(states)[0, 0].double().numpy()
        pitches = self._without_drone(pitches)
        intervals = np.array(pitches) - self.line.pitch
        tokens = np.array([interval_token(int(step)) for step in intervals])
        beyond = np.maximum(np.abs(intervals) - WIDEST, 0)  # they share a token
        widths = np.where(intervals == 0, REPEAT, np.abs(intervals))
        pitch = pitches[self.drawn(logits[tokens] - beyond, LEAP * self.knobs.leaps * widths)]
        allowed = sorted(lengths(pitch))
        if len(allowed) > 1:
            interval = torch.tensor([[interval_token(pitch - self.line.pitch)]])
            logits = self.network.lengths(states, interval)[0, 0].double().numpy()
            shorter = -np.log2(np.array(allowed) / TICKS)
            chosen = [LENGTHS.index(length) for length in allowed]
            allowed = [allowed[self.drawn(logits[chosen], DENSITY * self.knobs.density * shorter)]]
        self.line.add(pitch, allowed[0])
        return pitch, allowed[0]

    def _without_drone(self, pitches: list[int]) -> list[int]:
        """Leave out the last pitch where it was repeated MOST_REPEATS times, unless there is no other."""
        last = [token.interval for token in self.line.tokens[-MOST_REPEATS:]]
        others = [pitch for pitch in pitches if pitch != self.line.pitch]
        return others if others and last == [WIDEST] * MOST_REPEATS else pitches

    def drawn(self, logits: F64, tilt: F64) -> int:
        """Draw a place in logits, divided by the temperature, plus a tilt."""
        scaled = logits / (TEMPERATURE + FREEDOM * self.knobs.freedom) + tilt
        weights = np.exp(scaled - scaled.max())
        return int(self.rng.choice(len(weights), p=weights / weights.sum()))


def begin(writer: Writer, controls: Controls) -> Note:
    """Add the first note of a new melody, which the network does not choose: a note of the tonic chord, on the beat."""
    here = controls.pitch_classes(0, 0)
    tonic_chord = here & chord_notes(Chord(0.0, controls.tonic, SCALES[controls.mode][2] == 3)) or here
    middle = [pitch for pitch in range(controls.lowest, controls.highest + 1) if pitch % 12 in tonic_chord]
    pitch = int(writer.rng.choice(sorted(middle, key=lambda pitch: abs(pitch - writer.line.pitch))[:4]))
    beat = round(controls.frame.beat * TICKS)
    allowed = sorted(controls.lengths(0, 0, pitch))
    halvings = np.arange(len(FIRST_LENGTHS))
    odds = np.asarray(np.log(FIRST_LENGTHS), np.float64)
    drawn = writer.drawn(odds, np.asarray(DENSITY * writer.knobs.density * halvings, np.float64))
    length = min(allowed, key=lambda length: abs(length - beat * 0.5**drawn))
    writer.follow(pitch, length)
    return Note(0.0, length / TICKS, pitch)


def write_bars(writer: Writer, controls: Controls) -> list[Note]:
    """
    Write the bars that are asked for, from the writer's place on, which is a bar line; return their notes.

    A bar that repeats an earlier one, by the form, has its notes.
    """
    start = writer.line.now
    notes = [] if writer.line.tokens else [begin(writer, controls)]
    while (now := writer.line.now - start) < controls.n_bars * controls.bar:
        bar, place = divmod(now, controls.bar)
        if place == 0 and (earlier := controls.repeated_bar(bar)) is not None:
            notes += _repeated(writer, notes, start + earlier * controls.bar, controls.bar)
            continue
        if place == 0 and controls.is_contrast(bar):
            writer.line.forget()
        allowed = controls.pitch_classes(bar, place)
        pitches = [pitch for pitch in range(controls.lowest, controls.highest + 1) if pitch % 12 in allowed]
        pitch, length = writer.choose(pitches, lambda pitch: controls.lengths(bar, place, pitch))  # noqa: B023
        notes.append(Note((now + start) / TICKS, length / TICKS, pitch))
    return notes


def _repeated(writer: Writer, notes: list[Note], first: int, bar: int) -> list[Note]:
    """Write the notes of an earlier bar once more; `first` is where it begins, and `bar` its length [ticks]."""
    shift = (writer.line.now - first) / TICKS
    own = [note for note in notes if first <= round(note.onset * TICKS) < first + bar]
    for note in own:
        writer.follow(note.pitch, round(note.duration * TICKS))
    return [note._replace(onset=note.onset + shift) for note in own]
