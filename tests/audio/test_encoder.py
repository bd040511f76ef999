"""The pretrained encoder against an independent forward pass, its embeddings and tags, and unreadable weights."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from recsys.arrays import F32
from recsys.audio.embedding.checkpoint import read_checkpoint
from recsys.audio.embedding.embed import Embedder, patches_of
from recsys.audio.embedding.encoder import N_FRAMES, N_POOLED
from recsys.audio.embedding.pretrained import checkpoint, pretrained
from recsys.audio.embedding.tags import TAGS
from recsys.audio.mel import log_mel
from recsys.errors import SetupError

EPSILON = 1e-3


def plain_forward(weights: dict[str, np.ndarray], patch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Compute the encoder's output for one patch, shape (187, 96), as in the paper, in float64 with plain sums.

    Returns the mean over time, shape (753,), and the logits, shape (50,).
    """

    def norm(x: np.ndarray, number: int) -> np.ndarray:  # channels last
        own = "batch_normalization" + (f"_{number}" if number else "")
        gamma, beta, mean, var = (
            weights[f"{own}/{name}"].astype(float) for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return np.asarray((x - mean) / np.sqrt(var + EPSILON) * gamma + beta)

    def conv(x: np.ndarray, number: int) -> np.ndarray:  # x (T, F), zero-padded in time only
        own = "conv2d" + (f"_{number}" if number else "")
        kernel = weights[f"{own}/kernel"][:, :, 0].astype(float)  # (t, f, n_out)
        n_t = kernel.shape[0]
        padded = np.pad(x, (((n_t - 1) // 2, n_t // 2), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2])  # (T, F', t, f)
        return np.asarray(np.maximum(np.tensordot(windows, kernel, ([2, 3], [0, 1])) + weights[f"{own}/bias"], 0))

    x = norm(patch.astype(float)[:, :, None], 0)[:, :, 0]
    front = np.concatenate([norm(conv(x, number), number + 1).max(axis=1) for number in range(5)], axis=1)  # (T, 561)
    first = norm(conv(front, 5)[:, 0], 6)  # (T, 64)
    second = norm(conv(first, 6)[:, 0], 7) + first
    third = norm(conv(second, 7)[:, 0], 8) + second
    channels = np.concatenate([front, first, second, third], axis=1)  # (T, 753)
    pooled = np.stack([channels.max(axis=0), channels.mean(axis=0)], axis=1).ravel()  # (1506,)
    dense = np.maximum(norm(pooled, 9) @ weights["dense/kernel"] + weights["dense/bias"], 0)
    logits = norm(dense, 10) @ weights["dense_1/kernel"] + weights["dense_1/bias"]
    return channels.mean(axis=0), logits


@pytest.fixture(scope="module")
def mono(song: F32) -> F32:
    """The song at 16 kHz."""
    return np.asarray(librosa.resample(song.mean(axis=0), orig_sr=22_050, target_sr=16_000), np.float32)


@pytest.mark.parametrize("training_set", ["MSD", "MTT"])
def test_the_encoder_computes_what_its_paper_says(mono: F32, training_set: str) -> None:
    """Within 1e-4, on frames of a rendered song."""
    patch = log_mel(torch.from_numpy(mono))[:N_FRAMES]

    with torch.inference_mode():
        output = pretrained(training_set)(patch[None])

    mean, logits = plain_forward(read_checkpoint(checkpoint(training_set)), patch.numpy())
    assert output.mean[0].numpy() == pytest.approx(mean, abs=1e-4)
    assert output.logits[0].numpy() == pytest.approx(logits, abs=1e-4)


def test_mel_spectrograms_equal_those_of_librosa(mono: F32) -> None:
    """The weights were trained on them."""
    theirs = librosa.feature.melspectrogram(y=mono, sr=16_000, n_fft=512, hop_length=256, n_mels=96).T

    assert log_mel(torch.from_numpy(mono)).numpy() == pytest.approx(np.log10(1 + 10_000 * theirs), abs=1e-4)


def test_an_embedding_is_reproducible(mono: F32) -> None:
    """It is near to that of the same song at a lower level, and far from that of noise."""
    embedder = Embedder.load("musicnn")
    noise = (0.1 * np.random.default_rng(7).standard_normal(len(mono))).astype(np.float32)

    first, again, softer, other = (embedder.embed(audio) for audio in (mono, mono, 0.9 * mono, noise))

    assert first is not None
    assert again is not None
    assert softer is not None
    assert other is not None
    assert first.vector.tolist() == again.vector.tolist()
    assert first.vector.shape == (N_POOLED,)
    assert cosine(first.vector, softer.vector) > 0.98
    assert cosine(first.vector, other.vector) < 0.7


def cosine(a: F32, b: F32) -> float:
    """Cosine similarity of two vectors."""
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize(("seconds", "n_patches"), [(0.9, None), (1.0, 1), (2.9, 1), (3.1, 1), (6.1, 2), (90, 12)])
def test_at_most_twelve_patches_are_encoded(seconds: float, n_patches: int | None) -> None:
    """Below a second there is none; audio shorter than a patch is repeated."""
    tone = np.sin(np.arange(int(seconds * 16_000)) / 5).astype(np.float32)

    patches = patches_of(tone)

    assert (None if patches is None else len(patches)) == n_patches


def test_silence_is_not_embedded() -> None:
    """Silence has no embedding."""
    assert Embedder.load("musicnn").embed(np.zeros(50_000, np.float32)) is None


def test_an_embedding_has_the_tags_of_both_networks(mono: F32) -> None:
    """A hundred tags with kind and confidence; a song with drums has more of the tag drums than of choir."""
    embedding = Embedder.load("musicnn").embed(mono)
    assert embedding is not None

    assert len(embedding.tags) == len(TAGS) == 100
    assert {tag.kind for tag in embedding.tags} == {"genre", "mood", "instrument", "vocal", "era"}
    assert all(0 <= tag.confidence <= 1 for tag in embedding.tags)
    confidence = {tag.tag: tag.confidence for tag in embedding.tags if tag.tagger == "musicnn-mtt"}
    assert confidence["drums"] > confidence["choir"]


def test_a_broken_checkpoint_is_refused(tmp_path: Path) -> None:
    """It is missing, truncated, or something else."""
    whole = checkpoint("MSD")
    with pytest.raises(SetupError, match="is not a complete TensorFlow checkpoint"):
        read_checkpoint(tmp_path)
    for name in (".index", ".data-00000-of-00001"):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    (tmp_path / ".data-00000-of-00001").write_bytes(b"short")
    with pytest.raises(SetupError, match="bytes of tensors"):
        read_checkpoint(tmp_path)
    (tmp_path / ".index").write_bytes(b"no table at all" * 10)
    with pytest.raises(SetupError, match="is not a LevelDB table"):
        read_checkpoint(tmp_path)


def test_a_missing_encoder_is_named(tmp_path: Path) -> None:
    """The message says what can be used instead."""
    with pytest.raises(SetupError, match=r"expected 'musicnn' or a folder"):
        Embedder.load(str(tmp_path))
