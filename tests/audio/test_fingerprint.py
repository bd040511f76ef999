"""The fingerprint: shapes and times, and that training brings a distorted second to its clean one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.audio.embed import WEIGHTS
from recsys.audio.fingerprint import (
    FRAMES_APART,
    HIGHEST_HZ,
    HOP,
    LOWEST_HZ,
    N_BINS,
    N_SAMPLES,
    RATE_HZ,
    Fingerprint,
    segments,
    spectrogram,
)
from recsys.audio.tasks import fingerprint
from recsys.audio.train import TrainingTrack, TrainSettings, train
from recsys.errors import InputError


def melody(seed: int, seconds: float = 14.0) -> np.ndarray:
    """Notes of a fifth of a second, each with three partials, 8 kHz."""
    rng = np.random.default_rng(seed)
    n = RATE_HZ // 5
    hz = 200 * 2 ** (rng.integers(0, 36, int(5 * seconds)) / 12)
    t = np.arange(n) / RATE_HZ
    notes = [sum(np.sin(2 * np.pi * f * k * t) / k for k in (1, 2, 3)) * np.exp(-6 * t) for f in hz]
    return np.asarray(np.concatenate(notes), np.float32)


def test_a_tone_is_heard_in_its_bin() -> None:
    """The scale is logarithmic between its ends, and another octave is a shift."""
    t = torch.arange(RATE_HZ) / RATE_HZ
    for hz in (220.0, 440.0, 1_760.0):
        heard = spectrogram(torch.sin(2 * torch.pi * hz * t)).mean(dim=0)
        expected = (N_BINS - 1) * np.log(hz / LOWEST_HZ) / np.log(HIGHEST_HZ / LOWEST_HZ)
        assert abs(int(heard.argmax()) - expected) <= 1


@pytest.mark.parametrize(("n", "expected"), [(N_SAMPLES - 1, 0), (N_SAMPLES, 1), (N_SAMPLES + FRAMES_APART * HOP, 2)])
def test_segments_begin_every_half_second(n: int, expected: int) -> None:
    """As many as are whole."""
    sound = torch.randn(n, generator=torch.Generator().manual_seed(7))
    frames = spectrogram(sound)

    cut = segments(frames) if len(frames) >= 64 else frames.new_empty(0, 64, N_BINS)

    assert cut.shape == (expected, 64, N_BINS)
    if expected == 2:
        assert torch.equal(cut[1], frames[FRAMES_APART : FRAMES_APART + 64])


def test_vectors_have_length_one_and_level_does_not_count() -> None:
    """Twice as loud is the same second."""
    network = Fingerprint().eval()
    sound = torch.from_numpy(melody(1)[:N_SAMPLES])[None]

    with torch.inference_mode():
        quiet, loud = network(spectrogram(sound)), network(spectrogram(2 * sound))

    assert quiet.shape == (1, 128)
    assert float(quiet.norm()) == pytest.approx(1, abs=1e-5)
    assert float((quiet * loud).sum()) > 0.98
    assert 500_000 < sum(p.numel() for p in network.parameters()) < 1_000_000


def test_training_brings_distorted_seconds_to_their_clean_ones(encode: Callable[..., Path], tmp_path: Path) -> None:
    """On melodies that it never met."""
    tracks = [
        TrainingTrack(encode(f"m{seed}.flac", 0.2 * melody(seed)[None], RATE_HZ), "granted") for seed in range(12)
    ]
    unseen = [torch.from_numpy(melody(seed)).half() for seed in range(100, 104)]
    probe = next(fingerprint.batches(unseen, 4, np.random.default_rng(7)))
    torch.manual_seed(7)
    before = fingerprint.score(Fingerprint().eval(), probe)
    settings = TrainSettings(task="fingerprint", start="random", epochs=4, batch_size=4, learning_rate=1e-3)

    card = train(tracks, settings, tmp_path / "own")

    network = Fingerprint()
    network.load_state_dict(torch.load(tmp_path / "own" / WEIGHTS, weights_only=True))
    assert card.losses[-1] < card.losses[0] - 0.2
    assert fingerprint.score(network.eval(), probe) > before + 0.2


def test_batches_are_the_same_for_the_same_seed() -> None:
    """Distortions are drawn from the generator that comes in."""
    sounds = [torch.from_numpy(melody(seed)).half() for seed in range(4)]

    first, second = (next(fingerprint.batches(sounds, 4, np.random.default_rng(3))) for _ in range(2))

    assert first.shape == (64, 64, N_BINS)
    assert torch.isfinite(first).all()
    assert torch.equal(first, second)


def test_there_is_no_pretrained_fingerprint() -> None:
    """And nobody is told otherwise."""
    with pytest.raises(InputError, match="random weights only, found start = 'pretrained'"):
        fingerprint.network("pretrained")
