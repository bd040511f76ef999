"""
Models of RecTools: EASE, PureSVD, ALS with features, item neighbours, SASRec, eSASRec, HSTU.

`bench.peers.tuning` describes the output. Runs in RecTools' own environment (see `bench.peers.environments`).
"""

import logging
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.options import require
from bench.peers.common import Features, Rows, Task, has
from bench.peers.environments import installation
from bench.peers.tuning import SEED, WEIGHTS, Params, Peer, Recommend, choice, command, real, share, whole

ALS_SPACE = {
    "factors": whole(32, 512),
    "regularization": real(1e-3, 100),
    "alpha": real(0.1, 100),
    "iterations": whole(5, 40),
    "weights": WEIGHTS,
}
ALS_DEFAULTS = {"factors": 100, "regularization": 0.01, "alpha": 1.0, "iterations": 15, "weights": "ones"}
SASREC_SPACE = {
    "n_factors": choice(32, 64, 128, 256),
    "n_blocks": whole(1, 3),
    "n_heads": choice(1, 2, 4),
    "dropout_rate": share(0.0, 0.5),
    "session_max_len": choice(20, 50, 100),
    "lr": real(3e-4, 5e-3),
    "epochs": whole(3, 30),
    "loss": choice("BCE", "gBCE", "sampled_softmax"),
    "n_negatives": whole(1, 64),
}
# The library's defaults (256 factors, full softmax) would exceed the budget several times on two cores, so the first
# trial uses smaller sizes.
SASREC_FIRST = {
    "n_factors": 64,
    "n_blocks": 2,
    "n_heads": 4,
    "dropout_rate": 0.2,
    "session_max_len": 50,
    "lr": 1e-3,
    "epochs": 10,
    "loss": "sampled_softmax",
    "n_negatives": 32,
}
ESASREC_SPACE = SASREC_SPACE | {"loss": choice("sampled_softmax"), "n_negatives": whole(16, 256)}
TRANSFORMERS = {"SASRec": SASREC_SPACE, "eSASRec": ESASREC_SPACE, "HSTU": SASREC_SPACE}


def peers(folder: Path) -> Sequence[Peer]:
    """Return the models that the split allows: those with features or timestamps only where it has them."""
    require("rectools", installation("rectools"))
    warnings.simplefilter("ignore")
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
    from rectools.models import EASEModel, PopularModel, PureSVDModel

    neighbourhoods = {"BM25": BM25Recommender, "TF-IDF": TFIDFRecommender, "cosine": CosineRecommender}
    models = [
        Peer("RecTools popular", {}, {}, fit_function(lambda _: PopularModel())),
        Peer(
            "RecTools EASE",
            {"regularization": real(1, 10_000), "weights": WEIGHTS},
            {"regularization": 500.0, "weights": "ones"},
            fit_function(lambda params: EASEModel(**params)),
        ),
        Peer(
            "RecTools PureSVD",
            {"factors": whole(4, 512), "weights": WEIGHTS},
            {"factors": 10, "weights": "ones"},
            fit_function(lambda params: PureSVDModel(**params, random_state=SEED)),
        ),
        *(
            Peer(
                f"RecTools {name}",
                {"K": whole(5, 2000), "weights": WEIGHTS}
                | ({"K1": real(0.01, 1000), "B": share(0, 1)} if name == "BM25" else {}),
                {"K": 20, "weights": "ones"} | ({"K1": 1.2, "B": 0.75} if name == "BM25" else {}),
                fit_function(partial(neighbours, model)),
            )
            for name, model in neighbourhoods.items()
        ),
    ]
    if (folder / "item_features.parquet").exists():
        space, defaults = {"n_features": whole(8, 256), "together": choice(False, True)}, {"n_features": 32}
        fit = fit_function(als_with_features)
        models.append(
            Peer("RecTools ALS with features", ALS_SPACE | space, ALS_DEFAULTS | defaults | {"together": False}, fit)
        )
    if has(folder, "timestamp"):
        models += [
            Peer(f"RecTools {name}", space, SASREC_FIRST, fit_function(partial(transformer, name)))
            for name, space in TRANSFORMERS.items()
        ]
    return models


def neighbours(model: Any, params: Params) -> Any:
    """Build an item-neighbourhood model."""
    from rectools.models import ImplicitItemKNNWrapperModel

    return ImplicitItemKNNWrapperModel(model(**params))


def als_with_features(params: Params) -> Any:
    """Build ALS with item and user features as additional fixed factors."""
    from implicit.als import AlternatingLeastSquares
    from rectools.models import ImplicitALSWrapperModel

    own = {name: value for name, value in params.items() if name not in ("n_features", "together")}
    return ImplicitALSWrapperModel(
        AlternatingLeastSquares(**own, random_state=SEED), fit_features_together=params["together"]
    )


def transformer(name: str, params: Params) -> Any:
    """
    Build a model of `TRANSFORMERS` with a trainer that writes no files and prints nothing.

    eSASRec is SASRec with LiGR layers and a sampled softmax. HSTU knows the order of plays but not their times, since
    lists are made for no given time.
    """
    from pytorch_lightning import Trainer, seed_everything
    from rectools.models import HSTUModel, SASRecModel
    from rectools.models.nn.transformers.ligr import LiGRLayers

    for logger in ("pytorch_lightning", "lightning.fabric"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    seed_everything(SEED)
    epochs = params["epochs"]
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    build, own = {
        "SASRec": (SASRecModel, {}),
        "eSASRec": (SASRecModel, {"transformer_layers_type": LiGRLayers}),
        "HSTU": (HSTUModel, {"relative_time_attention": False}),
    }[name]
    return build(
        **params,
        **own,
        get_trainer_func=lambda: Trainer(max_epochs=epochs, min_epochs=epochs, accelerator="cpu", **quiet),
    )


def fit_function(build: Callable[[Params], Any]) -> Callable[[Task, Params], Recommend]:
    """Return the `fit` of a Peer; all parameters but 'weights' and 'n_features' go to the library."""

    def fit(task: Task, params: Params) -> Recommend:
        from rectools import Columns

        data = dataset(task, params)
        model = build({name: value for name, value in params.items() if name != "weights"})
        model.fit(data)

        def recommend(rows: Rows, k: int) -> Rows:
            lists = model.recommend(users=rows, dataset=data, k=k, filter_viewed=True)
            ranked = np.full((len(rows), k), -1)
            ranked[np.searchsorted(rows, lists[Columns.User]), lists[Columns.Rank] - 1] = lists[Columns.Item]
            return ranked

        return recommend

    return fit


def dataset(task: Task, params: Params) -> Any:
    """Convert a task to the library's data set, with our row numbers as ids."""
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset

    pairs = task.weighted_pairs(params.get("weights", "ones"))
    frame = pd.DataFrame(
        {
            Columns.User: pairs["user"].to_numpy(),
            Columns.Item: pairs["item"].to_numpy(),
            Columns.Weight: pairs["weight"].to_numpy(),
            Columns.Datetime: pd.to_datetime(pairs["time"].to_numpy(), unit="s"),
        }
    )
    if "n_features" not in params:
        return Dataset.construct(frame)
    items = long_features(task.item_features, frame[Columns.Item], params["n_features"])
    users = long_features(task.user_features, frame[Columns.User], params["n_features"])
    return Dataset.construct(
        frame,
        item_features_df=items,
        cat_item_features=["value"],
        user_features_df=users,
        cat_user_features=["value"] if users is not None else (),
    )


def long_features(features: Features | None, known: Any, n_features: int) -> Any:
    """Return the most frequent features of known rows in long form: id, feature, value; None without features."""
    import pandas as pd

    if features is None:
        return None
    counts = np.diff(features.matrix.tocsc().indptr)
    kept = np.argsort(-counts, kind="stable")[:n_features]
    pairs = features.matrix[:, kept].tocoo()
    frame = pd.DataFrame({"id": pairs.row, "feature": "value", "value": kept[pairs.col]})
    return frame[frame["id"].isin(known)]


main = command(__doc__, peers)

if __name__ == "__main__":
    main()
