"""Write tunes: as ABC notation, which `recsys.synth.abc` reads back to the same notes, and as MIDI."""

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from typing import NamedTuple

from recsys.synth.abc import FIFTHS, NATURAL, SHARPS
from recsys.synth.arrange import DRUM_CHANNEL, Style, played_notes
from recsys.synth.tune import Chord, Tune

UNIT = Fraction(1, 2)  # crotchets: L:1/8
FINEST = 96  # parts of a crotchet to which times are rounded
BARS_PER_LINE = 4
MODE_NAMES = {"major": "", "minor": "m", "dorian": "dor", "mixolydian": "mix", "lydian": "lyd", "phrygian": "phr"}
ALTERATION = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")  # of major keys and chords


def key_name(tonic: int, mode: str) -> str:
    """
    Return the name of a key, with the fewer accidentals of two spellings.

    >>> key_name(9, "minor"), key_name(1, "dorian")
    ('Am', 'C#dor')
    """
    names = [letter + sign for letter in NATURAL for sign in ("", "#", "b") if _pitch_class(letter + sign) == tonic]
    return min(names, key=lambda name: (abs(_n_sharps(name, mode)), name)) + MODE_NAMES[mode]


def chord_name(chord: Chord) -> str:
    """Return the name of a chord, such as Am7."""
    seventh = {0: "", 10: "7", 11: "maj7"}[chord.seventh]
    return NAMES[chord.root] + ("m" if chord.is_minor else "") + seventh


def abc_text(tune: Tune, tempo_bpm: float | None = None) -> str:
    """
    Return a tune in ABC notation, with its chords.

    Args:
        tune: The tune; of its bar lines only the pickup is used.
        tempo_bpm: Beats per minute [1/min]; None for none.
    """
    beat = Fraction(tune.beat).limit_denominator(8) / 4
    header = [
        "X:1",
        f"T:{tune.name}",
        f"M:{tune.metre[0]}/{tune.metre[1]}",
        "L:1/8",
        *([f"Q:{beat.numerator}/{beat.denominator}={tempo_bpm:g}"] if tempo_bpm else []),
        f"K:{key_name(tune.tonic, tune.mode)}",
    ]
    bars = list(_bars(tune))
    lines = [" | ".join(bars[first : first + BARS_PER_LINE]) for first in range(0, len(bars), BARS_PER_LINE)]
    return "\n".join([*header, " |\n".join(lines) + " |]"]) + "\n"


def _pitch_class(name: str) -> int:
    return (NATURAL[name[0]] + {"": 0, "#": 1, "b": -1}[name[1:]]) % 12


def _n_sharps(name: str, mode: str) -> int:
    return SHARPS.index(name[0]) - 1 + {"": 0, "#": 7, "b": -7}[name[1:]] + FIFTHS[mode]


def _signature(tune: Tune) -> dict[str, int]:
    """Return by how much the key alters each letter [semitones]."""
    n = _n_sharps(key_name(tune.tonic, tune.mode).removesuffix(MODE_NAMES[tune.mode]), tune.mode)
    altered = dict.fromkeys(SHARPS[: max(0, n)], 1) | dict.fromkeys(SHARPS[::-1][: max(0, -n)], -1)
    return {letter: altered.get(letter, 0) for letter in NATURAL}


def _exact(time: float) -> Fraction:
    return Fraction(round(time * FINEST), FINEST)


class _Part(NamedTuple):
    """What stands between two cuts: begin, end [crotchets], pitch (None: a rest), whether it goes on after the cut."""

    begins: Fraction
    ends: Fraction
    pitch: int | None
    goes_on: bool


def _bars(tune: Tune) -> Iterator[str]:
    """Yield the music of each bar; a note that crosses a bar line is tied."""
    signature, bar = _signature(tune), _exact(tune.bar)
    end = _exact(tune.pickup) or bar
    edges = [_exact(chord.onset) for chord in tune.chords]
    edges += [end + number * bar for number in range(int(tune.length / tune.bar) + 2)]
    parts = list(_parts(tune, sorted(edges)))
    while parts:
        inside = [part for part in parts if part.begins < end]
        altered = dict[str, int]()
        yield " ".join(_written(part, tune.chords, signature, altered) for part in inside)
        parts = parts[len(inside) :]
        end += bar


def _written(part: _Part, chords: tuple[Chord, ...], signature: dict[str, int], altered: dict[str, int]) -> str:
    """Return a part with the chords that begin in it."""
    here = [f'"{chord_name(chord)}"' for chord in chords if part.begins <= _exact(chord.onset) < part.ends]
    name = "z" if part.pitch is None else _spelled(part.pitch, signature, altered)
    tie = "-" if part.pitch is not None and part.goes_on else ""
    return "".join(here) + name + _length(part.ends - part.begins) + tie


def _parts(tune: Tune, edges: list[Fraction]) -> Iterator[_Part]:
    """Yield notes and rests, cut at bar lines and where a chord begins."""
    now = Fraction(0)
    for note in tune.notes:
        begins = max(_exact(note.onset), now)
        yield from _cut(now, begins, None, edges)
        now = max(_exact(note.onset + note.duration), begins)
        yield from _cut(begins, now, note.pitch, edges)


def _cut(begins: Fraction, ends: Fraction, pitch: int | None, edges: list[Fraction]) -> Iterator[_Part]:
    if ends > begins:
        cuts = [begins, *dict.fromkeys(edge for edge in edges if begins < edge < ends), ends]
        for first, last in pairwise(cuts):
            yield _Part(first, last, pitch, goes_on=last < ends)


def _length(crotchets: Fraction) -> str:
    units = crotchets / UNIT
    number = "" if units.numerator == 1 and units != 1 else f"{units.numerator}"
    return "" if units == 1 else number + (f"/{units.denominator}" if units.denominator > 1 else "")


def _spelled(pitch: int, signature: dict[str, int], altered: dict[str, int]) -> str:
    """Return a note by name; `altered`, the accidentals of the bar so far, is brought up to date."""
    letter, shift = min(
        ((letter, shift) for letter in NATURAL for shift in (-1, 0, 1) if (NATURAL[letter] + shift - pitch) % 12 == 0),
        key=lambda spelling: (spelling[1] != signature[spelling[0]], abs(spelling[1]), -spelling[1]),
    )
    octave = (pitch - shift - NATURAL[letter]) // 12 - 5  # 0: the octave of middle C
    written = letter + "," * -octave if octave <= 0 else letter.lower() + "'" * (octave - 1)
    in_force = altered.get(written, signature[letter])
    altered[written] = shift
    return ("" if shift == in_force else ALTERATION[shift]) + written


def midi_bytes(tune: Tune, style: Style) -> bytes:
    """Return the parts that a style plays, in exact time, as a MIDI file with tempo and metre."""
    from pretty_midi import Instrument, PrettyMIDI, TimeSignature  # noqa: PLC0415 - of the extra `audio`
    from pretty_midi import Note as MidiNote  # noqa: PLC0415

    crotchet_s = 60 / style.tempo_bpm / tune.beat
    file, encoded = PrettyMIDI(initial_tempo=60 / crotchet_s), BytesIO()
    file.time_signature_changes = [TimeSignature(*tune.metre, 0.0)]
    notes = played_notes(tune, style)
    programs = [style.melody, style.harmony, style.bass]
    for channel in sorted({note.channel for note in notes}):
        is_drum = channel == DRUM_CHANNEL
        part = Instrument(0 if is_drum else programs[channel], is_drum=is_drum)
        part.notes = [
            MidiNote(note.velocity, note.key, note.start * crotchet_s, note.end * crotchet_s)
            for note in notes
            if note.channel == channel
        ]
        file.instruments.append(part)
    file.write(encoded)
    return encoded.getvalue()
