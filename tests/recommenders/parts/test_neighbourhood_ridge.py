"""Neighbourhood ridge: which tracks are neighbours, and the weights of each regression."""

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.recommenders.parts import neighbourhood_ridge
from recsys.recommenders.parts.neighbourhood_ridge import neighbourhood_weights

PENALTY = 2.0


def observations(n_rows: int = 80, n_tracks: int = 25, density: float = 0.15) -> np.ndarray:
    """Random weights of rows and tracks; the last track has none."""
    rng = np.random.default_rng(4)
    rows = np.where(rng.random((n_rows, n_tracks)) < density, rng.random((n_rows, n_tracks)) + 0.5, 0)
    rows[:, -1] = 0
    return rows


def by_plain_loops(rows: np.ndarray, n_neighbours: int, n_proposing: int) -> np.ndarray:
    """Each track in double precision: the neighbours that explain most, then the normal equations."""
    gram, proposed = rows.T @ rows, rows[:n_proposing].T @ rows[:n_proposing]
    weights = np.zeros(gram.shape)
    for track in range(len(gram)):
        gains = proposed[:, track] ** 2 / (gram.diagonal() + PENALTY)
        gains[track] = 0
        nearest = [other for other in np.argsort(-gains, kind="stable")[:n_neighbours] if gains[other] > 0]
        if nearest:
            system = gram[np.ix_(nearest, nearest)] + PENALTY * np.eye(len(nearest))
            weights[nearest, track] = np.linalg.solve(system, gram[nearest, track])
    return weights


def solved(rows: np.ndarray, n_neighbours: int) -> np.ndarray:
    """Return the weights as a dense matrix."""
    penalties = np.full(rows.shape[1], PENALTY, np.float32)
    weights: np.ndarray = neighbourhood_weights(
        sp.csr_matrix(rows, dtype=np.float32), penalties, n_neighbours
    ).toarray()
    return weights


@pytest.mark.parametrize("n_neighbours", [1, 3, 8, 100])
def test_each_track_is_a_ridge_regression_on_its_neighbours(n_neighbours: int) -> None:
    """The weights are those of the normal equations, 0 for all other tracks and for tracks without interactions."""
    rows = observations()

    weights = solved(rows, n_neighbours)

    np.testing.assert_allclose(weights, by_plain_loops(rows, n_neighbours, len(rows)), atol=1e-5)
    assert not weights[:, -1].any()
    assert not weights[-1].any()


@pytest.mark.parametrize(("block", "group", "shared"), [(1, 1, 1), (7, 5, 10), (100, 3, 1), (25, 25, 25)])
def test_blocks_and_groups_change_nothing(block: int, group: int, shared: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups that are too large are halved, down to single tracks."""
    rows = observations()
    whole = solved(rows, 6)

    for name, value in {"N_BLOCK": block, "N_GROUP": group, "N_SHARED": shared}.items():
        monkeypatch.setattr(neighbourhood_ridge, name, value)

    np.testing.assert_allclose(solved(rows, 6), whole, atol=1e-5)


def test_the_same_rows_give_the_same_bits() -> None:
    """Threads finish in any order."""
    rows = observations()

    np.testing.assert_array_equal(solved(rows, 6), solved(rows, 6))


def test_a_frequent_feature_proposes_no_neighbours_but_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of more tracks than the limit is left out of the search, and not of the regressions."""
    rows = np.vstack([observations(density=0.08), np.ones((1, 25))])
    monkeypatch.setattr(neighbourhood_ridge, "MAX_COMMON", 20)

    weights = solved(rows, 4)

    np.testing.assert_allclose(weights, by_plain_loops(rows, 4, len(rows) - 1), atol=1e-5)


@pytest.mark.parametrize("rows", [np.zeros((0, 3)), np.zeros((2, 3)), np.eye(3)])
def test_tracks_that_share_no_row_have_no_weights(rows: np.ndarray) -> None:
    """There are no neighbours without common listeners."""
    assert not solved(rows, 2).any()
