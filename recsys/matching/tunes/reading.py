"""Read melodies from files of ABC, MIDI and MusicXML, and refuse what holds none that could be compared."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.errors import InputError
from recsys.files import is_hidden, printable
from recsys.matching.tunes.alignment import MAX_NOTES
from recsys.matching.tunes.melody import Melody, melody_of
from recsys.matching.tunes.midi import read_midi
from recsys.matching.tunes.musicxml import read_musicxml
from recsys.synth.abc import read_abc_tolerantly

ABC, MIDI, MUSICXML = (".abc",), (".mid", ".midi"), (".musicxml", ".xml", ".mxl")
SUFFIXES = ABC + MIDI + MUSICXML
MAX_BYTES, MAX_ABC_BYTES = 5_000_000, 20_000_000  # a collection in ABC is one file
LEAST_NOTES, LEAST_BARS = 12, 2.0  # of a melody that is compared
LEAST_PATTERNS = 8  # different patterns of four intervals that rise and fall: a scale has three, a drone none
LEAST_OF_TAKE, LEAST_PATTERNS_OF_TAKE = 8, 4  # the same of a short take, whose repeated notes are one
N_REASONS = 3  # in a message
NOTES_PER_PATTERN = 3  # of a take: a scale up and down has more


@dataclass(frozen=True)
class ReadTunes:
    """
    What was read of a file or folder.

    Attributes:
        melodies: Melodies that can be compared.
        refused: Why others cannot, by name.
    """

    melodies: list[Melody]
    refused: dict[str, str]

    @property
    def reasons(self) -> str:
        """The first reasons why melodies cannot be compared, in words."""
        return "; ".join(f"{name}: {reason}" for name, reason in list(self.refused.items())[:N_REASONS])


def read_tunes(path: Path, *, without: Path | None = None) -> ReadTunes:
    """
    Read all melodies of a file; in a folder, of every file that is ABC, MIDI or MusicXML by its suffix.

    Args:
        path: The file or folder.
        without: A file that is left out of a folder.

    Raises:
        InputError: There is no such file or folder, or a single file cannot be read.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist. Give a file of ABC, MIDI or MusicXML, or a folder of them")
    if not path.is_dir():
        return sorted_out(read_file(path, printable(path.name)))
    melodies: list[Melody] = []
    refused: dict[str, str] = {}
    for file in tune_files(path):
        if without is not None and file.samefile(without):
            continue
        name = printable(str(file.relative_to(path)))
        try:
            found = sorted_out(read_file(file, name))
        except InputError as unreadable:
            refused[name] = str(unreadable)
        else:
            melodies += found.melodies
            refused |= found.refused
    return ReadTunes(melodies, refused)


def tune_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that are ABC, MIDI or MusicXML by their endings, in order of their paths."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not is_hidden(path, folder):
            yield path


def read_file(path: Path, name: str) -> Iterator[tuple[str, Melody | str]]:
    """Yield the names and melodies of a file, or why one cannot be read; raises InputError if none can."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{name}: found the ending {suffix!r}, expected one of {', '.join(SUFFIXES)}")
    limit = MAX_ABC_BYTES if suffix in ABC else MAX_BYTES
    if path.stat().st_size > limit:
        raise InputError(f"{name} is larger than {limit:,} bytes, expected the notes of tunes. Split the file")
    content = path.read_bytes()
    if suffix in ABC:
        return _abc_melodies(content.decode("utf-8", errors="replace"), name)
    melodies = read_midi(content, name) if suffix in MIDI else read_musicxml(content, name)
    return ((melody.name, melody) for melody in melodies)


def _abc_melodies(text: str, name: str) -> Iterator[tuple[str, Melody | str]]:
    """Yield the name and melody of each tune, or why it cannot be read; a tune begins with a line X:."""
    tunes = [part for part in re.split(r"(?m)^(?=X:)", text) if re.search(r"(?m)^K:", part)]
    for number, tune in enumerate(tunes, start=1):
        title = re.search(r"(?m)^T:[ \t]*([^\n]{1,80})", tune)
        own = name if len(tunes) == 1 else f"{name}, tune {number}" + (f" ({title[1].strip()})" if title else "")
        try:
            yield own, melody_of(read_abc_tolerantly(tune, own))
        except InputError as unreadable:
            yield own, str(unreadable)
    if not tunes:
        raise InputError(f"{name}: found no tune in ABC, expected a header that ends with a key, such as K:D")


def sorted_out(found: Iterable[tuple[str, Melody | str]]) -> ReadTunes:
    """Divide melodies, or why they cannot be read, by name, into those that can be compared and others."""
    melodies: list[Melody] = []
    refused: dict[str, str] = {}
    for name, melody in found:
        if isinstance(melody, Melody) and (reason := why_not(melody)) is None:
            melodies.append(melody)
        else:
            refused[name] = melody if isinstance(melody, str) else str(reason)
    return ReadTunes(melodies, refused)


def why_not(melody: Melody) -> str | None:
    """Return why a melody holds too little evidence, or too many notes, to be compared; None if it can be."""
    least_notes, least = _least_evidence(melody)
    if len(melody) < least_notes or np.ptp(melody.bar) + 1 < LEAST_BARS:
        return f"too short: {len(melody)} notes, expected at least {least_notes} in {LEAST_BARS:g} {melody.measure}s"
    if len(melody) > MAX_NOTES:
        return f"too long: {len(melody):,} notes, expected at most {MAX_NOTES:,} of one tune. Split the file"
    if (n := n_patterns(melody)) < least:
        return (
            f"no evidence: {n} patterns of intervals, expected at least {least}; a scale, a held note or a "
            "figure that repeats resembles many tunes"
        )
    return None


def _least_evidence(melody: Melody) -> tuple[int, int]:
    """Return how many notes and patterns a melody must have."""
    if not melody.is_take:
        return LEAST_NOTES, LEAST_PATTERNS
    patterns = min(max(len(melody) // NOTES_PER_PATTERN, LEAST_PATTERNS_OF_TAKE), LEAST_PATTERNS)
    return LEAST_OF_TAKE, patterns


def n_patterns(melody: Melody) -> int:
    """Return how many different patterns of four intervals, among them rising and falling ones, a melody has."""
    intervals = np.diff(melody.pitch)
    if len(intervals) < 4:
        return 0
    windows = np.lib.stride_tricks.sliding_window_view(intervals, 4)
    turning = windows[(windows > 0).any(axis=1) & (windows < 0).any(axis=1)]
    return len({tuple(window) for window in turning.tolist()})
