"""
Damaged, unusual and hostile files: each is decoded as far as possible or refused with a reason; none crashes or hangs.

A case is a file and its expected result: a reason of refusal, or a range of lengths [s]. All files are decoded in
worker processes, as in a scan.
"""

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from recsys.arrays import F32
from recsys.audio.sandbox import Failure, Workers
from recsys.audio.signal import read_audio
from recsys.synth.render import write_audio

RATE_HZ = 44_100
LENGTH_S = 4.0
WHOLE = (3.9, 4.1)
SOME = (0.01, 3.99)
ANY = (0.0, 60.0)
NO_ROW = "not_decodable"
REASONS = {NO_ROW, "no_audio", "empty", "no_file", "timeout", "out_of_memory"}

Expected = str | tuple[float, float] | None  # a reason, a range of lengths [s], or None: either is right
Case = tuple[str, Callable[[Path], None], Expected]


def length_of(path: Path) -> tuple[float, float]:
    """The task of the workers: decoded and lost length [s]."""
    signal = read_audio(path, longest_s=600)
    return signal.duration_s, signal.lost_s


def source(folder: Path, suffix: str) -> bytes:
    """The bytes of the intact file that a case is made from."""
    return (folder / f"whole.{suffix}").read_bytes()


def made(suffix: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """A case that changes the bytes of the intact file."""
    return lambda path: bytes_of(change(source(path.parent.parent, suffix)))(path)


def cut(share: float) -> Callable[[bytes], bytes]:
    """The first part of a file."""
    return lambda data: data[: int(len(data) * share)]


def flipped(data: bytes) -> bytes:
    """The file with two hundred random bytes after the headers."""
    values = np.frombuffer(data, np.uint8).copy()
    rng = np.random.default_rng(7)
    values[rng.integers(9_000, len(values), 200)] = rng.integers(0, 256, 200)
    return values.tobytes()


def zeroed(data: bytes) -> bytes:
    """The file with a tenth of it, in the middle, set to zero, as after the loss of a disk block."""
    start, n = len(data) // 2, len(data) // 10
    return data[:start] + bytes(n) + data[start + n :]


def put(offset: int, pattern: str, *values: int) -> Callable[[bytes], bytes]:
    """The file with other numbers in its header."""
    packed = struct.pack(pattern, *values)
    return lambda data: data[:offset] + packed + data[offset + len(packed) :]


def wav(samples: np.ndarray, rate_hz: int = 8_000, chunks: bytes = b"") -> bytes:
    """The bytes of a 16-bit wave file, with other chunks before the samples."""
    n_channels = samples.shape[0]
    data = (samples.T * 32_767).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, n_channels, rate_hz, rate_hz * 2 * n_channels, 2 * n_channels, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + chunks + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bytes_of(data: bytes) -> Callable[[Path], None]:
    """A case that writes these bytes."""

    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


def text_of(text: str) -> Callable[[Path], None]:
    """A case that writes this text."""
    return bytes_of(text.encode())


def picture(path: Path) -> None:
    """A PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    )


def archive(path: Path) -> None:
    """A zip archive of zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(10_000_000))


def video(path: Path, *, with_sound: bool) -> None:
    """One second of grey video."""
    with av.open(path, "w", format="mov") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono") if with_sound else None
        for number in range(10):
            image = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8))
            image.pts = number
            container.mux(stream.encode(image))
        if sound is not None:
            for start in range(0, RATE_HZ, 1024):
                frame = av.AudioFrame.from_ndarray(np.full((1, 1024), 0.1, np.float32), format="fltp", layout="mono")
                frame.rate, frame.pts = RATE_HZ, start
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
        container.mux(stream.encode(None))


def unreadable(path: Path) -> None:
    """A symbolic link to itself."""
    path.symlink_to(path.name)


SINE = 0.5 * np.sin(np.arange(8_000) / 5)[None]
JUNK = np.random.default_rng(7).integers(0, 256, 50_000).astype(np.uint8).tobytes()
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"

CASES: list[Case] = [
    *((f"cut.{suffix}", made(suffix, cut(0.5)), SOME) for suffix in ("mp3", "ogg", "flac", "wav", "aiff", "caf")),
    *((f"stub.{suffix}", made(suffix, cut(0.01)), None) for suffix in ("mp3", "ogg", "flac", "wav", "aiff", "m4a")),
    *((f"flipped.{suffix}", made(suffix, flipped), ANY) for suffix in ("mp3", "ogg", "flac", "wav", "aiff")),
    *((f"zeroed.{suffix}", made(suffix, zeroed), ANY) for suffix in ("mp3", "ogg", "flac", "wav", "aiff", "m4a")),
    ("whole.m4a", made("m4a", lambda data: data), (3.8, 4.2)),
    ("no_moov.m4a", made("m4a", cut(0.9)), NO_ROW),
    ("rate_0.wav", made("wav", put(24, "<I", 0)), NO_ROW),
    ("rate_huge.wav", made("wav", put(24, "<I", 2**31 - 1)), None),
    ("length_0.wav", made("wav", put(40, "<I", 0)), None),
    ("length_huge.wav", made("wav", put(40, "<I", 2**32 - 2)), WHOLE),
    ("riff_size_wrong.wav", made("wav", put(4, "<I", 7)), None),
    ("channels_0.wav", made("wav", put(22, "<H", 0)), NO_ROW),
    ("channels_255.wav", made("wav", put(22, "<H", 255)), None),
    ("bits_1000.wav", made("wav", put(34, "<H", 1000)), None),
    ("offset_huge.caf", made("caf", put(12, ">q", 2**62)), None),
    ("size_negative.caf", made("caf", put(12, ">q", -(2**40))), None),
    ("rate_0.flac", made("flac", put(18, ">I", 0)), None),
    ("empty.mp3", bytes_of(b"") , "empty"),
    ("one_byte.ogg", bytes_of(b"O"), NO_ROW),
    ("text.mp3", text_of("this is no music\n" * 500), NO_ROW),
    ("page.flac", text_of("<html><body><script>alert(1)</script></body></html>"), NO_ROW),
    ("bomb.wav", text_of('<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>'), NO_ROW),
    ("picture.mp3", picture, NO_ROW),
    ("archive.mp3", archive, NO_ROW),
    ("junk.mp3", bytes_of(JUNK), None),
    ("junk_first.mp3", made("mp3", lambda data: JUNK[:3_000] + data), (3.0, 4.3)),
    ("id3_lies.mp3", made("mp3", lambda data: b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + data), None),
    ("id3_huge.mp3", made("mp3", lambda data: b"ID3\x04\0\0\0\0\x7f\x7f" + bytes(16_383) + data), WHOLE),
    ("zeros.mp3", bytes_of(bytes(3_000_000)), None),
    ("zeros.wav", bytes_of(wav(np.zeros((1, 80_000)))), (9.9, 10.1)),
    ("twice.mp3", made("mp3", lambda data: data + data), (7.5, 8.5)),
    ("chained.ogg", made("ogg", lambda data: data + data), (3.9, 8.2)),
    ("odd_chunks.wav", bytes_of(wav(SINE, chunks=b"LIST\x04\0\0\0INFOjunk\x03\0\0\0abc\0")), (0.9, 1.1)),
    ("mono_8k.wav", bytes_of(wav(SINE)), (0.99, 1.01)),
    ("one_sample.wav", bytes_of(wav(SINE[:, :1])), (0, 0.01)),
    ("no_sample.wav", bytes_of(wav(SINE[:, :0])), NO_ROW),
    ("many_channels.wav", bytes_of(wav(np.tile(SINE, (64, 1)))), (0.9, 1.1)),
    ("constant.wav", bytes_of(wav(np.ones((2, 8_000)))), (0.9, 1.1)),
    ("video.mp4", lambda path: video(path, with_sound=True), (0.8, 1.3)),
    ("video_silent.mp4", lambda path: video(path, with_sound=False), "no_audio"),
    ("hls.mp3", text_of(PLAYLIST.format("file:///etc/hostname")), NO_ROW),
    ("hls_net.m4a", text_of(PLAYLIST.format("http://127.0.0.1:9/x.ts")), NO_ROW),
    ("list.wav", text_of("ffconcat version 1.0\nfile /etc/hostname\n"), NO_ROW),
    ("pls.ogg", text_of("[playlist]\nFile1=http://127.0.0.1:9/a.mp3\nNumberOfEntries=1\n"), NO_ROW),
    ("sdp.mp3", text_of("v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n"), NO_ROW),
    ("folder.mp3", lambda path: path.mkdir(), "no_file"),
    ("pipe.mp3", os.mkfifo, "no_file"),
    ("loop.mp3", unreadable, "no_file"),
    ("gone.mp3", lambda path: None, "no_file"),  # noqa: ARG005 - no file is written
    ("-dash.mp3", made("mp3", lambda data: data), WHOLE),
    ("line\nbreak.mp3", made("mp3", lambda data: data), WHOLE),
    ("ünïcødé 🎵.mp3", made("mp3", lambda data: data), WHOLE),
    ("%s%n{0}.mp3", made("mp3", lambda data: data), WHOLE),
    ("wrong_ending.wav", made("mp3", lambda data: data), WHOLE),
]  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[float, float] | Failure]]:
    """The result of a worker for every case."""
    folder = tmp_path_factory.mktemp("hostile")
    t = np.arange(int(LENGTH_S * RATE_HZ)) / RATE_HZ
    noise = 0.1 * np.random.default_rng(7).standard_normal((2, len(t)))
    tone: F32 = (0.4 * np.sin(2 * np.pi * 440 * t) + noise).astype(np.float32)
    for suffix in ("mp3", "ogg", "flac", "wav", "aiff", "caf"):
        write_audio(folder / f"whole.{suffix}", tone, RATE_HZ)
    with av.open(folder / "whole.m4a", "w", format="mov") as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="stereo")
        for start in range(0, tone.shape[1], 1024):
            piece = np.ascontiguousarray(tone[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
            frame.rate, frame.pts = RATE_HZ, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    paths = {}
    for number, (name, make, _) in enumerate(CASES):
        own = folder / str(number)
        own.mkdir()
        make(own / name)
        paths[own / name] = name
    with Workers(length_of, n_workers=2, limit_s=30, limit_bytes=2 << 30) as workers:
        yield {paths[path]: result for path, result in workers.map(list(paths))}


def test_there_are_enough_cases() -> None:
    """At least sixty, all with different names."""
    assert len({name for name, _, _ in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize(("name", "expected"), [(name, expected) for name, _, expected in CASES])
def test_a_file_is_decoded_as_far_as_possible_or_refused_with_a_reason(
    results: dict[str, tuple[float, float] | Failure], name: str, expected: Expected
) -> None:
    """No file crashes or hangs a worker; no playlist is followed."""
    result = results[name]

    if isinstance(result, Failure):
        assert result.reason in REASONS
        assert result.message
        assert expected is None or result.reason == expected
    else:
        length_s, lost_s = result
        low, high = expected if isinstance(expected, tuple) else ANY
        assert not isinstance(expected, str)
        assert low <= length_s <= high
        assert lost_s >= 0


@pytest.mark.parametrize("name", ["cut.flac", "cut.aiff"])
def test_the_lost_length_follows_from_the_length_in_the_header(
    results: dict[str, tuple[float, float] | Failure], name: str
) -> None:
    """Decoded and lost length add up to four seconds."""
    result = results[name]

    assert isinstance(result, tuple)
    assert result[0] + result[1] == pytest.approx(LENGTH_S, abs=0.1)
