"""Listeners like you: the score as a plain formula, and what its settings turn."""

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
    """Listeners and tracks of the picture."""
    user, track = np.nonzero(STRENGTHS)
    ids = {"user_id": [f"u{n}" for n in user], "track_id": [f"t{n}" for n in track]}
    return Interactions.of(pl.DataFrame({**ids, "strength": STRENGTHS[user, track]}))


def scores(config: UserKNNConfig) -> np.ndarray:
    """Every listener's score of every track, seen ones included."""
    learned = interactions()
    ranking = Recommender(UserKNN(config)).fit(learned).recommend(
        learned.users.ids(), 6, filters=Filters.of(learned, hide_seen=False)
    )  # fmt: skip
    wide = ranking.sort("track_id").pivot("track_id", index="user_id", values="score").sort("user_id")
    return wide.drop("user_id").to_numpy()


@pytest.mark.parametrize(("exponent", "focus"), [(0.0, 1.0), (0.5, 1.0), (1.0, 2.5)])
def test_scores_are_what_the_formula_says(exponent: float, focus: float) -> None:
    """Sum over listeners of cosine**focus, where a track weighs strength**exponent * ln(1 + users / its listeners)."""
    config = UserKNNConfig(strength_exponent=exponent, recency=0.0, focus=focus)
    liked = STRENGTHS > 0
    vectors = np.where(liked, STRENGTHS**exponent, 0) * np.log1p(5 / liked.sum(axis=0))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = (unit @ unit.T) ** focus @ liked

    np.testing.assert_allclose(scores(config), expected, rtol=1e-5)


def test_focus_lets_the_nearest_decide() -> None:
    """Three far neighbours outvote the nearest one, until likeness is sharpened."""
    wide, sharp = (scores(replace(EVEN, focus=focus))[0] for focus in (0.5, 3.0))

    assert wide[4] > wide[3]
    assert sharp[3] > sharp[4]


def test_only_the_nearest_speak() -> None:
    """With two neighbours, of whom one is the listener as known, u0 hears u1 alone."""
    found = scores(replace(EVEN, neighbours=2))[0]

    assert np.flatnonzero(found).tolist() == [0, 1, 2, 3]


def test_what_was_liked_lately_decides_who_is_alike() -> None:
    """Of two strangers with the same tracks, each is near to whom they were like last."""
    plays = pl.DataFrame(
        {
            "user_id": ["early", "early", "late", "late"],
            "track_id": ["t1", "t2", "t1", "t2"],
            "strength": 1.0,
            "age_days": [0.0, 900.0, 900.0, 0.0],
        }
    )
    model = Recommender(UserKNN(UserKNNConfig(recency=1.0))).fit(interactions())

    folded = model.fold_in(plays, 4, filters=Filters.of(interactions()))

    place = dict(folded.select(pl.format("{} {}", "user_id", "track_id"), "rank").iter_rows())
    assert place["early t3"] < place["early t4"]
    assert place["late t4"] < place["late t3"]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many listeners are compared at a time, the answer is the same."""
    learned = interactions()
    asked, filters = learned.users.ids(), Filters.of(learned)
    whole = Recommender(UserKNN()).fit(learned).recommend(asked, 3, filters=filters)

    monkeypatch.setattr(user_knn, "N_BLOCK", 2)

    assert_frame_equal(Recommender(UserKNN()).fit(learned).recommend(asked, 3, filters=filters), whole)


def test_strongest_of_rows_keeps_the_largest() -> None:
    """Each row keeps its n largest; of equal ones the lower columns; short and empty rows stay as they are."""
    matrix = sp.csr_matrix([[1, 5, 3, 5], [2, 2, 2, 0], [0, 0, 0, 0], [0, 7, 0, 0]], dtype=np.float32)

    kept = largest_per_row(matrix, 2)

    np.testing.assert_array_equal(kept.toarray(), [[0, 5, 0, 5], [2, 2, 0, 0], [0, 0, 0, 0], [0, 7, 0, 0]])
    assert kept.has_sorted_indices


def test_a_sparse_matrix_comes_back_from_its_arrays() -> None:
    """Taken apart and put together, shape and empty columns included."""
    matrix = sp.csr_matrix([[0, 1.5, 0], [0, 0, 0]], dtype=np.float32)

    again = matrix_of("some", arrays_of("some", matrix))

    assert again.shape == (2, 3)
    np.testing.assert_array_equal(again.toarray(), matrix.toarray())
