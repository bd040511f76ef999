"""Find the recordings that have the tune of a file, in sound or in notes, by their chromagrams."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.arrays import F32, F64
from recsys.audio.features.chromagram import FRAME_S, chromagram_of
from recsys.audio.features.tonality import Pitches, tonality
from recsys.audio.mel import RATE_HZ
from recsys.audio.sandbox import Failure, Workers
from recsys.audio.signal import read_audio
from recsys.audio.spectrum import Spectrum
from recsys.errors import InputError
from recsys.files import printable
from recsys.library.files import can_be_opened, possible_audio
from recsys.library.settings import AudioSettings
from recsys.matching.audio_tasks import worker_limits
from recsys.matching.tunes.reading import N_REASONS, SUFFIXES, ReadTunes
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
        name: Its path in the folder, or its title in the catalogue.
        match: How similar it is, and where.
        point: Operating point that it passes: '0.1 %' or '1 %' of strangers' searches; '' for none.
    """

    name: str
    match: SoundMatch
    point: str


@dataclass(frozen=True, eq=False)
class ReadRecordings:
    """
    Recordings that tunes are compared with.

    Attributes:
        chromagrams: Strengths of pitch classes by the name of each recording, shapes (n_frames, 12).
        left_out: Why other recordings cannot be compared, by name.
        file: Function that returns the file of a recording by its name; None if it is no longer there.
        n_strangers: Number of recordings of the catalogue of which these are a part, by which chance is counted; None
            if they are all.
    """

    chromagrams: Mapping[str, F32]
    left_out: dict[str, str]
    file: Callable[[str], Path | None]
    n_strangers: int | None = None

    @property
    def reasons(self) -> str:
        """The first reasons why recordings cannot be compared, in words."""
        return "; ".join(f"{name}: {reason}" for name, reason in list(self.left_out.items())[:N_REASONS])


@dataclass(frozen=True)
class SimilarRecordings:
    """
    The answers for a file.

    Attributes:
        answers: For each tune of the file, by name, the recordings, the most similar first.
        n_compared: Number of recordings that they were compared with.
        left_out: Recordings that cannot be compared, with the reason.
    """

    answers: dict[str, tuple[SimilarRecording, ...]]
    n_compared: int
    left_out: dict[str, str]


def compare_recordings(
    queries: Mapping[str, F32], recordings: ReadRecordings, n: int, *, is_notes: bool
) -> SimilarRecordings:
    """
    Find the n recordings whose tunes resemble those of a file most.

    Args:
        queries: Chromagram of each tune of the file by its name, shapes (n_frames, 12).
        recordings: What they are compared with.
        n: Number of recordings for each tune.
        is_notes: Whether the chromagrams are written from notes, whose tempo is unknown.

    Raises:
        InputError: There is no recording that can be compared.
    """
    known = recordings.chromagrams
    if not known:
        raise InputError(f"no recording can be compared. {recordings.reasons or 'There is none'}")
    index = SoundIndex.of(list(known.values()), recordings.n_strangers or len(known))
    tempos = TEMPOS_OF_NOTES if is_notes else TEMPOS
    answers = {name: _answer(index, list(known), query, tempos, n) for name, query in queries.items()}
    return SimilarRecordings(answers, len(known), recordings.left_out)


def read_recordings(folder: Path, settings: AudioSettings, *, without: Path) -> ReadRecordings:
    """
    Return the recordings of a folder with its subfolders.

    Args:
        folder: The folder.
        settings: Limits of the worker processes.
        without: A file that is left out.

    Raises:
        InputError: `folder` is not a folder.
    """
    others = [file for file in _maybe_recordings(folder) if not (can_be_opened(file) and file.samefile(without))]
    heard = _heard(others, settings) if others else {}
    names = {file: printable(str(file.relative_to(folder))) for file in others}
    left_out = {names[file]: result for file, result in heard.items() if isinstance(result, str)}
    known = {names[file]: result for file, result in heard.items() if not isinstance(result, str)}
    return ReadRecordings(known, left_out, {name: file for file, name in names.items()}.get)


def _maybe_recordings(folder: Path) -> list[Path]:
    """List the files of a folder that may be recordings: those that are neither notes nor companions of music."""
    return [file for file in possible_audio(folder) if file.suffix.lower() not in SUFFIXES]


def query_of_sound(path: Path, settings: AudioSettings) -> dict[str, F32]:
    """Return the chromagram of a recording by its name; raises InputError if it cannot be compared."""
    result = _heard([path], settings)[path]
    if isinstance(result, str):
        raise InputError(result)
    return {printable(path.name): result}


def queries_of_notes(read: ReadTunes) -> dict[str, F32]:
    """Return the chromagram of each tune in notes by its name."""
    return {melody.name: chromagram_of_notes(melody) for melody in read.melodies}


def chromagram_or_reason(text: str) -> F32 | str:
    """Return a chromagram that a scan has written, or why it cannot be compared."""
    if not text:
        return "no pitch is heard clearly: silence, noise, speech or drums"
    if len(text) < 12 * LEAST_FRAMES:
        return f"too short: {len(text) / 12 * FRAME_S:.0f} s, expected at least {LEAST_FRAMES * FRAME_S:.0f} s"
    return chromagram_of(text)


def read_chromagram(path: Path) -> str:
    """Return the chromagram of a recording as text, empty where no pitch is heard clearly enough."""
    spectrum = Spectrum.of(read_audio(path).mono(RATE_HZ))
    return (tonality(Pitches.of(spectrum)).chromagram or "") if spectrum is not None else ""


def _heard(paths: Sequence[Path], settings: AudioSettings) -> dict[Path, F32 | str]:
    """Return the chromagram of each recording, or why it has none that can be compared."""
    with Workers(read_chromagram, **worker_limits(len(paths), settings)) as workers:
        found = dict(workers.map(paths))
    return {path: _chromagram_or_reason(found[path]) for path in paths}


def _chromagram_or_reason(result: str | Failure) -> F32 | str:
    return result.message if isinstance(result, Failure) else chromagram_or_reason(result)


def _answer(index: SoundIndex, names: list[str], query: F32, tempos: F64, n: int) -> tuple[SimilarRecording, ...]:
    matches = index.search(query, tempos, max(n, N_ALIGNED))[:n]
    return tuple(SimilarRecording(names[match.row], match, _point(match.expected)) for match in matches)


def _point(expected: float) -> str:
    return "0.1 %" if expected <= STRICT else "1 %" if expected <= USUAL else ""
