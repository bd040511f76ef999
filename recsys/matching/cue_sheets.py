"""Files to their cue sheets: heard, their recordings found, how these were transformed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import SHIPPED, Fingerprinter
from recsys.audio.sandbox import Failure
from recsys.errors import InputError
from recsys.library.files import audio_files
from recsys.library.settings import AudioSettings
from recsys.matching.alignment import Calibration
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.hear_files import listened, listened_again
from recsys.matching.pitch import excerpt_of, pitch_of
from recsys.matching.uses import Use, uses

SAME_TEMPO, SAME_PITCH = 0.012, 0.35  # share, semitones: less is measured where nothing was changed


@dataclass(frozen=True, eq=False)
class Cue:
    """
    A use, its pitch and its sound.

    Attributes:
        use: What was found.
        pitch_semitones: How much higher than the recording it is; nan where that cannot be told.
        sound: 8 kHz sound of `excerpt_of(use)`, shape (n,); empty where it was not heard again.
    """

    use: Use
    pitch_semitones: float
    sound: F32

    @property
    def transformation(self) -> str:
        """What was done to the recording, in words."""
        ratio, pitch = self.use.tempo_ratio, self.pitch_semitones
        is_same_tempo = abs(ratio - 1) < SAME_TEMPO
        if not is_same_tempo and abs(pitch - 12 * np.log2(ratio)) < SAME_PITCH:
            return f"speed {ratio - 1:+.1%}"
        tempo = "" if is_same_tempo else f"tempo {ratio - 1:+.1%}"
        shifted = f"pitch {pitch:+.1f} semitones" if abs(pitch) >= SAME_PITCH else ""
        return ", ".join(filter(None, (tempo, shifted))) or "none"


@dataclass(frozen=True, eq=False)
class CueSheet:
    """
    What is in a file.

    Attributes:
        path: The file.
        duration_s: Its length; 0 where it could not be heard [s].
        cues: What was found, the earliest first.
        failure: Why nothing could be heard; None where it could.
    """

    path: Path
    duration_s: float
    cues: list[Cue]
    failure: Failure | None = None


def calibration() -> Calibration:
    """Return the calibration of the shipped network."""
    return Calibration.load(SHIPPED / "calibration.json")


def queries(path: Path) -> list[Path]:
    """
    List the files that a path means: itself, or the music in a folder and the folders in it, in name order.

    Raises:
        InputError: There is nothing there, or no music in it.
    """
    if path.is_file():
        return [path]
    found = audio_files(path) if path.is_dir() else []
    if not found:
        raise InputError(f"{path} is neither an audio file nor a folder that contains any. Give one of these")
    return found


def cue_sheets(
    paths: Sequence[Path],
    prints: FingerprintIndex,
    settings: AudioSettings,
    *,
    progress: Callable[[Path], None] = lambda _path: None,
) -> list[CueSheet]:
    """
    Find the recordings of an index in files.

    Args:
        paths: Files, each once.
        prints: The index.
        settings: Limits of the processes that listen.
        progress: Called with each file once it is looked through.

    Returns:
        A sheet for each file, in their order.
    """
    found: dict[Path, list[Use]] = {}
    lengths: dict[Path, float] = {}
    failures: dict[Path, Failure] = {}
    judges = calibration()
    for path, heard in listened(paths, settings):
        if isinstance(heard, Failure):
            failures[path] = heard
        else:
            found[path], lengths[path] = uses(prints, heard.vectors, judges), heard.duration_s
        progress(path)
    cues = _cues({path: each for path, each in found.items() if each}, prints, settings)
    return [CueSheet(path, lengths.get(path, 0.0), cues.get(path, []), failures.get(path)) for path in paths]


def _cues(found: dict[Path, list[Use]], prints: FingerprintIndex, settings: AudioSettings) -> dict[Path, list[Cue]]:
    """Hear again what was found; what cannot be heard a second time has no pitch and no sound."""
    if not found:
        return {}
    network = Fingerprinter.load()
    cues = {}
    for path, sounds in listened_again({path: list(map(excerpt_of, each)) for path, each in found.items()}, settings):
        parts = [np.empty(0, np.float32)] * len(found[path]) if isinstance(sounds, Failure) else sounds
        cues[path] = [
            Cue(use, pitch_of(prints, use, sound, network), sound)
            for use, sound in zip(found[path], parts, strict=True)
        ]
    return cues
