"""Ranking metrics: by hand, by law, and against a second definition."""

from collections.abc import Callable
from math import log2

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import ndcg_score

from recsys.errors import InputError
from recsys.evaluate.ranking import (
    F64,
    Judged,
    average_precision_at_k,
    hit_rate_at_k,
    judge,
    ndcg_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)

METRICS = [ndcg_at_k, recall_at_k, hit_rate_at_k, reciprocal_rank_at_k, average_precision_at_k]
N_TRACKS = 12
HAND = Judged(
    # found 1st and 3rd of 2; found 2nd of 5; nothing of 3; nothing to find
    np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0]], np.bool_),
    np.array([2, 5, 3, 0]),
)


@st.composite
def judged_lists(draw: st.DrawFn) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Full rankings of a small catalogue for some users, and what is relevant to each."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ranked = rng.permuted(np.tile(np.arange(N_TRACKS), (5, 1)), axis=1)
    return ranked, rng.random((5, N_TRACKS)) < draw(st.floats(0, 1))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (ndcg_at_k, [(1 + 1 / 2) / (1 + 1 / log2(3)), (1 / log2(3)) / (1 + 1 / log2(3) + 1 / 2), 0, np.nan]),
        (recall_at_k, [1, 1 / 5, 0, np.nan]),
        (hit_rate_at_k, [1, 1, 0, np.nan]),
        (reciprocal_rank_at_k, [1, 1 / 2, 0, np.nan]),
        (average_precision_at_k, [(1 + 2 / 3) / 2, (1 / 2) / 3, 0, np.nan]),
    ],
)
def test_by_hand(metric: Callable[[Judged, int], F64], expected: list[float]) -> None:
    """Four listeners that a reader can count; nothing to find is NaN, never zero."""
    assert_allclose(metric(HAND, 3), expected)


@settings(deadline=None, max_examples=50)
@given(judged_lists(), st.integers(1, N_TRACKS))
def test_ndcg_equals_a_plain_definition(lists: tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]], k: int) -> None:
    """The fast line equals a loop over places, and scikit-learn's where that speaks of the same thing."""
    ranked, relevant = lists

    values = ndcg_at_k(judge(ranked, sp.csr_matrix(relevant)), k)

    assert_allclose(
        values, [plain_ndcg(list(r), set(np.flatnonzero(t)), k) for r, t in zip(ranked, relevant, strict=True)]
    )
    scores = -np.argsort(ranked, axis=1).astype(float)
    for value, truth, score in zip(values, relevant, scores, strict=True):
        if truth.any():
            assert value == pytest.approx(ndcg_score([truth], [score], k=k))


def plain_ndcg(ranked: list[int], relevant: set[int], k: int) -> float:
    """NDCG with a loop and sets."""
    if not relevant:
        return float("nan")
    gain = sum(1 / log2(place + 1) for place, track in enumerate(ranked[:k], 1) if track in relevant)
    return gain / sum(1 / log2(place + 1) for place in range(1, min(k, len(relevant)) + 1))


@settings(deadline=None, max_examples=50)
@given(judged_lists())
def test_recall_and_hits_never_fall_as_k_grows(lists: tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]) -> None:
    """A longer list finds at least as much, and a list of everything finds all."""
    judged = judge(lists[0], sp.csr_matrix(lists[1]))

    for metric in (recall_at_k, hit_rate_at_k, reciprocal_rank_at_k):
        values = np.array([metric(judged, k) for k in range(1, N_TRACKS + 1)])
        assert np.all((np.diff(values, axis=0) >= 0) | np.isnan(values[1:]))
    assert_array_equal(recall_at_k(judged, N_TRACKS), np.where(lists[1].any(axis=1), 1, np.nan))


@settings(deadline=None, max_examples=50)
@given(judged_lists(), st.integers(1, N_TRACKS))
def test_a_perfect_ranking_scores_one(lists: tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]], k: int) -> None:
    """With all relevant tracks at the head, every metric but recall is 1; recall is as far as k places reach."""
    relevant = lists[1]
    judged = judge(np.argsort(~relevant, axis=1, kind="stable"), sp.csr_matrix(relevant))
    one = np.where(relevant.any(axis=1), 1.0, np.nan)

    for metric in METRICS:
        reach = np.minimum(1, k / np.maximum(judged.n_relevant, 1)) if metric is recall_at_k else 1
        assert_allclose(metric(judged, k), one * reach)


def test_padding_is_never_a_hit() -> None:
    """A short list, padded with -1, finds nothing in its empty places."""
    judged = judge(np.array([[2, -1, -1], [-1, -1, -1]]), sp.csr_matrix(np.ones((2, 3), np.bool_)))

    assert judged.hits.tolist() == [[True, False, False], [False, False, False]]
    assert judged.n_relevant.tolist() == [3, 3]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [0, 4])
def test_k_out_of_range_is_refused(metric: Callable[[Judged, int], F64], k: int) -> None:
    """A k that the lists cannot answer is an error, not a shorter answer."""
    with pytest.raises(InputError, match=f"k is {k}; expected 1 to 3"):
        metric(HAND, k)


def test_judge_refuses_what_does_not_fit() -> None:
    """Lists for other users than the truth, and a track named twice, would flatter the result."""
    with pytest.raises(InputError, match="1 lists for 2 users"):
        judge(np.array([[0]]), sp.csr_matrix((2, 3), dtype=np.bool_))
    with pytest.raises(InputError, match="names a track twice"):
        judge(np.array([[0, 1, 0]]), sp.csr_matrix((1, 3), dtype=np.bool_))
