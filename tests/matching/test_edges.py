"""Ramps of known start and width, from which the edges of uses follow."""

import numpy as np
import pytest

from recsys.matching.edges import BLUR_S, LEAD, correction_s, ramp

DISTANCES_S = np.arange(-20, 20, 0.256)


@pytest.mark.parametrize(("start_s", "width_s"), [(-4.0, 6.0), (0.0, 2.0), (2.0, 0.5), (-6.0, 8.0)])
def test_a_ramp_in_noise_is_found(start_s: float, width_s: float) -> None:
    """Start and width are those of the ramp, within what noise leaves."""
    noise = 0.1 * np.random.default_rng(1).standard_normal(len(DISTANCES_S))
    similarity = np.interp(DISTANCES_S, [start_s, start_s + width_s], [0, 1]) + noise

    found_start_s, found_width_s = ramp(DISTANCES_S, similarity)

    assert found_start_s == pytest.approx(start_s, abs=0.8)
    assert found_width_s == pytest.approx(width_s, abs=2)


def test_a_cut_stays_where_it_is_and_a_fade_begins_earlier() -> None:
    """A cut does not move; a wide ramp moves the edge outwards, before the ramp."""
    cut = (DISTANCES_S > 0).astype(float)
    fade = np.interp(DISTANCES_S, [-3, 3], [0, 1])

    assert correction_s(DISTANCES_S, cut) == 0
    assert correction_s(DISTANCES_S, fade) == pytest.approx(-3 + BLUR_S - 6 * LEAD, abs=0.3)


def test_without_vectors_nearby_the_edge_stays() -> None:
    """An edge about which nothing is known is not moved."""
    assert correction_s(np.empty(0), np.empty(0)) == 0
    assert correction_s(np.array([30.0]), np.array([1.0])) == 0
