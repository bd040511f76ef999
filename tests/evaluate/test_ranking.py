"""Ranking metrics: by hand, by law, and against a second definition."""

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
    hit_rate_at_k,
    judge,
    ndcg_at_k,
    ndcg_by_hits_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)

N_TRACKS = 12
HAND = EvaluatedLists(
    # found 1st and 3rd of 2; found 2nd of 5; nothing of 3; nothing to find
    np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0]], np.bool_),
    np.array([2, 5, 3, 0]),
)


Lists: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]  # tracks ranked; whether each is relevant


@st.composite
def judged_lists(draw: st.DrawFn) -> Lists:
    """Full rankings of a small catalogue for some users, and what is relevant to each."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ranked = rng.permuted(np.tile(np.arange(N_TRACKS), (5, 1)), axis=1)
    return ranked, rng.random((5, N_TRACKS)) < draw(st.floats(0, 1))


def gain(places: list[int]) -> float:
    """Discounted gain of hits at these places."""
    return sum(1 / log2(place + 1) for place in places)


def places_of(ranked: list[int], relevant: set[int], k: int) -> list[int]:
    """The places of the hits among the first k, by a loop."""
    return [place for place, track in enumerate(ranked[:k], 1) if track in relevant]


# Each metric once more, from its definition: the places of the hits, how many are relevant, and k.
PLAIN: dict[Callable[[EvaluatedLists, int], F64], Callable[[list[int], int, int], float]] = {
    ndcg_at_k: lambda places, n, k: gain(places) / gain(list(range(1, min(k, n) + 1))),
    ndcg_by_hits_at_k: lambda places, _n, _k: gain(places) / gain(list(range(1, len(places) + 1))) if places else 0,
    recall_at_k: lambda places, n, _k: len(places) / n,
    precision_at_k: lambda places, _n, k: len(places) / k,
    hit_rate_at_k: lambda places, _n, _k: min(1, len(places)),
    reciprocal_rank_at_k: lambda places, _n, _k: 1 / places[0] if places else 0,
    average_precision_at_k: lambda places, n, k: sum(nth / place for nth, place in enumerate(places, 1)) / min(k, n),
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
    """Four listeners that a reader can count; nothing to find is NaN, never zero."""
    assert_allclose(metric(HAND, 3), expected)


@pytest.mark.parametrize("metric", PLAIN)
@settings(deadline=None, max_examples=50)
@given(lists=judged_lists(), k=st.integers(1, N_TRACKS))
def test_equals_its_definition(metric: Callable[[EvaluatedLists, int], F64], lists: Lists, k: int) -> None:
    """The fast line equals a loop over places; a listener with nothing to find is NaN."""
    ranked, relevant = lists
    sets = [set(np.flatnonzero(row).tolist()) for row in relevant]

    values = metric(judge(ranked, sp.csr_matrix(relevant)), k)

    plain = [
        PLAIN[metric](places_of(row, wanted, k), len(wanted), k) if wanted else np.nan
        for row, wanted in zip(ranked.tolist(), sets, strict=True)
    ]
    assert_allclose(values, plain)


@settings(deadline=None, max_examples=50)
@given(judged_lists(), st.integers(1, N_TRACKS))
def test_ndcg_equals_scikit_learn(lists: Lists, k: int) -> None:
    """On full rankings with something to find, both speak of the same thing."""
    ranked, relevant = lists
    scores = -np.argsort(ranked, axis=1).astype(float)

    values = ndcg_at_k(judge(ranked, sp.csr_matrix(relevant)), k)

    for value, truth, score in zip(values, relevant, scores, strict=True):
        if truth.any():
            assert value == pytest.approx(ndcg_score([truth], [score], k=k))


@pytest.mark.parametrize("metric", PLAIN)
@settings(deadline=None, max_examples=25)
@given(lists=judged_lists(), seed=st.integers(0, 2**32))
def test_users_in_another_order_have_the_same_values(
    metric: Callable[[EvaluatedLists, int], F64], lists: Lists, seed: int
) -> None:
    """A value belongs to its listener and to nobody else."""
    ranked, relevant = lists
    order = np.random.default_rng(seed).permutation(len(ranked))

    values = metric(judge(ranked, sp.csr_matrix(relevant)), 4)

    assert_array_equal(metric(judge(ranked[order], sp.csr_matrix(relevant[order])), 4), values[order])


@settings(deadline=None, max_examples=50)
@given(judged_lists(), st.integers(1, N_TRACKS))
def test_ours_is_the_stricter_ndcg(lists: Lists, k: int) -> None:
    """What a list left out counts against it: no nDCG is above the one by hits."""
    judged = judge(lists[0], sp.csr_matrix(lists[1]))

    with np.errstate(invalid="ignore"):
        assert not (ndcg_at_k(judged, k) > ndcg_by_hits_at_k(judged, k) + 1e-12).any()


@settings(deadline=None, max_examples=50)
@given(judged_lists())
def test_recall_and_hits_never_fall_as_k_grows(lists: Lists) -> None:
    """A longer list finds at least as much, and a list of everything finds all."""
    judged = judge(lists[0], sp.csr_matrix(lists[1]))

    for metric in (recall_at_k, hit_rate_at_k, reciprocal_rank_at_k):
        values = np.array([metric(judged, k) for k in range(1, N_TRACKS + 1)])
        assert np.all((np.diff(values, axis=0) >= 0) | np.isnan(values[1:]))
    assert_array_equal(recall_at_k(judged, N_TRACKS), np.where(lists[1].any(axis=1), 1, np.nan))


@settings(deadline=None, max_examples=50)
@given(judged_lists(), st.integers(1, N_TRACKS))
def test_a_perfect_ranking_scores_one(lists: Lists, k: int) -> None:
    """With all relevant tracks at the head all is 1, but recall and precision: those are as far as k places reach."""
    relevant = lists[1]
    judged = judge(np.argsort(~relevant, axis=1, kind="stable"), sp.csr_matrix(relevant))
    one = np.where(relevant.any(axis=1), 1.0, np.nan)

    reach: dict[Callable[[EvaluatedLists, int], F64], npt.NDArray[np.float64]] = {
        recall_at_k: np.minimum(1, k / np.maximum(judged.n_relevant, 1)),
        precision_at_k: np.minimum(1, judged.n_relevant / k),
    }
    for metric in PLAIN:
        assert_allclose(metric(judged, k), one * reach.get(metric, 1))


def test_padding_is_never_a_hit() -> None:
    """A short list, padded with -1, finds nothing in its empty places."""
    judged = judge(np.array([[2, -1, -1], [-1, -1, -1]]), sp.csr_matrix(np.ones((2, 3), np.bool_)))

    assert judged.hits.tolist() == [[True, False, False], [False, False, False]]
    assert judged.n_relevant.tolist() == [3, 3]


@pytest.mark.parametrize("metric", PLAIN)
@pytest.mark.parametrize("k", [0, 4])
def test_k_out_of_range_is_refused(metric: Callable[[EvaluatedLists, int], F64], k: int) -> None:
    """A k that the lists cannot answer is an error, not a shorter answer."""
    with pytest.raises(InputError, match=f"k is {k}; expected 1 to 3"):
        metric(HAND, k)


def test_judge_refuses_what_does_not_fit() -> None:
    """Lists for other users than the truth, and a track named twice, would flatter the result."""
    with pytest.raises(InputError, match="1 lists for 2 users"):
        judge(np.array([[0]]), sp.csr_matrix((2, 3), dtype=np.bool_))
    with pytest.raises(InputError, match="names a track twice"):
        judge(np.array([[0, 1, 0]]), sp.csr_matrix((1, 3), dtype=np.bool_))


def test_a_pair_counts_once() -> None:
    """A truth that stores a pair twice, or a false one, is read as what it means; and stays as it was."""
    relevant = sp.csr_matrix((np.array([True, True, False]), np.array([2, 2, 1]), np.array([0, 3])), (1, 3))

    judged = judge(np.array([[1, 2]]), relevant)

    assert judged.n_relevant.tolist() == [1]
    assert judged.hits.tolist() == [[False, True]]
    assert relevant.nnz == 3
