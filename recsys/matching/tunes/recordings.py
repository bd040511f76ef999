"""
Find the recordings of a folder that have the tune of a file, in sound or in notes, by their chromagrams.

What `recsys same-tune` calls where a folder has no file of notes.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from recsys.arrays import F32, F64
from recsys.audio.features.chromagram import FRAME_S, chromagram_of
from recsys.audio.features.tonality import Pitches, tonality
from recsys.audio.mel import RATE_HZ
from recsys.audio.sandbox import Failure, Workers
from recsys.audio.signal import read_audio
from recsys.audio.spectrum import Spectrum
from recsys.errors import InputError
from recsys.files import printable, write_text
from recsys.library.files import can_be_opened, possible_audio
from recsys.library.settings import AudioSettings
from recsys.matching.audio_tasks import worker_limits
from recsys.matching.tunes.find import MAX_QUERIES
from recsys.matching.tunes.reading import SUFFIXES, read_tunes
from recsys.matching.tunes.sound import (
    LEAST_FRAMES,
    N_ALIGNED,
    STRICT,
    TEMPOS,
    TEMPOS_OF_NOTES,
    USUAL,
    SoundIndex,
    SoundMatch,
    chromagram_of_notes,
)


@dataclass(frozen=True)
class SimilarRecording:
    """
    A recording with a similar tune.

    Attributes:
        name: Its path in the folder.
        match: How similar it is, and where.
        point: Operating point that it passes: '0.1 %' or '1 %' of strangers' searches; '' for none.
    """

    name: str
    match: SoundMatch
    point: str


@dataclass(frozen=True)
class SimilarRecordings:
    """
    The answers for a file.

    Attributes:
        answers: For each tune of the file, by name, the recordings, the most similar first.
        n_compared: Number of recordings that they were compared with.
        left_out: Recordings, and tunes of the file, that cannot be compared, with the reason.
    """

    answers: dict[str, tuple[SimilarRecording, ...]]
    n_compared: int
    left_out: dict[str, str]


def similar_recordings(path: Path, folder: Path, n: int, settings: AudioSettings) -> SimilarRecordings:
    """
    Find the n recordings of a folder whose tunes resemble those of a file most.

    Args:
        path: A recording, or a file of ABC, MIDI or MusicXML.
        folder: The folder with its subfolders; `path` is left out.
        n: Number of recordings.
        settings: Limits of the worker processes.

    Raises:
        InputError: Nothing of the file, or nothing of the folder, can be compared, or the file has too many tunes.
    """
    others = [file for file in possible_audio(folder) if not (can_be_opened(file) and file.samefile(path))]
    is_notes = path.suffix.lower() in SUFFIXES
    noted = _noted(path) if is_notes else None
    heard = _heard([*others] if is_notes else [path, *others], settings)
    queries, left_out = noted or _recorded(path, heard.pop(path))
    names = {file: printable(str(file.relative_to(folder))) for file in others}
    left_out |= {names[file]: result for file, result in heard.items() if isinstance(result, str)}
    compared = {names[file]: result for file, result in heard.items() if not isinstance(result, str)}
    if not queries or not compared:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(left_out.items())[:3])
        raise InputError(f"{printable(str(path))}: nothing can be compared. {reasons or 'The folder has no recording'}")
    index = SoundIndex.of(list(compared.values()))
    tempos = TEMPOS_OF_NOTES if is_notes else TEMPOS
    answers = {name: _answer(index, list(compared), query, tempos, n) for name, query in queries.items()}
    return SimilarRecordings(answers, len(compared), left_out)


def write_json(found: SimilarRecordings, path: Path) -> None:
    """Write everything as JSON."""
    write_text(path, json.dumps(asdict(found), indent=1, allow_nan=False) + "\n")


def read_chromagram(path: Path) -> str:
    """Return the chromagram of a recording as text, empty where no pitch is heard clearly enough."""
    spectrum = Spectrum.of(read_audio(path).mono(RATE_HZ))
    return (tonality(Pitches.of(spectrum)).chromagram or "") if spectrum is not None else ""


def _heard(paths: Sequence[Path], settings: AudioSettings) -> dict[Path, F32 | str]:
    """Return the chromagram of each recording, or why it has none that can be compared."""
    with Workers(read_chromagram, **worker_limits(len(paths), settings)) as workers:
        found = dict(workers.map(paths))
    return {path: _comparable(found[path]) for path in paths}


def _comparable(text: str | Failure) -> F32 | str:
    if isinstance(text, Failure):
        return text.message
    if not text:
        return "no pitch is heard clearly: silence, noise, speech or drums"
    if len(text) < 12 * LEAST_FRAMES:
        return f"too short: {len(text) / 12 * FRAME_S:.0f} s, expected at least {LEAST_FRAMES * FRAME_S:.0f} s"
    return chromagram_of(text)


def _recorded(path: Path, result: F32 | str) -> tuple[dict[str, F32], dict[str, str]]:
    name = printable(path.name)
    return ({}, {name: result}) if isinstance(result, str) else ({name: result}, {})


def _noted(path: Path) -> tuple[dict[str, F32], dict[str, str]]:
    read = read_tunes(path)
    if len(read.melodies) > MAX_QUERIES:
        raise InputError(
            f"{printable(str(path))}: found {len(read.melodies):,} tunes, expected at most {MAX_QUERIES}. Split it"
        )
    return {melody.name: chromagram_of_notes(melody) for melody in read.melodies}, read.refused


def _answer(index: SoundIndex, names: list[str], query: F32, tempos: F64, n: int) -> tuple[SimilarRecording, ...]:
    matches = index.search(query, tempos, max(n, N_ALIGNED))[:n]
    return tuple(SimilarRecording(names[match.row], match, _point(match.expected)) for match in matches)


def _point(expected: float) -> str:
    return "0.1 %" if expected <= STRICT else "1 %" if expected <= USUAL else ""
