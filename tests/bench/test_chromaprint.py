"""The Chromaprint peer of the matching benchmark finds excerpts and scores them by their lead over other recordings."""

import numpy as np
import pytest

from bench.peers.chromaprint import VECTOR_HOP_S, Chromaprint, is_installed, items_of

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def recordings() -> Chromaprint:
    """Twenty recordings of 200 items each."""
    items = np.random.default_rng(7).integers(1 << 32, size=(20, 200), dtype=np.uint32)
    return Chromaprint.build([f"t{row}" for row in range(20)], list(items))


def test_an_excerpt_is_found_at_its_offset(recordings: Chromaprint) -> None:
    """Even with one bit of each item flipped."""
    best = recordings.best(recordings.items[5 * 200 + 30 : 5 * 200 + 60] ^ np.uint32(1 << 9))

    assert best is not None
    assert best.name == "t5"
    assert best.offset_s == pytest.approx(30 * VECTOR_HOP_S)


def test_a_use_scores_higher_than_a_stranger(recordings: Chromaprint) -> None:
    """The best recording for a stranger is hardly better than the next ones."""
    stranger = np.random.default_rng(8).integers(1 << 32, size=30, dtype=np.uint32)

    of_use, of_stranger = recordings.best(recordings.items[:30]), recordings.best(stranger)

    assert of_use is not None
    assert of_stranger is not None
    assert of_use.score > 0.3
    assert of_stranger.score < 0.1


def test_a_query_without_items_matches_nothing(recordings: Chromaprint) -> None:
    """Sound that is too short has no items, and no recording is guessed for it."""
    assert recordings.best(np.empty(0, np.uint32)) is None


@pytest.mark.skipif(not is_installed(), reason="fpcalc is not on the PATH")
@pytest.mark.parametrize(("seconds", "n_items"), [(1, 0), (3, 3), (10, 59)])
def test_sound_has_eight_items_per_second_after_the_first_three(seconds: int, n_items: int) -> None:
    """Sound that exceeds full scale is scaled down, not clipped."""
    sound = np.random.default_rng(9).standard_normal(seconds * RATE_HZ, np.float32)

    items = items_of(sound, RATE_HZ)

    assert len(items) == n_items
    assert (items == items_of(sound / np.abs(sound).max(), RATE_HZ)).all()
