"""
LightFM: factorisation with features, trained to rank (WARP), so that tracks with few plays get a useful vector too.

A track is the sum of its own vector and those of its features, where each group of features (artist, genre ...) weighs
as one. User vectors come from the history (see `recommenders.parts.fold_in`).

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
from recsys.recommenders.parts.fold_in import FoldedVectors
from recsys.recommenders.scorer import Validation


@dataclass(frozen=True)
class LightFMConfig:
    """
    Settings of `LightFM`.

    Attributes:
        factors: Length of a user's and a track's vector.
        epochs: Passes over the pairs, always on one thread: more would make runs irreproducible.
        learning_rate: Initial step of Adagrad.
        max_sampled: Negatives drawn, at most, in search of one that is ranked too high.
        track_weight: Weight of each group of track features beside the track itself, >= 0.
        user_weight: The same for user features.
        seed: Of the initial vectors and of all sampling.
    """

    factors: int = 64
    epochs: int = 10
    learning_rate: float = 0.05
    max_sampled: int = 30
    track_weight: float = 1.0
    user_weight: float = 0.1
    seed: int = 7


class LightFM(FoldedVectors[LightFMConfig]):
    """Score of a track: inner product of the user's and the track's vectors, plus the track's bias."""

    name: ClassVar[str] = "lightfm"
    config_class: ClassVar[type[Any]] = LightFMConfig

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
    """Prepend each row's own indicator to its features; each group of a row sums to `weight`."""
    groups = features.names.ids().str.split("=").list.first().rank("dense").to_numpy().astype(np.int64) - 1
    n_names = len(groups)
    member = sp.csr_matrix((np.ones(n_names, np.float32), (np.arange(n_names), groups)), shape=(n_names, n_names))
    sizes = (features.matrix @ member @ member.T).multiply(features.matrix > 0).tocsr()  # of a row in the value's group
    sizes.data = weight / sizes.data
    weighted = features.matrix.multiply(sizes).tocsr().astype(np.float32)
    identity = sp.identity(weighted.shape[0], dtype=np.float32, format="csr")
    return sp.hstack([identity, weighted], format="csr")
