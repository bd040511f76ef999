"""Accuracy metrics: by hand, by their laws, and compared with a second implementation."""

from collections.abc import Callable
from math import log2
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import ndcg_score

from recsys.arrays import F64
from recsys.errors import InputError
from recsys.evaluate.ranking import (
    EvaluatedLists,
    average_precision_at_k,
    evaluate_lists,
    hit_rate_at_k,
    ndcg_at_k,
    ndcg_by_hits_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)

N_TRACKS = 12
HAND = EvaluatedLists(
    # hits at ranks 1 and 3 of 2 relevant; at rank 2 of 5; none of 3; nothing relevant
    np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0]], np.bool_),
    np.array([2, 5, 3, 0]),
)


Lists: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]  # tracks ranked; whether each is relevant


@st.composite
def judged_lists(draw: st.DrawFn) -> Lists:
    """Full rankings of a small catalogue for five users, and whether each track is relevant."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ranked = rng.permuted(np.tile(np.arange(N_TRACKS), (5, 1)), axis=1)
    return ranked, rng.random((5, N_TRACKS)) < draw(st.floats(0, 1))


def gain(ranks: list[int]) -> float:
    """Return the discounted gain of hits at these ranks."""
    return sum(1 / log2(rank + 1) for rank in ranks)


def hit_ranks(ranked: list[int], relevant: set[int], k: int) -> list[int]:
    """Return the ranks of the hits among the first k, by a loop."""
    return [rank for rank, track in enumerate(ranked[:k], 1) if track in relevant]


# Each metric by its definition, from the ranks of the hits, the number of relevant tracks, and k.
PLAIN: dict[Callable[[EvaluatedLists, int], F64], Callable[[list[int], int, int], float]] = {
    ndcg_at_k: lambda ranks, n, k: gain(ranks) / gain(list(range(1, min(k, n) + 1))),
    ndcg_by_hits_at_k: lambda ranks, _n, _k: gain(ranks) / gain(list(range(1, len(ranks) + 1))) if ranks else 0,
    recall_at_k: lambda ranks, n, _k: len(ranks) / n,
    precision_at_k: lambda ranks, _n, k: len(ranks) / k,
    hit_rate_at_k: lambda ranks, _n, _k: min(1, len(ranks)),
    reciprocal_rank_at_k: lambda ranks, _n, _k: 1 / ranks[0] if ranks else 0,
    average_precision_at_k: lambda ranks, n, k: sum(number / rank for number, rank in enumerate(ranks, 1)) / min(k, n),
}


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (ndcg_at_k, [(1 + 1 / 2) / (1 + 1 / log2(3)), (1 / log2(3)) / (1 + 1 / log2(3) + 1 / 2), 0, np.nan]),
        (ndcg_by_hits_at_k, [(1 + 1 / 2) / (1 + 1 / log2(3)), 1 / log2(3), 0, np.nan]),
        (recall_at_k, [1, 1 / 5, 0, np.nan]),
        (precision_at_k, [2 / 3, 1 / 3, 0, np.nan]),
        (hit_rate_at_k, [1, 1, 0, np.nan]),
        (reciprocal_rank_at_k, [1, 1 / 2, 0, np.nan]),
        (average_precision_at_k, [(1 + 2 / 3) / 2, (1 / 2) / 3, 0, np.nan]),
    ],
)
def test_by_hand(metric: Callable[[EvaluatedLists, int], F64], expected: list[float]) -> None:
    """Four listeners that a reader can count; without relevant tracks the value is NaN, not 0."""
    assert_allclose(metric(HAND, 3), expected)


@pytest.mark.parametrize("metric", PLAIN)
@settings(deadline=None, max_examples=50)
@given(lists=judged_lists(), k=st.integers(1, N_TRACKS))
def test_equals_its_definition(metric: Callable[[EvaluatedLists, int], F64], lists: Lists, k: int) -> None:
    """The result equals a loop over ranks; a listener without relevant tracks has NaN."""
    ranked, relevant = lists
    sets = [set(np.flatnonzero(row).tolist()) for row in relevant]

    values = metric(evaluate_lists(ranked, sp.csr_matrix(relevant)), k)

    plain = [
        PLAIN[metric](hit_ranks(row, tracks, k), len(tracks), k) if tracks else np.nan
        for row, tracks in zip(ranked.tolist(), sets, strict=True)
    ]
    assert_allclose(values, plain)


@settings(deadline=None, max_examples=50)
@given(judged_lists(), st.integers(1, N_TRACKS))
def test_ndcg_equals_scikit_learn(lists: Lists, k: int) -> None:
    """On full rankings with relevant tracks, both give the same value."""
    ranked, relevant = lists
    scores = -np.argsort(ranked, axis=1).astype(float)

    values = ndcg_at_k(evaluate_lists(ranked, sp.csr_matrix(relevant)), k)

    for value, truth, score in zip(values, relevant, scores, strict=True):
        if truth.any():
            assert value == pytest.approx(ndcg_score([truth], [score], k=k))


@pytest.mark.parametrize("metric", PLAIN)
@settings(deadline=None, max_examples=25)
@given(lists=judged_lists(), seed=st.integers(0, 2**32))
def test_users_in_another_order_have_the_same_values(
    metric: Callable[[EvaluatedLists, int], F64], lists: Lists, seed: int
) -> None:
    """A listener's value does not depend on the other listeners."""
    ranked, relevant = lists
    order = np.random.default_rng(seed).permutation(len(ranked))

    values = metric(evaluate_lists(ranked, sp.csr_matrix(relevant)), 4)

    assert_array_equal(metric(evaluate_lists(ranked[order], sp.csr_matrix(relevant[order])), 4), values[order])


@settings(deadline=None, max_examples=50)
@given(judged_lists(), st.integers(1, N_TRACKS))
def test_ours_is_the_stricter_ndcg(lists: Lists, k: int) -> None:
    """Relevant tracks that a list leaves out lower nDCG: it is never above the nDCG by hits."""
    evaluated = evaluate_lists(lists[0], sp.csr_matrix(lists[1]))

    with np.errstate(invalid="ignore"):
        assert not (ndcg_at_k(evaluated, k) > ndcg_by_hits_at_k(evaluated, k) + 1e-12).any()


@settings(deadline=None, max_examples=50)
@given(judged_lists())
def test_recall_and_hits_never_fall_as_k_grows(lists: Lists) -> None:
    """A longer list finds at least as much, and a list of the whole catalogue finds all."""
    evaluated = evaluate_lists(lists[0], sp.csr_matrix(lists[1]))

    for metric in (recall_at_k, hit_rate_at_k, reciprocal_rank_at_k):
        values = np.array([metric(evaluated, k) for k in range(1, N_TRACKS + 1)])
        assert np.all((np.diff(values, axis=0) >= 0) | np.isnan(values[1:]))
    assert_array_equal(recall_at_k(evaluated, N_TRACKS), np.where(lists[1].any(axis=1), 1, np.nan))


@settings(deadline=None, max_examples=50)
@given(judged_lists(), st.integers(1, N_TRACKS))
def test_a_perfect_ranking_scores_one(lists: Lists, k: int) -> None:
    """With all relevant tracks first, every metric is 1, except that k limits recall and precision."""
    relevant = lists[1]
    evaluated = evaluate_lists(np.argsort(~relevant, axis=1, kind="stable"), sp.csr_matrix(relevant))
    one = np.where(relevant.any(axis=1), 1.0, np.nan)

    reach: dict[Callable[[EvaluatedLists, int], F64], npt.NDArray[np.float64]] = {
        recall_at_k: np.minimum(1, k / np.maximum(evaluated.n_relevant, 1)),
        precision_at_k: np.minimum(1, evaluated.n_relevant / k),
    }
    for metric in PLAIN:
        assert_allclose(metric(evaluated, k), one * reach.get(metric, 1))


def test_padding_is_never_a_hit() -> None:
    """The padding -1 of a short list does not count as a hit."""
    evaluated = evaluate_lists(np.array([[2, -1, -1], [-1, -1, -1]]), sp.csr_matrix(np.ones((2, 3), np.bool_)))

    assert evaluated.hits.tolist() == [[True, False, False], [False, False, False]]
    assert evaluated.n_relevant.tolist() == [3, 3]


@pytest.mark.parametrize("metric", PLAIN)
@pytest.mark.parametrize("k", [0, 4])
def test_k_out_of_range_is_refused(metric: Callable[[EvaluatedLists, int], F64], k: int) -> None:
    """A k out of range is an error, not a shorter list."""
    with pytest.raises(InputError, match=f"k: found {k}, expected 1 to 3"):
        metric(HAND, k)


def test_lists_and_held_out_tracks_must_agree() -> None:
    """Another number of users, or a track that is listed twice, would give wrong values."""
    with pytest.raises(InputError, match="found 1 lists for 2 users"):
        evaluate_lists(np.array([[0]]), sp.csr_matrix((2, 3), dtype=np.bool_))
    with pytest.raises(InputError, match="a track twice in one list"):
        evaluate_lists(np.array([[0, 1, 0]]), sp.csr_matrix((1, 3), dtype=np.bool_))


def test_a_pair_counts_once() -> None:
    """Duplicate pairs and stored False values of the matrix do not count, and the matrix is not changed."""
    relevant = sp.csr_matrix((np.array([True, True, False]), np.array([2, 2, 1]), np.array([0, 3])), (1, 3))

    evaluated = evaluate_lists(np.array([[1, 2]]), relevant)

    assert evaluated.n_relevant.tolist() == [1]
    assert evaluated.hits.tolist() == [[False, True]]
    assert relevant.nnz == 3
