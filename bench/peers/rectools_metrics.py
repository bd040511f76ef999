"""
RecTools' side of `bench.metrics`; runs in RecTools' own environment (see `bench.peers.environments`).

Reads lists.npy and truth.npy of a folder, writes answer.json there and prints it: the shortest time [s] and the mean of
each metric. Without a folder it evaluates three example lists.
"""

import json
from importlib import import_module  # the library is not installed where this file is linted
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import click

from bench.options import benchmark, require
from bench.peers.environments import installation

KS = (1, 5, 10, 20, 50, 100)
ROUNDS = 2


@benchmark(headline=r'"ndcg@1": (\d\.\d+)')
@click.argument("folder", type=click.Path(path_type=Path, exists=True), required=False)
def main(folder: Path | None) -> None:
    """Compute all metrics in one call of RecTools, which then merges lists and truth only once."""
    require("rectools", installation("rectools"))
    with TemporaryDirectory() as temporary:
        answer = json.dumps(evaluate(folder or write_example(Path(temporary))))
        ((folder or Path(temporary)) / "answer.json").write_text(answer)
    print(answer)


def evaluate(folder: Path) -> dict[str, Any]:
    """Return the shortest time [s] and the mean of each metric for the lists of a folder."""
    numpy, pandas, rectools = (import_module(name) for name in ("numpy", "pandas", "rectools.metrics"))
    lists = pandas.DataFrame(
        numpy.load(folder / "lists.npy", allow_pickle=False), columns=["user_id", "item_id", "rank"]
    )
    truth = pandas.DataFrame(numpy.load(folder / "truth.npy", allow_pickle=False), columns=["user_id", "item_id"])
    metrics: dict[str, Any] = {}
    for k in KS:
        metrics |= {
            f"ndcg@{k}": rectools.NDCG(k=k, divide_by_achievable=True),
            f"recall@{k}": rectools.Recall(k=k),
            f"precision@{k}": rectools.Precision(k=k),
            f"hit_rate@{k}": rectools.HitRate(k=k),
            f"reciprocal_rank@{k}": rectools.MRR(k=k),
            f"average_precision@{k}": rectools.MAP(k=k),
        }
    seconds = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        means = rectools.calc_metrics(metrics, lists, truth)
        seconds = min(seconds, perf_counter() - start)
    return {"seconds": seconds, "means": {name: float(mean) for name, mean in means.items()}}


def write_example(folder: Path) -> Path:
    """Write three lists of a hundred tracks, in each of which only the first is relevant; return the folder."""
    numpy = import_module("numpy")
    lists = [(user, item, item + 1) for user in range(3) for item in range(100)]
    numpy.save(folder / "lists.npy", numpy.array(lists))
    numpy.save(folder / "truth.npy", numpy.array([(user, 0) for user in range(3)]))
    return folder


if __name__ == "__main__":
    main()
