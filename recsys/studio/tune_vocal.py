"""Pitch correction of a file for `recsys tune-vocal`, in a worker process, with its report and the difference."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from recsys.audio.sandbox import run_one
from recsys.audio.writing import depth_of, form_of, n_above_full_scale
from recsys.files import new_files, write_text
from recsys.library.settings import AudioSettings
from recsys.studio.files import Recording, read_recording, require_distinct, rounded, write_recording
from recsys.studio.voice.scores import read_target
from recsys.studio.voice.tune import Limits, TunedNote, tune


@dataclass(frozen=True)
class TuneReport:
    """
    What was corrected in a file.

    Attributes:
        duration_s: Length of the file [s].
        rate_hz: Its sampling rate [Hz].
        n_channels: Its number of channels.
        lost_s: Length that could not be decoded [s].
        sure_share: Share of the sounding time with a sure pitch, 0..1.
        changed_share: Share of the samples that changed, 0..1.
        n_clipped: Samples of the result above full scale, which formats of whole numbers cannot hold.
        notes: Its notes in order of time.
    """

    duration_s: float
    rate_hz: int
    n_channels: int
    lost_s: float
    sure_share: float
    changed_share: float
    n_clipped: int
    notes: tuple[TunedNote, ...]

    @property
    def corrected(self) -> list[TunedNote]:
        """The notes that were not left alone."""
        return [note for note in self.notes if not note.left_alone]


@dataclass(frozen=True)
class TuneFile:
    """
    A task for a worker process: correct a file.

    Attributes:
        score: File of a score; None if a key is given.
        key: A key; None if a score is given.
        limits: How much is corrected, and how fast.
        out: File to write, WAV or FLAC.
        difference: File to which the result minus the source is written; None for none.
    """

    score: Path | None
    key: str | None
    limits: Limits
    out: Path
    difference: Path | None

    def __call__(self, path: Path) -> TuneReport:
        """Write the corrected file; raises UnreadableAudio or InputError, and then writes nothing."""
        target = read_target(self.score, self.key)
        source = read_recording(path)
        tuned = tune(source.samples, source.rate_hz, target, self.limits)
        form = form_of(self.out)
        depth = depth_of(form, source.depth)
        difference = rounded(tuned.samples, depth) - rounded(source.samples, depth)
        with new_files([it for it in (self.out, self.difference) if it]) as partials:
            result = Recording(tuned.samples, source.rate_hz, source.depth, 0.0)
            write_recording(partials[0], result, form, path)
            if self.difference:
                rest = Recording(difference, source.rate_hz, "float", 0.0)
                write_recording(partials[1], rest, form_of(self.difference), path)
        return TuneReport(
            duration_s=source.duration_s,
            rate_hz=source.rate_hz,
            n_channels=len(source.samples),
            lost_s=source.lost_s,
            sure_share=tuned.sure_share,
            changed_share=float(np.any(difference != 0, axis=0).mean()),
            n_clipped=n_above_full_scale(tuned.samples, depth),
            notes=tuned.notes,
        )


def tune_vocal(
    path: Path,
    settings: AudioSettings,
    *,
    score: Path | None = None,
    key: str | None = None,
    limits: Limits | None = None,
    out: Path | None = None,
    difference: Path | None = None,
    report: Path | None = None,
) -> tuple[TuneReport, Path]:
    """
    Correct the pitch of a file of one voice.

    Args:
        path: The file.
        settings: Time and memory limits.
        score: A score of its melody in ABC or MIDI.
        key: Or a key, whose nearest notes are the targets.
        limits: How much is corrected, and how fast.
        out: File to write; by default `<name>.tuned.wav` beside the source.
        difference: File for the result minus the source.
        report: File for the report as JSON.

    Returns:
        The report, and the file that was written.

    Raises:
        InputError: The file cannot be read, is not one voice, does not follow the score, or an argument is invalid.
        SetupError: The extras audio and studio are not installed.
    """
    written = out or path.with_name(f"{path.stem}.tuned.wav")
    require_distinct([it for it in (written, difference, report) if it], [it for it in (path, score) if it])
    for target in (written, difference):
        if target:
            form_of(target)
    task = TuneFile(score, key, limits or Limits(), written, difference)
    found = run_one(task, path, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30)
    if report:
        write_text(report, json.dumps(asdict(found), indent=1, allow_nan=False) + "\n")
    return found, written
