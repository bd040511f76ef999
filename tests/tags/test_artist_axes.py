"""Axes along which recordings of an artist are alike."""

import numpy as np
import pytest

from recsys.tags.artist_axes import SCALE, SHRINKAGE, ArtistAxes


def points_of(n_artists: int) -> tuple[np.ndarray, np.ndarray]:
    """Return recordings and their artists, three each: artists differ in the last column, of the least variance."""
    rng = np.random.default_rng(2)
    artists = np.repeat(np.arange(n_artists), 3)
    points = rng.normal(5, (4, 2, 0.1), size=(3 * n_artists, 3))
    points[:, 2] += rng.normal(0, 1, n_artists)[artists]
    return points.astype(np.float32), artists


def test_the_first_axis_tells_artists_apart() -> None:
    """Its spread is three times the root of the share of variance between artists; others hardly have any."""
    points, artists = points_of(400)

    found = ArtistAxes.of(points, artists)

    axes = found.encode(points)
    assert abs(np.corrcoef(axes[:, 0], points[:, 2])[0, 1]) > 0.999
    within = 0.1**2 + SHRINKAGE * (4**2 + 2**2 + 0.1**2) / 3  # shrunk towards the mean of the three variances
    assert axes[:, 0].std() == pytest.approx(SCALE * np.sqrt(1 - within / (1 + 0.1**2)), rel=0.03)
    assert axes[:, 1:].std(axis=0).max() < 1
    assert axes.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-4)


def test_without_artists_of_several_recordings_there_are_no_axes() -> None:
    """Nor with too few of them, nor where all inputs are equal."""
    points, artists = points_of(5)

    for own, by in ((points, np.arange(15)), (points, artists), (np.ones((9, 2), np.float32), np.repeat(range(3), 3))):
        assert ArtistAxes.of(own, by).encode(own).shape == (len(own), 0)
