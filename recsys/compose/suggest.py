"""
Melodies that are suggested: new ones, continuations and variations of the writer's own.

Every suggestion passes the gate: it has no run of twelve notes of a tune that the model learnt from or that is in the
catalogue (`recsys.compose.originality`), and it differs from the suggestions before it. One that does not is drawn
again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from recsys.compose.controls import Controls, Knobs
from recsys.compose.model import MelodyModel
from recsys.compose.originality import KnownTunes, Neighbour
from recsys.compose.sample import Writer, write_bars
from recsys.compose.tokens import TICKS, TokenLine, lengths_of
from recsys.errors import InputError, Refused
from recsys.matching.tunes.melody import melody_of
from recsys.matching.tunes.reading import LEAST_NOTES, LEAST_PATTERNS, n_patterns
from recsys.synth.tune import Note, Tune

MOST_ATTEMPTS = 30  # draws for one suggestion
FIGURE = 4  # notes of a figure
MOST_ALIKE = 0.5  # share of figures that two suggestions may have in common
Draw = Callable[[int, np.random.Generator], Tune]


@dataclass(frozen=True)
class Suggestion:
    """
    A suggested melody.

    Attributes:
        tune: The melody.
        nearest: The known tune that resembles it most; None where there is none to compare with.
        n_refused: Draws before it that the gate refused.
    """

    tune: Tune
    nearest: Neighbour | None
    n_refused: int


def new_melody(model: MelodyModel, controls: Controls, rng: np.random.Generator) -> Tune:
    """Draw a melody as asked."""
    line = TokenLine(controls.metre, controls.tonic, controls.mode, pitch=(controls.lowest + controls.highest) // 2)
    notes = write_bars(Writer(model.network, line, rng, controls.knobs), controls)
    return replace(controls.frame, notes=tuple(notes), chords=controls.chords_from(0.0))


def continuation(model: MelodyModel, own: Tune, controls: Controls, rng: np.random.Generator) -> Tune:
    """Draw a melody that begins with one's own, up to its last bar line, and goes on as asked."""
    writer = Writer(model.network, TokenLine.like(own), rng, controls.knobs)
    for note, length in zip(own.notes, _filled(own), strict=True):
        writer.follow(note.pitch, length)
    start = writer.line.now / TICKS
    notes = own.notes + tuple(write_bars(writer, controls))
    chords = own.chords + controls.chords_from(start)
    return replace(own, name="", notes=notes, chords=chords, bar_lines=_pickup_line(own))


def _filled(own: Tune) -> list[int]:
    """Return the lengths of a tune's notes [ticks], the last one until the end of its bar."""
    lengths = lengths_of(own)
    onset, bar = round((own.notes[-1].onset - own.pickup) * TICKS), round(own.bar * TICKS)
    end = -(-(onset + lengths[-1]) // bar) * bar
    return [*lengths[:-1], end - onset]


def _pickup_line(own: Tune) -> tuple[float, ...]:
    return (own.pickup,) if own.pickup else ()


def variation(model: MelodyModel, own: Tune, knobs: Knobs, rng: np.random.Generator, *, keeps_rhythm: bool) -> Tune:
    """
    Draw a variation: every second bar is written anew, from its own first note on.

    Args:
        model: The model.
        own: One's own melody.
        knobs: How the sampler leans.
        rng: Random generator.
        keeps_rhythm: Whether only the pitches change.

    Raises:
        InputError: The melody has no complete second bar.
    """
    controls = replace(Controls.of(own, 1), knobs=knobs)
    if not any(bar % 2 and _is_whole(group, controls) for bar, group in _bars(own)):
        raise InputError("the melody has no complete second bar that could be written anew. Give two bars or more")
    writer = Writer(model.network, TokenLine.like(own), rng, knobs)
    notes: list[Note] = []
    for bar, group in _bars(own):
        if bar % 2 == 0 or not _is_whole(group, controls):
            for note, length in group:
                writer.follow(note.pitch, length)
                notes.append(note)
        elif keeps_rhythm:
            notes += _same_rhythm(writer, controls, group)
        else:
            notes += _same_first_note(writer, controls, group[0][0])
    return replace(own, name="", notes=tuple(notes), bar_lines=_pickup_line(own))


def _is_whole(group: list[tuple[Note, int]], controls: Controls) -> bool:
    """Return whether the notes of a bar fill it."""
    return sum(length for _, length in group) == controls.bar


def _bars(own: Tune) -> Iterator[tuple[int, list[tuple[Note, int]]]]:
    """Yield the number of each bar with notes, and its notes with their lengths [ticks]."""
    groups: dict[int, list[tuple[Note, int]]] = {}
    for note, length in zip(own.notes, lengths_of(own), strict=True):
        groups.setdefault(int(np.floor((note.onset - own.pickup) / own.bar + 1e-6)), []).append((note, length))
    yield from groups.items()


def _same_rhythm(writer: Writer, controls: Controls, group: list[tuple[Note, int]]) -> Iterator[Note]:
    scale = controls.pitch_classes(-1, 1)
    pitches = [pitch for pitch in range(controls.lowest, controls.highest + 1) if pitch % 12 in scale]
    for place, (note, length) in enumerate(group):
        others = [pitch for pitch in pitches if pitch != note.pitch]
        pitch, _ = writer.choose(others if place else [note.pitch], lambda _: frozenset((length,)))  # noqa: B023
        yield note._replace(pitch=pitch)


def _same_first_note(writer: Writer, controls: Controls, first: Note) -> Iterator[Note]:
    start, scale = writer.line.now, controls.pitch_classes(-1, 1)
    pitches = [pitch for pitch in range(controls.lowest, controls.highest + 1) if pitch % 12 in scale]
    while (place := writer.line.now - start) < controls.bar:
        here = pitches if place else [first.pitch]
        pitch, length = writer.choose(here, lambda _: controls.lengths(-1, place, 0))
        yield Note((start + place) / TICKS, length / TICKS, pitch)


def suggestions(
    draw: Draw, known: KnownTunes, n: int, rng: np.random.Generator, own: Tune | None = None
) -> list[Suggestion]:
    """
    Draw melodies until n of them pass the gate and differ from each other.

    Args:
        draw: Draws a melody, given its number.
        known: Tunes that must not be copied.
        n: Number of suggestions.
        rng: Random generator.
        own: The writer's melody, whose runs are no copies.

    Raises:
        Refused: One of them did not pass in MOST_ATTEMPTS draws.
    """
    found: list[Suggestion] = []
    for number in range(n):
        for attempt in range(MOST_ATTEMPTS):
            tune = replace(draw(number, rng), name=f"suggestion {number + 1}")
            if _is_monotonous(tune) or known.copies(tune, [own] if own else []) or _is_like_another(tune, found, own):
                continue
            found.append(Suggestion(tune, known.nearest(tune), attempt))
            break
        else:
            raise Refused(
                f"Suggestion {number + 1}: none of {MOST_ATTEMPTS} melodies differed from known tunes and from the "
                "other suggestions. Ask for more bars or a wider range"
            )
    return found


def _is_monotonous(tune: Tune) -> bool:
    """Return whether a melody of some length repeats so few figures that it could not be distinguished from others."""
    melody = melody_of(tune)
    return len(melody) >= 2 * LEAST_NOTES and n_patterns(melody) < LEAST_PATTERNS


def _is_like_another(tune: Tune, others: list[Suggestion], own: Tune | None) -> bool:
    of_own = _figures(own) if own else set()
    figures = _figures(tune) - of_own
    pairs = ((figures, _figures(other.tune) - of_own) for other in others)
    return any(len(one & two) > MOST_ALIKE * max(1, min(len(one), len(two))) for one, two in pairs)


def _figures(tune: Tune) -> set[tuple[tuple[int, float], ...]]:
    """Return the figures of a melody: intervals and lengths of FIGURE successive notes."""
    steps = np.diff([note.pitch for note in tune.notes]).tolist()
    notes = list(zip(steps, [note.duration for note in tune.notes], strict=False))
    return {tuple(notes[first : first + FIGURE]) for first in range(len(notes) - FIGURE + 1)}
