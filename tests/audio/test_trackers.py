"""Tracker modules are played by libopenmpt where it is installed, and named with what to do where it is not."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recsys.audio import trackers
from recsys.audio.signal import UnreadableAudio, mono_pieces

N_SAMPLE, PERIOD = 32, 428  # a square wave of 32 samples, played at 7,093,789.2 Hz / (2 * 428): 8,287 a second
TONE_HZ, DURATION_S = 7_093_789.2 / (2 * PERIOD) / N_SAMPLE, 64 * 6 * 0.02  # 64 rows of 6 ticks


def has_library() -> bool:
    """Return whether libopenmpt is installed."""
    try:
        trackers._library()
    except trackers.UnplayableModuleError:
        return False
    return True


def module() -> bytes:
    """Return a ProTracker module: one note, held for one pattern."""
    header = struct.pack(">22sHBBHH", b"square", N_SAMPLE // 2, 0, 64, 0, N_SAMPLE // 2)
    empty = struct.pack(">22sHBBHH", b"", 0, 0, 0, 0, 1)
    note = struct.pack(">HBB", PERIOD, 1 << 4, 0)
    pattern = note + bytes(64 * 4 * 4 - len(note))
    wave = bytes([100] * (N_SAMPLE // 2) + [156] * (N_SAMPLE // 2))
    return bytes(20) + header + 30 * empty + bytes([1, 127]) + bytes(128) + b"M.K." + pattern + wave


@pytest.mark.skipif(not has_library(), reason="libopenmpt is not installed")
def test_a_module_is_played_once(tmp_path: Path) -> None:
    """Its length is that of its rows, and the held note has its pitch."""
    path = tmp_path / "tune.MOD"
    path.write_bytes(module())

    sound = np.concatenate(list(mono_pieces(path, 8_000)))

    assert len(sound) / 8_000 == pytest.approx(DURATION_S, abs=0.15)  # libopenmpt lets the last note die away
    spectrum = np.abs(np.fft.rfft(sound[:40_000] * np.hanning(40_000)))
    assert spectrum.argmax() / 5 == pytest.approx(TONE_HZ, abs=1)


@pytest.mark.skipif(not has_library(), reason="libopenmpt is not installed")
def test_what_only_has_the_suffix_of_a_module_is_refused(tmp_path: Path) -> None:
    """The error names the file and says what it is not."""
    (tmp_path / "noise.xm").write_bytes(np.random.default_rng(0).bytes(2_000))

    with pytest.raises(UnreadableAudio, match=r"noise\.xm: not a tracker module that libopenmpt can play"):
        list(mono_pieces(tmp_path / "noise.xm", 8_000))


def test_music_with_the_suffix_of_a_module_is_decoded(tmp_path: Path) -> None:
    """A renamed WAV file is heard as one, with or without libopenmpt."""
    path = tmp_path / "renamed.mod"
    soundfile.write(path, np.full(8_000, 0.25), 8_000, format="WAV")

    assert np.concatenate(list(mono_pieces(path, 8_000))) == pytest.approx(np.full(8_000, 0.25), abs=1e-3)


def test_a_huge_file_with_the_suffix_of_a_module_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read."""
    (tmp_path / "tune.mod").write_bytes(module())
    monkeypatch.setattr(trackers, "MAX_BYTES", 1_000)

    with pytest.raises(UnreadableAudio, match="a tracker module of more than"):
        list(mono_pieces(tmp_path / "tune.mod", 8_000))


def test_without_the_library_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package, and another way."""
    (tmp_path / "tune.mod").write_bytes(module())
    monkeypatch.setattr(trackers, "LIBRARIES", ("no such library",))
    trackers._library.cache_clear()

    with pytest.raises(UnreadableAudio, match=r"install libopenmpt .*, or convert it to WAV"):
        list(mono_pieces(tmp_path / "tune.mod", 8_000))
    trackers._library.cache_clear()
