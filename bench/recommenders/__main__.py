"""
Our recommenders beside those of implicit, LightFM, RecTools and LensKit: same splits, tuning budget and evaluation.

Each model gets 30 trials or 10 CPU-minutes per split. It is tuned on validation, refitted with validation included, and
evaluated on test by our own metrics. Each of our models is compared with the best peer *on test*, which no tuning could
know, and with the best peer on validation. Intervals of a ratio are bootstrapped over listeners; p-values are those of
a permutation test by listener, corrected for the number of our models (Holm). Listeners/s is wall time: run it on an
idle machine. `cold` is evaluated twice: with the new artists alone as candidates, and with all. Peers' results are
cached, see `bench.peers.running`.
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
from bench.peers.running import LIBRARIES, SideResults, run_peers
from bench.peers.tuning import Budget
from bench.recommenders.splits import SPLITS, written_split
from recsys.arrays import F64
from recsys.evaluate.ranking import evaluate_lists, ndcg_at_k, recall_at_k

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
    """Metrics of one model, one value per evaluated listener."""

    ndcg: F64
    recall: F64


@benchmark(headline=r"recsys +([01]\.\d{4}) \[")
@size_argument("splits", nargs=-1, type=click.Choice([*SPLITS, MADE_UP]), default=list(SPLITS), smallest=[MADE_UP])
@size("--trials", default=30, smallest=1, help="Tuning trials per model.")
@size("--cpu-minutes", default=10.0, smallest=1.0, help="CPU time per model after which no trial starts.")
@click.option("--only", type=click.Choice(["ours", "peers"]), help="Run one side alone.")
@size("--library", "libraries", multiple=True, type=click.Choice(LIBRARIES), default=LIBRARIES, smallest=LIBRARIES[:1])
@click.option("--models", default="", help="Peers' names, comma-separated. [default: all]")
@size(
    "--recommender", "ours", multiple=True, default=(), smallest=("popular", "ease"), help="Our models. [default: all]"
)
def main(
    splits: tuple[str, ...],
    trials: int,
    cpu_minutes: float,
    only: str | None,
    libraries: tuple[str, ...],
    models: str,
    ours: tuple[str, ...],
) -> None:
    """Run the requested sides on each split and print one table per comparison."""
    budget = Budget(trials, cpu_minutes)
    with TemporaryDirectory() as temporary:
        for name in splits:
            folder = made_up(Path(temporary) / MADE_UP) if name == MADE_UP else written_split(name)
            kept = Path(temporary) if name == MADE_UP else BENCH
            for only_candidates in [True, False] if (folder / "candidates.parquet").exists() else [False]:
                sides = []
                out = kept / "results" / f"{name}{'-candidates' * only_candidates}"
                if only != "ours":
                    sides.append(run_peers(folder, out, budget, libraries, models, only_candidates=only_candidates))
                if only != "peers":
                    sides.append(run_ours(folder, out / OURS, budget, ours, only_candidates=only_candidates))
                print_table(folder, sides, only_candidates=only_candidates)


def run_ours(folder: Path, work: Path, budget: Budget, names: tuple[str, ...], *, only_candidates: bool) -> SideResults:
    """Run our recommenders; return their rankings and costs in the form that peers' results have."""
    path = evaluated(folder, budget, names, work, only_candidates=only_candidates)
    rankings = pl.read_parquet(path).rename({"recommender": "model"})
    costs = json.loads(path.with_suffix(".json").read_text())["costs"]
    for cost in costs.values():
        cost["validation_ndcg10"] = cost.get("validation_ndcg", float("nan"))  # a blend is not tuned itself
    return SideResults(rankings, costs, dict.fromkeys(costs, OURS))


def evaluated(folder: Path, budget: Budget, names: tuple[str, ...], work: Path, *, only_candidates: bool) -> Path:
    """Run `recsys evaluate` on a split; return the rankings file, which has the costs as JSON beside it."""
    work.mkdir(parents=True, exist_ok=True)
    out = work / "rankings.parquet"
    own = [option for name in names for option in ("--recommender", name)]
    candidates = ["--candidates", str(folder / "candidates.parquet")] if only_candidates else []
    command = [sys.executable, "-c", "from recsys.cli import main; main()", "evaluate", "--split", str(folder)]
    results = ["--rankings", str(out), "--json", str(out.with_suffix(".json"))]
    subprocess.run([*command, *budget.options(), *own, *candidates, *results], check=True, cwd=ROOT)
    return out


def scores(side: SideResults, task: Task, k: int) -> dict[str, Scores]:
    """Compute the metrics of every model of one side on the same listeners; raises ValueError for an invalid list."""
    relevant = task.relevant[task.judged]
    by_model = {}
    for (model,), ranking in side.rankings.group_by(["model"], maintain_order=True):
        ranked = ranked_rows(ranking, task, K_LISTS)
        check(ranked, task, task.judged)
        evaluated_lists = evaluate_lists(ranked, relevant)
        by_model[str(model)] = Scores(ndcg_at_k(evaluated_lists, k), recall_at_k(evaluated_lists, K_RECALL))
    return by_model


def compared_with(peer: str, ours: dict[str, Scores], theirs: dict[str, Scores]) -> dict[str, dict[str, Any]]:
    """Compare each of our models with one peer, as `compare_paired` does; return its rows by model."""
    from recsys.evaluate.significance import compare_paired

    if not ours or not theirs:
        return {}
    values = {model: own.ndcg for model, own in ours.items()} | {peer: theirs[peer].ndcg}
    return {row["recommender"]: row for row in compare_paired(values, peer, seed=SEED).to_dicts()}


def print_table(folder: Path, sides: list[SideResults], *, only_candidates: bool) -> None:
    """Print one line per model, highest nDCG on test first, ours with the comparison to the best peers."""
    _, task = read_split(folder, only_candidates=only_candidates)
    k = K_COLD if folder.name == "cold" else K
    by_model = {model: score for side in sides for model, score in scores(side, task, k).items()}
    library = {model: name for side in sides for model, name in side.library.items()}
    costs = {model: cost for side in sides for model, cost in side.costs.items()}
    ours = {model: score for model, score in by_model.items() if library[model] == OURS}
    theirs = {model: score for model, score in by_model.items() if library[model] != OURS}
    on_test = max(theirs, key=lambda model: theirs[model].ndcg.mean(), default="-")
    on_validation = max(theirs, key=lambda model: float(costs[model]["validation_ndcg10"]), default="-")
    to_test, to_validation = compared_with(on_test, ours, theirs), compared_with(on_validation, ours, theirs)
    items = f"{task.allowed.sum():,} {'new ' if only_candidates else ''}items"
    print(f"\n{folder.name}: {len(task.judged):,} listeners, {items}, {len(task.pairs):,} training pairs")
    print(f"best peer on test: {on_test}; on validation: {on_validation}")
    print(HEADER.format(ndcg=f"nDCG@{k}"))
    for model, score in sorted(by_model.items(), key=lambda item: -item[1].ndcg.mean()):
        compared = (ratio(to_test.get(model)), p_value(to_test.get(model)), ratio(to_validation.get(model)))
        print(ROW.format(model, library[model], *means(score), *cost_cells(costs[model]), *compared).rstrip())


def means(score: Scores) -> tuple[str, float]:
    """Return the mean nDCG with its interval as text, and the mean recall."""
    from recsys.evaluate.significance import mean_interval

    mean = mean_interval(score.ndcg, seed=SEED)
    return f"{mean.mean:.4f} [{mean.low:.4f}, {mean.high:.4f}]", float(np.nanmean(score.recall))


def cost_cells(cost: dict[str, Any]) -> tuple[float, float, int, float]:
    """Return the costs of a model in the order of the table's columns."""
    return cost["train_cpu_seconds"], cost["listeners_per_second"], cost["n_trials"], cost["validation_ndcg10"]


def ratio(row: dict[str, Any] | None) -> str:
    """Format a ratio and its interval; '' for a peer."""
    return f"{row['ratio']:.3f} [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}]" if row else ""


def p_value(row: dict[str, Any] | None) -> str:
    """Format a corrected p-value; '' for a peer."""
    return f"{row['p_holm']:.2g}" if row else ""


if __name__ == "__main__":
    main()
