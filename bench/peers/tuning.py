"""
Tuning with the same budget for every peer: N trials or M CPU-minutes, whichever ends first, then one fit and its lists.

Trials are Optuna's (TPE, seeded); the first one uses the library's defaults. No trial starts after the CPU time is
spent, and a started trial runs to its end. CPU time counts all threads of this process. Results are written to
OUT/<model>/rankings.parquet (model, user_id, item_id, rank) and costs.json; a model with results there is skipped.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import click
import numpy as np
import optuna
import polars as pl
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from bench.options import Benchmark, benchmark, size
from bench.peers.common import Rows, Task, check, made_up, ndcg_at_k, ranked_rows, read

SEED, K_TUNED, K_WRITTEN = 7, 10, 20
Params: TypeAlias = Mapping[str, Any]
Recommend: TypeAlias = Callable[[Rows, int], Rows]  # (user rows, k) -> item rows (n_users, k), -1 pads a short list


@dataclass(frozen=True)
class Peer:
    """
    One model of a library.

    Attributes:
        name: 'library model'.
        space: Range of each tuned parameter.
        defaults: The library's default of each tuned parameter, if it has one; the first trial.
        fit: Fits the model to a task and returns its recommend function.
    """

    name: str
    space: Mapping[str, BaseDistribution]
    defaults: Params
    fit: Callable[[Task, Params], Recommend]


@dataclass(frozen=True)
class Tuned:
    """The best parameters, their mean nDCG@10 on validation, and the cost of the search."""

    params: Params
    ndcg: float
    n_trials: int
    cpu_seconds: float


def real(low: float, high: float) -> FloatDistribution:
    """Return the range of a positive parameter, sampled on a logarithmic scale."""
    return FloatDistribution(low, high, log=True)


def share(low: float, high: float) -> FloatDistribution:
    """Return the range of a parameter that is sampled uniformly."""
    return FloatDistribution(low, high)


def whole(low: int, high: int) -> IntDistribution:
    """Return the range of a count, sampled on a logarithmic scale."""
    return IntDistribution(low, high, log=True)


def choice(*values: Any) -> CategoricalDistribution:
    """Return a categorical parameter with these values."""
    return CategoricalDistribution(values)


WEIGHTS = choice("ones", "log", "plain")  # see Task.strengths


def tune(peer: Peer, task: Task, *, n_trials: int, cpu_seconds: float) -> Tuned:
    """
    Find the parameters with the best nDCG@10 on the task.

    Raises:
        RuntimeError: Every trial failed.
    """
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    study.enqueue_trial(dict(peer.defaults))
    started = time.process_time()
    for number in range(n_trials):
        if number and time.process_time() - started >= cpu_seconds:
            break
        trial = study.ask(dict(peer.space))
        value = _value(peer, task, trial.params)
        study.tell(trial, value, state=None if value is not None else optuna.trial.TrialState.FAIL)
        spent = time.process_time() - started
        print(f"  {peer.name} {number + 1}/{n_trials} {spent:.0f} CPU-s nDCG@10 {value} {trial.params}", flush=True)
    done = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
    if not done:
        raise RuntimeError(f"{peer.name}: all {len(study.trials)} trials failed; see the messages above")
    return Tuned(study.best_params, study.best_value, len(study.trials), time.process_time() - started)


def _value(peer: Peer, task: Task, params: Params) -> float | None:
    """Return the mean nDCG@10 of one trial; None where the library fails (for example on an indefinite matrix)."""
    try:
        ranked = peer.fit(task, params)(task.judged, K_TUNED)
    except (ArithmeticError, ValueError, RuntimeError) as failure:
        print(f"  {peer.name} failed with {params}: {failure}", flush=True)
        return None
    check(ranked, task, task.judged)
    return float(ndcg_at_k(ranked, task, K_TUNED).mean())


def final(peer: Peer, task: Task, tuned: Tuned) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Fit once on train and validation; return the lists of the evaluated users, and the costs."""
    started = time.process_time()
    recommend = peer.fit(task, tuned.params)
    fit_seconds, recommend_started = time.process_time() - started, time.perf_counter()
    ranked = recommend(task.judged, K_WRITTEN)
    seconds = time.perf_counter() - recommend_started
    cpu_seconds = time.process_time() - started - fit_seconds
    check(ranked, task, task.judged)
    costs = {
        "train_cpu_seconds": fit_seconds,
        "listeners_per_second": len(task.judged) / seconds,
        "listeners_per_cpu_second": len(task.judged) / cpu_seconds,
        "n_trials": tuned.n_trials,
        "tuning_cpu_seconds": tuned.cpu_seconds,
        "best_params": dict(tuned.params),
        "validation_ndcg10": tuned.ndcg,
    }
    return lists(peer.name, ranked, task), costs


def lists(name: str, ranked: Rows, task: Task) -> pl.DataFrame:
    """Return the lists of the evaluated users in long form: model, user_id, item_id, rank."""
    user, position = np.nonzero(ranked >= 0)
    data = {
        "user_id": task.users.gather(task.judged[user]),
        "item_id": task.items.gather(ranked[user, position]),
        "rank": pl.Series(position + 1),
    }
    return pl.DataFrame(data).select(pl.lit(name).alias("model"), pl.all())


def command(description: str | None, peers: Callable[[Path], Sequence[Peer]]) -> Benchmark:
    """
    Return the command of a library's script.

    Args:
        description: The script's docstring.
        peers: Lists the library's models for a split folder; raises `Missing` if the library is not installed.
    """

    @click.argument("folder", type=click.Path(path_type=Path, exists=True), required=False)
    @click.argument("out", type=click.Path(path_type=Path), required=False)
    @size("--trials", "n_trials", default=30, smallest=1, help="Tuning trials per model.")
    @size("--cpu-minutes", default=10.0, smallest=1.0, help="CPU time per model after which no trial starts.")
    @click.option("--models", default="", help="Names, comma-separated. [default: all]")
    @click.option("--only-candidates", is_flag=True, help="Recommend the candidates of the split alone.")
    def main(
        folder: Path | None, out: Path | None, n_trials: int, cpu_minutes: float, models: str, only_candidates: bool
    ) -> None:
        """Tune and fit each requested model without results in OUT; without FOLDER, on a synthetic split."""
        with TemporaryDirectory() as temporary:
            split = folder or made_up(Path(temporary) / "split")
            run(
                [peer for peer in peers(split) if not models or peer.name in models.split(",")],
                read(split, only_candidates=only_candidates),
                out or Path(temporary) / "out",
                Budget(n_trials, cpu_minutes),
            )

    return benchmark(headline=r"test nDCG@10 ([01]\.\d{4})", description=description)(main)


@dataclass(frozen=True)
class Budget:
    """The tuning budget per model: trials or CPU-minutes, whichever ends first."""

    trials: int
    cpu_minutes: float

    def options(self) -> list[str]:
        """Return the budget as command-line options."""
        return ["--trials", str(self.trials), "--cpu-minutes", str(self.cpu_minutes)]


def run(peers: Sequence[Peer], tasks: tuple[Task, Task], out: Path, budget: Budget) -> None:
    """Tune and fit each model and write its results; skip models with results in `out`."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    to_tune, to_judge = tasks
    for peer in peers:
        results = out / peer.name.replace(" ", "-")
        if (results / "costs.json").exists():
            continue
        print(f"{peer.name}: {len(to_judge.judged):,} listeners", flush=True)
        tuned = tune(peer, to_tune, n_trials=budget.trials, cpu_seconds=60 * budget.cpu_minutes)
        ranking, costs = final(peer, to_judge, tuned)
        results.mkdir(parents=True, exist_ok=True)
        ranking.write_parquet(results / "rankings.parquet")
        (results / "costs.json").write_text(json.dumps({peer.name: costs}, indent=2) + "\n")
        ndcg = ndcg_at_k(ranked_rows(ranking, to_judge, K_TUNED), to_judge, K_TUNED).mean()
        print(f"{peer.name}: test nDCG@10 {ndcg:.4f}, validation {tuned.ndcg:.4f}", flush=True)
