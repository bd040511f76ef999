"""The top-k kernel, compared with sorting all scores."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from recsys.arrays import F32
from recsys.errors import InputError
from recsys.recommenders.parts.topk import N_BLOCK, Mask, TopK, top_k, top_k_of_block


def brute_force(scores: F32, k: int) -> tuple[list[list[int]], list[list[float]]]:
    """Sort each row by descending score, then by column; leave out minus infinity."""
    columns, values = [], []
    for row in scores.tolist():
        order = sorted((-score, column) for column, score in enumerate(row) if score > -np.inf)[:k]
        columns.append([column for _, column in order] + [-1] * (k - len(order)))
        values.append([-score for score, _ in order] + [-np.inf] * (k - len(order)))
    return columns, values


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 40), st.sampled_from([2, 9, 10**6]), st.floats(0, 1))
def test_equals_a_stable_sort(seed: int, n_columns: int, k: int, n_values: int, hidden: float) -> None:
    """The result equals sorting all scores, even with many ties, negative scores or few allowed tracks."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(-n_values, n_values, (7, n_columns)).astype(np.float32)
    scores[rng.random(scores.shape) < hidden] = -np.inf
    k = min(k, n_columns)

    columns, values = top_k_of_block(scores.copy(), k)

    expected_columns, expected_values = brute_force(scores, k)
    assert_array_equal(columns, expected_columns)
    assert_array_equal(values, np.array(expected_values, np.float32))


def test_every_user_gets_their_own_scores_and_mask() -> None:
    """Each user's scores, hidden pairs and group are used, over several blocks and with any number of threads."""
    rng = np.random.default_rng(3)
    n_users, n_tracks, k = 2 * N_BLOCK + 5, 900, 12
    users, tracks = rng.standard_normal((n_users, 8), np.float32), rng.standard_normal((n_tracks, 8), np.float32)
    hidden = sp.random(n_users, n_tracks, 0.05, format="csr", random_state=1) > 0
    mask = Mask(hidden, rng.random((3, n_tracks)) < 0.8, rng.integers(0, 3, n_users))

    tops = [_by_factors(users, tracks, mask, k, n_threads) for n_threads in (1, 3)]

    allowed = np.where(hidden.toarray() | ~mask.allowed[mask.group], np.float32(-np.inf), users @ tracks.T)
    expected, _ = brute_force(allowed, k)
    assert_array_equal(tops[0].tracks, expected)
    assert_array_equal(tops[1].tracks, expected)


def test_short_rows_are_padded() -> None:
    """If fewer than k tracks are allowed, or exist, -1 and minus infinity fill the row."""
    mask = Mask(sp.csr_matrix([[True, False, False]]), np.ones((1, 3), np.bool_), np.zeros(1, np.int64))

    top = _by_factors(np.ones((1, 1), np.float32), np.array([[9], [1], [2]], np.float32), mask, 5, 1)

    assert top.tracks.tolist() == [[2, 1, -1, -1, -1]]
    assert top.scores.tolist() == [[2, 1, -np.inf, -np.inf, -np.inf]]


@pytest.mark.parametrize("n_tracks", [1, 40])
def test_no_users_give_no_rows(n_tracks: int) -> None:
    """Without users the result is empty, also for a catalogue of a single track."""
    mask = Mask(sp.csr_matrix((0, n_tracks), dtype=np.bool_), np.ones((1, n_tracks), np.bool_), np.zeros(0, np.int64))

    top = _by_factors(np.ones((0, 1), np.float32), np.ones((n_tracks, 1), np.float32), mask, 3, 1)

    assert top.tracks.shape == (0, 3)


def _by_factors(users: F32, tracks: F32, mask: Mask, k: int, n_threads: int) -> TopK:
    return top_k(lambda rows, out: np.matmul(users[rows], tracks.T, out=out), mask, k, n_threads=n_threads)


def test_allowed_tracks_are_counted() -> None:
    """The first user's group has tracks 0 to 2, of which 0 is hidden, as is 3, which is not allowed anyway."""
    allowed = np.array([[True, True, True, False], [False, False, False, False]])
    hidden = sp.csr_matrix(np.array([[1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]], np.bool_))

    assert Mask(hidden, allowed, np.array([0, 0, 1])).n_allowed().tolist() == [2, 3, 0]


@pytest.mark.parametrize("column", [0, 70])
def test_scores_that_are_no_numbers_are_refused(column: int) -> None:
    """A track whose score is NaN would be missing without notice; minus infinity is allowed."""
    scores = np.zeros((2, 71), np.float32)
    scores[0, 1] = -np.inf
    scores[1, column] = np.nan

    with pytest.raises(InputError, match="found NaN for 1 of 2 listeners"):
        top_k_of_block(scores, 2)
