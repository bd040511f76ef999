"""A file, or each file of a folder, without its noise, for `recsys denoise`."""

from collections.abc import Iterator
from pathlib import Path

from recsys.audio.denoise.analysis import NoiseReport
from recsys.audio.denoise.cure import Denoised, DenoiseFile, Output
from recsys.audio.writing import Form
from recsys.library.settings import AudioSettings
from recsys.studio.batch import BatchReport, Progress, outputs_of, run_batch

HEARD = {True: "may be speech", False: "not speech alone", None: "nothing to hear"}  # by `NoiseReport.is_voice`
OUTPUTS: tuple[Output, ...] = ("denoised", "noise")


def denoise(
    path: Path, out: Path, limits: AudioSettings, progress: Progress, *, form: Form, with_residual: bool
) -> BatchReport[Denoised]:
    """
    Write a file, or each file of a folder, without its noise; files without noise are not written.

    Args:
        path: The file or folder.
        out: Folder to write to, created if needed.
        form: Format to write.
        limits: Limits of the worker processes.
        progress: Called with a file and the share of it that is done.
        with_residual: Also write what was taken away.

    Raises:
        InputError: There is nothing to denoise, or an output would replace a source.
        SetupError: The extras audio and studio are not installed.
    """
    outputs = outputs_of(path, out, OUTPUTS if with_residual else OUTPUTS[:1], form)
    return run_batch(DenoiseFile(outputs, form), outputs, limits, progress)


def sentences(found: Denoised) -> list[str]:
    """Return what a file is heard as and its noise, why noise is left, what was done, and what could not be decoded."""
    noises = ", ".join(_noises(found.report)) or "no noise found"
    done = "unchanged, nothing was written"
    if found.taken_db is not None:
        done = f"removed: {', '.join(found.report.cures)}; {found.taken_db:.1f} dBFS were taken away"
    return [
        f"{HEARD[found.report.is_voice]}: {noises}",
        *(f"left as it is: {reason}" for reason in found.report.reasons),
        done,
        *([f"{found.lost_s:.1f} s could not be decoded"] if found.lost_s else []),
    ]


def _noises(report: NoiseReport) -> Iterator[str]:
    """Yield the kinds of noise with their levels."""
    if report.clicks_per_minute:
        yield f"{report.clicks_per_minute:.1f} clicks per minute"
    if report.hum:
        yield f"hum of {report.hum.frequency_hz:.2f} Hz at {report.hum.level_db:.1f} dBFS"
    if report.hiss:
        yield f"hiss at {report.hiss.level_db:.1f} dBFS"
    if report.noise_db is not None:
        yield f"noise on a voice at {report.noise_db:.1f} dBFS"
