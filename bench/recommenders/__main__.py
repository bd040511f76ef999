"""
Our recommenders against every peer of implicit, LightFM, RecTools and LensKit: same split, same budget, one judge.

Each model gets 30 trials or 10 CPU-minutes a split, tuned on validation, fitted again with it and judged on test by our
own kernel. A ratio is to the best peer *on test*, which no tuner could know, and besides to the best on validation; its
interval draws listeners again, its p-value is Wilcoxon's, corrected for as many models as we have (Holm). Listeners/s
count the wall's seconds: run it alone. `cold` is asked twice: among the new artists alone, and among all. Peers'
results are kept: see `bench.peers.running`.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import polars as pl

from bench.options import benchmark, size, size_argument
from bench.peers.common import Task, check, made_up, ranked_rows
from bench.peers.common import read as read_split
from bench.peers.environments import BENCH, ROOT
from bench.peers.running import LIBRARIES, Found, run_peers
from bench.peers.tuning import Budget
from bench.recommenders.splits import SPLITS, written
from recsys.arrays import F64
from recsys.evaluate.ranking import judge, ndcg_at_k, recall_at_k

SEED, K, K_COLD, K_RECALL, K_LISTS = 7, 10, 20, 10, 20
OURS = "recsys"
MADE_UP = "made-up"
HEADER = (
    f"{'model':30} {'library':9} {{ndcg:>24}} {'recall@10':>9} {'train CPU-s':>11} {'listeners/s':>11} {'trials':>6} "
    f"{'valid. nDCG':>11} {'ratio to best on test':>22} {'p (Holm)':>9} {'to best on valid.':>22}"
)
ROW = "{:30} {:9} {:>24} {:9.4f} {:11.2f} {:11,.0f} {:6} {:11.4f} {:>22} {:>9} {:>22}"


@dataclass(frozen=True, eq=False)
class Scores:
    """What the judge says of one model, one value a judged listener."""

    ndcg: F64
    recall: F64


@benchmark(headline=r"recsys +([01]\.\d{4}) \[")
@size_argument("splits", nargs=-1, type=click.Choice([*SPLITS, MADE_UP]), default=list(SPLITS), smallest=[MADE_UP])
@size("--trials", default=30, smallest=1, help="Settings tried per model.")
@size("--cpu-minutes", default=10.0, smallest=1.0, help="No trial of a model begins after so much work.")
@click.option("--only", type=click.Choice(["ours", "peers"]), help="One side alone.")
@size("--library", "libraries", multiple=True, type=click.Choice(LIBRARIES), default=LIBRARIES, smallest=LIBRARIES[:1])
@click.option("--models", default="", help="Peers, by name, separated by commas. [default: all]")
@size("--recommender", "ours", multiple=True, default=(), smallest=("popular", "ease"), help="Of ours. [default: all]")
def main(
    splits: tuple[str, ...],
    trials: int,
    cpu_minutes: float,
    only: str | None,
    libraries: tuple[str, ...],
    models: str,
    ours: tuple[str, ...],
) -> None:
    """Run what is asked for and print one table a comparison."""
    budget = Budget(trials, cpu_minutes)
    with TemporaryDirectory() as made:
        for name in splits:
            folder = made_up(Path(made) / MADE_UP) if name == MADE_UP else written(name)
            for only_candidates in [True, False] if (folder / "candidates.parquet").exists() else [False]:
                found = []
                out = (
                    (Path(made) if name == MADE_UP else BENCH) / "results" / f"{name}{'-candidates' * only_candidates}"
                )
                if only != "ours":
                    found.append(run_peers(folder, out, budget, libraries, models, only_candidates=only_candidates))
                if only != "peers":
                    found.append(run_ours(folder, out / OURS, budget, ours, only_candidates=only_candidates))
                print_table(folder, found, only_candidates=only_candidates)


def run_ours(folder: Path, work: Path, budget: Budget, names: tuple[str, ...], *, only_candidates: bool) -> Found:
    """Run our recommenders and read their lists and costs in the peers' terms."""
    path = evaluated(folder, budget, names, work, only_candidates=only_candidates)
    rankings = pl.read_parquet(path).rename({"recommender": "model"})
    costs = json.loads(path.with_suffix(".json").read_text())["costs"]
    for cost in costs.values():
        cost["validation_ndcg10"] = cost.get("validation_ndcg", float("nan"))  # a blend is not tuned itself
    return Found(rankings, costs, dict.fromkeys(costs, OURS))


def evaluated(folder: Path, budget: Budget, names: tuple[str, ...], work: Path, *, only_candidates: bool) -> Path:
    """Evaluate our recommenders by the command that users have; return the rankings, with a JSON file beside them."""
    work.mkdir(parents=True, exist_ok=True)
    out = work / "rankings.parquet"
    own = [option for name in names for option in ("--recommender", name)]
    candidates = ["--candidates", str(folder / "candidates.parquet")] if only_candidates else []
    command = [sys.executable, "-c", "from recsys.cli import main; main()", "evaluate", "--split", str(folder)]
    results = ["--rankings", str(out), "--json", str(out.with_suffix(".json"))]
    subprocess.run([*command, *budget.options(), *own, *candidates, *results], check=True, cwd=ROOT)
    return out


def scores(found: Found, task: Task, k: int) -> dict[str, Scores]:
    """Judge every model of one side by the same kernel, on the same listeners."""
    relevant = task.relevant[task.judged]
    judged = {}
    for (model,), ranking in found.rankings.group_by(["model"], maintain_order=True):
        ranked = ranked_rows(ranking, task, K_LISTS)
        check(ranked, task, task.judged)
        verdict = judge(ranked, relevant)
        judged[str(model)] = Scores(ndcg_at_k(verdict, k), recall_at_k(verdict, K_RECALL))
    return judged


def against(mine: dict[str, Scores], theirs: dict[str, Scores], peer: str) -> dict[str, dict[str, Any]]:
    """Lay each of our models beside one peer: see `compare_paired`."""
    from recsys.evaluate.significance import compare_paired

    if not mine or not theirs:
        return {}
    values = {model: own.ndcg for model, own in mine.items()} | {peer: theirs[peer].ndcg}
    return {row["recommender"]: row for row in compare_paired(values, peer, seed=SEED).to_dicts()}


def print_table(folder: Path, found: list[Found], *, only_candidates: bool) -> None:
    """Print every model by its nDCG on test, best first, ours beside the best peers."""
    _, task = read_split(folder, only_candidates=only_candidates)
    k = K_COLD if folder.name == "cold" else K
    everybody = {model: score for side in found for model, score in scores(side, task, k).items()}
    library = {model: of for side in found for model, of in side.library.items()}
    costs = {model: cost for side in found for model, cost in side.costs.items()}
    mine = {model: score for model, score in everybody.items() if library[model] == OURS}
    theirs = {model: score for model, score in everybody.items() if library[model] != OURS}
    on_test = max(theirs, key=lambda model: theirs[model].ndcg.mean(), default="-")
    on_validation = max(theirs, key=lambda model: float(costs[model]["validation_ndcg10"]), default="-")
    of_test, of_validation = against(mine, theirs, on_test), against(mine, theirs, on_validation)
    among = f"{task.allowed.sum():,} {'new ' if only_candidates else ''}items"
    print(f"\n{folder.name}: {len(task.judged):,} listeners, {among}, {len(task.pairs):,} pairs to learn from")
    print(f"best peer on test: {on_test}; on validation: {on_validation}")
    print(HEADER.format(ndcg=f"nDCG@{k}"))
    for model, score in sorted(everybody.items(), key=lambda each: -each[1].ndcg.mean()):
        beside = (ratio(of_test.get(model)), p_value(of_test.get(model)), ratio(of_validation.get(model)))
        print(ROW.format(model, library[model], *measured(score), *spent(costs[model]), *beside).rstrip())


def measured(score: Scores) -> tuple[str, float]:
    """Return the mean nDCG with its interval, written, and the mean recall."""
    from recsys.evaluate.significance import mean_interval

    mean = mean_interval(score.ndcg, seed=SEED)
    return f"{mean.mean:.4f} [{mean.low:.4f}, {mean.high:.4f}]", float(np.nanmean(score.recall))


def spent(cost: dict[str, Any]) -> tuple[float, float, int, float]:
    """Return what a model cost, in the order of the table."""
    return cost["train_cpu_seconds"], cost["listeners_per_second"], cost["n_trials"], cost["validation_ndcg10"]


def ratio(row: dict[str, Any] | None) -> str:
    """Write a ratio and its interval; nothing for a peer."""
    return f"{row['ratio']:.3f} [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}]" if row else ""


def p_value(row: dict[str, Any] | None) -> str:
    """Write a corrected p-value; nothing for a peer."""
    return f"{row['p_holm']:.2g}" if row else ""


if __name__ == "__main__":
    main()
