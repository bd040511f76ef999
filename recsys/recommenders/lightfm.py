"""
A hybrid of factorisation and features, trained to rank (WARP): also tracks that few have played find their place.

A track is the sum of its own vector and those of its features, each group of features (artist, genre ...) weighing as
one. A listener is read from their history (see `recommenders.parts.fold_in`).

Source: Kula, Metadata Embeddings for User and Item Cold-start Recommendations (2015).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from lightfm import LightFM as Learner
from typing_extensions import override

from recsys.arrays import Csr
from recsys.dataset.interactions import Features, History, Interactions
from recsys.recommenders.parts.fold_in import FoldedVectors


@dataclass(frozen=True)
class LightFMConfig:
    """
    Settings of `LightFM`.

    Attributes:
        factors: Dimensions of a taste.
        epochs: Passes over the pairs, always on one thread: more would make every run another.
        learning_rate: First step of Adagrad.
        max_sampled: Tracks drawn in search of one that is ranked wrongly.
        track_weight: What each group of track features weighs beside the track itself, >= 0.
        user_weight: The same for listener features.
        seed: Of the start and of all draws.
    """

    factors: int = 64
    epochs: int = 10
    learning_rate: float = 0.05
    max_sampled: int = 30
    track_weight: float = 1.0
    user_weight: float = 0.1
    seed: int = 7


class LightFM(FoldedVectors[LightFMConfig]):
    """Score of a track: inner product of the listener's and the track's vectors, plus the track's bias."""

    name: ClassVar[str] = "lightfm"
    config_class: ClassVar[type[Any]] = LightFMConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        config = self.config
        tracks = with_identity(taste.track_features, config.track_weight)
        users = with_identity(taste.user_features, config.user_weight)
        learner = Learner(
            config.factors,
            loss="warp",
            learning_rate=config.learning_rate,
            max_sampled=config.max_sampled,
            random_state=config.seed,
        )
        pairs = (taste.matrix > 0).astype(np.float32).tocoo()
        learner.fit(pairs, user_features=users, item_features=tracks, epochs=config.epochs, num_threads=1)
        bias, vectors = learner.get_item_representations(tracks)
        biased = np.column_stack([vectors, bias]).astype(np.float32)  # (n_tracks, factors + 1)
        self._settle(biased, learner.get_user_representations(users)[1], taste.liked)

    @override
    def _weights(self, history: History) -> Csr:
        return (history.matrix > 0).astype(np.float32)


def with_identity(features: Features, weight: float) -> Csr:
    """Put each row's own indicator before its features, each group of which ('artist' ...) sums to `weight`."""
    groups = features.names.ids().str.split("=").list.first().rank("dense").to_numpy().astype(np.int64) - 1
    n_names = len(groups)
    member = sp.csr_matrix((np.ones(n_names, np.float32), (np.arange(n_names), groups)), shape=(n_names, n_names))
    sizes = (features.matrix @ member @ member.T).multiply(features.matrix > 0).tocsr()  # of a row in the value's group
    sizes.data = weight / sizes.data
    weighted = features.matrix.multiply(sizes).tocsr().astype(np.float32)
    identity = sp.identity(weighted.shape[0], dtype=np.float32, format="csr")
    return sp.hstack([identity, weighted], format="csr")
