"""Files that are asked about: heard whole whatever their length, in a memory that does not grow, or refused."""

import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recsys.audio.fingerprint.fingerprinter import APART_S, RATE_HZ, Fingerprinter
from recsys.audio.sandbox import Failure
from recsys.library.settings import AudioSettings
from recsys.matching.hear_files import Fingerprinted, FingerprintFile, ListenAgain, listened
from recsys.synth.render import write_audio


def written(path: Path, mono: np.ndarray, rate_hz: int = RATE_HZ) -> Path:
    """A file of this sound."""
    write_audio(path, np.stack([mono, mono]), rate_hz)
    return path


def test_a_long_file_has_the_fingerprint_of_its_whole_sound(
    song: np.ndarray, tmp_path: Path, network: Fingerprinter
) -> None:
    """However many pieces it is heard in: vectors a quarter of a second apart, as of all of it at once."""
    whole = np.tile(song, 14)

    heard = FingerprintFile()(written(tmp_path / "long.flac", whole))

    at_once = network.vectors(whole, RATE_HZ)
    assert heard.duration_s == pytest.approx(len(whole) / RATE_HZ, abs=0.01)
    assert heard.vectors.shape == at_once.shape
    assert (heard.vectors * at_once).sum(axis=1).min() > 0.99


def test_silence_has_no_fingerprint(song: np.ndarray, tmp_path: Path) -> None:
    """Neither does a pause between two pieces of music; sound before and after it keeps its time."""
    pause = np.zeros(8 * RATE_HZ, np.float32)

    silent = FingerprintFile()(written(tmp_path / "silent.wav", pause))
    paused = FingerprintFile()(written(tmp_path / "paused.wav", np.concatenate([song, pause, song])))

    assert not silent.vectors.any()
    seconds = np.flatnonzero(~paused.vectors.any(axis=1)) * APART_S
    length_s = len(song) / RATE_HZ
    assert length_s - 1 < seconds.min() < length_s + 1
    assert length_s + 5.5 < seconds.max() < length_s + 8.5


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_clip_of_less_than_a_second_has_none_either(song: np.ndarray, tmp_path: Path, seconds: float) -> None:
    """It is heard, and nothing can be said of it."""
    heard = FingerprintFile()(written(tmp_path / "clip.wav", song[: int(seconds * RATE_HZ)]))

    assert heard.prints.shape == (0, 128)
    assert heard.duration_s == pytest.approx(seconds, abs=0.01)


def test_places_are_heard_again(song: np.ndarray, tmp_path: Path) -> None:
    """Each span is the sound from when to when; one beyond the end is shorter."""
    path = written(tmp_path / "long.wav", np.tile(song, 7))

    first, across, beyond = ListenAgain({path: [(1.0, 3.0), (58.5, 62.25), (83.0, 99.0)]})(path)

    whole = np.tile(song, 7)
    assert np.abs(first - whole[RATE_HZ : 3 * RATE_HZ]).max() < 1e-3
    assert np.abs(across - whole[int(58.5 * RATE_HZ) : int(62.25 * RATE_HZ)]).max() < 1e-3
    assert len(beyond) == len(whole) - 83 * RATE_HZ


def test_what_cannot_be_heard_is_told_and_the_rest_is_heard(song: np.ndarray, tmp_path: Path) -> None:
    """A file that is no music loses nobody else."""
    (tmp_path / "no.mp3").write_text("no music")
    good = written(tmp_path / "good.wav", song)

    results = dict(listened([tmp_path / "no.mp3", good], AudioSettings(workers=1)))

    assert isinstance(results[good], Fingerprinted)
    failure = results[tmp_path / "no.mp3"]
    assert isinstance(failure, Failure)
    assert failure.reason == "not_decodable"


@pytest.mark.slow
def test_ten_hours_need_no_more_memory_than_a_song(song: np.ndarray, tmp_path: Path) -> None:
    """A song in the sixth hour of silence is heard at its time; all of the sound would be 1.2 GB."""
    with soundfile.SoundFile(tmp_path / "day.flac", "w", RATE_HZ, 1) as file:
        for hour in range(10):
            part = np.zeros(3_600 * RATE_HZ, np.float32)
            part[: len(song) * (hour == 5)] = song if hour == 5 else 0
            file.write(part)
    del part
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    heard = FingerprintFile()(tmp_path / "day.flac")

    seconds = np.flatnonzero(heard.prints.any(axis=1)) * APART_S
    assert heard.duration_s == pytest.approx(36_000, abs=1)
    assert (seconds.min(), seconds.max()) == pytest.approx((18_000, 18_000 + len(song) / RATE_HZ), abs=2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # [KiB]
