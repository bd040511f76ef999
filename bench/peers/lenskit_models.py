"""
Models of LensKit: item and user neighbours, ALS, EASE, SLIM, gradient-trained factorization (FlexMF).

`bench.peers.tuning` describes the output. Runs in LensKit's own environment (see `bench.peers.environments`).
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bench.options import require
from bench.peers.common import Rows, Task, has
from bench.peers.environments import installation
from bench.peers.tuning import SEED, WEIGHTS, Params, Peer, Recommend, choice, command, real, share, whole

T = TypeVar("T")
NEIGHBOURS = {"max_nbrs": whole(5, 500), "min_nbrs": whole(1, 5), "min_sim": real(1e-6, 0.1)}
NEIGHBOUR_DEFAULTS = {"max_nbrs": 20, "min_nbrs": 1, "min_sim": 1e-6}
FLEX = {
    "embedding_size": whole(16, 256),
    "learning_rate": real(1e-3, 0.1),
    "epochs": whole(5, 60),
    "regularization": real(1e-4, 1),
    "batch_size": choice(1024, 8192),
    "negative_count": whole(1, 8),
}
FLEX_DEFAULTS = {
    "embedding_size": 64,
    "learning_rate": 0.01,
    "epochs": 10,
    "regularization": 0.01,
    "batch_size": 8192,
    "negative_count": 1,
}


def peers(folder: Path) -> Sequence[Peer]:
    """Return all models of the library that rank from pairs, and a rating model where the split has weights."""
    require("lenskit", installation("lenskit"))
    warnings.simplefilter("ignore")
    from lenskit.als import BiasedMFScorer, ImplicitMFScorer
    from lenskit.basic import PopScorer
    from lenskit.flexmf import FlexMFImplicitScorer
    from lenskit.knn import EASEScorer, ItemKNNScorer, SLIMScorer, UserKNNScorer

    return [
        Peer("LensKit popular", {}, {}, Fit(PopScorer)),
        Peer("LensKit ItemKNN", NEIGHBOURS, NEIGHBOUR_DEFAULTS, Fit(ItemKNNScorer, feedback="implicit")),
        Peer("LensKit UserKNN", NEIGHBOURS, NEIGHBOUR_DEFAULTS, Fit(UserKNNScorer, feedback="implicit")),
        Peer(
            "LensKit ImplicitMF",
            {
                "embedding_size": whole(16, 512),
                "epochs": whole(3, 40),
                "regularization": real(1e-3, 100),
                "weight": real(0.3, 100),
                "use_ratings": choice(False, True),
                "weights": WEIGHTS,
            },
            {
                "embedding_size": 50,
                "epochs": 10,
                "regularization": 0.1,
                "weight": 40.0,
                "use_ratings": False,
                "weights": "ones",
            },
            Fit(ImplicitMFScorer, user_embeddings="prefer"),
        ),
        Peer("LensKit EASE", {"regularization": real(1, 10_000)}, {"regularization": 1.0}, Fit(EASEScorer)),
        Peer(
            "LensKit SLIM",
            {"l1_reg": real(0.01, 100), "l2_reg": real(0.01, 1000), "max_iters": whole(10, 100)},
            {"l1_reg": 1.0, "l2_reg": 1.0, "max_iters": 100},
            Fit(SLIMScorer),
        ),
        *(
            Peer(f"LensKit {preset}", FLEX, FLEX_DEFAULTS, Fit(FlexMFImplicitScorer, preset=preset))
            for preset in ("bpr", "lightgcn")
        ),
        Peer(
            "LensKit warp", without_count(FLEX), without_count(FLEX_DEFAULTS), Fit(FlexMFImplicitScorer, preset="warp")
        ),
        Peer("LensKit logistic", FLEX, FLEX_DEFAULTS, Fit(FlexMFImplicitScorer)),
        *([biased_mf(Fit(BiasedMFScorer, user_embeddings="prefer"))] if has(folder, "weight") else []),
    ]


def without_count(space: Mapping[str, T]) -> dict[str, T]:
    """Return the parameters without the number of negatives, which WARP determines itself."""
    return {name: value for name, value in space.items() if name != "negative_count"}


class Fit:
    """The `fit` of a Peer; all parameters but 'weights' go to the library."""

    def __init__(self, scorer: Any, **fixed: Any) -> None:
        self.scorer, self.fixed = scorer, fixed

    def __call__(self, task: Task, params: Params) -> Recommend:
        """Train a pipeline of history, candidates (unseen items), scorer and ranker."""
        from lenskit.batch import recommend as batch_recommend
        from lenskit.pipeline import topn_pipeline
        from lenskit.training import TrainingOptions

        own = {name: value for name, value in params.items() if name != "weights"}
        pipeline = topn_pipeline(self.scorer, {**self.fixed, **own})
        pipeline.train(dataset(task, params.get("weights", "ones")), TrainingOptions(rng=SEED))

        def recommend(rows: Rows, k: int) -> Rows:
            ranked = np.full((len(rows), k), -1)
            lists = batch_recommend(pipeline, rows.tolist(), k, n_jobs=1)
            for position, row in enumerate(rows.tolist()):
                items = lists.lookup(row).ids()
                ranked[position, : len(items)] = items
            return ranked

        return recommend


def biased_mf(fit: Fit) -> Peer:
    """Return the rating model, biased matrix factorization."""
    return Peer(
        "LensKit BiasedMF",
        {
            "embedding_size": whole(4, 256),
            "epochs": whole(3, 40),
            "regularization": real(1e-3, 100),
            "damping": share(0, 100),
            "weights": choice("log", "plain"),
        },
        {"embedding_size": 50, "epochs": 10, "regularization": 0.1, "damping": 5.0, "weights": "log"},
        fit,
    )


def dataset(task: Task, weights: str) -> Any:
    """Convert a task to the library's data set, with our row numbers as ids and weights as ratings."""
    import pandas as pd
    from lenskit.data import from_interactions_df

    pairs = task.weighted_pairs(weights)
    names = {"user": "user_id", "item": "item_id", "weight": "rating"}
    return from_interactions_df(pd.DataFrame({new: pairs[old].to_numpy() for old, new in names.items()}))


main = command(__doc__, peers)

if __name__ == "__main__":
    main()
