"""Fades of known place and length, from which the edges of uses follow."""

import numpy as np
import pytest

from recsys.matching.edges import BLUR_S, FADES_S, RISES_FROM, RISES_UNTIL, STARTS_S, corrections_s, fit_fades

DISTANCES_S = np.arange(-20, 20, 0.256)


def similarity(start_s: float, length_s: float, seed: int) -> np.ndarray:
    """Similarity around an edge, in noise: it rises within a fade as it does in mixes."""
    rise_s = [start_s + RISES_FROM * length_s - BLUR_S, start_s + RISES_UNTIL * length_s + BLUR_S]
    noise = 0.2 * np.random.default_rng(seed).standard_normal(len(DISTANCES_S))
    return np.asarray(np.interp(DISTANCES_S, rise_s, [0, 1.1]) + noise)


@pytest.mark.parametrize(("start_s", "length_s"), [(-5.0, 8.0), (-2.0, 4.0), (-0.5, 1.0), (0.1, 0.0), (1.0, 2.0)])
def test_the_edges_of_a_mix_are_found(start_s: float, length_s: float) -> None:
    """The place of each edge is found, within what noise leaves."""
    edges = np.stack([fit_fades(DISTANCES_S, similarity(start_s, length_s, seed)) for seed in range(6)])

    assert corrections_s(edges) == pytest.approx([start_s] * 6, abs=0.6)


def test_the_length_of_a_fade_is_learned_from_the_other_edges() -> None:
    """An edge whose similarity is hidden by other music begins earlier if the other edges fade for long."""
    hidden = fit_fades(DISTANCES_S, similarity(-5, 8, 9) * (DISTANCES_S > -1.5))
    long, cut = (
        [fit_fades(DISTANCES_S, similarity(start, n, seed)) for seed in range(9)] for start, n in [(-5, 8), (0, 0)]
    )

    among_long, among_cuts = (corrections_s(np.stack([hidden, *others]))[0] for others in (long, cut))

    assert among_long < among_cuts - 1


def test_an_edge_without_vectors_nearby_has_the_lengths_of_the_others() -> None:
    """All lengths and places are equally likely; the other edges stay where they are."""
    unknown = fit_fades(np.array([30.0]), np.array([1.0]))
    known = fit_fades(DISTANCES_S, similarity(-5, 8, 1))

    assert unknown == pytest.approx(np.ones((len(FADES_S), len(STARTS_S))))
    assert corrections_s(np.stack([known, unknown, unknown]))[0] == corrections_s(known[None])[0]
