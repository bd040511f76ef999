"""
Read the melodies of MusicXML files (.musicxml, .xml, and zipped .mxl): of each part, the highest voice.

Read are pitches, durations, ties, chords and harmony symbols of scores in `score-partwise` form. Repeats are read once.
A file that declares entities is refused, so that no text can expand, and no other file is read.

Source: W3C, MusicXML 4.0 (2021).
"""

import zipfile
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from recsys.errors import InputError
from recsys.matching.tunes.melody import Melody, without_overlap
from recsys.synth.tune import Chord

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MINOR_KINDS = ("minor", "diminished", "half-diminished")
MAX_UNPACKED, MAX_DEPTH = 20_000_000, 40


@dataclass
class _Part:
    """
    What was read of a part so far.

    Attributes:
        notes: Onset, end [quarter notes] and pitch of each note.
        chords: Chord symbols.
        bar_lines: Onset of each measure [quarter notes].
        now: Current time [quarter notes].
        divisions: Units of duration per quarter note.
        bar: Length of a bar [quarter notes].
        last_onset: Onset of the last note, which a note of the same chord shares.
    """

    notes: list[tuple[float, float, int]] = field(default_factory=list)
    chords: list[Chord] = field(default_factory=list)
    bar_lines: list[float] = field(default_factory=list)
    now: float = 0.0
    divisions: float = 1.0
    bar: float = 4.0
    last_onset: float = 0.0


def read_musicxml(content: bytes, name: str) -> list[Melody]:
    """
    Return the melodies of a MusicXML file, named after their parts where there are several.

    Raises:
        InputError: It is not MusicXML, declares entities, or has no pitched note.
    """
    root = _parsed(_unpacked(content, name), name)
    if root.tag != "score-partwise":
        raise InputError(f"{name}: found the element {root.tag[:40]!r}, expected score-partwise. Export it as MusicXML")
    try:
        parts = [_read_part(element) for element in root.findall("part")]
    except ValueError as wrong:
        raise InputError(f"{name}: found a duration, pitch or metre that is not a number, expected MusicXML") from wrong
    parts = [part for part in parts if part.notes]
    if not parts:
        raise InputError(f"{name}: found no pitched note, expected a melody")
    names = [name] if len(parts) == 1 else [f"{name}, part {number}" for number in range(1, len(parts) + 1)]
    return [_melody(part, own) for part, own in zip(parts, names, strict=True)]


def _unpacked(content: bytes, name: str) -> bytes:
    """Return the score of a zipped file (.mxl); other content as it is."""
    if not content.startswith(b"PK"):
        return content
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            scores = [
                member
                for member in archive.infolist()
                if member.filename.endswith((".xml", ".musicxml")) and not member.filename.startswith("META-INF")
            ]
            if not scores or scores[0].file_size > MAX_UNPACKED:
                raise InputError(f"{name}: expected a zipped score of at most {MAX_UNPACKED:,} bytes. Export it again")
            with archive.open(scores[0]) as score:
                return score.read(MAX_UNPACKED)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as damaged:
        raise InputError(f"{name} cannot be unpacked. Export it again") from damaged


def _parsed(content: bytes, name: str) -> Element:
    """Parse XML, but refuse entities and deep nesting."""
    builder, depth = TreeBuilder(), 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise InputError(f"{name}: found elements nested more than {MAX_DEPTH} deep, expected MusicXML")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise InputError(f"{name}: found an entity declaration, which no score needs. Export it again")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as broken:
        if isinstance(broken, InputError):
            raise
        raise InputError(f"{name} cannot be read as XML. Export it as MusicXML again") from broken
    return builder.close()


def _read_part(element: Element) -> _Part:
    part = _Part()
    for measure in element.findall("measure"):
        part.bar_lines.append(part.now)
        furthest = part.now
        for child in measure:
            if child.tag == "attributes":
                _take_attributes(part, child)
            elif child.tag == "note":
                _take_note(part, child)
            elif child.tag in {"backup", "forward"}:
                part.now += _duration(part, child) * (1 if child.tag == "forward" else -1)
            elif child.tag == "harmony":
                _take_harmony(part, child)
            furthest = max(furthest, part.now)
        part.now = furthest
    return part


def _number(text: str | None, default: float) -> float:
    """Return a number; raises ValueError for text that is none, or that is out of any range."""
    value = float(text) if text else default
    if not 0 <= value <= 1e5:
        raise ValueError("out of range")
    return value


def _alteration(text: str | None) -> int:
    """Return by how many semitones an accidental alters a note; 0 for more than three."""
    alter = float(text or 0)
    return round(alter) if abs(alter) <= 3 else 0


def _duration(part: _Part, element: Element) -> float:
    return _number(element.findtext("duration"), 0.0) / part.divisions


def _take_attributes(part: _Part, element: Element) -> None:
    part.divisions = _number(element.findtext("divisions"), part.divisions) or 1.0
    beats, unit = element.findtext("time/beats"), element.findtext("time/beat-type")
    if beats and unit and beats.isdigit():
        size = _number(unit, 4) or 4.0
        part.bar = max(_number(beats, 4), 1.0) * 4 / size


def _take_note(part: _Part, element: Element) -> None:
    if element.find("grace") is not None or element.find("cue") is not None:
        return
    duration = _duration(part, element)
    is_in_chord = element.find("chord") is not None
    onset = part.last_onset if is_in_chord else part.now
    step = element.findtext("pitch/step")
    if step in STEPS:
        octave = _number(element.findtext("pitch/octave"), 4)
        pitch = int(12 * (octave + 1)) + STEPS[step] + _alteration(element.findtext("pitch/alter"))
        _add_note(part, (onset, onset + duration, pitch), element)
    part.last_onset = onset
    if not is_in_chord:
        part.now += duration


def _add_note(part: _Part, note: tuple[float, float, int], element: Element) -> None:
    """Add a note, or lengthen the one that it is tied to."""
    is_tied = any(tie.get("type") == "stop" for tie in element.findall("tie"))
    for place in range(len(part.notes) - 1, max(-1, len(part.notes) - 9), -1):
        if is_tied and part.notes[place][2] == note[2] and abs(part.notes[place][1] - note[0]) < 1e-6:
            part.notes[place] = (part.notes[place][0], note[1], note[2])
            return
    if 0 <= note[2] <= 127 and note[1] > note[0]:
        part.notes.append(note)


def _take_harmony(part: _Part, element: Element) -> None:
    step = element.findtext("root/root-step")
    if step in STEPS:
        root = (STEPS[step] + _alteration(element.findtext("root/root-alter"))) % 12
        part.chords.append(Chord(part.now, root, (element.findtext("kind") or "").startswith(MINOR_KINDS)))


def _melody(part: _Part, name: str) -> Melody:
    onset, duration, pitch = without_overlap(*zip(*part.notes, strict=True))
    lines = np.array(part.bar_lines)
    place = np.maximum(np.searchsorted(lines, onset + 1e-3) - 1, 0)
    has_pickup = len(lines) > 1 and lines[1] < part.bar - 1e-3
    return Melody(name, onset, duration, pitch, place + (0 if has_pickup else 1), tuple(part.chords))
