"""
LightFM: matrix factorisation with features, trained with the WARP ranking loss, by the library of the same name.

A track's vector is the sum of an individual vector and the vectors of its features, so tracks with few plays get a
useful vector too. Each group of features (artist, genre, ...) has the same total weight. User vectors are computed from
the history (see `recommenders.parts.fold_in`).

Source: Kula, Metadata Embeddings for User and Item Cold-start Recommendations (2015).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from lightfm import LightFM as Learner
from typing_extensions import override

from recsys.arrays import Csr
from recsys.dataset.features import Features
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.parts.fold_in import FoldInScorer
from recsys.recommenders.scorer import Validation
from recsys.settings import Count, Positive, PositiveOrZero, Seed, Settings


@dataclass(frozen=True)
class LightFMConfig(Settings):
    """
    Settings of `LightFM`.

    Attributes:
        factors: Dimensions of user and track vectors.
        epochs: Passes over all user-track pairs, on one thread, so that results are reproducible.
        learning_rate: Learning rate of Adagrad.
        max_sampled: Maximum number of negatives sampled per pair in search of one that is ranked too high (WARP).
        track_weight: Weight of each group of track features relative to the track's individual vector, >= 0.
        user_weight: Weight of each group of user features relative to the user's individual vector, >= 0.
        seed: Seed of the initial vectors and of all sampling.
    """

    factors: Count = 64
    epochs: Count = 10
    learning_rate: Positive = 0.05
    max_sampled: Count = 30
    track_weight: PositiveOrZero = 1.0
    user_weight: PositiveOrZero = 0.1
    seed: Seed = 7


class LightFM(FoldInScorer[LightFMConfig]):
    """Score = inner product of user vector and track vector, plus the track's bias."""

    name: ClassVar[str] = "lightfm"
    config_class: ClassVar[type[Any]] = LightFMConfig

    @property
    @override
    def reads_contents(self) -> bool:
        return self.config.track_weight > 0

    @property
    @override
    def reads_listeners(self) -> bool:
        return self.config.user_weight > 0

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        config = self.config
        tracks = with_identity(interactions.track_features, config.track_weight)
        users = with_identity(interactions.user_features, config.user_weight)
        learner = Learner(
            config.factors,
            loss="warp",
            learning_rate=config.learning_rate,
            max_sampled=config.max_sampled,
            random_state=config.seed,
        )
        pairs = (interactions.matrix > 0).astype(np.float32).tocoo()
        learner.fit(pairs, user_features=users, item_features=tracks, epochs=config.epochs, num_threads=1)
        bias, vectors = learner.get_item_representations(tracks)
        biased = np.column_stack([vectors, bias]).astype(np.float32)  # (n_tracks, factors + 1)
        self.set_vectors(biased, learner.get_user_representations(users)[1], interactions.liked)
        return self

    @override
    def user_weights(self, history: History) -> Csr:
        return (history.matrix > 0).astype(np.float32)


def with_identity(features: Features, weight: float) -> Csr:
    """Prepend an identity matrix to the features, scaled so that each group (name before '=') sums to `weight`."""
    groups = features.names.ids().str.split("=").list.first().rank("dense").to_numpy().astype(np.int64) - 1
    n_names = len(groups)
    member = sp.csr_matrix((np.ones(n_names, np.float32), (np.arange(n_names), groups)), shape=(n_names, n_names))
    sizes = (
        (features.matrix @ member @ member.T).multiply(features.matrix > 0).tocsr()
    )  # values of the row in the same group
    sizes.data = weight / sizes.data
    weighted = features.matrix.multiply(sizes).tocsr().astype(np.float32)
    identity = sp.identity(weighted.shape[0], dtype=np.float32, format="csr")
    return sp.hstack([identity, weighted], format="csr")
