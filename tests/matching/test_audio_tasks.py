"""Decoding of query files: completely, whatever their length, in constant memory; unreadable files are reported."""

import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recsys.audio.fingerprint.fingerprinter import RATE_HZ, VECTOR_HOP_S, Fingerprinter
from recsys.matching.audio_tasks import FingerprintFile, ReadSpans
from recsys.synth.render import write_audio


def written(path: Path, mono: np.ndarray, rate_hz: int = RATE_HZ) -> Path:
    """Write sound to a file, and return its path."""
    write_audio(path, np.stack([mono, mono]), rate_hz)
    return path


def test_a_long_file_has_the_fingerprint_of_its_whole_sound(
    song: np.ndarray, tmp_path: Path, network: Fingerprinter
) -> None:
    """A file that is decoded in pieces has the same vectors as the whole sound at once."""
    whole = np.tile(song, 14)

    result = FingerprintFile()(written(tmp_path / "long.flac", whole))

    at_once = network.vectors(whole, RATE_HZ)
    assert result.duration_s == pytest.approx(len(whole) / RATE_HZ, abs=0.01)
    assert result.vectors.shape == at_once.shape
    assert (result.vectors * at_once).sum(axis=1).min() > 0.99


def test_silence_has_no_fingerprint(song: np.ndarray, tmp_path: Path) -> None:
    """Silence gives zero vectors, and the music after a pause keeps its time."""
    pause = np.zeros(8 * RATE_HZ, np.float32)

    silent = FingerprintFile()(written(tmp_path / "silent.wav", pause))
    paused = FingerprintFile()(written(tmp_path / "paused.wav", np.concatenate([song, pause, song])))

    assert not silent.vectors.any()
    seconds = np.flatnonzero(~paused.vectors.any(axis=1)) * VECTOR_HOP_S
    length_s = len(song) / RATE_HZ
    assert length_s - 1 < seconds.min() < length_s + 1
    assert length_s + 5.5 < seconds.max() < length_s + 8.5


@pytest.mark.parametrize("gain", [-1.0, -0.7])
def test_channels_of_opposite_polarity_have_the_fingerprint_of_their_difference(
    song: np.ndarray, tmp_path: Path, network: Fingerprinter, gain: float
) -> None:
    """Sound that cancels in the mean of the channels is heard, and how much of it is stated; so are its spans."""
    path = tmp_path / "inverted.flac"
    write_audio(path, np.stack([song, gain * song]), RATE_HZ)

    result = FingerprintFile()(path)
    (span,) = ReadSpans({path: [(0.0, 2.0)]})(path)

    assert (result.vectors * network.vectors(song, RATE_HZ)).sum(axis=1).min() > 0.99
    assert result.side_s == pytest.approx(len(song) / RATE_HZ, abs=0.01)
    assert np.abs(span - (1 - gain) / 2 * song[: 2 * RATE_HZ]).max() < 1e-3
    assert FingerprintFile()(written(tmp_path / "plain.flac", song)).side_s == 0


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_clip_of_a_second_has_no_vector(song: np.ndarray, tmp_path: Path, seconds: float) -> None:
    """A short file is decoded, and its duration is known."""
    result = FingerprintFile()(written(tmp_path / "clip.wav", song[: int(seconds * RATE_HZ)]))

    assert result.fingerprint.shape == (0, 128)
    assert result.duration_s == pytest.approx(seconds, abs=0.01)


def test_spans_of_a_file_are_read(song: np.ndarray, tmp_path: Path) -> None:
    """Each waveform runs from the start to the end of its span; it is shorter if the file ends within the span."""
    path = written(tmp_path / "long.wav", np.tile(song, 7))

    first, across, beyond = ReadSpans({path: [(1.0, 3.0), (58.5, 62.25), (83.0, 99.0)]})(path)

    whole = np.tile(song, 7)
    assert np.abs(first - whole[RATE_HZ : 3 * RATE_HZ]).max() < 1e-3
    assert np.abs(across - whole[int(58.5 * RATE_HZ) : int(62.25 * RATE_HZ)]).max() < 1e-3
    assert len(beyond) == len(whole) - 83 * RATE_HZ


@pytest.mark.slow
def test_ten_hours_need_no_more_memory_than_a_song(song: np.ndarray, tmp_path: Path) -> None:
    """A song after five hours of silence is found at its time; the whole sound would need 1.2 GB of memory."""
    with soundfile.SoundFile(tmp_path / "day.flac", "w", RATE_HZ, 1) as file:
        for hour in range(10):
            part = np.zeros(3_600 * RATE_HZ, np.float32)
            part[: len(song) * (hour == 5)] = song if hour == 5 else 0
            file.write(part)
    del part
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    result = FingerprintFile()(tmp_path / "day.flac")

    seconds = np.flatnonzero(result.fingerprint.any(axis=1)) * VECTOR_HOP_S
    assert result.duration_s == pytest.approx(36_000, abs=1)
    assert (seconds.min(), seconds.max()) == pytest.approx((18_000, 18_000 + len(song) / RATE_HZ), abs=2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # [KiB]
