"""
Item kNN of the library implicit: recommend the nearest neighbours of the tracks in a user's history.

Source: Sarwar, Karypis, Konstan, Riedl, Item-based Collaborative Filtering (WWW 2001); BM25 weights as in `item_knn`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from implicit.nearest_neighbours import CosineRecommender, ItemItemRecommender, bm25_weight
from typing_extensions import override

from recsys.dataset.interactions import Interactions
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.item_similarity import ItemSimilarityScorer
from recsys.recommenders.parts.search_space import tunable_range, tunable_recency
from recsys.recommenders.scorer import Validation
from recsys.settings import Count, Exponent, Positive, Recency, Settings, Share


@dataclass(frozen=True)
class ImplicitKNNConfig(Settings):
    """
    Settings of `ImplicitKNN`.

    Attributes:
        weighting: Weights of the interactions before the similarity: 'bm25', or 'cosine' for none.
        neighbours: Maximum number of neighbours per track, the track itself included.
        saturation: k1 of BM25, > 0.
        length_norm: b of BM25, 0..1.
        strength_exponent: The confidence weight of an interaction is strength**strength_exponent. 0: all the same.
        recency: Decay by age when scores are computed: weight (1 + age / 30 days)**-recency. 0: no decay.
        rank_recency: The same by order: weight (1 + n / 30)**-rank_recency, n being the user's later tracks.
    """

    weighting: Literal["bm25", "cosine"] = "bm25"
    neighbours: Count = tunable_range(200, 50, 1000, log=True)
    saturation: Positive = tunable_range(1.2, 0.5, 10.0, log=True)
    length_norm: Share = tunable_range(0.5, 0.0, 1.0)
    strength_exponent: Exponent = tunable_range(0.25, 0.0, 0.7, needs="strengths")
    recency: Recency = tunable_recency(1.0)
    rank_recency: Recency = tunable_recency(0.0)


class ImplicitKNN(ItemSimilarityScorer[ImplicitKNNConfig]):
    """Score = sum, over the tracks in the user's history, of confidence weight times similarity."""

    name: ClassVar[str] = "implicit_knn"
    config_class: ClassVar[type[Any]] = ImplicitKNNConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        config = self.config
        weights = confidence(interactions.liked, exponent=config.strength_exponent).astype(np.float64)
        if config.weighting == "bm25":
            model = ItemItemRecommender(config.neighbours)
            weights = bm25_weight(weights, K1=config.saturation, B=config.length_norm).tocsr()
        else:
            model = CosineRecommender(config.neighbours)
        model.fit(weights, show_progress=False)
        self.set_similarity(model.similarity.T.tocsr().astype(np.float32), interactions.liked)
        return self
