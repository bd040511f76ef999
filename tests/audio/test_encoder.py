"""The pretrained encoder against an independent forward pass, its embeddings and tags, its card, unreadable weights."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from recsys.arrays import F32
from recsys.audio.embedding.embed import FORMAT, VERSION, Embedder, patches_of
from recsys.audio.embedding.encoder import N_FRAMES, N_POOLED, Encoder
from recsys.audio.embedding.pretrained import FOLDER, pretrained
from recsys.audio.embedding.tags import TAGS, Tag, voice_scores
from recsys.audio.mel import log_mel
from recsys.audio.weights_file import with_weights
from recsys.errors import SetupError
from recsys.files import sha256_of

from .conftest import recording

EPSILON = 1e-3


def plain_forward(weights: dict[str, np.ndarray], patch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Compute the encoder's output for one patch, shape (187, 96), as in the paper, in float64 with plain sums.

    Returns the mean over time, shape (753,), and the logits, shape (50,).
    """

    def norm(x: np.ndarray, layer: str) -> np.ndarray:  # channels last
        scale, shift, mean, var = (
            weights[f"{layer}.{name}"].astype(float) for name in ("weight", "bias", "running_mean", "running_var")
        )
        return np.asarray((x - mean) / np.sqrt(var + EPSILON) * scale + shift)

    def conv(x: np.ndarray, layer: str) -> np.ndarray:  # x (T, F), zero-padded in time only; returns (T, F', n_out)
        kernel = weights[f"{layer}.conv.weight"].astype(float)
        kernel = kernel[:, 0] if kernel.ndim == 4 else kernel.swapaxes(1, 2)  # (n_out, t, f)
        n_t = kernel.shape[1]
        padded = np.pad(x, (((n_t - 1) // 2, n_t // 2), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[1:])  # (T, F', t, f)
        sums = np.tensordot(windows, kernel, ([2, 3], [1, 2])) + weights[f"{layer}.conv.bias"]
        return norm(np.maximum(sums, 0), f"{layer}.norm")

    x = norm(patch.astype(float)[:, :, None], "norm")[:, :, 0]
    branches = ("timbral.0", "timbral.1", "temporal.0", "temporal.1", "temporal.2")
    front = np.concatenate([conv(x, branch).max(axis=1) for branch in branches], axis=1)  # (T, 561)
    first = conv(front, "middle.0")[:, 0]  # (T, 64)
    second = conv(first, "middle.1")[:, 0] + first
    third = conv(second, "middle.2")[:, 0] + second
    channels = np.concatenate([front, first, second, third], axis=1)  # (T, 753)
    pooled = np.stack([channels.max(axis=0), channels.mean(axis=0)], axis=1).ravel()  # (1506,)
    dense = np.maximum(weights["dense.weight"] @ norm(pooled, "pool_norm") + weights["dense.bias"], 0)
    logits = weights["tags.weight"] @ norm(dense, "dense_norm") + weights["tags.bias"]
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

    with np.load(FOLDER / f"{training_set.lower()}.npz", allow_pickle=False) as weights:
        mean, logits = plain_forward(dict(weights), patch.numpy())
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

    first, again, softer, other = (embedder.embed(recording(audio)) for audio in (mono, mono, 0.9 * mono, noise))

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
    assert Embedder.load("musicnn").embed(recording(np.zeros(50_000, np.float32))) is None


def test_an_embedding_has_the_tags_of_both_networks(mono: F32) -> None:
    """A hundred tags with kind and confidence; a song with drums has more of the tag drums than of choir."""
    embedding = Embedder.load("musicnn").embed(recording(mono))
    assert embedding is not None

    assert len([tag for tag in embedding.tags if tag.tagger.startswith("musicnn")]) == len(TAGS) == 100
    assert {tag.kind for tag in embedding.tags} == {"genre", "mood", "instrument", "vocal", "era"}
    assert all(0 <= tag.confidence <= 1 for tag in embedding.tags)
    confidence = {tag.tag: tag.confidence for tag in embedding.tags if tag.tagger == "musicnn-mtt"}
    assert confidence["drums"] > confidence["choir"]


def test_the_vocal_share_counts_excerpts_whose_tags_say_voice(mono: F32) -> None:
    """In each excerpt, the highest tag of a voice is compared with the highest tag of none, by the tags' names."""
    embedder = Embedder.load("musicnn")
    embedding = embedder.embed(recording(mono))
    patches = patches_of(mono)
    assert embedding is not None
    assert patches is not None

    n_voice = 0
    for patch in patches:
        logits = torch.cat([tagger(patch[None]).logits[0] for tagger in embedder.taggers])
        of_tag = dict(zip(TAGS, torch.sigmoid(logits).tolist(), strict=True))
        vocal = {tag: value for tag, value in of_tag.items() if tag.kind == "vocal"}
        none = max(value for tag, value in vocal.items() if tag.name.startswith(("no ", "instrumental")))
        n_voice += max(value for tag, value in vocal.items() if not tag.name.startswith(("no ", "instr"))) - none > 0.02

    assert embedding.vocal_share == n_voice / len(patches)


def test_an_excerpt_has_a_voice_if_its_tags_say_so() -> None:
    """A tag of a voice raises the score, one of none lowers it; other tags change nothing."""
    places = {tag: place for place, tag in enumerate(TAGS)}
    confidences = np.zeros((3, len(TAGS)), np.float32)
    confidences[1, places[Tag("MTT", "singing", "vocal")]] = 0.5
    confidences[2, places[Tag("MSD", "instrumental", "vocal")]] = 0.25
    confidences[:, places[Tag("MTT", "guitar", "instrument")]] = 0.9

    assert voice_scores(confidences).tolist() == [0, 0.5, -0.25]


def test_the_card_names_the_weights() -> None:
    """Their hashes, and that of the source from which their version is derived."""
    card = (FOLDER / "CARD.md").read_text()
    version = (FOLDER / VERSION).read_text().strip()

    assert all(sha256_of(path) in card for path in FOLDER.glob("*.npz"))
    assert f"| {version.removeprefix('musicnn-msd-')}" in card
    assert Embedder.load("musicnn").version == f"{version}-{FORMAT}"


@pytest.mark.parametrize("content", [None, b"", b"no weights", b"PK\x03\x04 cut off"])
def test_damaged_weights_are_refused(tmp_path: Path, content: bytes | None) -> None:
    """The message names the file and says what to do."""
    path = tmp_path / "encoder.npz"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SetupError, match=r"encoder\.npz is not a complete file of weights: .*train the encoder again"):
        with_weights(Encoder(), path)


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    """Reading a file of weights never runs code."""
    with (tmp_path / "encoder.npz").open("wb") as file:
        np.savez(file, weights=np.array([{"any": "object"}], dtype=object))

    with pytest.raises(SetupError, match="allow_pickle=False"):
        with_weights(Encoder(), tmp_path / "encoder.npz")


def test_weights_of_another_network_are_refused() -> None:
    """A fingerprint network is no encoder."""
    with pytest.raises(SetupError, match="holds the weights of another network"):
        with_weights(Encoder(), FOLDER.with_name("fingerprint") / "encoder.npz")


def test_a_missing_encoder_is_named(tmp_path: Path) -> None:
    """The message says what can be used instead."""
    with pytest.raises(SetupError, match=r"expected 'musicnn' or a folder"):
        Embedder.load(str(tmp_path))
