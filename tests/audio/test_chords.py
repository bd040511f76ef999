"""Chords: the most likely sequence, its summary, and the network's symmetry."""

import numpy as np
import pytest

from recsys.arrays import F64
from recsys.audio.features.chords import NAMES, find_chords
from recsys.audio.features.harmony import HarmonyNetworks, load_networks, pooling, profiles

FRAME_S = 0.256


def probabilities(*names: str, sure: float = 0.9) -> F64:
    """One frame per name, in which this chord has the probability `sure` and the others share the rest."""
    rows = np.full((len(names), len(NAMES)), (1 - sure) / (len(NAMES) - 1))
    rows[np.arange(len(names)), [NAMES.index(name) for name in names]] = sure
    return rows


def test_chords_follow_each_other_without_gaps() -> None:
    """They begin half-way between the middles of two frames; the first begins at 0, the last ends with the sound."""
    found = find_chords(probabilities(*["C"] * 8, *["Am"] * 8, *["N"] * 8), 6.4)

    assert found.names == ("C", "Am", "N")
    assert found.starts_s == pytest.approx([0, 8 * FRAME_S + FRAME_S / 2, 16 * FRAME_S + FRAME_S / 2])
    assert found.ends_s == pytest.approx([*found.starts_s[1:], 6.4])
    assert found.confidence == pytest.approx(0.9)


def test_a_single_uncertain_frame_does_not_change_the_chord() -> None:
    """Its evidence is smaller than the cost of two changes; that of ten frames is larger."""
    frames = np.concatenate([probabilities(*["C"] * 6), probabilities("F", sure=0.6), probabilities(*["C"] * 6)])

    assert find_chords(frames, 4).names == ("C",)
    assert find_chords(probabilities(*["C"] * 6, *["F"] * 10, *["C"] * 6), 6).names == ("C", "F", "C")


def test_a_pause_between_equal_chords_is_no_change() -> None:
    """C, N, C, G in 8.4 s: one change, and C is named before G."""
    found = find_chords(probabilities(*["C"] * 8, *["N"] * 8, *["C"] * 8, *["G"] * 8), 8.4)

    assert found.changes_per_min == pytest.approx(60 / 8.4)
    assert found.most_frequent == "C G"
    assert find_chords(probabilities(*["N"] * 8), 3).most_frequent is None


def test_the_path_is_the_best_of_all() -> None:
    """Compared with every sequence of three frames over the chords with any probability."""
    rng = np.random.default_rng(7)
    frames = rng.dirichlet(np.full(len(NAMES), 0.3), 3)
    scores = np.log(frames + 1e-9)
    n = np.arange(len(NAMES))
    first, second, third = (grid.ravel() for grid in np.meshgrid(n, n, n, indexing="ij"))
    totals = scores[0, first] + scores[1, second] + scores[2, third]
    totals -= 2.5 * ((first != second).astype(float) + (second != third))
    best = [int(path[totals.argmax()]) for path in (first, second, third)]

    found = find_chords(frames, 1.5)

    expanded = [NAMES[number] for k, number in enumerate(best) if k == 0 or number != best[k - 1]]
    assert list(found.names) == expanded


def test_a_transposed_recording_has_transposed_answers() -> None:
    """Rotating the pitch classes of the inputs by three rotates keys and chords by three."""
    rng = np.random.default_rng(7)
    inputs = rng.random((40, 6, 12)).astype(np.float32)

    plain, higher = (load_networks().estimate(values) for values in (inputs, np.roll(inputs, 3, axis=2)))

    assert np.roll(plain.keys.reshape(12, 2), 3, axis=0).ravel() == pytest.approx(higher.keys, abs=1e-5)
    rotated = np.roll(plain.chords[:, :24].reshape(-1, 12, 2), 3, axis=1).reshape(-1, 24)
    assert rotated == pytest.approx(higher.chords[:, :24], abs=1e-4)
    assert plain.chords.sum(axis=1) == pytest.approx(1)
    assert plain.keys.sum() == pytest.approx(1)


def test_profiles_fold_semitones_into_pitch_classes() -> None:
    """An A1 alone is A in the bass and in the chroma; as a third harmonic it would belong to D."""
    salience = np.zeros((1, 63), np.float32)
    salience[0, 0] = 1.0  # A1

    found = profiles(salience, np.ones(1, np.float32))[0]

    assert found[0].argmax() == 9
    assert found[1].max() == found[2].max() == 0
    assert np.flatnonzero(found[3] > 0.05 * found[3].max()).tolist() == [2, 5, 9]
    assert found[3, 9] > found[3, 2] > found[3, 5] > 0


@pytest.mark.parametrize("n_frames", [1, 5, 6, 100])
def test_pooled_means_have_weights_that_sum_to_one(n_frames: int) -> None:
    """Also for recordings with fewer frames than sixths."""
    assert pooling(n_frames).sum(axis=1) == pytest.approx(1)


def test_weights_are_stored_and_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As float16, so that a second copy is equal."""
    path = tmp_path_factory.mktemp("weights") / "harmony.npz"
    load_networks().save(path)

    inputs = np.random.default_rng(7).random((20, 6, 12)).astype(np.float32)

    assert (HarmonyNetworks.load(path).estimate(inputs).keys == load_networks().estimate(inputs).keys).all()
