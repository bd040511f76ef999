"""
RecTools' side of bench/metrics.py, run by the Python of its own environment: python metrics_rectools.py FOLDER.

Reads lists.npy and truth.npy of the folder, writes answer.json: the shortest time [s] and each metric's mean.
"""

import json
import sys
from importlib import import_module  # no library is installed where this file is linted
from pathlib import Path
from time import perf_counter
from typing import Any

KS = (1, 5, 10, 20, 50, 100)
ROUNDS = 2


def main(folder: Path) -> None:
    """Let RecTools share its one merge between all metrics and every k, as it does best."""
    numpy, pandas, rectools = (import_module(name) for name in ("numpy", "pandas", "rectools.metrics"))
    lists = pandas.DataFrame(numpy.load(folder / "lists.npy"), columns=["user_id", "item_id", "rank"])
    truth = pandas.DataFrame(numpy.load(folder / "truth.npy"), columns=["user_id", "item_id"])
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
    answer = {"seconds": seconds, "means": {name: float(mean) for name, mean in means.items()}}
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
