"""What a voice is corrected towards: a written score (ABC or MIDI) or the notes of a key."""

from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from recsys.errors import InputError
from recsys.synth.abc import read_abc, read_key
from recsys.synth.tune import SCALES

ABC_SUFFIXES, MIDI_SUFFIXES = (".abc", ".txt"), (".mid", ".midi")
MAX_BYTES = 1_000_000
MIN_OVERLAP = 0.25  # share of a note that another may cover before a part counts as polyphonic
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class ScoreNote(NamedTuple):
    """A written note: start and end in any unit of time, and pitch (MIDI)."""

    start: float
    end: float
    pitch: int


@dataclass(frozen=True)
class Score:
    """
    A written melody.

    Attributes:
        notes: In order of time, without overlap; at least one.
    """

    notes: tuple[ScoreNote, ...]


@dataclass(frozen=True)
class Key:
    """
    A key.

    Attributes:
        pitch_classes: Notes of its scale, 0 = C.
    """

    pitch_classes: tuple[int, ...]


def read_target(score: Path | None, key: str | None) -> Score | Key:
    """
    Read the score or the key.

    Args:
        score: A file of ABC or MIDI.
        key: A key such as D, Bm, Ador or Eb mix.

    Raises:
        InputError: Not exactly one of both is given, or it cannot be read.
    """
    if (score is None) == (key is None):
        raise InputError("Give either --score FILE (ABC or MIDI) or --key KEY (such as D, Bm or Ador)")
    if key is not None:
        tonic, mode = read_key(key, "--key")
        return Key(tuple(sorted((tonic + step) % 12 for step in SCALES[mode])))
    assert score is not None  # noqa: S101 - one of both is given
    return Score(_read_score(score))


def _read_score(path: Path) -> tuple[ScoreNote, ...]:
    suffix = path.suffix.lower()
    if suffix not in (*ABC_SUFFIXES, *MIDI_SUFFIXES):
        raise InputError(f"{path}: found the ending {suffix!r}, expected a score in ABC (.abc) or MIDI (.mid)")
    if not path.is_file():
        raise InputError(f"{path} is not a file. Give a score in ABC (.abc) or MIDI (.mid)")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES:,} bytes, expected the score of one melody")
    content = path.read_bytes()
    notes = _midi_notes(path, content) if suffix in MIDI_SUFFIXES else _abc_notes(path, content)
    lasting = tuple(note for note in notes if note.end > note.start)
    if not lasting:
        raise InputError(f"{path}: found no note that lasts, expected the score of one melody")
    return lasting


def _abc_notes(path: Path, content: bytes) -> tuple[ScoreNote, ...]:
    tune = read_abc(content.decode("utf-8", errors="replace"), path.name)
    return tuple(ScoreNote(note.onset, note.onset + note.duration, note.pitch) for note in tune.notes)


def _midi_notes(path: Path, content: bytes) -> tuple[ScoreNote, ...]:
    """Read the only pitched part of a MIDI file; notes that overlap a little are cut where the next begins."""
    from pretty_midi import PrettyMIDI  # noqa: PLC0415 - of the extra `audio`

    try:
        parts = [part for part in PrettyMIDI(BytesIO(content)).instruments if part.notes and not part.is_drum]
    except Exception as unreadable:  # its parsers raise errors of many classes for damaged files
        raise InputError(f"{path} cannot be read as MIDI. Export the melody again") from unreadable
    if len(parts) != 1:
        raise InputError(f"{path}: found {len(parts)} pitched parts, expected one melody. Export its track alone")
    notes = sorted(
        (ScoreNote(note.start, note.end, note.pitch) for note in parts[0].notes), key=lambda note: note.start
    )
    for note, following in pairwise(notes):
        if note.end - following.start > MIN_OVERLAP * (note.end - note.start):
            raise InputError(f"{path}: found notes that sound together, expected one melody. Export one voice alone")
    ends = [following.start for following in notes[1:]]
    return tuple(note._replace(end=min(note.end, end)) for note, end in zip(notes, [*ends, notes[-1].end], strict=True))


def note_name(pitch: int) -> str:
    """Return the name of a MIDI pitch, such as A4 for 69."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"
