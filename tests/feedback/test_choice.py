"""Models of choice: how often each position is played, against the probabilities computed by hand."""

import numpy as np
import pytest

from recsys.arrays import F64
from recsys.feedback.choice import CHOICES, Shown

LIKES = np.array([0.5, 0.2, 0.8])
LOOKS = 1 / np.log2([2, 3, 4])
N = 200_000


def shown(n_listeners: F64, likes: F64 = LIKES) -> Shown:
    """Show the same list to many listeners."""
    rng = np.random.default_rng(3)
    shape = (N, len(likes))
    return Shown(np.tile(likes, (N, 1)), np.tile(n_listeners, (N, 1)), rng.random(shape), rng.random(shape))


def cascade_by_hand() -> list[float]:
    """Follow the probability of reading on: .6 after a play, .95 after none."""
    reached, played = 1.0, []
    for like in LIKES:
        played.append(reached * like)
        reached *= like * 0.6 + (1 - like) * 0.95
    return played


def logit_by_hand() -> F64:
    """Weigh each track by the odds of liking times attention, and nothing by 1."""
    weights: F64 = LIKES / (1 - LIKES) * LOOKS
    chosen: F64 = weights / (1 + weights.sum())
    return chosen


def conformity_by_hand() -> F64:
    """Multiply the odds by the square root of 1 + listeners beside 1 + their mean, 10."""
    odds = LIKES / (1 - LIKES) * np.sqrt(np.array([1, 31, 1]) / 11)
    played: F64 = odds / (1 + odds) * LOOKS
    return played


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("position", LIKES * LOOKS),
        ("cascade", cascade_by_hand()),
        ("logit", logit_by_hand()),
        ("conformity", conformity_by_hand()),
    ],
)
def test_tracks_are_played_as_often_as_the_model_says(choice: str, expected: F64) -> None:
    """Four standard errors of 200,000 lists are allowed."""
    played = CHOICES[choice](shown(np.array([0.0, 30, 0])))

    assert played.mean(axis=0) == pytest.approx(np.asarray(expected), abs=4 * 0.5 / np.sqrt(N))


@pytest.mark.parametrize("choice", CHOICES)
def test_empty_positions_and_disliked_tracks_are_never_played(choice: str) -> None:
    """A list of one track that is liked for certain has no plays behind it; a disliked list has none."""
    one_track = CHOICES[choice](shown(np.zeros(3), np.array([1.0, 0, 0])))
    disliked = CHOICES[choice](shown(np.zeros(3), np.zeros(3)))

    assert one_track[:, 0].mean() > 0.99
    assert not one_track[:, 1:].any()
    assert not disliked.any()


def test_one_list_has_at_most_one_choice_of_the_logit_model() -> None:
    """The other models may play several tracks of a list."""
    assert CHOICES["logit"](shown(np.zeros(3))).sum(axis=1).max() == 1
    assert CHOICES["position"](shown(np.zeros(3))).sum(axis=1).max() > 1
