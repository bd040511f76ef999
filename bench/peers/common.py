"""
Shared by the scripts of all peers: a split as matrices, nDCG@10 for tuning, and checks of the lists.

Ids are strings outside and row numbers inside. Imports only numpy, scipy, polars and `recsys.arrays`, because it runs
in every peer's environment. The nDCG here is for tuning; the final comparison uses `recsys.evaluate`.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from recsys.arrays import F32, F64, Bool, Csr

Rows: TypeAlias = npt.NDArray[np.integer[Any]]

PAIR = ["user_id", "item_id"]
N_MADE_UP = 30  # listeners of the synthetic split, and tracks in each of its two genres
INVALID_LISTS = "lists: found duplicate, seen or excluded items"


@dataclass(frozen=True, eq=False)
class Features:
    """
    Features of users or items.

    Attributes:
        matrix: log(1 + weight) of each feature, 1 if the split has no weights. CSR, shape (n_rows, n_names), float32.
        names: The features, such as 'genre=Rock'.
    """

    matrix: Csr
    names: pl.Series


@dataclass(frozen=True, eq=False)
class Task:
    """
    Training pairs and the held-out items to predict.

    Attributes:
        pairs: The training data: user, item (rows), weight (> 0) and time [s], one row per pair, sorted.
        users, items: The id of each row: every user and item in the split, also those without training pairs.
        relevant: Held-out items, none of them in `pairs`. CSR, shape (n_users, n_items), bool.
        judged: Rows of the evaluated users: those in train with held-out items.
        allowed: Whether an item may be recommended. Shape (n_items,), bool.
        item_features, user_features: None if the split has none.
    """

    pairs: pl.DataFrame
    users: pl.Series
    items: pl.Series
    relevant: Csr
    judged: Rows
    allowed: Bool
    item_features: Features | None
    user_features: Features | None

    @cached_property
    def seen(self) -> Csr:
        """The weights of `pairs`: CSR with sorted indices, shape (n_users, n_items), float32."""
        return matrix_of(self.pairs, self.pairs["weight"], self.relevant.shape)

    def strengths(self, kind: str) -> Csr:
        """Return `seen` with each weight as it is ('plain'), as log(1 + weight) ('log') or as 1 ('ones')."""
        changed = self.seen.copy()
        changed.data = {"plain": changed.data, "log": np.log1p(changed.data), "ones": np.ones_like(changed.data)}[kind]
        return changed

    def weighted_pairs(self, kind: str) -> pl.DataFrame:
        """Return `pairs` with the weights of `strengths`."""
        return self.pairs.with_columns(weight=pl.Series(self.strengths(kind).data))


def read(folder: Path, *, only_candidates: bool) -> tuple[Task, Task]:
    """
    Read a split folder.

    Args:
        folder: A folder as `bench.recommenders.splits` writes it.
        only_candidates: Whether only some items may be recommended: in evaluation those of candidates.parquet, in
            tuning those that are neither in train nor among these candidates. If false, all items.

    Returns:
        The task for tuning (train, validation) and the task for evaluation (train and validation, test).
    """
    train, validation, test = (table(folder / f"{name}.parquet") for name in ("train", "validation", "test"))
    features = table(folder / "item_features.parquet"), table(folder / "user_features.parquet")
    named = [part["item_id"] for part in (train, validation, test, features[0]) if len(part)]
    items = pl.concat(named).unique().sort()
    users = pl.concat([part["user_id"] for part in (train, validation, test)]).unique().sort()
    known = np.flatnonzero(is_in(users, train["user_id"]))
    described = (_features(features[0], items), _features(features[1], users))

    def task(training: pl.DataFrame, held_out: pl.DataFrame, allowed: Bool) -> Task:
        pairs, target = _rows(training, users, items), _rows(held_out, users, items)
        relevant = matrix_of(target, pl.Series(np.ones(len(target), np.bool_)), (len(users), len(items)))
        judged = np.intersect1d(np.flatnonzero(np.diff(relevant.indptr)), known)
        return Task(pairs, users, items, relevant, judged, allowed, *described)

    to_tune = to_judge = np.ones(len(items), np.bool_)
    if only_candidates:
        to_judge = is_in(items, table(folder / "candidates.parquet")["item_id"])
        to_tune = ~is_in(items, train["item_id"]) & ~to_judge
    return task(train, validation, to_tune), task(pl.concat([train, validation]), test, to_judge)


def table(path: Path) -> pl.DataFrame:
    """Read a file of a split: ids as strings, default weight 1 and time 0; an empty frame if the file is missing."""
    if not path.exists():
        return pl.DataFrame(schema=dict.fromkeys((*PAIR, "feature"), pl.String) | {"weight": pl.Float32})
    frame = pl.read_parquet(path)
    defaults = {"weight": 1.0, "timestamp": 0}
    missing = [pl.lit(value).alias(name) for name, value in defaults.items() if name not in frame.columns]
    ids = pl.col("^(user|item)_id$").cast(pl.String)
    return frame.with_columns(ids, *missing).with_columns(pl.col("weight").cast(pl.Float32))


def made_up(folder: Path) -> Path:
    """Write a small synthetic split with weights, timestamps and genres; every listener plays one genre only."""
    rng = np.random.default_rng(7)
    user, time = (index.ravel() for index in np.indices((N_MADE_UP, 9)))
    drawn = np.stack([rng.permutation(N_MADE_UP)[:9] for _ in range(N_MADE_UP)])
    item = drawn.ravel() + N_MADE_UP * (user % 2)
    pairs = pl.DataFrame({"user_id": user, "item_id": item, "weight": rng.gamma(2, 5, len(user)), "timestamp": time})
    tracks = np.arange(2 * N_MADE_UP)
    genres = pl.DataFrame({"item_id": tracks, "feature": [f"genre={item // N_MADE_UP}" for item in tracks]})
    folder.mkdir(parents=True)
    for name, part in (("train", pl.col("timestamp") < 5), ("validation", pl.col("timestamp").is_between(5, 6))):
        pairs.filter(part).write_parquet(folder / f"{name}.parquet")
    pairs.filter(pl.col("timestamp") > 6).write_parquet(folder / "test.parquet")
    genres.write_parquet(folder / "item_features.parquet")
    return folder


def has(folder: Path, column: str) -> bool:
    """Check whether the split's pairs have a column."""
    return column in pl.read_parquet_schema(folder / "train.parquet")


def rows_of(ids: pl.Series, vocabulary: pl.Series) -> Rows:
    """Return the rows of ids in a sorted vocabulary that contains all of them."""
    return vocabulary.search_sorted(ids).to_numpy().astype(np.int64)


def is_in(vocabulary: pl.Series, ids: pl.Series) -> Bool:
    """Return for each id of the vocabulary whether it is in `ids`."""
    return vocabulary.is_in(ids.implode()).to_numpy()


def matrix_of(pairs: pl.DataFrame, values: pl.Series, shape: tuple[int, int]) -> Csr:
    """Build a CSR matrix with one value for each pair of rows."""
    cells = (pairs["user"].to_numpy(), pairs["item"].to_numpy())
    return sp.csr_matrix((values.to_numpy(), cells), shape=shape)


def _rows(pairs: pl.DataFrame, users: pl.Series, items: pl.Series) -> pl.DataFrame:
    """Translate ids to row numbers and sum duplicates: one row per pair."""
    numbered = pairs.select(
        pl.Series("user", rows_of(pairs["user_id"], users)),
        pl.Series("item", rows_of(pairs["item_id"], items)),
        "weight",
        pl.col("timestamp").alias("time"),
    )
    return numbered.group_by("user", "item").agg(pl.sum("weight"), pl.max("time")).sort("user", "item")


def _features(frame: pl.DataFrame, vocabulary: pl.Series) -> Features | None:
    """Build the features of the vocabulary's ids; features of other ids are left out. None without features."""
    id_column = frame.columns[0] if frame.columns[0] in PAIR else "item_id"
    known = frame.filter(pl.col(id_column).is_in(vocabulary.implode()))
    if not len(known):
        return None
    names = known["feature"].unique().sort()
    cells = (rows_of(known[id_column], vocabulary), rows_of(known["feature"], names))
    weights = np.log1p(known["weight"].to_numpy()) if known["weight"].n_unique() > 1 else np.ones(len(known))
    return Features(sp.csr_matrix((weights.astype(np.float32), cells), shape=(len(vocabulary), len(names))), names)


def top_k(scores: F32, task: Task, rows: Rows, k: int) -> Rows:
    """
    Return the k best allowed and unseen items of each user.

    Args:
        scores: Scores of the users in `rows`, shape (n_rows, n_items); overwritten.
        task: Gives the allowed and the seen items.
        rows: User rows, shape (n_rows,).
        k: Length of a list.

    Returns:
        Item rows, best first, shape (n_rows, k); -1 pads a short list.
    """
    scores[:, ~task.allowed] = -np.inf
    scores[task.seen[rows].nonzero()] = -np.inf
    n_best = min(k, scores.shape[1])
    best = np.argpartition(-scores, n_best - 1, axis=1)[:, :n_best]
    value = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-value, axis=1, kind="stable")
    best, value = np.take_along_axis(best, order, axis=1), np.take_along_axis(value, order, axis=1)
    ranked = np.full((len(rows), k), -1)
    ranked[:, :n_best] = np.where(value > -np.inf, best, -1)
    return ranked


def check(ranked: Rows, task: Task, rows: Rows) -> None:
    """
    Check that lists contain no duplicate, seen or excluded item.

    Args:
        ranked: Item rows, shape (n_rows, k); -1 pads a short list.
        task: Gives the allowed and the seen items.
        rows: User rows, shape (n_rows,).

    Raises:
        ValueError: A list contains a duplicate, seen or excluded item.
    """
    ordered = np.sort(ranked, axis=1)
    is_duplicate = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    user, position = np.nonzero(ranked >= 0)
    items = ranked[user, position]
    is_seen = np.asarray(task.seen[rows[user], items]).ravel() > 0
    is_excluded = ~task.allowed[items]
    if is_duplicate.any() or is_seen.any() or is_excluded.any():
        counts = f"{is_duplicate.sum()}, {is_seen.sum()} and {is_excluded.sum()} times"
        raise ValueError(f"{INVALID_LISTS} ({counts}), expected none. Check the model's filter")


def ranked_rows(ranking: pl.DataFrame, task: Task, k: int) -> Rows:
    """
    Convert a ranking from long form to one row per evaluated user.

    Args:
        ranking: user_id, item_id, rank (from 1); users who are not evaluated are ignored.
        task: Gives the evaluated users and the items.
        k: Length of a list.

    Returns:
        Item rows, shape (n_judged, k); -1 pads a short list.

    Raises:
        ValueError: An item is not in the split.
    """
    judged = task.users.gather(task.judged)
    first = ranking.filter((pl.col("rank") <= k) & pl.col("user_id").is_in(judged.implode()))
    if not first["item_id"].is_in(task.items.implode()).all():
        raise ValueError("ranking: found items that are not in the split, expected only its items. Rank this split")
    ranked = np.full((len(judged), k), -1)
    ranked[rows_of(first["user_id"], judged), first["rank"].to_numpy() - 1] = rows_of(first["item_id"], task.items)
    return ranked


def ndcg_at_k(ranked: Rows, task: Task, k: int) -> F64:
    """Return nDCG with binary relevance per evaluated user, shape (n_judged,), as `recsys.evaluate.ranking` does."""
    gains = 1 / np.log2(np.arange(2, k + 2))
    first = ranked[:, :k]
    user = np.repeat(task.judged, first.shape[1])
    hits = np.asarray(task.relevant[user, np.maximum(first, 0).ravel()]).reshape(first.shape) & (first >= 0)
    n_relevant = np.diff(task.relevant.indptr)[task.judged]
    share: F64 = (hits @ gains) / np.cumsum(gains)[np.minimum(n_relevant, k) - 1]
    return share
