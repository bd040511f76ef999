"""
Separate a file of any length, rate and number of channels into stems that add up to it, in constant memory.

The vocals are estimated; the accompaniment is the mix minus the vocals, at the file's own rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from recsys.arrays import F32, Bool
from recsys.audio.sandbox import report_progress
from recsys.audio.separation.separator import Separator
from recsys.audio.signal import SampleStream, open_samples
from recsys.audio.windows import HOP_S, WINDOW_S, crossfaded
from recsys.audio.writing import Form, depth_of, n_above_full_scale, open_writers, split
from recsys.files import new_files

Stem: TypeAlias = Literal["vocals", "accompaniment"]

STEMS: tuple[Stem, ...] = ("vocals", "accompaniment")
SILENCE = 1e-6  # mean square of a second, -60 dB of full scale, below which it has no voice
MIN_VOICE = 0.1  # share of the power of a second that vocals have where somebody sings


@dataclass(frozen=True)
class Separated:
    """
    What a separation found.

    Attributes:
        duration_s: Length of the file [s].
        vocal_share: Share of its seconds with vocals, 0..1.
        lost_s: Length that could not be decoded [s].
        n_clipped: Samples above full scale that the format cannot hold.
    """

    duration_s: float
    vocal_share: float
    lost_s: float
    n_clipped: int


@dataclass(frozen=True)
class SeparateFile:
    """
    A task for worker processes: write the stems of a file.

    Attributes:
        outputs: Path of each source file -> stem -> path to write.
        form: Format of the stems.
    """

    outputs: Mapping[Path, Mapping[Stem, Path]]
    form: Form

    @cached_property
    def separator(self) -> Separator:
        """The networks, loaded when they are first used."""
        return Separator.load()

    def __call__(self, path: Path) -> Separated:
        """Separate a file; raises UnreadableAudio if it cannot be decoded. No stem is left if it does not succeed."""
        outputs = self.outputs[path]
        with open_samples(path) as stream, new_files(list(outputs.values())) as partial:
            return self._write(path, stream, dict(zip(outputs, partial, strict=True)))

    def _write(self, source: Path, stream: SampleStream, paths: Mapping[Stem, Path]) -> Separated:
        depth, rate_hz = depth_of(self.form, stream.depth), stream.rate_hz
        activity, n_samples, n_clipped = VoiceActivity(rate_hz), 0, 0
        with open_writers(paths, self.form, stream, source) as writers:
            windows = crossfaded(
                stream.blocks,
                lambda window: self.separator.vocals(window, rate_hz),
                n_window=WINDOW_S * rate_hz,
                n_hop=HOP_S * rate_hz,
            )
            for mix, vocals in windows:
                for stem, samples in zip(STEMS, split(mix, vocals, depth), strict=True):
                    if stem in writers:
                        writers[stem].write(samples)
                activity.add(mix, vocals)
                n_samples += mix.shape[1]
                n_clipped += n_above_full_scale(mix, depth)
                report_progress(stream.share_of(n_samples))
        return Separated(n_samples / rate_hz, activity.share(), stream.lost_s, n_clipped)


@dataclass
class VoiceActivity:
    """Counts the seconds of a recording in which vocals have a share of the power."""

    rate_hz: int
    _has_voice: list[Bool] = field(default_factory=list)

    def add(self, mix: F32, vocals: F32) -> None:
        """Add consecutive samples of mix and vocals, each of shape (n_channels, n), from a whole second on."""
        starts = np.arange(0, mix.shape[1], self.rate_hz)
        of_mix, of_vocals = (np.add.reduceat((part**2).mean(axis=0), starts) for part in (mix, vocals))
        lengths = np.diff(np.append(starts, mix.shape[1]))
        self._has_voice.append((of_vocals > MIN_VOICE * of_mix) & (of_mix > SILENCE * lengths))

    def share(self) -> float:
        """Return the share of seconds with vocals."""
        return float(np.concatenate([*self._has_voice, [False]]).sum() / max(1, sum(map(len, self._has_voice))))
