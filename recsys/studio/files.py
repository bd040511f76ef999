"""Read and write whole files of studio tools: samples as they are stored, at the file's rate and with its channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.arrays import F32
from recsys.audio.signal import Depth, UnreadableAudio, open_samples
from recsys.audio.writing import SCALES, AudioWriter, Form, depth_of, whole_numbers
from recsys.errors import InputError
from recsys.files import printable

LONGEST_S = 3_600.0


@dataclass(frozen=True, eq=False)
class Recording:
    """
    A decoded file.

    Attributes:
        samples: Shape (n_channels, n_samples), float32, full scale -1..1.
        rate_hz: Sampling rate [Hz].
        depth: Kind of its samples.
        lost_s: Length that could not be decoded, or was not finite and is 0 [s].
    """

    samples: F32
    rate_hz: int
    depth: Depth
    lost_s: float

    @property
    def duration_s(self) -> float:
        """Length [s]."""
        return float(self.samples.shape[1] / self.rate_hz)


def read_recording(path: Path) -> Recording:
    """Decode a whole file; raises UnreadableAudio if nothing of it can be decoded, or it is longer than an hour."""
    with open_samples(path) as stream:
        blocks, n_samples = [], 0
        for block in stream.blocks:
            blocks.append(block)
            n_samples += block.shape[1]
            if n_samples > LONGEST_S * stream.rate_hz:
                raise UnreadableAudio("too_long", path, f"longer than {LONGEST_S:,.0f} s (cut it into pieces)")
    return Recording(np.concatenate(blocks, axis=1), stream.rate_hz, stream.depth, stream.lost_s)


def require_samples(path: Path, n_samples: int, longest_s: float) -> None:
    """Raise UnreadableAudio if nothing of a file can be decoded, or it is longer or has more samples in total."""
    with open_samples(path) as stream:
        longest_s = min(longest_s, n_samples / stream.n_channels / stream.rate_hz)
        n_left = longest_s * stream.n_channels * stream.rate_hz
        for block in stream.blocks:
            n_left -= block.size
            if n_left < 0:
                limit = f"{longest_s:,.0f} s, the limit for {stream.n_channels} channels at {stream.rate_hz:,} Hz"
                raise UnreadableAudio("too_long", path, f"longer than {limit} (cut it into pieces)")


def write_recording(path: Path, recording: Recording, form: Form, source: Path) -> None:
    """Write a recording in a format, whatever the suffix of the path; `source` is named if it cannot hold it."""
    depth, n_channels = depth_of(form, recording.depth), len(recording.samples)
    samples = recording.samples if depth == "float" else whole_numbers(recording.samples, depth)
    with AudioWriter(
        path, form, recording.rate_hz, n_channels, depth, declared_s=recording.duration_s, source=source
    ) as writer:
        writer.write(samples)


def rounded(samples: F32, depth: Depth) -> F32:
    """Return samples as a file of a depth holds them."""
    return samples if depth == "float" else (whole_numbers(samples, depth) / SCALES[depth]).astype(np.float32)


def require_distinct(written: Sequence[Path], read: Sequence[Path]) -> None:
    """Raise InputError if a file to write is one that is read, or to be written twice, by whatever name or link."""
    sources, targets = {path.resolve() for path in read}, set()
    for path in written:
        if path.resolve() in sources:
            raise InputError(f"{printable(str(path))} would be replaced. Name another file or folder to write to")
        if path.resolve() in targets:
            raise InputError(f"{printable(str(path))} would be written twice. Name files or folders of their own")
        targets.add(path.resolve())
