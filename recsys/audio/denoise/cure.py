"""Measure the noise of a file of any length, rate and number of channels, and write it without, in constant memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from recsys.arrays import F32
from recsys.audio.denoise.analysis import ChannelReport, NoiseReport, analyse
from recsys.audio.denoise.clicks import find_clicks, repair
from recsys.audio.denoise.detector import VoiceDetector
from recsys.audio.denoise.hiss import remove_hiss
from recsys.audio.denoise.hum import remove_hum
from recsys.audio.denoise.voice import VoiceDenoiser
from recsys.audio.sandbox import report_progress
from recsys.audio.signal import SampleStream, open_samples
from recsys.audio.windows import HOP_S, WINDOW_S, crossfaded
from recsys.audio.writing import Form, depth_of, n_above_full_scale, open_writers, split
from recsys.files import new_files

Output: TypeAlias = Literal["denoised", "noise"]


@dataclass(frozen=True, eq=False)
class Denoised:
    """
    What was done to a file.

    Attributes:
        report: Its noise, and the cures that were applied; without any, nothing was written.
        duration_s: Length of the file [s].
        lost_s: Length that could not be decoded [s].
        taken_db: Level of what was taken away, relative to full scale [dB]; None if nothing was.
        n_clipped: Samples of the source above full scale that the format cannot hold.
    """

    report: NoiseReport
    duration_s: float
    lost_s: float
    taken_db: float | None
    n_clipped: int


@dataclass(frozen=True)
class DenoiseFile:
    """
    A task for worker processes: write a file without its noise, and what was taken away.

    Attributes:
        outputs: Path of each source file -> "denoised" and perhaps "noise" -> path to write.
        form: Format to write.
    """

    outputs: Mapping[Path, Mapping[Output, Path]]
    form: Form

    @cached_property
    def detector(self) -> VoiceDetector:
        """The voice detector, loaded when it is first used."""
        return VoiceDetector.load()

    @cached_property
    def denoiser(self) -> VoiceDenoiser:
        """The denoiser of voices, loaded when it is first used."""
        return VoiceDenoiser.load()

    def __call__(self, path: Path) -> Denoised:
        """Denoise a file; raises UnreadableAudio if it cannot be decoded. Nothing is left if it does not succeed."""
        with open_samples(path) as stream:
            report = analyse(stream, self.detector, self.denoiser)
        if not report.cures:
            return Denoised(report, report.duration_s, stream.lost_s, None, 0)
        outputs = self.outputs[path]
        with open_samples(path) as stream, new_files(list(outputs.values())) as partial:
            return self._write(path, stream, report, dict(zip(outputs, partial, strict=True)))

    def _write(self, source: Path, stream: SampleStream, report: NoiseReport, paths: Mapping[Output, Path]) -> Denoised:
        depth, rate_hz = depth_of(self.form, stream.depth), stream.rate_hz
        n_samples, n_clipped, taken = 0, 0, 0.0
        with open_writers(paths, self.form, stream, source) as writers:
            windows = crossfaded(
                stream.blocks,
                lambda window: _cleaned(window, rate_hz, report, self.denoiser),
                n_window=WINDOW_S * rate_hz,
                n_hop=HOP_S * rate_hz,
            )
            for sound, cleaned in windows:
                noise, denoised = split(sound, sound - cleaned, depth)
                for output, samples in {"noise": noise, "denoised": denoised}.items():
                    if output in writers:
                        writers[output].write(samples)
                n_samples += sound.shape[1]
                taken += float(np.square(sound - cleaned, dtype=np.float64).sum())
                n_clipped += n_above_full_scale(sound, depth)
                report_progress(stream.share_of(n_samples))
        taken_db = float(10 * np.log10(taken / max(1, n_samples * stream.n_channels) + 1e-20))
        return Denoised(report, n_samples / rate_hz, stream.lost_s, taken_db, n_clipped)


def _cleaned(window: F32, rate_hz: int, report: NoiseReport, denoiser: VoiceDenoiser) -> F32:
    """Apply the cures of each channel to a window, shape (n_channels, n)."""
    return np.stack(
        [_cured(mono, rate_hz, found, denoiser) for mono, found in zip(window, report.channels, strict=True)]
    )


def _cured(mono: F32, rate_hz: int, found: ChannelReport, denoiser: VoiceDenoiser) -> F32:
    """Apply the cures of a channel to it, shape (n,)."""
    if "clicks" in found.cures:
        mono = repair(mono, rate_hz, find_clicks(mono, rate_hz))
    if "hum" in found.cures and found.hum:
        mono = remove_hum(mono, rate_hz, found.hum)
    if "hiss" in found.cures and found.hiss:
        mono = remove_hiss(mono, rate_hz, found.hiss)
    return denoiser.clean(mono[None], rate_hz)[0] if "voice" in found.cures else mono
