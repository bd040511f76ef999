"""
Compare the tunes of a file with others in notes and in sound, as far as both exist: what `recsys same-tune` does.

A file in notes is compared with notes as notes, and with recordings by the chromagram that its notes have. A recording
is compared with recordings; and, if it is of one voice, its notes are compared with notes. What one part cannot do
never stops the other: the reason is part of the result.
"""

import json
from collections.abc import Callable, Container
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from recsys.errors import InputError, RecsysError, SetupError
from recsys.files import printable, write_text
from recsys.installation.extras import require
from recsys.library.files import COMPANION_SUFFIXES
from recsys.library.settings import AudioSettings
from recsys.matching.tunes.find import MAX_QUERIES, SimilarTunes, compare_tunes, read_query_take
from recsys.matching.tunes.reading import SUFFIXES, ReadTunes, read_tunes
from recsys.matching.tunes.recordings import (
    ReadRecordings,
    SimilarRecordings,
    compare_recordings,
    queries_of_notes,
    query_of_sound,
    read_recordings,
)

Part = TypeVar("Part")
NOTES, RECORDINGS = "notes", "recordings"  # the parts of a result


@dataclass(frozen=True, eq=False)
class Others:
    """
    What a file is compared with.

    Attributes:
        tunes: Tunes in notes.
        recordings: Recordings.
        shown: Names of the tunes in notes that may be named; None: all.
    """

    tunes: ReadTunes
    recordings: ReadRecordings
    shown: Container[str] | None = None


@dataclass(frozen=True)
class SameTune:
    """
    What was found for a file.

    Attributes:
        notes: The tunes in notes that resemble those of the file; None if there was nothing to compare.
        recordings: The recordings that do; None if there was nothing to compare.
        reasons: Of "notes" and of "recordings", what was compared, or why nothing was.
    """

    notes: SimilarTunes | None
    recordings: SimilarRecordings | None
    reasons: dict[str, str]


def is_in_notes(path: Path) -> bool:
    """Return whether a file is in notes by its ending; raises InputError for one that is neither notes nor sound."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES and suffix in COMPANION_SUFFIXES:
        raise InputError(
            f"{printable(path.name)}: found the ending {suffix!r}, expected a recording or one of {', '.join(SUFFIXES)}"
        )
    return suffix in SUFFIXES


def folder_of_others(folder: Path, settings: AudioSettings, *, without: Path) -> Others:
    """
    Read what a folder with its subfolders holds, in notes and in sound; a single file of notes is its tunes.

    Args:
        folder: The folder, or a file of notes.
        settings: Limits of the processes that decode recordings.
        without: A file that is left out.

    Raises:
        InputError: There is no such folder, or the file cannot be read.
    """
    tunes = read_tunes(folder, without=without)
    if not folder.is_dir():
        return Others(tunes, ReadRecordings({}, {}, lambda _name: None))
    return Others(tunes, read_recordings(folder, settings, without=without))


def same_tune(path: Path, others: Others, n: int, settings: AudioSettings, *, most: int = MAX_QUERIES) -> SameTune:
    """
    Find the n most similar tunes in notes and recordings for each tune of a file.

    Args:
        path: A file of ABC, MIDI or MusicXML, or a recording.
        others: What it is compared with.
        n: Number of tunes, and of recordings, for each tune of the file.
        settings: Limits of the processes that decode the recording.
        most: Largest number of tunes of the file.

    Raises:
        InputError: Nothing can be compared: with each reason. Or the file has too many tunes.
        SetupError: Nothing can be compared, and a package is missing with which it could be.
    """
    is_notes = is_in_notes(path)
    read = read_tunes(path) if is_notes else None
    if read is not None and not read.melodies:
        raise InputError(f"{printable(str(path))}: no tune can be compared. {read.reasons or 'It has no notes'}")
    if read is not None and len(read.melodies) > most:
        raise InputError(
            f"{printable(str(path))}: found {len(read.melodies):,} tunes, expected at most {most}. Split the file"
        )
    errors = dict[str, RecsysError]()
    notes = _tried(errors, NOTES, lambda: _in_notes(path, read, others, n, settings))
    recordings = _tried(errors, RECORDINGS, lambda: _in_sound(path, read, others.recordings, n, settings))
    if notes is None and recordings is None:
        raise _of_both(path, errors)
    reasons = {part: _in_words(error, path) for part, error in errors.items()}
    found = {NOTES: notes and _said(notes), RECORDINGS: recordings and _said_of_recordings(recordings)}
    return SameTune(notes, recordings, {part: text or f"Not compared: {reasons[part]}" for part, text in found.items()})


def as_json(found: SameTune) -> str:
    """Return everything but the notes of the melodies as JSON: the keys `notes`, `recordings` and `reasons`."""
    values = asdict(found, dict_factory=lambda pairs: {name: value for name, value in pairs if name != "melody"})
    return json.dumps(values, indent=1, allow_nan=False) + "\n"


def write_json(found: SameTune, path: Path) -> None:
    """Write a result as JSON."""
    write_text(path, as_json(found))


def _in_notes(path: Path, read: ReadTunes | None, others: Others, n: int, settings: AudioSettings) -> SimilarTunes:
    if not others.tunes.melodies or (others.shown is not None and not others.shown):
        reason = others.tunes.reasons if others.shown is None else ""
        raise InputError(f"there are no other tunes in notes that can be compared. {reason}".rstrip(". "))
    if read is None:
        require("av", "soundfile", "swift_f0")
        read = read_query_take(path, settings)
    return compare_tunes(read, others.tunes, n, others.shown)


def _in_sound(
    path: Path, read: ReadTunes | None, others: ReadRecordings, n: int, settings: AudioSettings
) -> SimilarRecordings:
    if not others.chromagrams:
        raise InputError(f"there are no recordings that can be compared. {others.reasons}".rstrip(". "))
    queries = query_of_sound(path, settings) if read is None else queries_of_notes(read)
    return compare_recordings(queries, others, n, is_notes=read is not None)


def _tried(errors: dict[str, RecsysError], part: str, compare: Callable[[], Part]) -> Part | None:
    """Return what is found, or None and keep the error."""
    try:
        return compare()
    except (InputError, SetupError) as error:
        errors[part] = error
        return None


def _of_both(path: Path, errors: dict[str, RecsysError]) -> RecsysError:
    """Return the error that nothing could be compared."""
    texts = {part: _in_words(error, path) for part, error in errors.items()}
    said = [f"in {part}, {text}" for part, text in texts.items()]
    if len(set(texts.values())) == 1:
        said = list(texts.values())[:1]
    kind = SetupError if any(isinstance(error, SetupError) for error in errors.values()) else InputError
    return kind(f"{printable(str(path))}: nothing can be compared: {'; '.join(said)}")


def _in_words(error: RecsysError, path: Path) -> str:
    """Return an error without the path of the file, which stands beside it."""
    return str(error).removeprefix(f"{path}: ").replace(str(path), printable(path.name))


def _said(found: SimilarTunes) -> str:
    n_passing = sum(bool(match.point) for answer in found.answers for match in answer.matches)
    return f"Compared with {_counted(found.n_compared, 'tune')} in notes; {n_passing:,} passed an operating point"


def _said_of_recordings(found: SimilarRecordings) -> str:
    n_passing = sum(bool(it.point) for answers in found.answers.values() for it in answers)
    return f"Compared with {_counted(found.n_compared, 'recording')}; {n_passing:,} passed an operating point"


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
