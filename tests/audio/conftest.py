"""Synthetic recordings for the tests, and a function that encodes them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recsys.arrays import F32
from recsys.audio.signal import Signal
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render, write_audio
from recsys.synth.tune import compose

RATE_HZ = 44_100
Encode = Callable[..., Path]


def recording(mono: F32) -> Signal:
    """Return 16 kHz mono audio as a decoded recording."""
    return Signal(mono[None], 16_000, "test", 0.0)


@pytest.fixture(scope="session")
def tone() -> F32:
    """Four seconds of a tone with two partials, 44.1 kHz stereo, the right channel at half the amplitude."""
    t = np.arange(4 * RATE_HZ) / RATE_HZ
    wave = 0.4 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 660 * t)
    return np.stack([wave, 0.5 * wave]).astype(np.float32)


@pytest.fixture(scope="session")
def song() -> F32:
    """Twelve seconds of a synthetic tune, 22.05 kHz stereo."""
    rng = np.random.default_rng(11)
    style = Style(
        tempo_bpm=100, transpose=0, melody=0, harmony=0, bass=33, chords="block", has_bass=True, has_drums=True
    )
    played = render(arrange(compose("song", rng), style, rng, longest_s=12), rate_hz=22_050, longest_s=12)
    return np.asarray(played, np.float32)


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    """Return a function that writes samples to a file in the format of its suffix."""

    def write(name: str, samples: np.ndarray, rate_hz: int = RATE_HZ) -> Path:
        path = tmp_path / name
        write_audio(path, samples, rate_hz)
        return path

    return write


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A FLAC file of 2 s at 8 kHz whose header leaves its length open, as of a stream."""
    path = tmp_path / "endless.flac"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(16_000), 8_000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the number of samples has 36 bits
    content[22:26] = bytes(4)
    path.write_bytes(content)
    return path
