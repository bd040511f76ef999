"""Processing in windows: nothing is lost or shifted, whatever the blocks, and windows are cross-faded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.audio.windows import crossfaded


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12), n_hop=st.integers(8, 15))
def test_a_function_that_changes_nothing_gives_the_stream(lengths: list[int], n_hop: int) -> None:
    """The samples that come out are those that came in, at their places, whatever the lengths of the blocks."""
    stream = np.random.default_rng(3).standard_normal((2, sum(lengths))).astype(np.float32)
    blocks = np.split(stream, np.cumsum(lengths)[:-1], axis=1)

    pairs = list(crossfaded(blocks, lambda window: window, n_window=16, n_hop=n_hop))

    assert np.array_equal(np.concatenate([mix for mix, _ in pairs], axis=1), stream)
    assert np.concatenate([result for _, result in pairs], axis=1) == pytest.approx(stream, abs=1e-6)
    assert all(mix.shape == result.shape for mix, result in pairs)


def test_results_of_neighbouring_windows_are_crossfaded() -> None:
    """Where two windows overlap, the result moves in equal steps from that of the first to that of the second."""
    numbers = iter([0.0, 1.0])

    pairs = list(
        crossfaded(
            [np.ones((1, 17), np.float32)], lambda window: np.full_like(window, next(numbers)), n_window=12, n_hop=7
        )
    )

    assert np.concatenate([result for _, result in pairs], axis=1)[0] == pytest.approx(
        [0] * 7 + [0, 0.25, 0.5, 0.75, 1] + [1] * 5
    )
