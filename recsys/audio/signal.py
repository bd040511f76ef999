"""
An audio file to samples: any codec, rate and number of channels, with what could not be decoded counted.

libav reads first; libsndfile has a second try at what libav gives up. Only plain audio containers are opened, never a
playlist that points at other files. A damaged file gives what can be read; one of which nothing can, an error.
"""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from math import gcd, inf
from pathlib import Path
from typing import Literal, TypeAlias

import av
import numpy as np
import soundfile
from av.container import InputContainer
from scipy.signal import resample_poly
from typing_extensions import override

from recsys.arrays import F32
from recsys.errors import InputError

Reason: TypeAlias = Literal["no_file", "empty", "no_audio", "not_decodable", "too_long"]

CONTAINERS = "aac,aiff,asf,caf,flac,matroska,mov,mp3,ogg,w64,wav,wv"
LOUDEST = 8.0  # beyond this (18 dB over full scale) a float is no sound but damage
LEAST_BIT_RATE = 1_000  # [bit/s]; a header that claims a longer file than this allows is not believed
BROKEN = (av.error.FFmpegError, OSError)  # an offset that no file can have is an error of the system's
LEAST_LOSS_S = 0.1  # encoders pad and trim; less is no loss
PIECE_S, CONTEXT_S = 60, 1  # what is resampled at a time, and how far its filter may look to each side


class UnreadableAudio(InputError):  # noqa: N818 - reads as the sentence it prints
    """
    A file of which nothing can be heard; it prints as one short sentence, `<path>: <message>`.

    Attributes:
        reason: no_file (missing, not to be opened, a folder, a pipe), empty, no_audio (no such stream in it),
            not_decodable, too_long.
        path: The file.
        message: What is wrong with it, for a person; what the decoders said is in `__cause__`.
    """

    def __init__(self, reason: Reason, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.reason: Reason = reason
        self.path, self.message = path, message

    @override
    def __reduce__(self) -> tuple[type["UnreadableAudio"], tuple[str, Path, str]]:
        """Travel between processes whole."""
        return type(self), (self.reason, self.path, self.message)


@dataclass(frozen=True, eq=False)
class Signal:
    """
    A decoded recording.

    Attributes:
        samples: Shape (n_channels, n_samples), float32; full scale is -1..1, up to 8 where codecs overshoot.
        rate_hz: Sampling rate of the file [Hz].
        codec: What it was encoded by, as libav or libsndfile names it.
        lost_s: Length of what could not be decoded, as far as the file tells [s].
    """

    samples: F32
    rate_hz: int
    codec: str
    lost_s: float

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def duration_s(self) -> float:
        """Length of what was decoded [s]."""
        return float(self.samples.shape[1] / self.rate_hz)

    def mono(self, rate_hz: int) -> F32:
        """Return the mean of the channels at another rate, band-limited; shape (about duration_s * rate_hz,)."""
        mixed: F32 = self.samples.mean(axis=0, dtype=np.float32)
        return at_rate(mixed, self.rate_hz, rate_hz)


def read_audio(path: Path, *, longest_s: float = 3600.0) -> Signal:
    """
    Decode a file.

    Args:
        path: The file.
        longest_s: A longer recording is refused: it would fill the memory [s].

    Returns:
        Its samples; what is not finite or louder than 18 dB over full scale is silence, and counts as lost.

    Raises:
        UnreadableAudio: Nothing of it can be decoded; it says why.
    """
    _refuse_what_is_no_file(path)
    try:
        signal = _by_libav(path, longest_s)
    except (*BROKEN, _NothingDecodedError) as first:
        signal = _by_libsndfile(path, longest_s, first)
    return _cleaned(signal)


class _NothingDecodedError(Exception):
    """The container was opened and gave no sample."""


def _refuse_what_is_no_file(path: Path) -> None:
    try:
        found = path.stat()
        is_file = stat.S_ISREG(found.st_mode)
        if is_file:
            path.open("rb").close()
    except (OSError, ValueError) as closed:  # a name with a zero byte in it is a ValueError
        why = closed.strerror if isinstance(closed, OSError) else closed
        raise UnreadableAudio("no_file", path, f"cannot be opened ({why})") from closed
    if not is_file:
        raise UnreadableAudio("no_file", path, "not a file (a folder, pipe or device)")
    if found.st_size == 0:
        raise UnreadableAudio("empty", path, "an empty file")


def mono_pieces(path: Path, rate_hz: int) -> Iterator[F32]:
    """
    Decode a file of any length in a memory that does not grow with it.

    Args:
        path: The file.
        rate_hz: Of what is yielded [Hz].

    Yields:
        The mean of the channels, a minute at a time, shape (n,); together they are what `Signal.mono` gives.

    Raises:
        UnreadableAudio: Nothing of it can be decoded; it says why.
    """
    _refuse_what_is_no_file(path)
    pieces = _pieces_by_libav(path)
    try:
        first = next(pieces)
    except (*BROKEN, StopIteration) as nothing:
        pieces = _pieces_by_libsndfile(path, nothing)
        first = next(pieces)
    yield from _resampled(chain([first], pieces), rate_hz)


_Piece: TypeAlias = tuple[F32, int]  # consecutive samples, mono, and their rate [Hz]


def _pieces_by_libav(path: Path) -> Iterator[_Piece]:
    with _opened(path) as (container, audio):
        decoder = _Decoder(path, inf)
        yield from _gathered((_mixed(chunk), decoder.rate_hz) for chunk in decoder.chunks(container, audio))


def _pieces_by_libsndfile(path: Path, first: Exception) -> Iterator[_Piece]:
    try:
        with soundfile.SoundFile(path) as file:
            blocks = file.blocks(PIECE_S * file.samplerate, dtype="float32", always_2d=True)
            n = 0
            for block in blocks:
                n += len(block)
                yield _mixed(block.T), file.samplerate
    except (soundfile.LibsndfileError, OSError) as second:
        raise UnreadableAudio("not_decodable", path, "not an audio file we can decode") from second
    if not n:
        raise UnreadableAudio("not_decodable", path, "an audio file without a sample in it") from first


def _mixed(samples: F32) -> F32:
    with np.errstate(invalid="ignore"):
        sound = np.where(np.abs(samples) <= LOUDEST, samples, np.float32(0))
    mixed: F32 = sound.mean(axis=0, dtype=np.float32)
    return mixed


def _gathered(chunks: Iterator[_Piece]) -> Iterator[_Piece]:
    """Put chunks of some milliseconds together to a minute."""
    some: list[F32] = []
    n, rate_hz = 0, 0
    for chunk, rate_hz in chunks:
        some.append(chunk)
        n += len(chunk)
        if n >= PIECE_S * rate_hz:
            yield np.concatenate(some), rate_hz
            some, n = [], 0
    if some:
        yield np.concatenate(some), rate_hz


def _resampled(pieces: Iterator[_Piece], rate_hz: int) -> Iterator[F32]:
    """Resample without seams: each piece with a second of what is before and after it."""
    held, n_before, own_hz = np.empty(0, np.float32), 0, rate_hz
    for piece, own_hz in pieces:
        held = np.concatenate([held, piece])
        while len(held) >= n_before + (PIECE_S + CONTEXT_S) * own_hz:
            end = n_before + PIECE_S * own_hz
            yield at_rate(held[: end + CONTEXT_S * own_hz], own_hz, rate_hz)[
                n_before * rate_hz // own_hz : end * rate_hz // own_hz
            ]
            held, n_before = held[end - CONTEXT_S * own_hz :], CONTEXT_S * own_hz
    yield at_rate(held, own_hz, rate_hz)[n_before * rate_hz // own_hz :]


def at_rate(mono: F32, own_hz: int, rate_hz: int) -> F32:
    """Return sound, shape (n,), at another rate, band-limited; shape (about n * rate_hz / own_hz,)."""
    if rate_hz == own_hz:
        return mono
    shared = gcd(rate_hz, own_hz)
    resampled: F32 = resample_poly(mono, rate_hz // shared, own_hz // shared).astype(np.float32)
    return resampled


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, av.AudioStream]]:
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "pipe"}
    with path.open("rb") as stream, av.open(stream, "r", options=options, metadata_errors="replace") as container:
        if not container.streams.audio:
            raise UnreadableAudio("no_audio", path, "no sound in it (a picture, or a silent film?)")
        yield container, container.streams.audio[0]


def _by_libav(path: Path, longest_s: float) -> Signal:
    with _opened(path) as (container, audio):
        decoder = _Decoder(path, longest_s)
        chunks = list(decoder.chunks(container, audio))
        if not chunks:
            raise _NothingDecodedError
        samples = np.concatenate(chunks, axis=1)
        codec, rate_hz = audio.codec_context.name, decoder.rate_hz
        declared_s = _believed(_declared_s(container, audio), path.stat().st_size)
    lost_s = max(declared_s - samples.shape[1] / rate_hz, decoder.failed_s)
    return Signal(samples, rate_hz, codec, lost_s if lost_s > LEAST_LOSS_S else 0.0)


class _Decoder:
    """Packets to samples. A packet that fails is passed over; from where rate or channels change on, all is lost."""

    def __init__(self, path: Path, longest_s: float) -> None:
        self._path, self._longest_s = path, longest_s
        self.rate_hz = 0
        self.failed_s = 0.0
        self._n_samples = 0

    def chunks(self, container: InputContainer, audio: av.AudioStream) -> Iterator[F32]:
        """Yield pieces, shape (n_channels, n), float32."""
        n_channels = 0
        for frame in self._frames(container, audio):
            if frame.rate <= 0 or not frame.samples:
                continue
            if not self.rate_hz:
                self.rate_hz, n_channels = frame.rate, frame.layout.nb_channels
            if (frame.rate, frame.layout.nb_channels) == (self.rate_hz, n_channels):
                yield self._counted(_samples(frame))
            else:
                self.failed_s += frame.samples / frame.rate

    def _counted(self, chunk: F32) -> F32:
        self._n_samples += chunk.shape[1]
        if self._n_samples > self._longest_s * self.rate_hz:
            raise _too_long(self._path, self._longest_s)
        return chunk

    def _frames(self, container: InputContainer, audio: av.AudioStream) -> Iterator[av.AudioFrame]:
        packets = container.demux(audio)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except BROKEN:  # the container breaks off
                return
            try:
                yield from packet.decode()
            except BROKEN:
                seconds = (packet.duration or 0) * packet.time_base if packet.time_base else 0
                self.failed_s += float(seconds)


def _samples(frame: av.AudioFrame) -> F32:
    """Return a frame's samples by channel, -1..1."""
    values = frame.to_ndarray()
    by_channel = values if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels).T
    if by_channel.dtype == np.uint8:
        return np.asarray((by_channel.astype(np.float32) - 128) / 128, np.float32)
    if by_channel.dtype.kind == "i":
        return np.asarray(by_channel / 2.0 ** (8 * by_channel.dtype.itemsize - 1), np.float32)
    return by_channel.astype(np.float32)


def _declared_s(container: InputContainer, audio: av.AudioStream) -> float:
    if audio.duration and audio.time_base:
        return float(audio.duration * audio.time_base)
    return (container.duration or 0) / av.time_base


def _believed(declared_s: float, n_bytes: int) -> float:
    """Return the declared length where a file of this size can have it, else 0."""
    return declared_s if 0 < declared_s <= 8 * n_bytes / LEAST_BIT_RATE else 0.0


def _by_libsndfile(path: Path, longest_s: float, first: Exception) -> Signal:
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames > longest_s * file.samplerate:
                raise _too_long(path, longest_s)
            samples = file.read(dtype="float32", always_2d=True).T
            rate_hz, codec, declared = file.samplerate, file.subtype.lower(), file.frames
    except (soundfile.LibsndfileError, OSError) as second:
        raise UnreadableAudio("not_decodable", path, "not an audio file we can decode") from second
    if not samples.size:
        raise UnreadableAudio("not_decodable", path, "an audio file without a sample in it") from first
    lost_s = (declared - samples.shape[1]) / rate_hz
    return Signal(np.ascontiguousarray(samples), rate_hz, codec, lost_s if lost_s > LEAST_LOSS_S else 0.0)


def _too_long(path: Path, longest_s: float) -> UnreadableAudio:
    return UnreadableAudio("too_long", path, f"longer than {longest_s:,.0f} s (cut it into pieces)")


def _cleaned(signal: Signal) -> Signal:
    """Silence what no decoder can have meant."""
    with np.errstate(invalid="ignore"):
        is_sound = np.abs(signal.samples) <= LOUDEST  # False for NaN too
    if is_sound.all():
        return signal
    lost_s = signal.lost_s + float((~is_sound).any(axis=0).sum()) / signal.rate_hz
    return Signal(np.where(is_sound, signal.samples, np.float32(0)), signal.rate_hz, signal.codec, lost_s)
