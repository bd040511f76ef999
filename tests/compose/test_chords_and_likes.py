"""Tests of chords for a melody, and of the bandit that likes move."""

import itertools

import numpy as np
import pytest

from recsys.compose.controls import Knobs
from recsys.compose.harmony import _best, chords_for, lattice_of
from recsys.compose.likes import LEVELS, OPTIONS, Preferences, combined, features
from recsys.synth.tune import Note, Tune


def test_a_melody_of_broken_chords_gets_these_chords() -> None:
    """C, F, G and C again, a bar each."""
    broken = ((60, 64, 67, 64), (65, 69, 72, 69), (67, 71, 74, 71), (60, 64, 67, 72))
    notes = tuple(Note(float(place), 1.0, pitch) for place, pitch in enumerate(itertools.chain(*broken)))

    likeliest, *others = chords_for(Tune("tune", notes, (4, 4), 0, "major"), 3, np.random.default_rng(0))

    assert [(chord.onset, chord.root, chord.is_minor) for chord in likeliest] == [
        (0.0, 0, False), (4.0, 5, False), (8.0, 7, False), (12.0, 0, False),
    ]  # fmt: skip
    assert len({likeliest, *others}) == 1 + len(others)


def test_the_best_path_is_the_best_of_all_paths() -> None:
    """By brute force over three segments."""
    tune = Tune("tune", (Note(0, 1, 62), Note(1, 2, 67), Note(3, 1, 64), Note(4, 2, 60)), (2, 2), 0, "mixolydian")
    lattice = lattice_of(tune)

    def value(path: tuple[int, ...]) -> float:
        moves = sum(lattice.moves[lattice.is_bar[place], path[place - 1], path[place]] for place in range(1, len(path)))
        return float(moves + sum(lattice.fits[place, state] for place, state in enumerate(path)))

    n = len(lattice.onsets)
    assert tuple(_best(lattice)) == max(itertools.product(range(len(lattice.states)), repeat=n), key=value)


def test_likes_move_the_sampler_towards_what_is_liked() -> None:
    """A listener who likes busy melodies alone gets these after a while, one who does not the others."""
    busy = LEVELS[2]
    for likes_busy in (True, False):
        rng, preferences = np.random.default_rng(5), Preferences.none()
        for _ in range(40):
            (knobs,) = preferences.draw(1, rng)
            preferences = preferences.after(knobs, is_liked=(knobs.density == busy) == likes_busy)
        share = np.mean([knobs.density == busy for knobs in preferences.draw(50, rng)])
        assert share > 0.7 if likes_busy else share < 0.2


def test_every_option_has_features_of_its_own() -> None:
    """One level for each knob; the first option is what the model learnt."""
    assert OPTIONS[0] == Knobs()
    assert len({tuple(features(option)) for option in OPTIONS}) == 27
    assert features(Knobs(0.0, -0.6, 0.6)).tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert combined(Knobs(0.8, -0.5, 0.1), Knobs(0.6, -0.6, 0.0)) == pytest.approx((1, -1, 0.1))
