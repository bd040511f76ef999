"""
Decode an audio file of any codec, rate and number of channels, and measure how much of it could not be decoded.

Files are decoded by libav or, if that fails, by libsndfile. Only audio containers are opened, never a playlist that
refers to other files. Of a damaged file, the decodable samples are returned; if there are none, `UnreadableAudio` is
raised.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
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
from recsys.audio import trackers
from recsys.errors import InputError

Reason: TypeAlias = Literal["no_file", "empty", "no_audio", "not_decodable", "too_long"]
Depth: TypeAlias = Literal["16 bit", "24 bit", "float"]  # whole numbers of so many bits, or float, as of lossy codecs

CONTAINERS = "aac,ac3,aiff,asf,caf,eac3,flac,matroska,mov,mp3,ogg,w64,wav,wv"
# Beginnings of names of codecs, as in sql/intermediate/delivery_faults.sql, and endings of those that are not lossless.
LOSSLESS = ("pcm_", "flac", "alac", "wavpack", "float", "double")
COMPANDED = "law"
MAX_AMPLITUDE = 8.0  # 18 dB over full scale; larger values come from damaged files
MIN_BIT_RATE = 1_000  # [bit/s]; a length in the header that would need less is ignored
DECODE_ERRORS = (av.error.FFmpegError, OSError)  # OSError: seeking to an impossible offset in a damaged file
MIN_LOSS_S = 0.1  # encoders pad and trim; a shorter difference does not count as lost
MIN_SIDE_POWER = 4.0  # power of the difference of two channels over that of their mean, from which they cancel
BLOCK_S = 1  # length of the blocks of a stream
STREAM_HZ = (8_000, 192_000)  # lowest and highest sampling rate of a stream
PIECE_S, CONTEXT_S = 60, 1  # long files are resampled in pieces, with this much context on both sides


class UnreadableAudio(InputError):  # noqa: N818 - reads as the sentence it prints
    """
    A file that cannot be decoded at all; its text is one short sentence, `<path>: <message>`.

    Attributes:
        reason: no_file (missing, unreadable, a folder, a device), empty, no_audio (no audio stream), not_decodable or
            too_long.
        path: The file.
        message: What is wrong with the file, in words; `__cause__` has the decoder's error.
    """

    def __init__(self, reason: Reason, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.reason: Reason = reason
        self.path, self.message = path, message

    @override
    def __reduce__(self) -> tuple[type["UnreadableAudio"], tuple[str, Path, str]]:
        """Pickle with all attributes, so that the error can be sent between processes."""
        return type(self), (self.reason, self.path, self.message)


def is_lossless(codec: str) -> bool:
    """
    Return whether a codec keeps all samples.

    >>> is_lossless("pcm_s24le"), is_lossless("pcm_mulaw")
    (True, False)
    """
    return codec.startswith(LOSSLESS) and not codec.endswith(COMPANDED)


@dataclass(frozen=True, eq=False)
class Signal:
    """
    A decoded recording.

    Attributes:
        samples: Shape (n_channels, n_samples), float32; full scale is -1..1, at most 8 where a codec overshoots.
        rate_hz: Sampling rate of the file [Hz].
        codec: Name of the codec, as libav or libsndfile gives it.
        lost_s: Length that could not be decoded [s]: failed packets, or more if the file states a greater length.
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
        """Length of the decoded audio [s]."""
        return float(self.samples.shape[1] / self.rate_hz)

    def mono(self, rate_hz: int) -> F32:
        """Return the mean of the channels, resampled to a rate; shape (about duration_s * rate_hz,), float32."""
        mixed: F32 = self.samples.mean(axis=0, dtype=np.float32)
        return resample(mixed, self.rate_hz, rate_hz)


def read_audio(path: Path, *, longest_s: float = 3600.0) -> Signal:
    """
    Decode a whole file into memory.

    Args:
        path: The file.
        longest_s: Maximum length; a longer recording is refused, because it would fill the memory [s].

    Returns:
        The signal. Samples that are not finite or exceed full scale by 18 dB are set to 0 and count as lost.

    Raises:
        UnreadableAudio: Nothing of the file can be decoded, or it is too long.
    """
    require_regular_file(path)
    try:
        signal = _by_libav(path, longest_s)
    except (*DECODE_ERRORS, _NothingDecodedError) as first:
        signal = _by_libsndfile(path, longest_s, first)
    return _without_invalid(signal)


class _NothingDecodedError(Exception):
    """The container could be opened but gave no samples."""


def require_regular_file(path: Path) -> None:
    """Raise UnreadableAudio unless the path is a file that can be opened and is not empty; never waits for a pipe."""
    try:
        status = path.stat()
        is_file = stat.S_ISREG(status.st_mode)
        if is_file:
            path.open("rb").close()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        why = error.strerror if isinstance(error, OSError) else error
        raise UnreadableAudio("no_file", path, f"cannot be opened ({why})") from error
    if not is_file:
        raise UnreadableAudio("no_file", path, "not a file (a folder or a device)")
    if status.st_size == 0:
        raise UnreadableAudio("empty", path, "an empty file")


@dataclass(eq=False)
class SampleStream:
    """
    A file that is decoded block by block, at its own rate and with its own channels.

    Attributes:
        rate_hz: Sampling rate of the file [Hz].
        n_channels: Number of channels.
        depth: Kind of its samples.
        declared_s: Length that the file states [s]; 0 if it states none that is plausible for its size.
        blocks: Consecutive samples in blocks of about a second, shape (n_channels, n), float32; read once. Samples that
            are not finite or exceed full scale by 18 dB are 0.
        lost_s: Length of such samples so far [s]; at the end also of what could not be decoded, as in `Signal`.
    """

    rate_hz: int
    n_channels: int
    depth: Depth
    declared_s: float
    blocks: Iterator[F32] = field(default_factory=lambda: iter(()))
    lost_s: float = 0.0

    def share_of(self, n_samples: int) -> float:
        """Return the share of the stated length that so many samples are, 0..1; 0 if the length is not stated."""
        return min(1.0, n_samples / self.rate_hz / self.declared_s) if self.declared_s else 0.0


@contextmanager
def open_samples(path: Path) -> Iterator[SampleStream]:
    """
    Open a file of any length, to decode it in constant memory; a damaged file ends where it cannot be decoded.

    Raises:
        UnreadableAudio: Nothing of the file can be decoded, or its sampling rate is outside of `STREAM_HZ`.
    """
    require_regular_file(path)
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(_stream_by_libav(path))
        except (*DECODE_ERRORS, _NothingDecodedError) as first:
            stream = opened.enter_context(_stream_by_libsndfile(path, first))
        lowest, highest = STREAM_HZ
        if not lowest <= stream.rate_hz <= highest:
            message = (
                f"has a sampling rate of {stream.rate_hz:,} Hz, expected {lowest:,} to {highest:,} Hz (resample it)"
            )
            raise UnreadableAudio("not_decodable", path, message)
        yield stream


@contextmanager
def _stream_by_libav(path: Path) -> Iterator[SampleStream]:
    with _opened(path) as (container, audio):
        decoder = _Decoder(path, inf)
        chunks = decoder.chunks(container, audio)
        first = next(chunks, None)
        if first is None:
            raise _NothingDecodedError
        declared_s = _plausible_s(_declared_s(container, audio), path.stat().st_size)
        depth = _depth(audio.codec_context.name, audio.format.name)
        stream = SampleStream(decoder.rate_hz, len(first), depth, declared_s)
        stream.blocks = _valid_blocks(stream, chain([first], chunks), lambda: decoder.failed_s)
        yield stream


@contextmanager
def _stream_by_libsndfile(path: Path, first: Exception) -> Iterator[SampleStream]:
    try:
        file = soundfile.SoundFile(os.fsencode(path))
    except soundfile.LibsndfileError as second:
        raise UnreadableAudio("not_decodable", path, "not an audio file we can decode") from second
    with file:
        if not file.frames:
            raise UnreadableAudio("not_decodable", path, "an audio file without a sample in it") from first
        stream = SampleStream(file.samplerate, file.channels, _depth("", file.subtype), file.frames / file.samplerate)
        stream.blocks = _valid_blocks(stream, _chunks_by_libsndfile(file, path), lambda: 0.0)
        yield stream


def _chunks_by_libsndfile(file: soundfile.SoundFile, path: Path) -> Iterator[F32]:
    try:
        for block in file.blocks(BLOCK_S * file.samplerate, dtype="float32", always_2d=True):
            yield block.T
    except soundfile.LibsndfileError as error:
        raise UnreadableAudio("not_decodable", path, "not an audio file we can decode") from error


def _depth(codec: str, name: str) -> Depth:
    """
    Return the kind of samples of a codec of libav and a name of libav or libsndfile, such as s16p or PCM_24.

    libav decodes 24 bits as the upper ones of s32. 32 bits are float: a float32 sample has 24 significant bits.
    """
    if name.startswith(("u8", "s16")) or name in {"PCM_U8", "PCM_S8", "PCM_16"}:
        return "16 bit"
    is_24_bit = name == "PCM_24" or (name.startswith("s32") and not codec.startswith("pcm_s32"))
    return "24 bit" if is_24_bit else "float"


def _valid_blocks(stream: SampleStream, chunks: Iterator[F32], failed_s: Callable[[], float]) -> Iterator[F32]:
    """Yield blocks without invalid samples; count what is lost, at the end also what could not be decoded."""
    n_samples = 0
    for block, rate_hz in _gathered(((chunk, stream.rate_hz) for chunk in chunks), BLOCK_S):
        valid = _without_invalid(Signal(block, rate_hz, "", 0.0))
        stream.lost_s += valid.lost_s
        n_samples += block.shape[1]
        yield valid.samples
    stream.lost_s += _lost_s(stream.declared_s, n_samples / stream.rate_hz, failed_s())


def mono_pieces(path: Path, rate_hz: int, *, on_side: Callable[[float], None] = lambda _seconds: None) -> Iterator[F32]:
    """
    Decode a file of any length piece by piece, in constant memory; also a tracker module that has such a suffix.

    Args:
        path: The file.
        rate_hz: Sampling rate of the pieces [Hz].
        on_side: Called with the length [s] of each piece whose two channels cancel each other in their mean.

    Yields:
        The mean of the channels in pieces of about a minute, shape (n,), float32; concatenated they equal
        `Signal.mono`. Where the two channels of a stereo file cancel each other (`MIN_SIDE_POWER`), half their
        difference.

    Raises:
        UnreadableAudio: Nothing of the file can be decoded.
    """
    pieces = ((piece.samples, piece.rate_hz) for piece in _any_pieces(path))
    yield from _resampled(_louder(pieces, on_side), rate_hz)


def _any_pieces(path: Path) -> Iterator["Piece"]:
    """Decode a file as what it is, whatever its suffix; one with the suffix of a module, else as a module."""
    decoded = _pieces(path, _mixed)
    try:
        first = next(decoded)
    except UnreadableAudio:
        if path.suffix.lower() not in trackers.SUFFIXES:
            raise
        decoded = _pieces_of_module(path)
        first = next(decoded)
    yield from chain([first], decoded)


@dataclass(frozen=True, eq=False)
class Piece:
    """
    Consecutive samples of a file.

    Attributes:
        samples: Shape (n_channels, n_samples), float32, as decoded.
        rate_hz: Sampling rate of the file [Hz].
        codec: Name of the codec, as libav or libsndfile gives it.
    """

    samples: F32
    rate_hz: int
    codec: str


def channel_pieces(path: Path) -> Iterator[Piece]:
    """
    Decode a file of any length piece by piece, in constant memory, with its own sampling rate and channels.

    Args:
        path: The file.

    Yields:
        Pieces of about a minute. Samples are as decoded, so they may be NaN or infinite.

    Raises:
        UnreadableAudio: Nothing of the file can be decoded.
    """
    return _pieces(path, lambda samples: samples)


_Piece: TypeAlias = tuple[F32, int]  # consecutive samples, (n,), or mid and side, (2, n), and their sampling rate [Hz]
_Form: TypeAlias = Callable[[F32], F32]  # what is kept of a chunk, shape (n_channels, n)


def _pieces(path: Path, form: _Form) -> Iterator[Piece]:
    require_regular_file(path)
    pieces = _pieces_by_libav(path, form)
    try:
        first = next(pieces)
    except (*DECODE_ERRORS, StopIteration) as error:
        pieces = _pieces_by_libsndfile(path, form, error)
        first = next(pieces)
    yield from chain([first], pieces)


def _pieces_by_libav(path: Path, form: _Form) -> Iterator[Piece]:
    with _opened(path) as (container, audio):
        decoder, codec = _Decoder(path, inf), audio.codec_context.name
        gathered = _gathered((form(chunk), decoder.rate_hz) for chunk in decoder.chunks(container, audio))
        yield from (Piece(samples, rate_hz, codec) for samples, rate_hz in gathered)


def _pieces_by_libsndfile(path: Path, form: _Form, first: Exception) -> Iterator[Piece]:
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            blocks = file.blocks(PIECE_S * file.samplerate, dtype="float32", always_2d=True)
            n = 0
            for block in blocks:
                n += len(block)
                yield Piece(form(block.T), file.samplerate, file.subtype.lower())
    except (soundfile.LibsndfileError, OSError) as second:
        raise UnreadableAudio("not_decodable", path, "not an audio file we can decode") from second
    if not n:
        raise UnreadableAudio("not_decodable", path, "an audio file without a sample in it") from first


def _pieces_of_module(path: Path) -> Iterator[Piece]:
    require_regular_file(path)
    if path.stat().st_size > trackers.MAX_BYTES:
        raise UnreadableAudio("too_long", path, f"a tracker module of more than {trackers.MAX_BYTES // 2**20} MiB")
    try:
        chunks = ((_mixed(chunk), trackers.RATE_HZ) for chunk in trackers.played(path.read_bytes()))
        yield from (Piece(samples, rate_hz, "module") for samples, rate_hz in _gathered(chunks))
    except trackers.UnplayableModuleError as error:
        raise UnreadableAudio("not_decodable", path, str(error)) from error


def _mixed(samples: F32) -> F32:
    """Return the mean of the channels, and half the difference of two channels (else zeros), shape (2, n)."""
    valid = without_invalid(samples)
    mid: F32 = valid.mean(axis=0, dtype=np.float32)
    return np.stack([mid, (valid[0] - valid[1]) / np.float32(2) if len(valid) == 2 else np.zeros_like(mid)])


def without_invalid(samples: F32) -> F32:
    """Return samples with those that are not finite, or far above full scale, set to 0."""
    with np.errstate(invalid="ignore"):
        valid: F32 = np.where(np.abs(samples) <= MAX_AMPLITUDE, samples, np.float32(0))
    return valid


def _louder(pieces: Iterator[_Piece], on_side: Callable[[float], None]) -> Iterator[_Piece]:
    """Yield mid, or side where it is much louder."""
    for (mid, side), rate_hz in pieces:
        if np.square(side).sum() > MIN_SIDE_POWER * np.square(mid).sum():
            on_side(len(side) / rate_hz)
            yield side, rate_hz
        else:
            yield mid, rate_hz


def _gathered(chunks: Iterator[_Piece], piece_s: float = PIECE_S) -> Iterator[_Piece]:
    """Concatenate chunks of a few milliseconds to pieces of at least `piece_s`."""
    gathered: list[F32] = []
    n, rate_hz = 0, 0
    for chunk, rate_hz in chunks:
        gathered.append(chunk)
        n += chunk.shape[1]
        if n >= piece_s * rate_hz:
            yield np.concatenate(gathered, axis=1), rate_hz
            gathered, n = [], 0
    if gathered:
        yield np.concatenate(gathered, axis=1), rate_hz


def _resampled(pieces: Iterator[_Piece], rate_hz: int) -> Iterator[F32]:
    """Resample piece by piece; a second of context on both sides of each piece avoids audible seams."""
    buffer, n_before, own_hz = np.empty(0, np.float32), 0, rate_hz
    for piece, own_hz in pieces:
        buffer = np.concatenate([buffer, piece])
        while len(buffer) >= n_before + (PIECE_S + CONTEXT_S) * own_hz:
            end = n_before + PIECE_S * own_hz
            yield resample(buffer[: end + CONTEXT_S * own_hz], own_hz, rate_hz)[
                n_before * rate_hz // own_hz : end * rate_hz // own_hz
            ]
            buffer, n_before = buffer[end - CONTEXT_S * own_hz :], CONTEXT_S * own_hz
    yield resample(buffer, own_hz, rate_hz)[n_before * rate_hz // own_hz :]


def resample(mono: F32, own_hz: int, rate_hz: int) -> F32:
    """Resample mono audio, shape (n,), from `own_hz` to `rate_hz`, band-limited; length about n * rate_hz / own_hz."""
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
            raise UnreadableAudio("no_audio", path, "contains no audio stream (a picture, or a video without sound?)")
        yield container, container.streams.audio[0]


def _by_libav(path: Path, longest_s: float) -> Signal:
    with _opened(path) as (container, audio):
        decoder = _Decoder(path, longest_s)
        chunks = list(decoder.chunks(container, audio))
        if not chunks:
            raise _NothingDecodedError
        samples = np.concatenate(chunks, axis=1)
        codec, rate_hz = audio.codec_context.name, decoder.rate_hz
        declared_s = _plausible_s(_declared_s(container, audio), path.stat().st_size)
    return Signal(samples, rate_hz, codec, _lost_s(declared_s, samples.shape[1] / rate_hz, decoder.failed_s))


def _lost_s(declared_s: float, decoded_s: float, failed_s: float) -> float:
    """Return the length that could not be decoded [s]: failed packets, or more if the file states a greater length."""
    lost_s = max(declared_s - decoded_s, failed_s)
    return lost_s if lost_s > MIN_LOSS_S else 0.0


class _Decoder:
    """Decodes packets. Packets that fail, and frames with another rate or number of channels, count as lost."""

    def __init__(self, path: Path, longest_s: float) -> None:
        self._path, self._longest_s = path, longest_s
        self.rate_hz = 0
        self.failed_s = 0.0
        self._n_samples = 0

    def chunks(self, container: InputContainer, audio: av.AudioStream) -> Iterator[F32]:
        """Yield chunks of samples, shape (n_channels, n), float32."""
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
            except DECODE_ERRORS:  # the rest of the container is unreadable
                return
            try:
                yield from packet.decode()
            except DECODE_ERRORS:
                seconds = (packet.duration or 0) * packet.time_base if packet.time_base else 0
                self.failed_s += float(seconds)


def _samples(frame: av.AudioFrame) -> F32:
    """Return the samples of a frame, shape (n_channels, n), float32, full scale -1..1."""
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


def _plausible_s(declared_s: float, n_bytes: int) -> float:
    """Return the length stated in the header if it is plausible for the file's size, else 0."""
    return declared_s if 0 < declared_s <= 8 * n_bytes / MIN_BIT_RATE else 0.0


def _by_libsndfile(path: Path, longest_s: float, first: Exception) -> Signal:
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            if file.frames > longest_s * file.samplerate:
                raise _too_long(path, longest_s)
            samples = file.read(dtype="float32", always_2d=True).T
            rate_hz, codec, declared = file.samplerate, file.subtype.lower(), file.frames
    except (soundfile.LibsndfileError, OSError) as second:
        raise UnreadableAudio("not_decodable", path, "not an audio file we can decode") from second
    if not samples.size:
        raise UnreadableAudio("not_decodable", path, "an audio file without a sample in it") from first
    lost_s = _lost_s(declared / rate_hz, samples.shape[1] / rate_hz, 0.0)
    return Signal(np.ascontiguousarray(samples), rate_hz, codec, lost_s)


def _too_long(path: Path, longest_s: float) -> UnreadableAudio:
    return UnreadableAudio("too_long", path, f"longer than {longest_s:,.0f} s (cut it into pieces)")


def _without_invalid(signal: Signal) -> Signal:
    """Set samples that are not finite, or far above full scale, to 0, and count them as lost."""
    with np.errstate(invalid="ignore"):
        is_valid = np.abs(signal.samples) <= MAX_AMPLITUDE  # False for NaN too
    if is_valid.all():
        return signal
    lost_s = signal.lost_s + float((~is_valid).any(axis=0).sum()) / signal.rate_hz
    return Signal(np.where(is_valid, signal.samples, np.float32(0)), signal.rate_hz, signal.codec, lost_s)
