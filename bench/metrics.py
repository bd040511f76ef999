"""
All accuracy metrics of 100,000 lists of 100 tracks at six cut-offs k: ours, RecTools' and a polars query's.

Ours is timed twice: from the arrays that recommenders return, and from the long frames that the others read. All
values are compared. RecTools runs in an environment of its own, created on first use. Run it on an otherwise idle
machine.
"""

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from bench.options import benchmark, size
from bench.peers.environments import ROOT, python_of
from recsys.arrays import I64
from recsys.evaluate.ranking import average_precision_at_k, evaluate_lists

N_TRACKS, N_RANKED, MAX_RELEVANT, BAR = 50_000, 100, 40, 3.0
KS = (1, 5, 10, 20, 50, 100)

Means: TypeAlias = dict[str, float]  # by metric and k: 'ndcg@10'


@dataclass(frozen=True, eq=False)
class World:
    """
    Lists and held-out tracks, as arrays and as long frames.

    Attributes:
        ranked: Track rows, best first. Shape (n_users, n_ranked), int64.
        relevant: Held-out track rows. CSR, shape (n_users, n_tracks), bool.
        lists: `ranked` as user_id, item_id, rank (int32).
        truth: `relevant` as user_id, item_id (int32).
    """

    ranked: I64
    relevant: Any
    lists: pl.DataFrame
    truth: pl.DataFrame


@benchmark(headline=r"ours, from arrays +(\d+\.\d{3}) +1.00x")
@size("--listeners", "n_users", default=100_000, smallest=500, help="Listeners whose lists are evaluated.")
@size("--rounds", "n_rounds", default=5, smallest=1, help="Times that each variant is run.")
@size("--peer/--no-peer", "with_peer", default=True, smallest=False, help="Whether to time RecTools.")
def main(n_users: int, n_rounds: int, with_peer: bool) -> None:
    """Time every variant, compare their values, print the table."""
    from recsys.evaluate.report import metrics

    world = make_world(np.random.default_rng(7), n_users)
    accuracy = {name: metric for name, metric in metrics().items() if "evaluated" in signature(metric).parameters}
    variants: dict[str, Callable[[], Means]] = {
        "ours, from arrays": lambda: ours(accuracy, world.ranked, world.relevant),
        "ours, from frames": lambda: ours(accuracy, *arrays(world.lists, world.truth)),
        "polars, in memory": lambda: with_polars(world, "in-memory"),
        "polars, streaming": lambda: with_polars(world, "streaming"),
    }
    results = time_alternating(variants, n_rounds) | ({"RecTools": with_rectools(world)} if with_peer else {})
    expected = results["ours, from arrays"][1]
    print(f"{'variant':18} {'s':>7} {'ours is':>8} {'values':>7} {'differ by':>10}")
    for name, (seconds, means) in results.items():
        same = expected | as_in_rectools(world) if name == "RecTools" else expected
        difference = max(abs(value - same[metric]) for metric, value in means.items())
        times = seconds / results["ours, from arrays"][0]
        print(f"{name:18} {seconds:7.3f} {times:7.2f}x {len(means):7} {difference:10.0e}")
    print_bar({name: seconds for name, (seconds, _) in results.items()}, world, n_rounds)


def make_world(rng: np.random.Generator, n_users: int) -> World:
    """Draw lists of distinct tracks and 1 to 40 relevant tracks per user, about a quarter of them in the list."""
    start, step = rng.integers(N_TRACKS, size=(n_users, 1)), 7 * rng.integers(1, 100, size=(n_users, 1))
    ranked = (start + step * rng.permuted(np.tile(np.arange(N_RANKED), (n_users, 1)), axis=1)) % N_TRACKS
    owner = np.repeat(np.arange(n_users), rng.integers(1, MAX_RELEVANT + 1, n_users))
    position = (N_RANKED * rng.random(len(owner)) ** 2).astype(np.int64)
    is_listed = rng.random(len(owner)) < 0.25
    tracks = np.where(is_listed, ranked[owner, position], rng.integers(N_TRACKS, size=len(owner)))
    relevant = sp.csr_matrix((np.ones(len(owner), np.bool_), (owner, tracks)), (n_users, N_TRACKS))
    relevant.sum_duplicates()
    pairs, ranks = relevant.tocoo(), np.tile(np.arange(1, N_RANKED + 1), n_users)
    users = np.repeat(np.arange(n_users), N_RANKED)
    lists = pl.DataFrame({"user_id": users, "item_id": ranked.ravel(), "rank": ranks}).cast(pl.Int32)
    return World(ranked, relevant, lists, pl.DataFrame({"user_id": pairs.row, "item_id": pairs.col}).cast(pl.Int32))


def ours(accuracy: dict[str, Callable[..., Any]], ranked: I64, relevant: Any) -> Means:
    """Find the hits once, then compute every metric at every k."""
    lists = evaluate_lists(ranked, relevant)
    return {f"{name}@{k}": float(metric(lists, k).mean()) for name, metric in accuracy.items() for k in KS}


def arrays(lists: pl.DataFrame, truth: pl.DataFrame) -> tuple[I64, Any]:
    """Convert the long frames into the arrays that `evaluate_lists` takes."""
    n_users = len(lists) // N_RANKED
    ranked = np.full((n_users, N_RANKED), -1)
    ranked.ravel()[lists["user_id"].to_numpy() * N_RANKED + lists["rank"].to_numpy() - 1] = lists["item_id"].to_numpy()
    cells = (truth["user_id"].to_numpy(), truth["item_id"].to_numpy())
    return ranked, sp.csr_matrix((np.ones(len(truth), np.bool_), cells), (n_users, N_TRACKS))


def with_polars(world: World, engine: Literal["in-memory", "streaming"]) -> Means:
    """Compute all metrics in one lazy query: join on an integer key, sum the gains per user, divide, average."""
    key = pl.col("user_id").cast(pl.Int64) * N_TRACKS + pl.col("item_id")
    rank, nth = pl.col("rank"), pl.col("nth")
    hits = (
        world.lists.lazy()
        .select("user_id", "rank", key=key)
        .join(world.truth.lazy().select(key=key), on="key")
        .sort("user_id", "rank")
        .with_columns(nth=pl.int_range(1, pl.len() + 1).over("user_id"))
    )
    worth = {"n": pl.lit(1.0), "gain": 1 / (rank + 1).log(2), "precision": nth / rank, "first": (nth == 1) / rank}
    sums = [
        pl.when(rank <= k).then(value).otherwise(0.0).sum().alias(f"{name}{k}")
        for k in KS
        for name, value in worth.items()
    ]
    n_relevant = world.truth.lazy().group_by("user_id").agg(n_relevant=pl.len().cast(pl.Int64))
    users = n_relevant.join(hits.group_by("user_id").agg(sums), on="user_id", how="left").fill_null(0.0)
    means = [value.mean().alias(f"{name}@{k}") for k in KS for name, value in polars_metrics(k).items()]
    row: Means = users.select(means).collect(engine=engine).row(0, named=True)
    return row


def polars_metrics(k: int) -> dict[str, pl.Expr]:
    """Return the expression of every metric at k over a user's sums."""
    ideal = np.cumsum(1 / np.log2(np.arange(2, N_RANKED + 2))).tolist()
    by_number = dict(enumerate(ideal, 1))
    n_hits, n_relevant = pl.col(f"n{k}"), pl.col("n_relevant")
    reachable = n_relevant.clip(upper_bound=k)
    return {
        "ndcg": pl.col(f"gain{k}") / reachable.replace_strict(by_number, return_dtype=pl.Float64),
        "ndcg_by_hits": pl.col(f"gain{k}")
        / n_hits.cast(pl.Int64).clip(lower_bound=1).replace_strict(by_number, return_dtype=pl.Float64),
        "recall": n_hits / n_relevant,
        "precision": n_hits / k,
        "hit_rate": (n_hits > 0).cast(pl.Float64),
        "reciprocal_rank": pl.col(f"first{k}"),
        "average_precision": pl.col(f"precision{k}") / reachable,
    }


def with_rectools(world: World) -> tuple[float, Means]:
    """Return RecTools' shortest time [s], without start-up and reading, and its mean metrics."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "lists.npy", world.lists.to_numpy())
        np.save(Path(folder) / "truth.npy", world.truth.to_numpy())
        command = [str(python_of("rectools")), "-m", "bench.peers.rectools_metrics", folder]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        answer = json.loads((Path(folder) / "answer.json").read_text())
    return answer["seconds"], answer["means"]


def as_in_rectools(world: World) -> Means:
    """Return mean average precision by RecTools' definition: divided by all relevant tracks, ours by at most k."""
    lists = evaluate_lists(world.ranked, world.relevant)
    reach = {k: np.minimum(lists.n_relevant, k) / lists.n_relevant for k in KS}
    return {f"average_precision@{k}": float((average_precision_at_k(lists, k) * reach[k]).mean()) for k in KS}


def time_alternating(variants: dict[str, Callable[[], Means]], n_rounds: int) -> dict[str, tuple[float, Means]]:
    """Return each variant's shortest time [s] and its means; variants alternate, so a busy moment affects all."""
    results = {name: (float("inf"), Means()) for name in variants}
    for _ in range(n_rounds):
        for name, variant in variants.items():
            start = perf_counter()
            means = variant()
            results[name] = (min(results[name][0], perf_counter() - start), means)
    return results


def print_bar(seconds: dict[str, float], world: World, n_rounds: int) -> None:
    """Print how ours compares with the fastest peer, and with copying the same number of bytes in memory."""
    fastest = min(time for name, time in seconds.items() if not name.startswith("ours"))
    for name in ("ours, from arrays", "ours, from frames"):
        times = fastest / seconds[name]
        print(f"{name}: {times:.1f} x the fastest peer, bar {BAR:.0f}: {'met' if times >= BAR else 'not met'}")
    n_bytes = world.ranked.nbytes + world.ranked.size + world.relevant.indices.nbytes + world.relevant.indptr.nbytes
    copied = [_copy_seconds(world.ranked) for _ in range(n_rounds)]
    floor = n_bytes / (2 * world.ranked.nbytes / min(copied))
    print(
        f"lower bound: reading lists and truth and writing hits once moves {n_bytes / 1e6:.0f} MB, {floor * 1e3:.0f} "
        f"ms at the speed of a copy; ours takes {seconds['ours, from arrays'] / floor:.1f} times that"
    )


def _copy_seconds(array: npt.NDArray[Any]) -> float:
    target = np.ones_like(array)  # written once, so that its memory pages exist
    start = perf_counter()
    np.copyto(target, array)
    return perf_counter() - start


if __name__ == "__main__":
    main()
