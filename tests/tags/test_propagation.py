"""Labels spread to similar recordings."""

import numpy as np
import pytest

from recsys.tags.propagation import certainty, guess, neighbour_graph, principal_components, spread_labels


def two_groups(n: int = 20) -> np.ndarray:
    """Return n points around each of two opposite directions, shape (2 n, 2), float32."""
    rng = np.random.default_rng(0)
    points = np.repeat([[1.0, 0.0], [-1.0, 0.0]], n, axis=0) + rng.normal(0, 0.05, (2 * n, 2))
    return points.astype(np.float32)


def test_neighbours_are_those_of_a_loop() -> None:
    """Every point is joined with its nearest by cosine; the graph is symmetric and its largest eigenvalue is 1."""
    points = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosines = unit @ unit.T - 2 * np.eye(12)

    graph = neighbour_graph(points, np.arange(12), k=1).toarray()

    for row in range(12):
        assert graph[row, cosines[row].argmax()] > 0 or cosines[row].max() <= 0
    assert graph == pytest.approx(graph.T)
    assert np.linalg.eigvalsh(graph).max() == pytest.approx(1)


def test_one_label_reaches_its_whole_group() -> None:
    """The settled labels are those of the closed form."""
    graph = neighbour_graph(two_groups(), np.arange(40), k=5)
    targets = np.zeros((40, 2), np.float32)
    targets[0, 0] = targets[20, 1] = 1
    is_labelled = np.isin(np.arange(40), [0, 20])

    shares = spread_labels(graph, targets, is_labelled)

    assert shares.argmax(axis=1).tolist() == [0] * 20 + [1] * 20
    assert shares.sum(axis=1) == pytest.approx(np.ones(40))


def test_recordings_of_an_artist_are_joined() -> None:
    """However different they are: with weight 1, beside the cosine of the neighbour."""
    points = np.array([[1, 0, 0], [1, 0.1, 0], [0, 0, 1], [0, 0.1, 1]], np.float32)
    artists = np.array([0, 1, 0, 2])

    joined, alone = neighbour_graph(points, artists, k=1).toarray(), neighbour_graph(points, np.arange(4), k=1)

    assert np.argwhere(np.triu(joined) > 0).tolist() == [[0, 1], [0, 2], [2, 3]]
    assert joined[0, 2] == pytest.approx(1 / (1 + 1.01**-0.5))
    assert alone[0, 2] == 0


def test_independent_tags_are_spread_each_for_itself() -> None:
    """A recording near labelled ones without a tag does not get it; where nothing arrives, nothing is certain."""
    points = np.concatenate([two_groups(), np.zeros((1, 2), np.float32)])
    targets = np.zeros((41, 2), np.float32)
    targets[0] = 1

    graph = neighbour_graph(points, np.arange(41), k=5)

    shares, certain = guess(graph, targets, np.isin(np.arange(41), [0, 20]), exclusive=False)

    assert shares[1] == pytest.approx([1, 1], abs=0.01)
    assert shares[21] == pytest.approx([0, 0], abs=0.01)
    assert certain[[1, 21]] == pytest.approx([1, 1], abs=0.05)
    assert certain[40] == 0


def test_certainty() -> None:
    """A single tag is certain; equal shares and no share are not."""
    assert certainty(np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 0]])) == pytest.approx([1, 0, 0], abs=1e-6)


def test_degenerate_points() -> None:
    """A single point has no neighbour; equal points are all alike; components of constants are none."""
    assert neighbour_graph(np.ones((1, 2), np.float32), np.zeros(1, np.int64)).nnz == 0
    assert neighbour_graph(np.ones((3, 2), np.float32), np.arange(3), k=9).toarray() == pytest.approx(
        (1 - np.eye(3)) / 2
    )
    assert np.abs(principal_components(np.ones((5, 3), np.float32))).max() < 1e-6
