"""The look-up of hits compared with Python sets."""

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.evaluate.hits import N_BLOCK, N_SLOTS, find_hits


def by_sets(ranked: npt.NDArray[np.int64], relevant: sp.csr_matrix) -> list[list[bool]]:
    """Find the hits with one set per user."""
    sets = [set(relevant.indices[start:end]) for start, end in zip(relevant.indptr, relevant.indptr[1:], strict=False)]
    return [[track in tracks for track in row] for row, tracks in zip(ranked.tolist(), sets, strict=True)]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 60), st.floats(0, 1))
def test_equals_sets(seed: int, n_users: int, n_tracks: int, density: float) -> None:
    """The hits equal those found with Python sets, for lists of any length and any number of relevant tracks."""
    rng = np.random.default_rng(seed)
    ranked = rng.permuted(np.tile(np.arange(n_tracks), (n_users, 1)), axis=1)
    ranked[rng.random(ranked.shape) < 0.2] = -1
    relevant = sp.csr_matrix(rng.random((n_users, n_tracks)) < density)

    assert find_hits(ranked, relevant).tolist() == by_sets(ranked, relevant)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_tracks_that_share_a_slot_are_distinguished(dtype: type[np.integer]) -> None:
    """All tracks of all users mark the same slot, over several blocks of users."""
    n_users, shape = 2 * N_BLOCK + 3, (2 * N_BLOCK + 3, 8 * N_SLOTS)
    rng = np.random.default_rng(5)
    ranked = (rng.permuted(np.tile(np.arange(8), (n_users, 1)), axis=1) * N_SLOTS).astype(dtype)
    pairs = (np.repeat(np.arange(n_users), 2), (np.arange(2 * n_users) % 8) * N_SLOTS)
    relevant = sp.csr_matrix((np.ones(2 * n_users, np.bool_), pairs), shape)

    assert find_hits(ranked, relevant).tolist() == by_sets(ranked, relevant)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint32])
def test_any_integer_is_a_track_row_and_a_stored_false_is_not_relevant(dtype: type[np.integer]) -> None:
    """The pair of track 0 is stored as False, that of track 1 as True; the given matrix stays as it is."""
    relevant = sp.csr_matrix((np.array([False, True]), ([0, 0], [0, 1])), shape=(1, 3))

    assert find_hits(np.array([[2, 1, 0]], dtype), relevant).tolist() == [[False, True, False]]
    assert relevant.nnz == 2


def test_nothing_to_look_up() -> None:
    """No users, empty lists and no relevant tracks are valid."""
    assert find_hits(np.empty((0, 3), np.int64), sp.csr_matrix((0, 4), dtype=np.bool_)).shape == (0, 3)
    assert find_hits(np.empty((2, 0), np.int64), sp.csr_matrix((2, 4), dtype=np.bool_)).shape == (2, 0)
    assert not find_hits(np.array([[3, -1]]), sp.csr_matrix((1, 4), dtype=np.bool_)).any()


@pytest.mark.parametrize(
    ("row", "message"),
    [([0, 4], "to 4, expected 0 to 3"), ([-2, 1], "rows -2 to 1"), ([2, 2], "a track twice in one list")],
)
def test_invalid_lists_are_refused(row: list[int], message: str) -> None:
    """A track that does not exist, or is listed twice, would make every metric wrong."""
    with pytest.raises(InputError, match=message):
        find_hits(np.array([row]), sp.csr_matrix((1, 4), dtype=np.bool_))
