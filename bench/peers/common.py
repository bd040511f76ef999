"""
What every peer needs, in whatever environment it lives: a split as matrices, and nDCG@10 to tune by.

Ids are strings outside and row numbers inside. It imports nothing of this project, only numpy, scipy and polars. The
nDCG here tunes; the comparison itself judges all rankings by `recsys.evaluate`.
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
N_MADE_UP = 30  # listeners of a made-up split, and tracks of each of its two genres
NOT_ONE_LIST = "a list names an item twice, or one that the listener has or may not get"


@dataclass(frozen=True, eq=False)
class Features:
    """
    What is known of each row.

    Attributes:
        matrix: log(1 + weight) of each value, 1 where a split gives no weights. CSR, shape (n_rows, n_names), float32.
        names: The values, such as 'genre=Rock'.
    """

    matrix: Csr
    names: pl.Series


@dataclass(frozen=True, eq=False)
class Task:
    """
    One thing to learn from and what is to be found.

    Attributes:
        pairs: user, item (rows), weight (> 0) and time [s], one row a pair, sorted; what a model may learn from.
        users, items: Id of each row: all that the split names, whether or not `pairs` does.
        relevant: What is to be found, never in `pairs`. CSR, shape (n_users, n_items), bool.
        judged: Rows of the users who are known in train and have something to find.
        allowed: Whether an item may be recommended. Shape (n_items,), bool.
        item_features, user_features: None where the split has none.
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
        """Weights of `pairs`: CSR with sorted indices, shape (n_users, n_items), float32."""
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
        folder: As `bench.recommenders.splits` writes it.
        only_candidates: Recommend nothing but the split's candidates; to tune, nothing but what else `train` lacks.

    Returns:
        What to tune on (train, validation) and what to be judged by (train and validation, test).
    """
    train, validation, test = (table(folder / f"{name}.parquet") for name in ("train", "validation", "test"))
    features = table(folder / "item_features.parquet"), table(folder / "user_features.parquet")
    named = [part["item_id"] for part in (train, validation, test, features[0]) if len(part)]
    items = pl.concat(named).unique().sort()
    users = pl.concat([part["user_id"] for part in (train, validation, test)]).unique().sort()
    known = np.flatnonzero(is_in(users, train["user_id"]))
    described = (_features(features[0], items), _features(features[1], users))

    def task(learned: pl.DataFrame, sought: pl.DataFrame, allowed: Bool) -> Task:
        pairs, to_find = _rows(learned, users, items), _rows(sought, users, items)
        relevant = matrix_of(to_find, pl.Series(np.ones(len(to_find), np.bool_)), (len(users), len(items)))
        judged = np.intersect1d(np.flatnonzero(np.diff(relevant.indptr)), known)
        return Task(pairs, users, items, relevant, judged, allowed, *described)

    to_tune = to_judge = np.ones(len(items), np.bool_)
    if only_candidates:
        to_judge = is_in(items, table(folder / "candidates.parquet")["item_id"])
        to_tune = ~is_in(items, train["item_id"]) & ~to_judge
    return task(train, validation, to_tune), task(pl.concat([train, validation]), test, to_judge)


def table(path: Path) -> pl.DataFrame:
    """Read one file of a split with its ids as strings, weight 1 and time 0 where it has none; empty without file."""
    if not path.exists():
        return pl.DataFrame(schema=dict.fromkeys((*PAIR, "feature"), pl.String) | {"weight": pl.Float32})
    found = pl.read_parquet(path)
    added = {"weight": 1.0, "timestamp": 0}
    missing = [pl.lit(value).alias(name) for name, value in added.items() if name not in found.columns]
    ids = pl.col("^(user|item)_id$").cast(pl.String)
    return found.with_columns(ids, *missing).with_columns(pl.col("weight").cast(pl.Float32))


def made_up(folder: Path) -> Path:
    """Write a small split with all that one may have: two groups of listeners, each with tracks of its own genre."""
    rng = np.random.default_rng(7)
    user, place = (index.ravel() for index in np.indices((N_MADE_UP, 9)))
    drawn = np.stack([rng.permutation(N_MADE_UP)[:9] for _ in range(N_MADE_UP)])
    item = drawn.ravel() + N_MADE_UP * (user % 2)
    pairs = pl.DataFrame({"user_id": user, "item_id": item, "weight": rng.gamma(2, 5, len(user)), "timestamp": place})
    tracks = np.arange(2 * N_MADE_UP)
    genres = pl.DataFrame({"item_id": tracks, "feature": [f"genre={item // N_MADE_UP}" for item in tracks]})
    folder.mkdir(parents=True)
    for name, part in (("train", pl.col("timestamp") < 5), ("validation", pl.col("timestamp").is_between(5, 6))):
        pairs.filter(part).write_parquet(folder / f"{name}.parquet")
    pairs.filter(pl.col("timestamp") > 6).write_parquet(folder / "test.parquet")
    genres.write_parquet(folder / "item_features.parquet")
    return folder


def has(folder: Path, column: str) -> bool:
    """Whether the split's pairs have this column."""
    return column in pl.read_parquet_schema(folder / "train.parquet")


def rows_of(ids: pl.Series, vocabulary: pl.Series) -> Rows:
    """Return the rows of ids in a sorted vocabulary that has them all."""
    return vocabulary.search_sorted(ids).to_numpy().astype(np.int64)


def is_in(vocabulary: pl.Series, ids: pl.Series) -> Bool:
    """Whether each id of the vocabulary is among `ids`."""
    return vocabulary.is_in(ids.implode()).to_numpy()


def matrix_of(pairs: pl.DataFrame, values: pl.Series, shape: tuple[int, int]) -> Csr:
    """Build a CSR matrix with one value for each pair of rows."""
    at = (pairs["user"].to_numpy(), pairs["item"].to_numpy())
    return sp.csr_matrix((values.to_numpy(), at), shape=shape)


def _rows(pairs: pl.DataFrame, users: pl.Series, items: pl.Series) -> pl.DataFrame:
    """Translate ids to rows, one row a pair."""
    placed = pairs.select(
        pl.Series("user", rows_of(pairs["user_id"], users)),
        pl.Series("item", rows_of(pairs["item_id"], items)),
        "weight",
        pl.col("timestamp").alias("time"),
    )
    return placed.group_by("user", "item").agg(pl.sum("weight"), pl.max("time")).sort("user", "item")


def _features(frame: pl.DataFrame, vocabulary: pl.Series) -> Features | None:
    """Build the features of the vocabulary's rows; what is said of strangers is left out."""
    of = frame.columns[0] if frame.columns[0] in PAIR else "item_id"
    known = frame.filter(pl.col(of).is_in(vocabulary.implode()))
    if not len(known):
        return None
    names = known["feature"].unique().sort()
    at = (rows_of(known[of], vocabulary), rows_of(known["feature"], names))
    weights = np.log1p(known["weight"].to_numpy()) if known["weight"].n_unique() > 1 else np.ones(len(known))
    return Features(sp.csr_matrix((weights.astype(np.float32), at), shape=(len(vocabulary), len(names))), names)


def top_k(scores: F32, task: Task, rows: Rows, k: int) -> Rows:
    """
    Return each user's k best items that they may get and do not have yet.

    Args:
        scores: One row for each of `rows`, shape (n_rows, n_items); overwritten.
        task: Says what is not to be recommended.
        rows: Users.
        k: How many.

    Returns:
        Item rows, shape (n_rows, k); -1 where fewer are left.
    """
    scores[:, ~task.allowed] = -np.inf
    scores[task.seen[rows].nonzero()] = -np.inf
    k_there = min(k, scores.shape[1])
    best = np.argpartition(-scores, k_there - 1, axis=1)[:, :k_there]
    value = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-value, axis=1, kind="stable")
    best, value = np.take_along_axis(best, order, axis=1), np.take_along_axis(value, order, axis=1)
    ranked = np.full((len(rows), k), -1)
    ranked[:, :k_there] = np.where(value > -np.inf, best, -1)
    return ranked


def check(ranked: Rows, task: Task, rows: Rows) -> None:
    """
    Hold a library's lists against what was asked for.

    Raises:
        ValueError: A list names an item twice, or one that is seen or not allowed.
    """
    ordered = np.sort(ranked, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    user, place = np.nonzero(ranked >= 0)
    items = ranked[user, place]
    has_already = np.asarray(task.seen[rows[user], items]).ravel() > 0
    if twice.any() or has_already.any() or not task.allowed[items].all():
        raise ValueError(f"{NOT_ONE_LIST}: {twice.sum()}, {has_already.sum()}, {(~task.allowed[items]).sum()} times")


def ranked_rows(ranking: pl.DataFrame, task: Task, k: int) -> Rows:
    """
    Return the first k items of each judged user in a frame of user_id, item_id, rank; -1 where a list is shorter.

    Users who are not judged are left out.

    Raises:
        ValueError: An item is not in the split.
    """
    judged = task.users.gather(task.judged)
    first = ranking.filter((pl.col("rank") <= k) & pl.col("user_id").is_in(judged.implode()))
    if not first["item_id"].is_in(task.items.implode()).all():
        raise ValueError("a ranking names items that are not in the split; expected those of its files alone")
    ranked = np.full((len(judged), k), -1)
    ranked[rows_of(first["user_id"], judged), first["rank"].to_numpy() - 1] = rows_of(first["item_id"], task.items)
    return ranked


def ndcg_at_k(ranked: Rows, task: Task, k: int) -> F64:
    """Return each judged user's nDCG, relevance 0 or 1, shape (n_judged,), as `recsys.evaluate.ranking` has it."""
    gains = 1 / np.log2(np.arange(2, k + 2))
    first = ranked[:, :k]
    user = np.repeat(task.judged, first.shape[1])
    hits = np.asarray(task.relevant[user, np.maximum(first, 0).ravel()]).reshape(first.shape) & (first >= 0)
    n_relevant = np.diff(task.relevant.indptr)[task.judged]
    share: F64 = (hits @ gains) / np.cumsum(gains)[np.minimum(n_relevant, k) - 1]
    return share
