"""Alternating least squares, compared with the formulas of the papers."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from recsys.dataset.interactions import Interactions
from recsys.recommenders.als import ALS, ALSConfig
from recsys.recommenders.parts.least_squares import half_step

UNOBSERVED = 0.1
WEIGHTS = np.array(
    # Rows with more and fewer pairs than three factors. The last row has no pair.
    [
        [1, 0, 2, 0.5, 3, 1],
        [0, 4, 0, 0, 0, 0],
        [1, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ],
    np.float32,
)


def interactions_of(n_users: int = 30, n_tracks: int = 20) -> Interactions:
    """Listeners with seven tracks each, with random strengths and ages."""
    rng = np.random.default_rng(3)
    tracks = np.concatenate([rng.choice(n_tracks, 7, replace=False) for _ in range(n_users)])
    pairs = pl.DataFrame({"user_id": np.repeat(np.arange(n_users), 7), "track_id": tracks}).cast(pl.String)
    n = len(pairs)
    return Interactions.of(pairs.with_columns(strength=rng.integers(1, 100, n), age_days=rng.integers(0, 400, n)))


def test_a_half_step_is_the_closed_form() -> None:
    """Each row solves (Y'WY + unobserved Y'Y + penalty I) x = Y'W1."""
    fixed = np.random.default_rng(1).standard_normal((6, 3)).astype(np.float32)
    penalties = np.array([0.5, 1.0, 2.0, 3.0])

    solved = half_step(sp.csr_matrix(WEIGHTS), fixed, unobserved=UNOBSERVED, penalties=penalties)

    for weights, penalty, x in zip(WEIGHTS, penalties, solved, strict=True):
        left = fixed.T @ np.diag(weights) @ fixed + UNOBSERVED * fixed.T @ fixed + penalty * np.eye(3)
        np.testing.assert_allclose(x, np.linalg.solve(left, fixed.T @ weights), atol=1e-5)


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 1e3])
def test_a_row_is_solved_independently_of_the_others(penalty: float) -> None:
    """Each of 60 rows with 1 to 60 of 80 pairs and 32 factors has the closed form, alone and among the others."""
    rng = np.random.default_rng(2)
    fixed = rng.standard_normal((80, 32)).astype(np.float32)
    dense = np.stack([np.where(rng.permutation(80) <= row, rng.gamma(1, size=80), 0) for row in range(60)])
    weights, penalties = sp.csr_matrix(dense.astype(np.float32)), np.full(60, penalty)

    together = half_step(weights, fixed, unobserved=UNOBSERVED, penalties=penalties)
    alone = [half_step(weights[[row]], fixed, unobserved=UNOBSERVED, penalties=penalties[[row]]) for row in range(60)]

    left = (fixed.T * dense[:, None, :]) @ fixed + UNOBSERVED * fixed.T @ fixed + penalty * np.eye(32)
    exact = np.linalg.solve(left, (dense @ fixed)[:, :, None])[:, :, 0]
    for solved in (together, np.concatenate(alone)):
        error = np.linalg.norm(solved - exact, axis=1) / np.linalg.norm(exact, axis=1)
        assert error.max() < 1e-3


@pytest.mark.parametrize("tolerance", [0.3, 1e-2, 1e-4])
def test_a_row_is_solved_up_to_the_tolerance(tolerance: float) -> None:
    """The residual r of b, in the norm of the part S that all rows share: r'S^-1 r <= tolerance^2 b'S^-1 b."""
    rng = np.random.default_rng(2)
    fixed = rng.standard_normal((80, 32)).astype(np.float32)
    dense = np.where(rng.random((60, 80)) < 0.4, rng.gamma(1, size=(60, 80)), 0)

    solved = half_step(
        sp.csr_matrix(dense.astype(np.float32)),
        fixed,
        unobserved=UNOBSERVED,
        penalties=np.ones(60),
        tolerance=tolerance,
    )

    shared = UNOBSERVED * fixed.T @ fixed + np.eye(32)
    right = dense @ fixed
    left = (fixed.T * dense[:, None, :]) @ fixed + shared
    residual = right - (left @ solved[:, :, None])[:, :, 0]
    norms = [np.sqrt((rows * np.linalg.solve(shared, rows.T).T).sum(axis=1)) for rows in (residual, right)]
    assert (norms[0] <= tolerance * norms[1] * (1 + 1e-3)).all()
    assert (norms[0] > tolerance * norms[1] / 100).all()  # and no further


def test_the_regularization_grows_with_the_pairs_of_a_row() -> None:
    """Five observed pairs, and 0.1 for each of 40 possible ones: 9. Its root, 3, times the regularization 2."""
    model = ALS(ALSConfig(regularization=2.0, frequency_exponent=0.5, unobserved_weight=0.1))

    assert model._penalties(np.array([5]), 40) == pytest.approx([6.0])


def test_the_objective_falls_with_every_epoch() -> None:
    """Every additional epoch lowers the objective that is minimised."""
    interactions = interactions_of()

    losses = [
        objective(ALS(ALSConfig(factors=4, epochs=n, recency=0)).fit(interactions), interactions) for n in range(1, 6)
    ]

    assert (np.diff(losses) < 0).all()


def test_recent_interactions_weigh_more() -> None:
    """Of two kinds of tracks in one history, a track of the recently played kind scores higher."""
    pairs = [
        {"user_id": f"{kind}{user}", "track_id": f"{kind}{track}", "strength": 1.0}
        for kind in "ab"
        for user in range(6)
        for track in range(6)
    ]
    interactions = Interactions.of(pl.DataFrame(pairs))
    model = ALS(ALSConfig(factors=4)).fit(interactions)
    plays = pl.DataFrame(
        {
            "user_id": ["early", "early", "late", "late"],
            "track_id": ["a0", "b0", "a0", "b0"],
            "strength": 1.0,
            "age_days": [300.0, 0.0, 0.0, 300.0],
        }
    )

    users = model.fold_in(Interactions.of(plays).history(["early", "late"], interactions.tracks))

    early, late = users @ model.track_factors[interactions.tracks.rows(["a1", "b1"])].T
    assert early[1] > early[0]
    assert late[0] > late[1]


def objective(model: ALS, interactions: Interactions) -> float:
    """Weighted squared errors plus the regularization of both sides."""
    users, tracks = model.user_factors.astype(np.float64), model.track_factors.astype(np.float64)
    weights = model.user_weights(interactions.liked)
    scores = users @ tracks.T
    pairs = weights.tocoo()
    errors = pairs.data * (1 - scores[pairs.row, pairs.col]) ** 2
    penalty = sum(
        (model._penalties(counts, len(other)) * (side**2).sum(axis=1)).sum()
        for counts, side, other in (
            (np.diff(weights.indptr), users, tracks),
            (np.diff(weights.tocsc().indptr), tracks, users),
        )
    )
    return float(errors.sum() + model.config.unobserved_weight * (scores**2).sum() + penalty)


def test_tracks_that_an_earlier_fit_did_not_have_are_learned() -> None:
    """Listeners who like only new tracks get factors, too: 0 would stay 0 in every half-step."""
    rows = [(f"u{user}", f"t{user // 3}{track}") for user in range(6) for track in range(4)]  # two separate groups
    pairs = pl.DataFrame(rows, ["user_id", "track_id"], orient="row").with_columns(strength=1.0, age_days=0.0)
    interactions = Interactions.of(pairs, catalogue=pairs.select(pl.col("track_id").unique().sort()))
    model = ALS(ALSConfig(factors=4, epochs=3, side_weight=0))
    known = model.fit(interactions).track_factors * np.array([[1]] * 4 + [[0]] * 4, np.float32)

    continued = model.fit_from(known, interactions)

    assert (np.linalg.norm(continued.track_factors, axis=1) > 0.1).all()
    assert (np.linalg.norm(continued.user_factors, axis=1) > 0.1).all()


def test_a_fold_in_uses_the_latest_track_factors() -> None:
    """What is prepared for fold-ins is that of the factors that the model has now, also after another fit."""
    interactions = interactions_of()
    model = ALS(ALSConfig(factors=4, epochs=2)).fit(interactions)
    first = model.fold_in(interactions.liked)

    model.fit_from(model.track_factors[::-1].copy(), interactions)
    weights = model.user_weights(interactions.liked)
    penalties = model._penalties(np.diff(weights.indptr), weights.shape[1])
    expected = half_step(weights, model.track_factors, unobserved=model.config.unobserved_weight, penalties=penalties)

    assert np.array_equal(model.fold_in(interactions.liked), expected)
    assert not np.array_equal(first, expected)
