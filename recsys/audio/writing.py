"""Write audio block by block: whole numbers where the source has some, so that parts add up to their sum exactly."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import soundfile

from recsys.arrays import F32, I32
from recsys.audio.signal import Depth, SampleStream, UnreadableAudio
from recsys.errors import InputError
from recsys.files import not_writable, printable

Form: TypeAlias = Literal["wav", "flac"]
Name = TypeVar("Name", bound=str)
Samples: TypeAlias = npt.NDArray[np.float32 | np.int32]  # float, or whole numbers

FORMS: dict[str, Form] = {".wav": "wav", ".flac": "flac"}  # by the ending of a file
CHUNK = 4_096  # frames per call of libsndfile
N_FLAC_CHANNELS = 8  # most that FLAC can hold
MAX_FLAC_HZ = 655_350  # highest sampling rate that FLAC can hold
LONGEST_WAV = 4_000_000_000  # [bytes]; a longer file is an RF64 file, a WAV file with longer size fields
SUBTYPES = {"16 bit": "PCM_16", "24 bit": "PCM_24", "float": "FLOAT"}
SCALES = {"16 bit": 2**15, "24 bit": 2**23}  # full scale of whole numbers
N_BYTES = {"16 bit": 2, "24 bit": 3, "float": 4}


def form_of(path: Path) -> Form:
    """Return the format by the ending of a file to write; raises InputError for another than .wav and .flac."""
    if path.suffix.lower() not in FORMS:
        raise InputError(f"{printable(str(path))}: found the ending {path.suffix!r}, expected .wav or .flac")
    return FORMS[path.suffix.lower()]


def depth_of(form: Form, depth: Depth) -> Depth:
    """Return the kind of samples that a file of a source's kind is written with: FLAC holds float as 24 bit."""
    return "24 bit" if form == "flac" and depth == "float" else depth


def whole_numbers(samples: F32, depth: Depth) -> I32:
    """Round samples, full scale -1..1, to whole numbers of a depth; those above full scale are clipped."""
    scale = SCALES[depth]
    return np.clip(np.rint(samples.astype(np.float64) * scale), -scale, scale - 1).astype(np.int32)


def n_above_full_scale(samples: F32, depth: Depth) -> int:
    """Return how many samples exceed full scale, which a depth of whole numbers clips; 0 for float."""
    return 0 if depth == "float" else int((np.abs(samples) > 1).sum())


def split(mix: F32, part: F32, depth: Depth) -> tuple[Samples, Samples]:
    """
    Split a mix into an estimated part and the rest, as they are written.

    Args:
        mix: Samples, full scale -1..1, of any shape.
        part: The estimate, of the same shape.
        depth: Kind of samples to return.

    Returns:
        The part and the rest. Whole numbers add up to the mix exactly: the part is limited where the rest would exceed
        full scale. Floats add up to it within their rounding.
    """
    if depth == "float":
        return part, mix - part
    low, high = -SCALES[depth], SCALES[depth] - 1
    whole = whole_numbers(mix, depth)
    limited = np.clip(whole_numbers(part, depth), np.maximum(whole - high, low), np.minimum(whole - low, high))
    return limited, whole - limited


class AudioWriter:
    """
    Writes an audio file block by block; to be closed by a `with` block.

    Args:
        path: The file, whatever its suffix.
        form: Its format.
        rate_hz: Sampling rate [Hz].
        n_channels: Number of channels.
        depth: Kind of its samples.
        declared_s: Expected length, by which a WAV file gets size fields that are long enough [s]; 0 if it is unknown.

    Raises:
        UnreadableAudio: FLAC cannot hold so many channels, or the sampling rate; names the source as `source`.
        SetupError: The file cannot be written, also by `write` and at the end.
    """

    def __init__(
        self, path: Path, form: Form, rate_hz: int, n_channels: int, depth: Depth, *, declared_s: float, source: Path
    ) -> None:
        if form == "flac" and n_channels > N_FLAC_CHANNELS:
            message = f"has {n_channels} channels, FLAC holds at most {N_FLAC_CHANNELS} (WAV holds more)"
            raise UnreadableAudio("not_decodable", source, message)
        if form == "flac" and rate_hz > MAX_FLAC_HZ:
            message = f"has a sampling rate of {rate_hz:,} Hz, FLAC holds at most {MAX_FLAC_HZ:,} Hz (WAV holds more)"
            raise UnreadableAudio("not_decodable", source, message)
        n_bytes = declared_s * rate_hz * n_channels * N_BYTES[depth]
        is_long = n_bytes > LONGEST_WAV or not declared_s
        container = "FLAC" if form == "flac" else "RF64" if is_long else "WAV"
        self._depth, self._folder = depth, path.parent
        with self._writing():
            self._file = soundfile.SoundFile(
                os.fsencode(path), "w", rate_hz, n_channels, SUBTYPES[depth], format=container
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._writing():
            self._file.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (soundfile.LibsndfileError, AssertionError) as error:  # soundfile asserts that all is written
            reason = str(error).rpartition(": ")[2].rstrip(".") or "too little was written"
            raise not_writable(self._folder, reason) from error

    def write(self, samples: Samples) -> None:
        """Write samples, shape (n_channels, n): float, or whole numbers of the file's depth as `split` returns them."""
        if samples.dtype == np.int32:  # of which libsndfile reads the upper bits
            samples = np.left_shift(samples, 16 if self._depth == "16 bit" else 8)
        with self._writing():
            for start in range(0, samples.shape[1], CHUNK):
                self._file.write(np.ascontiguousarray(samples[:, start : start + CHUNK].T))


@contextmanager
def open_writers(
    paths: Mapping[Name, Path], form: Form, stream: SampleStream, source: Path
) -> Iterator[dict[Name, AudioWriter]]:
    """Open a writer per path for parts of a source, at its rate, with its channels and kind of samples."""
    with ExitStack() as opened:
        yield {
            name: opened.enter_context(
                AudioWriter(
                    path,
                    form,
                    stream.rate_hz,
                    stream.n_channels,
                    depth_of(form, stream.depth),
                    declared_s=stream.declared_s,
                    source=source,
                )
            )
            for name, path in paths.items()
        }
