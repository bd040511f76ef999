"""Audio files written block by block: two parts add up to their sum exactly, in every format."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from recsys.audio.signal import Depth, UnreadableAudio
from recsys.audio.writing import SCALES, AudioWriter, Form, depth_of, split
from recsys.errors import SetupError

VALUES = st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=20)


@given(mix=VALUES, part=VALUES, depth=st.sampled_from(["16 bit", "24 bit"]))
def test_whole_numbers_add_up_and_fit(mix: list[float], part: list[float], depth: Depth) -> None:
    """Part and rest add up to the rounded and limited mix, and neither exceeds full scale, whatever the estimate."""
    n, scale = min(len(mix), len(part)), SCALES[depth]
    samples = np.array(mix[:n], np.float32)

    own, rest = split(samples, np.array(part[:n], np.float32), depth)

    expected = np.clip(np.rint(samples.astype(float) * scale), -scale, scale - 1)
    assert np.array_equal(own + rest, expected)
    assert max(abs(int(it)) for it in [*own, *rest]) <= scale


@pytest.mark.parametrize("form", ["wav", "flac"])
@pytest.mark.parametrize("depth", ["16 bit", "24 bit", "float"])
@pytest.mark.parametrize("n_channels", [1, 6])
def test_samples_are_read_back_as_they_were_written(form: Form, depth: Depth, n_channels: int, tmp_path: Path) -> None:
    """Every combination of format, kind of samples and channels keeps the values, the rate and the length."""
    scale = SCALES[depth_of(form, depth)] if depth_of(form, depth) != "float" else 1000
    mix = (np.random.default_rng(5).integers(-scale, scale, (n_channels, 5_000)) / scale).astype(np.float32)
    path, written = tmp_path / "part", depth_of(form, depth)

    with AudioWriter(path, form, 96_000, n_channels, written, declared_s=0.1, source=path) as writer:
        for block in np.split(mix, [1_000, 1_001], axis=1):
            writer.write(split(block, block, written)[0])

    samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    assert rate_hz == 96_000
    assert np.array_equal(samples.T, mix.astype(float))


def test_a_long_wav_file_has_long_size_fields(tmp_path: Path) -> None:
    """A file that may exceed 4 GB is written as RF64, whose header can state its length."""
    with AudioWriter(tmp_path / "long", "wav", 48_000, 6, "float", declared_s=7_200, source=tmp_path) as writer:
        writer.write(np.zeros((6, 10), np.float32))

    assert (tmp_path / "long").read_bytes()[:4] == b"RF64"


def test_a_wav_file_of_unknown_length_has_long_size_fields(tmp_path: Path) -> None:
    """Nobody knows whether it will exceed 4 GB, so it is RF64, too."""
    with AudioWriter(tmp_path / "stream", "wav", 48_000, 2, "float", declared_s=0, source=tmp_path) as writer:
        writer.write(np.zeros((2, 10), np.float32))

    assert (tmp_path / "stream").read_bytes()[:4] == b"RF64"


def test_what_cannot_be_written_is_said_of_the_output(tmp_path: Path) -> None:
    """A folder that is gone and a full disk give a sentence with the folder and what to check."""
    for path in (tmp_path / "gone" / "part", Path("/dev/full")):
        with pytest.raises(SetupError, match=rf"^{path.parent}: a file could not be written .* Check the free space"):
            AudioWriter(path, "wav", 48_000, 1, "16 bit", declared_s=1, source=tmp_path / "source.wav")


def test_more_channels_than_flac_holds_are_refused(tmp_path: Path) -> None:
    """The message says what to choose instead."""
    with pytest.raises(UnreadableAudio, match="has 9 channels, FLAC holds at most 8"):
        AudioWriter(tmp_path / "wide", "flac", 48_000, 9, "16 bit", declared_s=1, source=tmp_path)


def test_a_higher_rate_than_flac_holds_is_refused(tmp_path: Path) -> None:
    """The message says what to choose instead."""
    with pytest.raises(UnreadableAudio, match="FLAC holds at most 655,350 Hz"):
        AudioWriter(tmp_path / "fast", "flac", 768_000, 1, "16 bit", declared_s=1, source=tmp_path)
