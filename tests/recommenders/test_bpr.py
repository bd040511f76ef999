"""Bayesian personalised ranking: sampling of negatives, gradient steps, and the learned ranking."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from recsys.dataset.interactions import Interactions
from recsys.recommenders.bpr import BPR, AdagradVectors, BPRConfig

CIRCLE = pl.DataFrame(
    # Listener n of 12 likes the four tracks n .. n + 3 on a circle of 12 tracks.
    [
        {"user_id": f"u{user:02}", "track_id": f"t{(user + step) % 12:02}", "strength": 1.0}
        for user in range(12)
        for step in range(4)
    ]
)


def test_liked_tracks_rank_above_the_others() -> None:
    """After training, more than 90% of the pairs of a liked and another track are in the right order."""
    interactions = Interactions.of(CIRCLE)
    model = BPR(BPRConfig(factors=8, epochs=60, batch_size=8)).fit(interactions)

    scores = np.empty(interactions.matrix.shape, np.float32)
    model.score(model.states(np.arange(len(interactions.users))), scores)

    liked = interactions.matrix.toarray() > 0
    shares = [
        (row[is_liked][:, None] > row[~is_liked][None, :]).mean() for row, is_liked in zip(scores, liked, strict=True)
    ]
    assert np.mean(shares) > 0.9


def test_negatives_are_never_liked() -> None:
    """Each example pairs a liked track of a listener with a track that the listener does not like."""
    interactions = Interactions.of(CIRCLE)
    liked_pairs = interactions.matrix.toarray() > 0

    batches = list(BPR(BPRConfig(batch_size=5))._batches(interactions.matrix, np.random.default_rng(1)))

    user, liked, negative = (np.concatenate(part) for part in zip(*batches, strict=True))
    assert len(user) > 10
    assert liked_pairs[user, liked].all()
    assert not liked_pairs[user, negative].any()


def test_popular_tracks_are_sampled_more_often() -> None:
    """At exponent 1 a track with three times the listeners is sampled three times as often."""
    likes = np.repeat(np.eye(3, dtype=np.float32), [1200, 400, 4000], axis=0)
    model = BPR(BPRConfig(popularity_exponent=1.0, batch_size=10_000))

    ((_, liked, negative),) = model._batches(sp.csr_matrix(likes), np.random.default_rng(1))

    counts = np.bincount(negative[liked == 2], minlength=3)
    assert counts[0] / counts[1] == pytest.approx(3, rel=0.2)


def test_gradients_of_a_repeated_row_are_summed() -> None:
    """Two gradients of 1 for a row in one batch change it as one gradient of 2 does; other rows do not change."""
    rng = np.random.default_rng(1)
    twice, once = (AdagradVectors.start(2, 2, np.random.default_rng(1), last_column=0) for _ in range(2))
    before = AdagradVectors.start(2, 2, rng, last_column=0).vectors

    twice.ascend(np.array([1, 1]), np.ones((2, 3), np.float32), 0.1)
    once.ascend(np.array([1]), np.full((1, 3), 2, np.float32), 0.1)

    np.testing.assert_array_equal(twice.vectors, once.vectors)
    np.testing.assert_array_equal(twice.vectors[0], before[0])
    np.testing.assert_allclose(twice.vectors[1] - before[1], 0.1 * 2 / np.sqrt(4.01), rtol=1e-5)
