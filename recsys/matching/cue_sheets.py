"""Cue sheets of audio files: the uses of recordings in each file, with time, change of tempo and change of pitch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys import files
from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import DEFAULT_FOLDER, INDEX_STEP, N_DIMENSIONS, Fingerprinter
from recsys.audio.sandbox import Failure
from recsys.errors import InputError
from recsys.files import printable
from recsys.library.files import possible_audio
from recsys.library.settings import AudioSettings
from recsys.matching.alignment import Calibration
from recsys.matching.audio_tasks import SHIFTS_SEMITONES, fingerprint_files, read_spans
from recsys.matching.changes import change_of
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.pitch import excerpt_of, pitch_of
from recsys.matching.uses import Use, find_uses


@dataclass(frozen=True, eq=False)
class Cue:
    """
    A use of a recording, with its pitch and its sound.

    Attributes:
        use: The use.
        pitch_semitones: Pitch relative to the recording, positive if higher; NaN if it cannot be measured [semitones].
        sound: 8 kHz mono waveform of `excerpt_of(use)`, shape (n,); empty if the file could not be read a second time.
    """

    use: Use
    pitch_semitones: float
    sound: F32

    @property
    def transformation(self) -> str:
        """The change relative to the recording: 'speed +5.0%', 'tempo +5.0%, pitch +1.0 semitones' or 'none'."""
        return str(change_of(self.use.tempo_ratio, self.pitch_semitones, self.use.ends_s - self.use.starts_s))


@dataclass(frozen=True, eq=False)
class CueSheet:
    """
    The uses of recordings in a file.

    Attributes:
        path: The file.
        duration_s: Length of the file; 0 if it could not be decoded [s].
        cues: The uses, in the order of their start.
        failure: The reason why the file could not be decoded; None if it was decoded.
        side_s: Length for which the difference of the channels was searched, since they cancel in their mean [s].
        vectors: The vectors of its fingerprint that an index stores, shape (n, 128), float16; empty if it was not
            decoded.
    """

    path: Path
    duration_s: float
    cues: list[Cue]
    failure: Failure | None = None
    side_s: float = 0.0
    vectors: npt.NDArray[np.float16] = field(default_factory=lambda: np.empty((0, N_DIMENSIONS), np.float16))

    @property
    def searched(self) -> str:
        """What of the sound was searched, in words."""
        if not self.side_s:
            return "the mean of the channels"
        return f"the mean of the channels; for {self.side_s:.1f} s, where they cancel in it, their difference"

    @property
    def file(self) -> str:
        """The printable path of the file."""
        return printable(str(self.path))


def shipped_calibration() -> Calibration:
    """Return the match classifiers of the network that is included in the package."""
    return Calibration.load(DEFAULT_FOLDER / "calibration.json")


def calibration_of(path: Path) -> Calibration:
    """
    Return the calibration in a file; the shipped one if there is no file, or if it was made for another network.

    Raises:
        SetupError: The file is damaged.
    """
    shipped = shipped_calibration()
    if not path.exists():
        return shipped
    with files.reading(path, "Remove it, or run: recsys match --calibrate FOLDER"):
        own = Calibration.load(path)
    return own if own.fits(shipped) else shipped


def query_files(path: Path) -> list[Path]:
    """
    List the files to search at a path: the file itself, or all files in a folder that may be audio, by name.

    Raises:
        InputError: The path does not exist, or the folder contains no such files.
    """
    if path.is_file():
        return [path]
    found = possible_audio(path) if path.is_dir() else []
    if not found:
        raise InputError(f"{path} is neither an audio file nor a folder that contains any. Give one of these")
    return found


def cue_sheets(
    paths: Sequence[Path],
    index: FingerprintIndex,
    settings: AudioSettings,
    calibration: Calibration,
    *,
    progress: Callable[[Path], None] = lambda _path: None,
) -> list[CueSheet]:
    """
    Find the uses of indexed recordings in files.

    Args:
        paths: The files, without duplicates.
        index: The index of recordings.
        settings: Limits of the worker processes.
        calibration: The match classifiers.
        progress: Called with the path of each file that has been searched.

    Returns:
        The cue sheet of each file, in the order of `paths`.
    """
    found: dict[Path, list[Use]] = {}
    sheets: dict[Path, CueSheet] = {}
    for path, result in fingerprint_files(paths, settings, SHIFTS_SEMITONES):
        if isinstance(result, Failure):
            sheets[path] = CueSheet(path, 0.0, [], result)
        else:
            found[path] = find_uses(index, result.vectors, calibration, result.shifted_vectors)
            kept = result.fingerprint[::INDEX_STEP].copy()
            sheets[path] = CueSheet(path, result.duration_s, [], side_s=result.side_s, vectors=kept)
        progress(path)
    cues = _cues({path: uses for path, uses in found.items() if uses}, index, settings)
    return [replace(sheets[path], cues=cues.get(path, [])) for path in paths]


def _cues(found: dict[Path, list[Use]], index: FingerprintIndex, settings: AudioSettings) -> dict[Path, list[Cue]]:
    """Read the excerpts of uses and measure their pitch; both are empty or NaN if the file cannot be read again."""
    if not found:
        return {}
    network = Fingerprinter.load()
    cues = {}
    for path, sounds in read_spans({path: list(map(excerpt_of, uses)) for path, uses in found.items()}, settings):
        excerpts = [np.empty(0, np.float32)] * len(found[path]) if isinstance(sounds, Failure) else sounds
        cues[path] = [
            Cue(use, pitch_of(index, use, sound, network), sound)
            for use, sound in zip(found[path], excerpts, strict=True)
        ]
    return cues
