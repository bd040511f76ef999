"""Calibrated probabilities: temperature, calibration error, and tags that are not shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.arrays import F64
from recsys.tags.calibration import N_BINS, ece, probabilities, tag_calibration, temperature, top_tag_ece


def drawn_labels(scores: F64, seed: int) -> np.ndarray:
    """Draw one tag per row with the probabilities of the scores, shape (n, n_tags), float32."""
    rng = np.random.default_rng(seed)
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    chosen = (chances.cumsum(axis=1) > rng.random((len(scores), 1))).argmax(axis=1)
    drawn: np.ndarray = np.eye(scores.shape[1], dtype=np.float32)[chosen]
    return drawn


def test_the_temperature_undoes_overconfidence() -> None:
    """Scores that were multiplied by three need a temperature of three."""
    scores = np.random.default_rng(1).normal(size=(5_000, 4))
    has_tag = drawn_labels(scores, 2)

    assert temperature(scores * 3, has_tag, exclusive=True) == pytest.approx(3, rel=0.1)


def test_the_temperature_of_independent_tags() -> None:
    """The same holds where each tag has a probability of its own."""
    scores = np.random.default_rng(1).normal(size=(20_000, 2))
    has_tag = (np.random.default_rng(2).random(scores.shape) < 1 / (1 + np.exp(-scores))).astype(np.float32)

    assert temperature(scores / 2, has_tag, exclusive=False) == pytest.approx(0.5, rel=0.05)
    assert temperature(scores[:0], has_tag[:0], exclusive=False) == 1


def test_the_error_by_hand() -> None:
    """Two bins: ten recordings at .75 of which five have the tag, ten at .25 of which none has it."""
    probability = np.repeat([0.75, 0.25], 10)
    has_tag = np.array([True] * 5 + [False] * 15)

    assert ece(probability, has_tag) == pytest.approx((10 * 0.25 + 10 * 0.25) / 20)
    assert np.isnan(ece(np.zeros(0), np.zeros(0, bool)))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_the_error_is_that_of_a_loop(pairs: list[tuple[float, bool]]) -> None:
    """Bins are filled one by one."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(N_BINS)]
    for pair in pairs:
        bins[min(int(pair[0] * N_BINS), N_BINS - 1)].append(pair)
    expected = sum(abs(sum(p - has for p, has in part)) for part in bins) / len(pairs)

    found = ece(np.array([p for p, _ in pairs]), np.array([has for _, has in pairs]))

    assert found == pytest.approx(expected)


def test_the_error_of_the_most_probable_tag() -> None:
    """The first recording is right at .6, the second wrong at .9: both alone in their bin."""
    probability = np.array([[0.6, 0.4], [0.1, 0.9]])
    has_tag = np.array([[1, 0], [1, 0]], np.float32)

    assert top_tag_ece(probability, has_tag) == pytest.approx((0.4 + 0.9) / 2)


def test_probabilities_sum_to_one_only_if_tags_exclude_each_other() -> None:
    """Otherwise each is the logistic function of its score."""
    scores = np.array([[2.0, 0.0]])

    assert probabilities(scores, 2, exclusive=True).sum() == pytest.approx(1)
    assert probabilities(scores, 2, exclusive=False)[0] == pytest.approx([1 / (1 + np.exp(-1)), 0.5])


def test_a_tag_whose_calibration_fails_is_not_shown() -> None:
    """Of 400 recordings at .8, four in ten have it; calibrated ones, and ones within chance, are shown."""
    rng = np.random.default_rng(3)
    probability = np.full(400, 0.8)

    failed = tag_calibration(probability, (np.arange(400) % 10 < 4).astype(np.float32), rng)
    shown = tag_calibration(probability, (np.arange(400) % 10 < 8).astype(np.float32), rng)

    assert (failed.is_shown, round(failed.ece, 3), failed.n_positives) == (False, 0.4, 160)
    assert "off by 0.400" in failed.reason
    assert (shown.is_shown, shown.reason) == (True, "")
    assert shown.chance_ece == pytest.approx(1.96 * np.sqrt(0.16 / 400), rel=0.3)


def test_a_tag_that_few_have_is_not_shown() -> None:
    """Nine recordings with it prove nothing; nor does no recording at all."""
    rng = np.random.default_rng(3)

    few = tag_calibration(np.full(90, 0.1), (np.arange(90) < 9).astype(np.float32), rng)
    none = tag_calibration(np.zeros(0), np.zeros(0, np.float32), rng)

    assert few.reason.startswith("only 9 held-out")
    assert not none.is_shown
