"""
LightFM with WARP, without and with features of items and users. `bench.peers.tuning` describes the output.

It is trained on played items only, so that a cold item is never sampled as a negative; a cold item is represented by
its features alone.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from bench.peers.common import Features, Rows, Task, top_k
from bench.peers.tuning import SEED, Params, Peer, Recommend, choice, command, real, whole
from recsys.arrays import F32, Csr

N_THREADS, N_BLOCK = 2, 1024
SPACE = {
    "no_components": whole(8, 256),
    "learning_rate": real(0.005, 0.3),
    "epochs": whole(1, 100),
    "item_alpha": real(1e-8, 1e-3),
    "user_alpha": real(1e-8, 1e-3),
    "max_sampled": whole(5, 100),
    "weights": choice("ones", "log"),
}
DEFAULTS = {  # the library's default regularization of 0 is replaced by the lower end of the range
    "no_components": 10,
    "learning_rate": 0.05,
    "epochs": 1,
    "item_alpha": 1e-8,
    "user_alpha": 1e-8,
    "max_sampled": 10,
    "weights": "ones",
}
FEATURE_SPACE = {"feature_weight": real(0.05, 5), "with_identity": choice(True, False)}
FEATURE_DEFAULTS = {"feature_weight": 1.0, "with_identity": True}


def peers(folder: Path) -> Sequence[Peer]:
    """Return LightFM without features and, where the split has features, with them; on cold splits the latter alone."""
    hybrid = Peer("LightFM with features", SPACE | FEATURE_SPACE, DEFAULTS | FEATURE_DEFAULTS, fit_with_features)
    plain = Peer("LightFM", SPACE, DEFAULTS, fit_plain)
    if (folder / "candidates.parquet").exists():  # only features describe cold items
        return [hybrid]
    return [plain, hybrid] if (folder / "item_features.parquet").exists() else [plain]


def fit_plain(task: Task, params: Params) -> Recommend:
    """Fit one vector per user and item."""
    n_users, n_items = task.relevant.shape
    return fit(task, params, sp.identity(n_users, format="csr"), sp.identity(n_items, format="csr"))


def fit_with_features(task: Task, params: Params) -> Recommend:
    """Fit vectors of features as well; without identity features, an item is the sum of its features alone."""
    n_users, n_items = task.relevant.shape
    played = np.bincount(task.pairs["item"].to_numpy(), minlength=n_items) > 0
    identity = sp.diags(played.astype(np.float32), format="csr")[:, np.flatnonzero(played)]  # (n_items, n_played)
    weight, with_identity = params["feature_weight"], params["with_identity"]
    users = with_features(sp.identity(n_users, format="csr"), task.user_features, weight)
    items = with_features(identity if with_identity else identity[:, :0], task.item_features, weight)
    return fit(task, {name: value for name, value in params.items() if name not in FEATURE_SPACE}, users, items)


def with_features(identity: Csr, features: Features | None, weight: float) -> Csr:
    """Append feature columns, scaled to a row sum of `weight`, to identity columns; shape (n_rows, n_columns)."""
    if features is None:
        return identity.astype(np.float32)
    sums = np.asarray(features.matrix.sum(axis=1)).ravel()
    scale = sp.diags(weight / np.maximum(sums, 1e-9), format="csr")
    return sp.hstack([identity, scale @ features.matrix], format="csr").astype(np.float32)


def fit(task: Task, params: Params, users: Csr, items: Csr) -> Recommend:
    """Fit LightFM on the pairs of played items; recommend by the inner product of the representations."""
    from lightfm import LightFM

    own = {name: value for name, value in params.items() if name not in ("epochs", "weights")}
    model = LightFM(**own, loss="warp", random_state=SEED)
    played = np.unique(task.pairs["item"].to_numpy())
    weights = task.strengths(params["weights"])[:, played].tocoo()
    pairs = sp.coo_matrix((np.ones_like(weights.data), (weights.row, weights.col)), shape=weights.shape)
    model.fit(
        pairs,
        sample_weight=weights if params["weights"] != "ones" else None,
        user_features=users.astype(np.float32),
        item_features=items[played].astype(np.float32),
        epochs=params["epochs"],
        num_threads=N_THREADS,
    )
    user_vectors: F32 = model.get_user_representations(users)[1]
    item_biases, item_vectors = model.get_item_representations(items)

    def recommend(rows: Rows, k: int) -> Rows:
        blocks = [rows[start : start + N_BLOCK] for start in range(0, len(rows), N_BLOCK)]
        ranked = [top_k(user_vectors[block] @ item_vectors.T + item_biases, task, block, k) for block in blocks]
        return np.concatenate(ranked)

    return recommend


main = command(__doc__, peers)

if __name__ == "__main__":
    main()
