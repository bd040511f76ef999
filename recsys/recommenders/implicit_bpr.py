"""
BPR of the library implicit: matrix factorisation trained to rank each user's tracks above random others.

It runs on one thread: with several, the library is not deterministic. User vectors come from the history (see
`recommenders.parts.fold_in`).

Source: Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback (2009).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking
from typing_extensions import override

from recsys.arrays import Csr
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.fold_in import FoldInScorer
from recsys.recommenders.parts.search_space import tunable_range
from recsys.recommenders.scorer import Validation
from recsys.settings import Count, Exponent, Positive, PositiveOrZero, Seed, Settings


@dataclass(frozen=True)
class ImplicitBPRConfig(Settings):
    """
    Settings of `ImplicitBPR`.

    Attributes:
        factors: Dimensions of user and track vectors.
        epochs: Passes over as many sampled pairs as there are interactions.
        learning_rate: Learning rate of stochastic gradient descent.
        regularization: L2 regularization of the vectors, >= 0.
        recency: Decay by age in user vectors: weight (1 + age / 30 days)**-recency. 0: no decay.
        seed: Seed of the initial vectors and of all sampling.
    """

    factors: Count = 64
    epochs: Count = 100
    learning_rate: Positive = tunable_range(0.05, 0.005, 0.3, log=True)
    regularization: PositiveOrZero = tunable_range(0.01, 0.001, 0.1, log=True)
    recency: Exponent = tunable_range(0.5, 0.0, 2.0)
    seed: Seed = 7


class ImplicitBPR(FoldInScorer[ImplicitBPRConfig]):
    """Score = inner product of user vector and track vector, plus the track's bias."""

    name: ClassVar[str] = "implicit_bpr"
    config_class: ClassVar[type[Any]] = ImplicitBPRConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        config = self.config
        model = BayesianPersonalizedRanking(
            factors=config.factors,
            learning_rate=config.learning_rate,
            regularization=config.regularization,
            iterations=config.epochs,
            num_threads=1,
            random_state=config.seed,
        )
        model.fit((interactions.matrix > 0).astype(np.float32), show_progress=False)
        self.set_vectors(model.item_factors, model.user_factors[:, :-1], interactions.liked)
        return self

    @override
    def user_weights(self, history: History) -> Csr:
        return confidence(history, exponent=0, recency=self.config.recency)
