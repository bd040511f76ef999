"""Decoding: samples, rates and channels survive, whatever the format; errors say what is wrong with a file."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
import soundfile

from recsys.arrays import F32
from recsys.audio.signal import Depth, Signal, UnreadableAudio, mono_pieces, open_samples, read_audio


def by_libav(path: Path, codec: str, samples: F32, rate_hz: int = 44_100) -> Path:
    """Encode with libav, for formats that libsndfile cannot write."""
    with av.open(path, "w") as container:
        stream = cast("av.AudioStream", container.add_stream(codec, rate=rate_hz, layout="stereo"))
        for start in range(0, samples.shape[1], 1024):
            piece = np.ascontiguousarray(samples[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
            frame.rate, frame.pts = rate_hz, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "subtype", "tolerance"),
    [
        ("a.wav", "PCM_16", 1e-4),
        ("a.wav", "PCM_24", 1e-6),
        ("a.wav", "PCM_32", 1e-6),
        ("a.wav", "PCM_U8", 1e-2),
        ("a.wav", "FLOAT", 1e-7),
        ("a.wav", "DOUBLE", 1e-7),
        ("a.wav", "ALAW", 2e-2),
        ("a.wav", "ULAW", 2e-2),
        ("a.aiff", "PCM_16", 1e-4),
        ("a.flac", "PCM_16", 1e-4),
        ("a.flac", "PCM_24", 1e-6),
        ("a.caf", "PCM_16", 1e-4),
        ("a.w64", "PCM_16", 1e-4),
        ("a.ogg", "VORBIS", 5e-2),
        ("a.mp3", "MPEG_LAYER_III", 5e-2),
    ],
)
def test_a_format_returns_the_written_samples(
    tmp_path: Path, tone: F32, name: str, subtype: str, tolerance: float
) -> None:
    """Both channels and the sampling rate are kept, and nothing counts as lost."""
    with soundfile.SoundFile(tmp_path / name, "w", 44_100, 2, subtype) as file:
        for start in range(0, tone.shape[1], 4_096):  # long pieces crash libsndfile's Vorbis encoder
            file.write(tone[:, start : start + 4_096].T)

    signal = read_audio(tmp_path / name)

    assert (signal.rate_hz, signal.n_channels, signal.lost_s) == (44_100, 2, 0.0)
    n = min(signal.samples.shape[1], tone.shape[1])
    assert abs(signal.samples.shape[1] - tone.shape[1]) < 2_500
    inside = slice(5_000, n - 5_000)
    assert np.abs(signal.samples[:, inside] - tone[:, inside]).max() < tolerance


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("a.m4a", "aac"), ("a.opus", "libopus"), ("a.webm", "libopus"), ("a.mkv", "ac3"), ("a.mov", "aac")),
        *(("a.ac3", "ac3"), ("a.wv", "wavpack")),
    ],
)
def test_formats_that_only_libav_writes_are_read_too(tmp_path: Path, tone: F32, name: str, codec: str) -> None:
    """Compared by the level of each channel, because encoders add a delay."""
    rate_hz = 48_000 if codec == "libopus" else 44_100
    path = by_libav(tmp_path / name, codec, tone, rate_hz)

    signal = read_audio(path)

    assert (signal.rate_hz, signal.n_channels) == (rate_hz, 2)
    assert np.sqrt(np.square(signal.samples).mean(axis=1)) == pytest.approx(
        np.sqrt(np.square(tone).mean(axis=1)), rel=0.03
    )


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 32_000, 48_000, 96_000, 192_000])
def test_resampling_keeps_pitch_and_level(encode: Callable[..., Path], rate_hz: int) -> None:
    """A sine of 1 kHz, from any rate to 16 kHz."""
    t = np.arange(rate_hz) / rate_hz
    path = encode("a.wav", np.sin(2 * np.pi * 1000 * t)[None].astype(np.float32) * 0.5, rate_hz)

    mono = read_audio(path).mono(16_000)

    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono))))
    assert abs(len(mono) - 16_000) <= 1
    assert spectrum.argmax() * 16_000 / len(mono) == pytest.approx(1000, abs=1.1)
    assert np.abs(mono[1000:-1000]).max() == pytest.approx(0.5, abs=0.01)


def test_resampling_does_not_alias() -> None:
    """A tone of 10 kHz is removed at a sampling rate of 16 kHz."""
    t = np.arange(44_100) / 44_100
    signal = Signal(np.sin(2 * np.pi * 10_000 * t)[None].astype(np.float32), 44_100, "made", 0.0)

    assert np.abs(signal.mono(16_000)[500:-500]).max() < 0.01


@pytest.mark.parametrize("n_channels", [1, 2, 3, 6, 8])
def test_channels_are_kept_and_mix_to_their_mean(encode: Callable[..., Path], n_channels: int) -> None:
    """Each channel has a level of its own."""
    levels = np.arange(1, n_channels + 1) / 10
    path = encode("a.wav", np.tile(levels[:, None], 8_000).astype(np.float32), 8_000)

    signal = read_audio(path)

    assert signal.samples[:, 4_000] == pytest.approx(levels, abs=1e-3)
    assert signal.mono(8_000)[4_000] == pytest.approx(levels.mean(), abs=1e-3)


def test_pieces_are_the_mean_of_the_channels_unless_they_cancel(encode: Callable[..., Path], tone: F32) -> None:
    """A channel of opposite polarity, also one that is quieter, does not silence a file; ordinary stereo is mixed."""
    left, right = tone[0], tone[1]
    for channels, expected, side_s in (
        ([left, right], (left + right) / 2, 0.0),
        ([left, -left], left, len(left) / 44_100),
        ([left, -0.6 * left], 0.8 * left, len(left) / 44_100),
        ([left, 0 * left], left / 2, 0.0),
        ([left], left, 0.0),
        ([left, -left, 0 * left], 0 * left, 0.0),
    ):
        seconds: list[float] = []
        pieces = list(mono_pieces(encode("a.flac", np.stack(channels)), 44_100, on_side=seconds.append))

        assert np.abs(np.concatenate(pieces) - expected).max() < 1e-3
        assert sum(seconds) == pytest.approx(side_s)


def test_a_recording_that_is_too_long_is_refused(encode: Callable[..., Path], tone: F32) -> None:
    """The refusal comes before the recording fills the memory."""
    with pytest.raises(UnreadableAudio, match=r"a\.flac: longer than 2 s \(cut it into pieces\)$") as refused:
        read_audio(encode("a.flac", tone), longest_s=2)

    assert refused.value.reason == "too_long"


def test_invalid_samples_are_set_to_zero_and_count_as_lost(tmp_path: Path, tone: F32) -> None:
    """Half a second of NaN, infinity and huge values in a file of floats."""
    broken = tone.copy()
    broken[0, :22_050], broken[0, 30_000], broken[1, 40_000] = np.nan, np.inf, 1e9
    soundfile.write(tmp_path / "a.wav", broken.T, 44_100, "FLOAT")

    signal = read_audio(tmp_path / "a.wav")

    assert np.isfinite(signal.samples).all()
    assert np.abs(signal.samples).max() < 1
    assert signal.lost_s == pytest.approx(0.5, abs=1e-3)


def test_an_error_travels_between_processes() -> None:
    """It keeps its reason and its path."""
    sent = UnreadableAudio("empty", Path("x.mp3"), "an empty file")

    error = pickle.loads(pickle.dumps(sent))  # noqa: S301 - our own bytes

    assert (error.reason, error.path, str(error)) == ("empty", Path("x.mp3"), "x.mp3: an empty file")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"no music at all" * 40), "not an audio file we can decode"),
        (lambda path: path.write_bytes(b""), "an empty file"),
        (lambda path: path.mkdir(), "not a file (a folder or a device)"),
        (lambda path: None, "cannot be opened (No such file or directory)"),  # noqa: ARG005 - no file is written
        (
            lambda path: soundfile.write(path, np.empty((0, 1)), 8_000, format="WAV"),
            "an audio file without a sample in it",
        ),
    ],
    ids=["noise", "empty", "folder", "gone", "no sample"],
)
@pytest.mark.parametrize("read", [read_audio, lambda path: list(mono_pieces(path, 8_000))], ids=["whole", "pieces"])
def test_an_unreadable_file_is_described_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], object], message: str, read: Callable[[Path], object]
) -> None:
    """The message names the file once and contains no text of a decoder, also when decoding piece by piece."""
    path = tmp_path / "broken.mp3"
    make(path)

    with pytest.raises(UnreadableAudio) as refused:
        read(path)

    assert str(refused.value) == f"{path}: {message}"
    assert refused.value.message == message


@pytest.mark.parametrize("name", ["song.flac", "song.wav"])
def test_a_stream_counts_what_is_cut_off_as_lost(tmp_path: Path, name: str) -> None:
    """Of a file of which half is missing, as much is lost as `read_audio` says: about half of its length."""
    whole, cut = tmp_path / name, tmp_path / f"cut-{name}"
    soundfile.write(whole, 0.1 * np.random.default_rng(0).standard_normal((20_000, 2)), 8_000)
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 2])

    with open_samples(cut) as stream:
        n_samples = sum(block.shape[1] for block in stream.blocks)

    lost_s = read_audio(cut).lost_s
    assert stream.lost_s == pytest.approx(lost_s)
    if lost_s:  # the header of a WAV file is taken for wrong where the file is shorter
        assert n_samples / 8_000 + stream.lost_s == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("subtype", "depth"), [("PCM_16", "16 bit"), ("PCM_24", "24 bit"), ("PCM_32", "float"), ("FLOAT", "float")]
)
def test_a_stream_has_the_depth_of_its_file(tmp_path: Path, subtype: str, depth: Depth) -> None:
    """32 bits are not cut to 24: they are float, of which 24 bits are significant at any level."""
    soundfile.write(tmp_path / "a.wav", np.zeros(800), 8_000, subtype=subtype)

    with open_samples(tmp_path / "a.wav") as stream:
        assert stream.depth == depth


@pytest.mark.parametrize("rate_hz", [1, 100, 7_999, 192_001, 768_000])
def test_a_stream_of_a_rate_out_of_range_is_refused(tmp_path: Path, rate_hz: int) -> None:
    """The message says which rate was found and which are taken."""
    soundfile.write(tmp_path / "a.wav", np.full(2_000, 0.1), rate_hz)

    with (
        pytest.raises(UnreadableAudio, match=rf"rate of {rate_hz:,} Hz, expected 8,000 to 192,000 Hz"),
        open_samples(tmp_path / "a.wav"),
    ):
        pass


def test_errors_of_the_user_of_a_stream_keep_their_name(tmp_path: Path) -> None:
    """An error of libsndfile while something else is written is not taken for one of the source."""
    soundfile.write(tmp_path / "a.au", np.full(800, 0.1), 8_000, format="AU", subtype="PCM_16")

    with pytest.raises(soundfile.LibsndfileError), open_samples(tmp_path / "a.au"):
        raise soundfile.LibsndfileError(2, "another file: ")
