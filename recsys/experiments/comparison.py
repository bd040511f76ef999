"""
Every recommender on the same cut: settings chosen on validation, fitted to all but the test, judged once on the test.

Called by `recsys evaluate --split` and by benchmarks. The blend takes its members with the settings found for them and
learns on the same validation cut; nothing but the last step sees a test pair.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recsys import files
from recsys.arrays import F64
from recsys.dataset.interactions import Interactions
from recsys.dataset.vocab import Ids
from recsys.errors import InputError
from recsys.evaluate.groups import report_by_group
from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import evaluated_users, report, values_per_user
from recsys.evaluate.significance import compare_paired
from recsys.experiments.protocols import Protocol, leave_last_out, temporal
from recsys.experiments.tuning import Budget, Task, Tuned, tune
from recsys.files import short_hash
from recsys.home import Home
from recsys.lake.store import Lake
from recsys.recipe import Recipe
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.scorer import scorer_class, scorer_names
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.dataset.splits import Split

BLEND = "blend"
N_RANKED = 20  # places kept, at least

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Comparison:
    """
    What came out.

    Attributes:
        protocol: On which cuts.
        rankings: Of each recommender, for every judged listener: user_id, track_id, rank, score ...
        costs: Of each: tuning_cpu_seconds, n_trials, validation_ndcg (of tuned ones), train_cpu_seconds,
            listeners_per_second, settings.
        k: Places that count.
        seed: Of the bootstrap.
    """

    protocol: Protocol
    rankings: dict[str, pl.DataFrame]
    costs: dict[str, dict[str, Any]]
    k: int
    seed: int

    def metrics(self) -> pl.DataFrame:
        """Every metric with its interval (see `evaluate.report`)."""
        return report(self.rankings, self.protocol.test, k=self.k)

    def groups(self) -> pl.DataFrame:
        """Metrics by group of listeners and of tracks (see `evaluate.groups`)."""
        return report_by_group(self.rankings, self.protocol.test, k=self.k)

    def against(self, baseline: str) -> pl.DataFrame:
        """Return nDCG of every other recommender against one, listener by listener, corrected after Holm."""
        return compare_paired(self._ndcg, baseline, seed=self.seed)

    def best(self) -> str:
        """Name the recommender of the highest mean nDCG."""
        return max(self._ndcg, key=lambda name: float(self._ndcg[name].mean()))

    @cached_property
    def _ndcg(self) -> dict[str, F64]:
        cut, k = self.protocol.test, self.k
        return {name: values_per_user(each, cut, ndcg_at_k, k=k) for name, each in self.rankings.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the rankings as plain values."""
        cut = self.protocol.test
        return {
            "protocol": self.protocol.name,
            "exclude_seen": self.protocol.exclude_seen,
            "k": self.k,
            "n_listeners": len(evaluated_users(cut)),
            "n_cold_listeners": cut.n_cold_users,
            "n_cold_tracks": cut.n_cold_tracks,
            "n_repeats": cut.n_repeats,
            "metrics": self.metrics().to_dicts(),
            "groups": self.groups().to_dicts(),
            "paired_ndcg": self.against(self.best()).to_dicts(),
            "costs": self.costs,
        }

    def write(self, *, json: Path | None, rankings: Path | None) -> None:
        """Write `as_dict` as JSON and all rankings as one Parquet file, each where a path is given."""
        if json is not None:
            files.write_json(json, self.as_dict())
        if rankings is not None:
            wanted = pl.col("user_id", "track_id", "rank", "score")
            parts = [each.select(pl.lit(name).alias("recommender"), wanted) for name, each in self.rankings.items()]
            table = pl.concat(parts).rename({"track_id": "item_id"})
            files.write_whole(rankings, table.write_parquet)


@dataclass(frozen=True)
class Terms:
    """On what terms recommenders are compared: budget of each search, places that count, seed."""

    budget: Budget
    k: int = 10
    seed: int = 7


def compare(
    protocol: Protocol,
    names: Sequence[str],
    terms: Terms,
    *,
    candidates: Ids | None = None,
    tell: Tell = lambda _event: None,
) -> Comparison:
    """
    Tune, fit and rank each recommender.

    Args:
        protocol: The cuts.
        names: Recommenders; the blend's members are tuned for it also where they are not asked for.
        terms: Budget, k, seed.
        candidates: Tracks that may be recommended in the test; all of them by default.
        tell: Called with every event.
    """
    members = scorer_class(BLEND).config_class().models if BLEND in names else {}
    configs: dict[str, Any] = {}
    costs: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys([*names, *members]):
        if name != BLEND:
            configs[name], costs[name] = _tuned(protocol, name, terms, tell)
    if BLEND in names:
        models = {name: asdict(configs[name]) for name in members}
        configs[BLEND] = scorer_class(BLEND).config_class(models=models)
        costs[BLEND] = {"tuning_cpu_seconds": sum(costs[name]["tuning_cpu_seconds"] for name in members), "n_trials": 0}
    filters = _filters(protocol, candidates)
    rankings = {}
    for name in names:
        rankings[name], cost = _ranked(protocol, name, configs[name], filters, max(terms.k, N_RANKED))
        costs[name] |= cost | {"settings": asdict(configs[name])}
        tell({"event": "fitted", "recommender": name, **cost})
    return Comparison(protocol, rankings, {name: costs[name] for name in names}, terms.k, terms.seed)


def protocol_of(home: Home, name: str, *, as_of: date, recipe: Recipe) -> Protocol:
    """Cut the published warehouse by a named protocol: 'temporal' as the recipe's evaluation, or 'leave-last-out'."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        if name == "leave-last-out":
            return leave_last_out(Interactions.read(warehouse, until=as_of))
        days = recipe.evaluation
        return temporal(warehouse, as_of=as_of, test_days=days.test_days, gap_days=days.gap_days)


def task_of(home: Home, name: str, *, as_of: date, recipe: Recipe) -> Task:
    """Ask for the best settings of one recommender on the published warehouse's validation window."""
    cut = protocol_of(home, "temporal", as_of=as_of, recipe=recipe).validation
    return Task(name, cut, Filters.of(cut.train), recipe.evaluation.k, recipe.evaluation.seed)


def search(home: Home, task: Task, budget: Budget, *, tell: Tell) -> Tuned:
    """Tune with every trial kept under models/tuning: the same window of the same lake goes on where it stopped."""
    window = short_hash(Lake(home).fingerprint(), str(task.cut.train.as_of), str(task.k), str(task.seed))
    return tune(task, budget, journal=home.path / "models" / "tuning" / f"{task.name}-{window}.journal", tell=tell)


def item_ids(path: Path) -> pl.Series:
    """
    Read the item ids that may be recommended.

    Raises:
        InputError: The file is not there or names none.
    """
    try:
        return pl.read_parquet(path, columns=["item_id"])["item_id"].cast(pl.String)
    except (FileNotFoundError, pl.exceptions.PolarsError) as wrong:
        raise InputError(f"{path} is no Parquet file with a column item_id: {wrong}") from wrong


def default_names() -> list[str]:
    """Return the blend and every single model."""
    return [BLEND, *(name for name in scorer_names() if name != BLEND)]


def _tuned(protocol: Protocol, name: str, terms: Terms, tell: Tell) -> tuple[Any, dict[str, Any]]:
    started = time.process_time()
    cut = protocol.validation
    found = tune(Task(name, cut, protocol.filters(cut), terms.k, terms.seed), terms.budget, tell=tell)
    spent = time.process_time() - started
    return found.config, {
        "tuning_cpu_seconds": spent,
        "n_trials": found.n_trials,
        "validation_ndcg": found.value,
    }


def _filters(protocol: Protocol, candidates: Ids | None) -> Filters:
    filters = protocol.filters(protocol.test)
    return filters if candidates is None else filters.only(candidates)


def _ranked(
    protocol: Protocol, name: str, config: Any, filters: Filters, k: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    cut: Split = protocol.test
    model = Recommender.named(name, config)
    started = time.process_time()
    model.fit(cut.train, validation=protocol.validation)
    trained = time.process_time() - started
    ids = cut.train.users.ids(evaluated_users(cut))
    started = time.perf_counter()
    ranking = model.recommend(ids, k, filters=filters)
    seconds = time.perf_counter() - started
    return ranking, {"train_cpu_seconds": trained, "listeners_per_second": len(ids) / seconds}
