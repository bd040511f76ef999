"""Fingerprints: shapes, times, locality, and training on pairs of clean and distorted seconds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.audio.embedding.embed import WEIGHTS
from recsys.audio.fingerprint.fingerprinter import (
    HIGHEST_HZ,
    HOP,
    HOP_FRAMES,
    LOWEST_HZ,
    N_BINS,
    N_SAMPLES,
    RATE_HZ,
    VECTOR_HOP_S,
    Fingerprint,
    Fingerprinter,
    n_vectors,
    spectrogram,
)
from recsys.audio.training.distort import with_tempo
from recsys.audio.training.tasks import fingerprint
from recsys.audio.training.train import TrainingTrack, TrainSettings, train
from recsys.audio.weights_file import with_weights


def melody(seed: int, seconds: float = 14.0) -> np.ndarray:
    """Random notes of 0.2 s, each with three partials, 8 kHz."""
    rng = np.random.default_rng(seed)
    n = RATE_HZ // 5
    hz = 200 * 2 ** (rng.integers(0, 36, int(5 * seconds)) / 12)
    t = np.arange(n) / RATE_HZ
    notes = [sum(np.sin(2 * np.pi * f * k * t) / k for k in (1, 2, 3)) * np.exp(-6 * t) for f in hz]
    return np.asarray(np.concatenate(notes), np.float32)


def test_a_tone_is_in_its_bin() -> None:
    """The frequency scale is logarithmic between its ends."""
    t = torch.arange(RATE_HZ) / RATE_HZ
    for hz in (220.0, 440.0, 1_760.0):
        magnitudes = spectrogram(torch.sin(2 * torch.pi * hz * t)).mean(dim=0)
        expected = (N_BINS - 1) * np.log(hz / LOWEST_HZ) / np.log(HIGHEST_HZ / LOWEST_HZ)
        assert abs(int(magnitudes.argmax()) - expected) <= 1


@pytest.mark.parametrize(
    ("n", "expected"), [(N_SAMPLES - HOP_FRAMES * HOP, 0), (N_SAMPLES, 1), (N_SAMPLES + HOP_FRAMES * HOP, 2)]
)
def test_vectors_come_every_quarter_of_a_second(n: int, expected: int) -> None:
    """The network gives the predicted number of vectors, complete ones only."""
    frames = spectrogram(torch.randn(n, generator=torch.Generator().manual_seed(7)))

    assert n_vectors(len(frames)) == expected
    if expected:
        assert Fingerprint().eval()(frames[None]).shape == (1, expected, 128)


def test_vectors_depend_on_nearby_audio_only() -> None:
    """Other audio four seconds later changes nothing, so a long recording can be processed in pieces."""
    torch.manual_seed(7)
    network = Fingerprint().eval()
    sound = torch.from_numpy(melody(1))
    other = torch.cat([sound[: 8 * RATE_HZ], torch.from_numpy(melody(2))[: 6 * RATE_HZ]])

    with torch.inference_mode():
        first, second = network(spectrogram(torch.stack([sound, other])))

    n_same = int(4 / VECTOR_HOP_S)
    assert torch.allclose(first[:n_same], second[:n_same], atol=1e-5)
    assert not torch.allclose(first[-4:], second[-4:], atol=1e-2)


def test_vectors_have_length_one_and_ignore_the_level() -> None:
    """Doubling the amplitude hardly changes the vector."""
    network = Fingerprint().eval()
    sound = torch.from_numpy(melody(1)[:N_SAMPLES])[None]

    with torch.inference_mode():
        quiet, loud = network(spectrogram(sound))[:, 0], network(spectrogram(2 * sound))[:, 0]

    assert quiet.shape == (1, 128)
    assert float(quiet.norm()) == pytest.approx(1, abs=1e-5)
    assert float((quiet * loud).sum()) > 0.98
    assert 900_000 < sum(p.numel() for p in network.parameters()) < 1_300_000


@pytest.mark.slow
def test_training_improves_the_matching_of_distorted_seconds(encode: Callable[..., Path], tmp_path: Path) -> None:
    """Measured on melodies that it was not trained on."""
    tracks = [
        TrainingTrack(encode(f"m{seed}.flac", 0.2 * melody(seed)[None], RATE_HZ), "granted") for seed in range(12)
    ]
    unseen = [torch.from_numpy(melody(seed)).half() for seed in range(100, 104)]
    probe = next(fingerprint.batches(unseen, 4, np.random.default_rng(7)))
    torch.manual_seed(7)
    before = fingerprint.score(Fingerprint().eval(), probe)
    settings = TrainSettings(task="fingerprint", start="random", epochs=4, batch_size=4, learning_rate=1e-3)

    card = train(tracks, settings, tmp_path / "own")

    network = with_weights(Fingerprint(), tmp_path / "own" / WEIGHTS)
    assert card.losses[-1] < card.losses[0] - 0.2
    assert fingerprint.score(network, probe) > before + 0.2


def test_batches_are_the_same_for_the_same_seed() -> None:
    """All distortions are drawn from the random generator given."""
    sounds = [torch.from_numpy(melody(seed)).half() for seed in range(4)]

    first, second = (next(fingerprint.batches(sounds, 4, np.random.default_rng(3))) for _ in range(2))

    assert len(first.clean) == len(first.distorted) == len(first.clean_rows) == 4
    assert all(bool(torch.isfinite(array).all()) for array in first)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("ratio", [0.85, 1.0, 1.15])
def test_pairs_are_at_the_same_time(ratio: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the change of tempo: in a rising tone, both vectors of a pair see the same pitch."""
    t = torch.arange(30 * RATE_HZ) / RATE_HZ
    rising = torch.sin(2 * torch.pi * (300 * t + 20 * t**2)).half()
    monkeypatch.setattr(fingerprint, "_distorted", lambda sound, *_: (with_tempo(sound, RATE_HZ, ratio), ratio))

    pairs = next(fingerprint.batches([rising], 1, np.random.default_rng(5)))

    for clean_row, distorted_row in zip(pairs.clean_rows[0], pairs.distorted_rows[0], strict=True):
        middles = [
            int(frames[0, 16 * row + 22 : 16 * row + 30].mean(dim=0).argmax())
            for frames, row in ((pairs.clean, clean_row), (pairs.distorted, distorted_row))
        ]
        assert abs(middles[0] - middles[1]) <= 2


def test_training_starts_from_the_shipped_weights_or_from_random_ones() -> None:
    """A continued training begins with the vectors of the network in the package."""
    frames = spectrogram(torch.from_numpy(melody(1))[None])

    with torch.inference_mode():
        shipped, pretrained, random = (
            network.eval()(frames)
            for network in (
                Fingerprinter.load().network,
                fingerprint.network("pretrained"),
                fingerprint.network("random"),
            )
        )

    assert torch.equal(shipped, pretrained)
    assert float((shipped * random).sum(dim=2).mean()) < 0.5


def as_tensors(*sounds: np.ndarray) -> list[torch.Tensor]:
    """Return sounds as `prepare` does, without scaling them."""
    return [torch.from_numpy(np.asarray(sound)).half() for sound in sounds]


@pytest.mark.parametrize("cover", list(fingerprint.COVERS))
def test_covers_are_at_most_ten_decibels_louder(cover: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added to a tone is nothing, or a sound of a level between 10 dB above and 10 dB below it."""
    monkeypatch.setattr(fingerprint, "_drawn", lambda *_: cover)
    tone, other = (np.sin(hz * np.arange(fingerprint.EXCERPT) / RATE_HZ).astype(np.float32) for hz in (700, 900))
    noises = as_tensors(np.random.default_rng(1).standard_normal(RATE_HZ), other[: 2 * RATE_HZ])
    rng = np.random.default_rng(2)

    added = [fingerprint._covered(tone, other, noises, rng) - tone for _ in range(20)]

    levels_db = [10 * np.log10(np.square(sound).mean() / 0.5 + 1e-9) for sound in added]
    if cover == "none":
        assert max(levels_db) < -80
    elif cover == "music":  # never louder than the tone
        assert -10.1 < min(levels_db) < max(levels_db) < 0.1
    else:  # both at once add up to less than 3 dB more than the louder one
        assert -10.1 < min(levels_db) < 0 < max(levels_db) < 13.1


def test_sounds_are_layers_of_the_clips_given() -> None:
    """Clips of silence give silence; layers of a loud clip give one that is as long as an excerpt."""
    silent, loud = as_tensors(np.zeros(900, np.float32)), as_tensors(melody(3))

    assert not fingerprint._sounds(silent, np.random.default_rng(1)).any()
    assert fingerprint._sounds(loud, np.random.default_rng(1)).shape == (fingerprint.EXCERPT,)
    assert fingerprint._sounds(loud, np.random.default_rng(1)).any()


@pytest.mark.parametrize("change", list(fingerprint.CHANGES))
def test_a_change_of_tempo_is_stated_with_its_ratio(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The length of the changed excerpt follows from the ratio; a change of pitch keeps it."""
    monkeypatch.setattr(fingerprint, "_drawn", lambda *_: change)

    sound, ratio = fingerprint._transposed(melody(4), np.random.default_rng(5))

    assert (ratio != 1) == (change in {"speed", "tempo", "tempo and pitch"})
    assert len(sound) == pytest.approx(len(melody(4)) / ratio, rel=0.005)  # speeds are rounded to simple ratios


def test_probabilities_add_up_to_one() -> None:
    """Each table of probabilities is complete."""
    for shares in (fingerprint.CHANGES.values(), fingerprint.COVERS.values(), fingerprint.LAYERS):
        assert sum(shares) == pytest.approx(1)
