"""
Read tunes in ABC notation.

Supported are the header (X, T, M, L, K), notes with accidentals, octaves and lengths, rests, ties, tuplets, broken
rhythm, bars and chord symbols; repeated sections are read once. Grace notes, decorations, lyrics and all voices but the
first are ignored. `read_abc` refuses a tune that changes key, metre or unit length, because its labels would not be
exact. `read_abc_tolerantly`, for comparing tunes, follows such changes and skips what it does not understand.

Source: Walshaw, The ABC Music Standard 2.1 (2011).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import TypeVar

from recsys.errors import InputError
from recsys.synth.tune import Chord, Note, Tune

NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTAL = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
MODES = {
    "": "major", "maj": "major", "ion": "major", "m": "minor", "min": "minor", "aeo": "minor", "dor": "dorian",
    "mix": "mixolydian", "lyd": "lydian", "phr": "phrygian",
}  # fmt: skip
FIFTHS = {
    "major": 0,
    "lydian": 1,
    "mixolydian": -1,
    "dorian": -2,
    "minor": -3,
    "phrygian": -4,
}  # number of sharps, compared with the major key on the same tonic
SHARPS = "FCGDAEB"
MAX_LINE = 2_000  # characters of a line of music; a longer one is none
TUPLET_LENGTHS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # notes of a tuplet -> normal notes of the same duration
TOKEN = re.compile(
    r'(?P<chord>"[^"]*")|(?P<tuplet>\([2-9](?::\d*){0,2})|(?P<skip>\{[^}]*\}|![^!]*!|\+[^+\n]*\+|[~.HLMOPSTUuvIJKRW]|\\\n|%[^\n]*|[\s`\\y&$*;()]'
    r"|\[(?:[1-9][0-9,-]*)|\[\|)|(?P<inline>\[[A-Za-z]:[^\]]*\])"
    r"|(?P<note>(?:\^\^|__|[\^_=])?[A-Ga-g][,']*)(?P<length>\d{0,4}/{0,8}\d{0,4})(?P<tie>-?)|(?P<rest>[zxZ])(?P<rest_length>\d{0,4}/{0,8}\d{0,4})"
    r"|(?P<group>\[(?=[\^_=A-Ga-g])[^\]]*\])(?P<group_length>\d{0,4}/{0,8}\d{0,4})(?P<group_tie>-?)|(?P<broken>[<>]{1,3})"
    r"|(?P<bar>:*\|[\]|:0-9,]*|::+|\]|-)"
)
CHORD = re.compile(r"^([A-G])([#b]?)(m(?!aj)|min|-)?")


@dataclass
class _Reader:
    """
    State of the reader within a tune.

    Attributes:
        unit: Unit note length [crotchets].
        key: Semitones by which the key alters each letter.
        notes, chords, bar_lines: Notes, chords and onsets of bar lines that were read so far.
        now: Current time [crotchets].
        in_bar: Semitones by which accidentals of the current bar alter each letter and octave.
        tuplet: Factor on the lengths of a tuplet's notes, and its number of notes left.
        factor: Factor on the length of the next note, by broken rhythm.
        is_tied: Whether the last note is tied to the next.
    """

    unit: Fraction
    key: dict[str, int]
    notes: list[Note] = field(default_factory=list)
    chords: list[Chord] = field(default_factory=list)
    bar_lines: list[float] = field(default_factory=list)
    now: Fraction = Fraction(0)
    in_bar: dict[str, int] = field(default_factory=dict)
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)
    factor: Fraction = Fraction(1)
    is_tied: bool = False


def read_abc(text: str, name: str) -> Tune:
    """
    Read one tune.

    Raises:
        InputError: A symbol is not supported (the message has its position), or the tune has no note.
    """
    header, body = _split_header(text, name)
    metre = _metre(header.get("M", "4/4"), name)
    tonic, mode, key = _key(header["K"], name)
    reader = _Reader(_unit(header.get("L"), metre), key)
    position = 0
    while position < len(body):
        token = TOKEN.match(body, position)
        if token is None:
            found = body[position : position + 12]
            raise InputError(f"{name}: found {found!r} at character {position} of its music, expected ABC notation")
        _take(reader, token, name)
        position = token.end()
    if not reader.notes:
        raise InputError(f"{name}: found no note, expected at least one")
    return Tune(name, tuple(reader.notes), metre, tonic, mode, tuple(reader.chords), tuple(reader.bar_lines))


def read_abc_tolerantly(text: str, name: str) -> Tune:
    """
    Read the first voice of one tune, with changes of key and unit length; skip what is not understood.

    Returns:
        The tune, with its bar lines; metre, tonic and mode are those that it begins with, 4/4 and C where they are not
        understood.

    Raises:
        InputError: The tune has no note, or a line is longer than any music.
    """
    before, body = _tolerant_lines(text, name)
    metre = _or_default(partial(_metre, before.get("M", "4/4"), name), (4, 4))
    no_accidentals: dict[str, int] = {}
    tonic, mode, key = _or_default(partial(_key, before.get("K", "C"), name), (0, "major", no_accidentals))
    reader = _Reader(_unit(before.get("L"), metre), key)
    for line in body:
        _read_tolerantly(reader, line, name)
    if not reader.notes:
        raise InputError(f"{name}: found no note, expected at least one")
    return Tune(name, tuple(reader.notes), metre, tonic, mode, tuple(reader.chords), tuple(reader.bar_lines))


def _tolerant_lines(text: str, name: str) -> tuple[dict[str, str], list[str]]:
    """Return the header, and the lines of the first voice, with changes as inline fields such as [K:D]."""
    header: dict[str, str] = {}
    lines: list[str] = []
    first_voice: str | None = None
    is_first_voice = True
    for line in text.splitlines():
        if len(line) > MAX_LINE:
            raise InputError(f"{name}: found a line of {len(line):,} characters, expected at most {MAX_LINE:,}")
        field = re.match(r"^\[?([A-Za-z]):([^\]]*)", line)
        if field and field[1] == "V" and (voice := field[2].split()[:1]):
            first_voice = first_voice or voice[0]
            is_first_voice = voice[0] == first_voice
            line = line[field.end() + 1 :] if line[0] == "[" else ""  # noqa: PLW2901 - what follows an inline field
        elif field and line[0] != "[":
            value = field[2].split("%")[0].strip()
            line = f"[{field[1]}:{value}]" if "K" in header and field[1] in "KL" else ""  # noqa: PLW2901
            if "K" not in header:
                header.setdefault(field[1], value)
        if is_first_voice and ("K" in header or "X" not in header):
            lines.append(line + "\n")
    return header, lines


def _read_tolerantly(reader: _Reader, line: str, name: str) -> None:
    """Read a line of music; skip single characters that are no notation."""
    position = 0
    while position < len(line):
        token = TOKEN.match(line, position)
        if token is not None and token["inline"]:
            _change(reader, token["inline"][1], token["inline"][3:-1], name)
        elif token is not None:
            _take(reader, token, name)
        position = token.end() if token is not None else position + 1


def _change(reader: _Reader, letter: str, value: str, name: str) -> None:
    """Follow a change of key or unit length; a value that is not understood changes nothing."""
    if letter == "K":
        _, _, reader.key = _or_default(partial(_key, value, name), (0, "", reader.key))
    elif letter == "L":
        reader.unit = _unit(value, (4, 4))


T = TypeVar("T")


def _or_default(read: Callable[[], T], default: T) -> T:
    """Return what is read, or a default where it is not understood."""
    try:
        return read()
    except InputError:
        return default


def read_key(text: str, name: str) -> tuple[int, str]:
    """
    Read a key such as D, Bm, Ador or Eb mix.

    Returns:
        Pitch class of the tonic (0 = C), and the mode: a key of `recsys.synth.tune.SCALES`.

    Raises:
        InputError: It is not a key; the message begins with `name`.
    """
    tonic, mode, _ = _key(text, name)
    return tonic, mode


def read_chord(symbol: str, name: str) -> Chord:
    """
    Read a chord such as C, F#m or Bb7, without a seventh.

    Raises:
        InputError: It is not a chord; the message begins with `name`.
    """
    found = CHORD.match(symbol)
    if not found:
        raise InputError(f"{name}: found the chord {symbol!r}, expected one such as C, F#m or Bb7")
    root = (NATURAL[found[1]] + {"": 0, "#": 1, "b": -1}[found[2]]) % 12
    return Chord(0.0, root, bool(found[3]))


def _split_header(text: str, name: str) -> tuple[dict[str, str], str]:
    header: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        if re.match(r"^[A-Za-z]:", line):
            letter, value = line[0], line[2:].split("%")[0].strip()
            if "K" in header and letter in "KMLV":
                raise InputError(
                    f"{name}: found a change of {letter} ({line.strip()}), expected one value for the whole tune"
                )
            header.setdefault(letter, value)
        elif "K" in header:
            lines.append(line)
    if "K" not in header:
        raise InputError(f"{name}: found no key, expected a line such as K:D")
    return header, "\n".join(lines)


def _metre(text: str, name: str) -> tuple[int, int]:
    named = {"C": "4/4", "C|": "2/2"}.get(text, text)
    found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", named)
    if not found or not int(found[1]) or not int(found[2]):
        raise InputError(f"{name}: found the metre {text!r}, expected one such as 6/8")
    return int(found[1]), int(found[2])


def _unit(text: str | None, metre: tuple[int, int]) -> Fraction:
    """Return the unit length [crotchets]; by default, a semiquaver in metres below 3/4 and a quaver in others."""
    if text and re.fullmatch(r"\d{1,4}/[1-9]\d{0,3}", text):
        return Fraction(text) * 4
    return Fraction(1, 4) if Fraction(*metre) < Fraction(3, 4) else Fraction(1, 2)


def _key(text: str, name: str) -> tuple[int, str, dict[str, int]]:
    found = re.match(r"^([A-G])([#b]?)\s*([A-Za-z]*)", text)
    mode = MODES.get(found[3].lower()[:3] if found[3] != "m" else "m") if found else None
    if found is None or mode is None:
        raise InputError(f"{name}: found the key {text!r}, expected one such as D, Bm, Ador or Eb mix")
    tonic = (NATURAL[found[1]] + {"": 0, "#": 1, "b": -1}[found[2]]) % 12
    n_sharps = SHARPS.index(found[1]) - 1 + {"": 0, "#": 7, "b": -7}[found[2]] + FIFTHS[mode]
    sharps = dict.fromkeys(SHARPS[: max(0, n_sharps)], 1) | dict.fromkeys(SHARPS[::-1][: max(0, -n_sharps)], -1)
    return tonic, mode, sharps


def _take(reader: _Reader, token: re.Match[str], name: str) -> None:
    kind = token.lastgroup
    if token["chord"]:
        _take_chord(reader, token["chord"][1:-1])
    elif token["tuplet"]:
        n = int(token["tuplet"][1])
        reader.tuplet = (Fraction(TUPLET_LENGTHS.get(n, 2), n), n)
    elif token["note"]:
        _take_note(reader, token["note"], token["length"], is_tied=bool(token["tie"]))
    elif token["group"]:
        highest = re.findall(r"(?:\^\^|__|[\^_=])?[A-Ga-g][,']*", token["group"])[-1]
        inner = re.search(r"[A-Ga-g][,']*(\d{0,4}/{0,8}\d{0,4})", token["group"])
        _take_note(
            reader, highest, token["group_length"] or (inner[1] if inner else ""), is_tied=bool(token["group_tie"])
        )
    elif token["rest"]:
        reader.now += _duration(reader, token["rest_length"])
    elif token["broken"]:
        _take_broken(reader, token["broken"])
    elif token["inline"]:
        raise InputError(f"{name}: found a change within the tune ({token['inline']}), expected one key and metre")
    elif kind == "bar" and "|" in token["bar"]:
        reader.in_bar = {}
        if reader.notes:
            reader.bar_lines.append(float(reader.now))


def _take_note(reader: _Reader, note: str, length: str, *, is_tied: bool) -> None:
    found = re.fullmatch(r"(\^\^|__|[\^_=])?([A-Ga-g])([,']*)", note)
    assert found is not None  # noqa: S101 - the token matched this pattern
    accidental, letter, octaves = found[1], found[2], found[3]
    pitch_name = letter + octaves
    if accidental:
        reader.in_bar[pitch_name] = ACCIDENTAL[accidental]
    shift = reader.in_bar.get(pitch_name, reader.key.get(letter.upper(), 0))
    pitch = (
        60 + NATURAL[letter.upper()] + 12 * letter.islower() + 12 * (octaves.count("'") - octaves.count(",")) + shift
    )
    duration = _duration(reader, length)
    if reader.is_tied and reader.notes and reader.notes[-1].pitch == pitch:
        last = reader.notes[-1]
        reader.notes[-1] = last._replace(duration=last.duration + float(duration))
    else:
        reader.notes.append(Note(float(reader.now), float(duration), pitch))
    reader.now += duration
    reader.is_tied = is_tied


def _duration(reader: _Reader, length: str) -> Fraction:
    """Return a note's duration [crotchets]; '3', '/2', '3/2', '/' and '//' are multiples of the unit."""
    numerator, slashes, denominator = re.fullmatch(r"(\d*)(/*)(\d*)", length).groups()  # type: ignore[union-attr]
    divisor = int(denominator or 2) ** (len(slashes) if not denominator else 1) if slashes else 1
    duration = reader.unit * int(numerator or 1) / max(divisor, 1) * reader.factor
    reader.factor = Fraction(1)
    scale, n_left = reader.tuplet
    if n_left:
        duration *= scale
        reader.tuplet = (scale, n_left - 1)
    return duration


def _take_broken(reader: _Reader, marks: str) -> None:
    """Apply broken rhythm: lengthen the previous note and shorten the next, or the reverse."""
    short = Fraction(1, 2 ** len(marks))
    if not reader.notes:
        return
    own, reader.factor = (2 - short, short) if marks[0] == ">" else (short, 2 - short)
    last = reader.notes[-1]
    longer = Fraction(last.duration).limit_denominator(960) * own
    reader.now += longer - Fraction(last.duration).limit_denominator(960)
    reader.notes[-1] = last._replace(duration=float(longer))


def _take_chord(reader: _Reader, symbol: str) -> None:
    if CHORD.match(symbol):
        reader.chords.append(read_chord(symbol, "")._replace(onset=float(reader.now)))
