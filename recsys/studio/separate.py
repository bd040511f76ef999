"""Vocals and accompaniment of a file, or of each file of a folder, for `recsys separate`."""

from collections.abc import Sequence
from pathlib import Path

from recsys.audio.separation.stems import STEMS, Separated, SeparateFile, Stem
from recsys.audio.writing import Form
from recsys.errors import InputError
from recsys.library.settings import AudioSettings
from recsys.studio.batch import BatchReport, Progress, outputs_of, run_batch


def separate(
    path: Path, out: Path, limits: AudioSettings, progress: Progress, *, stems: Sequence[Stem], form: Form
) -> BatchReport[Separated]:
    """
    Write stems of a file, or of each file of a folder.

    Args:
        path: The file or folder.
        out: Folder to write to, created if needed.
        stems: Which of `STEMS`.
        form: Format of the stems.
        limits: Limits of the worker processes.
        progress: Called with a file and the share of it that is done.

    Raises:
        InputError: There is nothing to separate, or a stem would replace a source.
        SetupError: The extras audio and studio are not installed.
    """
    outputs = outputs_of(path, out, stems, form)
    return run_batch(SeparateFile(outputs, form), outputs, limits, progress)


def stems_of(text: str) -> tuple[Stem, ...]:
    """Return the stems of a comma-separated list; raises InputError for one that does not exist."""
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in STEMS]:
        raise InputError(f"--stems names {unknown[0]!r}; expected {' or '.join(STEMS)}, or both, separated by a comma")
    return tuple(stem for stem in STEMS if stem in names)
