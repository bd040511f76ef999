"""The head of instruments: probabilities, the distance from what it was trained on, and what it says of sounds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.arrays import F32
from recsys.audio.embedding.embed import MUSICNN, Embedder
from recsys.audio.embedding.instruments import TAGGER, InstrumentHead
from recsys.audio.signal import Signal

N_INPUTS, N_TAGS = 6, 2


@pytest.fixture
def points() -> np.ndarray:
    """Inputs of training recordings, whose columns are correlated. Shape (400, 6)."""
    rng = np.random.default_rng(3)
    return (rng.standard_normal((400, N_INPUTS)) @ rng.standard_normal((N_INPUTS, N_INPUTS)) + 2).astype(np.float32)


def head_of(points: np.ndarray, n_components: int) -> InstrumentHead:
    """Return a head with random weights whose distance has this many components."""
    rng = np.random.default_rng(4)
    mean, std = points.mean(axis=0), points.std(axis=0)
    zscores = (points - mean) / std
    power, axes = np.linalg.eigh(zscores.T @ zscores / len(zscores))
    leading = np.argsort(-power)[:n_components]
    left_over = float(power.sum() - power[leading].sum()) / N_INPUTS if n_components < N_INPUTS else 1.0
    return InstrumentHead(
        tags=np.array(["piano", "drums"]),
        mean=mean,
        std=std,
        weights=rng.standard_normal((N_INPUTS, N_TAGS)).astype(np.float32),
        bias=np.array([0.5, -0.5], np.float32),
        axes=(axes[:, leading] / np.sqrt(power[leading])).astype(np.float32),
        left_over=np.asarray(left_over, np.float32),
        farthest=np.asarray(3, np.float32),
        rendered=np.zeros(N_INPUTS, np.float32),
        rendered_bias=np.asarray(1, np.float32),
    )


def test_the_probability_is_that_of_the_logistic_regression(points: np.ndarray) -> None:
    """Computed once more, input by input; the tag carries it as confidence and as probability."""
    head = head_of(points, 3)
    zscores = [(points[7, i] - head.mean[i]) / head.std[i] for i in range(N_INPUTS)]
    logits = [sum(z * head.weights[i, tag] for i, z in enumerate(zscores)) + head.bias[tag] for tag in range(N_TAGS)]
    expected = [1 / (1 + np.exp(-logit)) for logit in logits]

    assert head.probabilities(points)[7] == pytest.approx(expected, abs=1e-5)
    assert [(tag.tagger, tag.tag, tag.kind) for tag in head.predict(points[7])] == [
        (TAGGER, "piano", "instrument"),
        (TAGGER, "drums", "instrument"),
    ]
    assert [tag.probability for tag in head.predict(points[7])] == pytest.approx(expected, abs=1e-5)
    assert [tag.confidence for tag in head.predict(points[7])] == pytest.approx(expected, abs=1e-5)


def test_the_distance_is_that_of_mahalanobis(points: np.ndarray) -> None:
    """With all components, half the squared distance of z-scores by their inverse covariance, per component."""
    head = head_of(points, N_INPUTS)
    zscores = ((points - points.mean(axis=0)) / points.std(axis=0)).astype(np.float64)
    inverse = np.linalg.inv(zscores.T @ zscores / len(zscores))
    expected = np.einsum("ni,ij,nj->n", zscores, inverse, zscores) / N_INPUTS / 2

    assert head.distance(points) == pytest.approx(expected, rel=1e-3)


def test_what_the_components_leave_over_counts_as_much(points: np.ndarray) -> None:
    """On average over the training recordings both halves of the distance are one half."""
    assert head_of(points, 3).distance(points).mean() == pytest.approx(1, abs=0.02)


def test_it_says_nothing_of_what_is_unlike_its_training(points: np.ndarray) -> None:
    """Beyond the largest distance, and where a value is NaN, there are no tags."""
    head = head_of(points, 3)
    far = points[0] + 10 * points.std(axis=0)

    assert head.distance(far[None])[0] > head.farthest
    assert head.predict(far) == ()
    assert head.predict(np.full(N_INPUTS, np.nan, np.float32)) == ()


def test_it_says_nothing_of_what_sounds_real(points: np.ndarray) -> None:
    """The logistic regression of being rendered decides, however near a recording is."""
    head = head_of(points, 3)
    rendered = np.array([1, 0, 0, 0, 0, 0], np.float32)
    strict = replace(head, rendered=rendered, rendered_bias=np.asarray(-0.5, np.float32))
    expected = ((points[:, 0] - head.mean[0]) / head.std[0] > 0.5) & (head.distance(points) <= 3)

    assert np.array_equal(strict.is_alike(points), expected)
    assert [bool(strict.predict(point)) for point in points[:50]] == expected[:50].tolist()


def test_a_head_is_read_as_it_was_written(points: np.ndarray, tmp_path: Path) -> None:
    """As float16; equal heads give equal bytes."""
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    head_of(points, 3).save(first)
    head_of(points, 3).save(second)

    assert first.read_bytes() == second.read_bytes()
    assert InstrumentHead.load(first).probabilities(points) == pytest.approx(
        head_of(points, 3).probabilities(points), abs=0.01
    )


def test_rendered_music_gets_its_instruments_and_noise_none(song: F32) -> None:
    """A piano with bass and drums, and white noise."""
    embedder, rng = Embedder.load(MUSICNN), np.random.default_rng(5)
    noise = 0.1 * rng.standard_normal((1, 4 * 16_000)).astype(np.float32)
    heard, of_noise = (
        embedder.embed(Signal(song, 22_050, "test", 0.0)),
        embedder.embed(Signal(noise, 16_000, "test", 0.0)),
    )

    assert heard is not None
    assert of_noise is not None
    instruments = {tag.tag: tag.probability or 0 for tag in heard.tags if tag.tagger == TAGGER}
    assert {"piano", "drums", "bass"} <= {tag for tag, probability in instruments.items() if probability > 0.5}
    assert instruments["flute"] < 0.5
    assert [tag for tag in of_noise.tags if tag.tagger == TAGGER] == []
