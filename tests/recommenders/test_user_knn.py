"""User kNN: its scores compared with the formula, and the effect of its settings."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from polars.testing import assert_frame_equal

from recsys.dataset.interactions import Interactions
from recsys.recommenders import user_knn
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.sparse import arrays_of, largest_per_row, matrix_of
from recsys.recommenders.user_knn import UserKNN, UserKNNConfig

STRENGTHS = np.array(
    # Five listeners, six tracks: u0 and u1 share two tracks, u0 shares one with each of u2, u3 and u4.
    [
        [4, 1, 1, 0, 0, 0],
        [1, 9, 0, 1, 0, 0],
        [0, 0, 1, 0, 1, 0],
        [0, 0, 1, 0, 1, 0],
        [0, 0, 1, 0, 1, 2],
    ],
    np.float64,
)
EVEN = UserKNNConfig(strength_exponent=0.0, recency=0.0)


def interactions() -> Interactions:
    """Interactions of the matrix above."""
    user, track = np.nonzero(STRENGTHS)
    ids = {"user_id": [f"u{n}" for n in user], "track_id": [f"t{n}" for n in track]}
    return Interactions.of(pl.DataFrame({**ids, "strength": STRENGTHS[user, track]}))


def scores(config: UserKNNConfig) -> np.ndarray:
    """Scores of all tracks for all listeners, seen tracks included. Shape (5, 6)."""
    training = interactions()
    ranking = Recommender(UserKNN(config)).fit(training).recommend(
        training.users.ids(), 6, filters=Filters.of(training, hide_seen=False)
    )  # fmt: skip
    wide = ranking.sort("track_id").pivot("track_id", index="user_id", values="score").sort("user_id")
    return wide.drop("user_id").to_numpy()


@pytest.mark.parametrize(("exponent", "focus"), [(0.0, 1.0), (0.5, 1.0), (1.0, 2.5)])
def test_scores_follow_the_formula(exponent: float, focus: float) -> None:
    """Sum of cosine**focus over listeners, with track weights strength**exponent * ln(1 + users / its listeners)."""
    config = UserKNNConfig(strength_exponent=exponent, recency=0.0, focus=focus)
    liked = STRENGTHS > 0
    vectors = np.where(liked, STRENGTHS**exponent, 0) * np.log1p(5 / liked.sum(axis=0))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = (unit @ unit.T) ** focus @ liked

    np.testing.assert_allclose(scores(config), expected, rtol=1e-5)


def test_focus_raises_the_weight_of_the_nearest() -> None:
    """At a low focus three distant neighbours outweigh the nearest one, at a high focus they do not."""
    low, high = (scores(replace(EVEN, focus=focus))[0] for focus in (0.5, 3.0))

    assert low[4] > low[3]
    assert high[3] > high[4]


def test_only_the_nearest_neighbours_count() -> None:
    """With two neighbours, of which one is u0 itself, the scores of u0 come from u0 and u1 alone."""
    scores_of_u0 = scores(replace(EVEN, neighbours=2))[0]

    assert np.flatnonzero(scores_of_u0).tolist() == [0, 1, 2, 3]


def test_recent_interactions_decide_who_is_near() -> None:
    """Two new listeners with the same tracks have different neighbours: those who share their recent track."""
    plays = pl.DataFrame(
        {
            "user_id": ["early", "early", "late", "late"],
            "track_id": ["t1", "t2", "t1", "t2"],
            "strength": 1.0,
            "age_days": [0.0, 900.0, 900.0, 0.0],
        }
    )
    model = Recommender(UserKNN(UserKNNConfig(recency=1.0))).fit(interactions())

    folded = model.recommend_by_history(plays, 4, filters=Filters.of(interactions()))

    rank = dict(folded.select(pl.format("{} {}", "user_id", "track_id"), "rank").iter_rows())
    assert rank["early t3"] < rank["early t4"]
    assert rank["late t4"] < rank["late t3"]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ranking does not depend on how many listeners are compared at once."""
    training = interactions()
    user_ids, filters = training.users.ids(), Filters.of(training)
    whole = Recommender(UserKNN()).fit(training).recommend(user_ids, 3, filters=filters)

    monkeypatch.setattr(user_knn, "N_BLOCK", 2)

    assert_frame_equal(Recommender(UserKNN()).fit(training).recommend(user_ids, 3, filters=filters), whole)


def test_the_states_of_a_few_are_those_among_all() -> None:
    """The neighbours of one listener, searched alone, are those of the listener once all neighbours are known."""
    model = UserKNN(replace(EVEN, neighbours=2)).fit(interactions())
    few = model.states(np.array([3]))

    of_all = model.states(np.arange(5))

    np.testing.assert_array_equal(few.toarray(), of_all[[3]].toarray())
    np.testing.assert_array_equal(model.states(np.array([3])).toarray(), few.toarray())


def test_the_largest_values_of_each_row_are_kept() -> None:
    """Each row keeps its n largest values, of equal values those in lower columns; shorter rows do not change."""
    matrix = sp.csr_matrix([[1, 5, 3, 5], [2, 2, 2, 0], [0, 0, 0, 0], [0, 7, 0, 0]], dtype=np.float32)

    kept = largest_per_row(matrix, 2)

    np.testing.assert_array_equal(kept.toarray(), [[0, 5, 0, 5], [2, 2, 0, 0], [0, 0, 0, 0], [0, 7, 0, 0]])
    assert kept.has_sorted_indices


def test_the_largest_values_keep_their_order_and_are_those_of_a_sort() -> None:
    """Rows as a product of sparse matrices leaves them, in no order, with many equal values."""
    rng = np.random.default_rng(5)
    indices = np.concatenate([rng.permutation(30) for _ in range(8)])
    matrix = sp.csr_matrix((rng.integers(1, 5, 240).astype(np.float32), indices, np.arange(9) * 30), (8, 30))

    kept = largest_per_row(matrix, 7)

    for row in range(8):
        pairs = list(zip(indices[row * 30 : row * 30 + 30], matrix.data[row * 30 : row * 30 + 30], strict=True))
        largest = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:7]
        found = slice(kept.indptr[row], kept.indptr[row + 1])
        assert list(zip(kept.indices[found], kept.data[found], strict=True)) == [
            pair for pair in pairs if pair in largest
        ]


def test_a_sparse_matrix_is_rebuilt_from_its_arrays() -> None:
    """Values, shape and empty columns stay the same."""
    matrix = sp.csr_matrix([[0, 1.5, 0], [0, 0, 0]], dtype=np.float32)

    rebuilt = matrix_of("some", arrays_of("some", matrix))

    assert rebuilt.shape == (2, 3)
    np.testing.assert_array_equal(rebuilt.toarray(), matrix.toarray())
