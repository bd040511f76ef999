"""Beats and bars: the most likely sequence for given activations."""

import numpy as np
import pytest

from recsys.arrays import F32, F64
from recsys.audio.features.beats import (
    CHORD_TOLERANCE_S,
    FIRST_STEP_S,
    STEPS_PER_SECOND,
    BeatNetwork,
    _has_change,
    find_beats,
    load_network,
)

NO_CHORDS = np.zeros(0)


def activations(beats_s: F64, n_beats: int, *, first: int = 0, duration_s: float = 20.0) -> F32:
    """Activations that are high at beats, of which each `n_beats`-th one from `first` on is a downbeat."""
    rows = np.full((int(duration_s * STEPS_PER_SECOND), 2), 0.02, np.float32)
    steps = np.round((beats_s - FIRST_STEP_S) * STEPS_PER_SECOND).astype(int)
    rows[steps, 0] = 0.9
    rows[steps[first::n_beats], 1] = 0.8
    return rows


@pytest.mark.parametrize(("bpm", "n_beats", "first"), [(72, 3, 1), (120, 4, 2), (173, 2, 0)])
def test_beats_and_bars_are_found(bpm: float, n_beats: int, first: int) -> None:
    """All beats within one step, and the downbeats where they are, at a constant tempo."""
    true_s = np.arange(0.4, 19.5, 60 / bpm)

    found = find_beats(activations(true_s, n_beats, first=first), NO_CHORDS)

    assert found is not None
    assert found.times_s == pytest.approx(true_s, abs=0.02)
    assert found.downbeats_s == pytest.approx(true_s[first::n_beats], abs=0.02)
    assert found.beats_per_bar == n_beats
    assert found.tempo_variation < 0.02


def test_chords_tell_where_bars_begin() -> None:
    """Where every second beat sounds like a downbeat, chords that begin with every fourth one decide for four beats."""
    true_s = np.arange(0.5, 19.5, 0.5)

    found = find_beats(activations(true_s, 2, first=1), true_s[3::4] + 0.1)

    assert found is not None
    assert found.beats_per_bar == 4
    assert found.downbeats_s == pytest.approx(true_s[3::4], abs=0.02)


def test_a_tempo_that_rises_is_followed() -> None:
    """From 100 to 130 beats per minute within 20 s; the variation is that of the tempi."""
    tempi = np.linspace(100, 130, 36)
    true_s = 0.4 + np.concatenate([[0], np.cumsum(60 / tempi)])

    found = find_beats(activations(true_s, 4), NO_CHORDS)

    assert found is not None
    assert found.times_s == pytest.approx(true_s, abs=0.02)
    assert found.tempo_variation == pytest.approx(np.std(tempi[2:-2]) / np.mean(tempi), abs=0.01)


def test_a_missing_beat_is_filled_in() -> None:
    """A beat without activation lies between its neighbours."""
    true_s = np.arange(0.5, 19, 0.5)

    found = find_beats(activations(np.delete(true_s, 12), 4), NO_CHORDS)

    assert found is not None
    assert found.times_s == pytest.approx(true_s, abs=0.03)


def test_confidence_is_the_activation_at_beats() -> None:
    """High where the network is sure, low where nothing stands out."""
    sure = find_beats(activations(np.arange(0.5, 19, 0.5), 4, duration_s=19), NO_CHORDS)
    unsure = find_beats(np.full((900, 2), 0.1, np.float32), NO_CHORDS)

    assert sure is not None
    assert sure.confidence == pytest.approx(0.9, abs=0.01)
    assert unsure is not None
    assert unsure.confidence == pytest.approx(0.1, abs=0.01)


def test_a_convolution_is_that_of_its_definition() -> None:
    """One layer with dilation 1 and random weights, against sums over shifted inputs."""
    rng = np.random.default_rng(7)
    shapes = {
        "mean": (3,), "scale": (3,), "first": (5, 3, 2), "first_bias": (2,), "layers": (1, 5, 2, 2),
        "layer_biases": (1, 2), "last": (2, 2), "last_bias": (2,),
    }  # fmt: skip
    network = BeatNetwork(**{name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()})
    values = rng.standard_normal((30, 3)).astype(np.float32)

    def convolved(rows: F32, weights: F32, bias: F32) -> F32:
        padded = np.pad(rows, ((2, 2), (0, 0)))
        return np.array([sum(padded[n + k] @ weights[k] for k in range(5)) + bias for n in range(len(rows))])

    hidden = np.maximum(convolved((values - network.mean) / network.scale, network.first, network.first_bias), 0)
    hidden = hidden + 0.5 * np.maximum(convolved(hidden, network.layers[0], network.layer_biases[0]), 0)
    expected = 1 / (1 + np.exp(-(hidden @ network.last + network.last_bias)))

    assert network.activations(values) == pytest.approx(expected, abs=1e-5)


def test_silence_has_low_activations() -> None:
    """No input at all is no beat."""
    network = load_network()

    assert network.activations(np.zeros((500, len(network.mean)), np.float32))[:, 0].mean() < 0.5


def test_a_chord_belongs_to_the_nearest_beat() -> None:
    """Chords go to the beat that is nearest of all, as a comparison of all pairs finds it, if it is near enough."""
    rng = np.random.default_rng(5)
    beats_s, chords_s = np.cumsum(rng.uniform(0.3, 1.2, 200)), np.sort(rng.uniform(-1, 160, 150))
    distances_s = np.abs(beats_s[:, None] - chords_s)

    expected = np.zeros(200, np.bool_)
    expected[[column.argmin() for column in distances_s.T if column.min() < CHORD_TOLERANCE_S]] = True

    assert np.array_equal(_has_change(beats_s, chords_s), expected)
    assert not _has_change(beats_s, chords_s[:0]).any()
