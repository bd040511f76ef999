"""
Models of implicit: ALS, BPR, logistic matrix factorization, item neighbours. `bench.peers.tuning` describes the output.

Run with OPENBLAS_NUM_THREADS=1: the library uses threads of its own.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.common import Rows, Task
from bench.peers.tuning import SEED, WEIGHTS, Params, Peer, Recommend, choice, command, real, share, whole

MASKED_SCORE = float(np.finfo(np.float32).min)  # the library's score of a filtered item


def peers(_: Path) -> Sequence[Peer]:
    """Return all models of the library that learn from pairs alone, without its rarer neighbour distances."""
    return [*factor_models(), *neighbour_models()]


def factor_models() -> Sequence[Peer]:
    """Return the matrix factorization models."""
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking
    from implicit.lmf import LogisticMatrixFactorization

    return [
        Peer(
            "implicit ALS",
            {
                "factors": whole(32, 512),
                "regularization": real(1e-3, 100),
                "alpha": real(0.1, 100),
                "iterations": whole(5, 40),
                "weights": WEIGHTS,
            },
            {"factors": 100, "regularization": 0.01, "alpha": 1.0, "iterations": 15, "weights": "ones"},
            fit_function(lambda params: AlternatingLeastSquares(**params, random_state=SEED)),
        ),
        Peer(
            "implicit BPR",
            {
                "factors": whole(16, 256),
                "learning_rate": real(1e-3, 0.3),
                "regularization": real(1e-4, 0.3),
                "iterations": whole(20, 600),
            },
            {"factors": 100, "learning_rate": 0.01, "regularization": 0.01, "iterations": 100},
            fit_function(lambda params: BayesianPersonalizedRanking(**params, random_state=SEED)),
        ),
        Peer(
            "implicit LogisticMF",
            {
                "factors": whole(8, 128),
                "learning_rate": real(0.05, 3),
                "regularization": real(0.01, 10),
                "iterations": whole(10, 200),
                "neg_prop": whole(1, 100),
                "weights": choice("ones", "log"),
            },
            {
                "factors": 30,
                "learning_rate": 1.0,
                "regularization": 0.6,
                "iterations": 30,
                "neg_prop": 30,
                "weights": "ones",
            },
            fit_function(lambda params: LogisticMatrixFactorization(**params, random_state=SEED)),
        ),
    ]


def neighbour_models() -> Sequence[Peer]:
    """Return the item-neighbourhood models."""
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender

    return [
        Peer(
            "implicit BM25",
            {"K": whole(5, 2000), "K1": real(0.01, 1000), "B": share(0, 1), "weights": WEIGHTS},
            {"K": 20, "K1": 1.2, "B": 0.75, "weights": "ones"},
            fit_function(partial(neighbours, BM25Recommender), least=0),
        ),
        *(
            Peer(
                f"implicit {name}",
                {"K": whole(5, 2000), "weights": WEIGHTS},
                {"K": 20, "weights": "ones"},
                fit_function(partial(neighbours, model), least=0),
            )
            for name, model in (("TF-IDF", TFIDFRecommender), ("cosine", CosineRecommender))
        ),
    ]


def neighbours(model: Any, params: Params) -> Any:
    """Build an item-neighbourhood model."""
    return model(**params)


def fit_function(build: Callable[[Params], Any], least: float = MASKED_SCORE) -> Callable[[Task, Params], Recommend]:
    """
    Return the `fit` of a Peer; all parameters but 'weights' go to the library.

    The library pads a short list with seen items, whose scores are at most `least`; they are removed.
    """

    def fit(task: Task, params: Params) -> Recommend:
        own = {name: value for name, value in params.items() if name != "weights"}
        strengths = task.strengths(params.get("weights", "ones"))
        model = build(own)
        model.fit(strengths, show_progress=False)

        def recommend(rows: Rows, k: int) -> Rows:
            items, scores = model.recommend(rows, strengths[rows], N=k, filter_already_liked_items=True)
            return np.where(scores > least, items, -1)

        return recommend

    return fit


main = command(__doc__, peers)

if __name__ == "__main__":
    main()
