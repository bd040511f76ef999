"""
Compare recommenders on the same splits: tune on the validation part, fit on all but the test part, evaluate once.

Called by `recsys evaluate`, `recsys tune` and benchmarks. The blend uses the tuned settings of its members, and learns
its weights on the same validation split. Test data is used in the final evaluation only.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from recsys import files
from recsys.arrays import F64
from recsys.dataset.interactions import Interactions
from recsys.dataset.vocab import Ids, as_ids
from recsys.errors import InputError
from recsys.evaluate.groups import report_by_group
from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import evaluated_users, report, values_per_user
from recsys.evaluate.significance import compare_paired
from recsys.experiments.protocols import Protocol, leave_last_out, temporal
from recsys.experiments.tuning import Budget, TuningResult, TuningTask, tune
from recsys.files import short_hash
from recsys.home import Home
from recsys.lake.store import Lake
from recsys.recipe import Recipe
from recsys.recommenders.base import Recommender
from recsys.recommenders.imported import Imported
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.search_space import needs_met, ranges
from recsys.recommenders.scorer import scorer_class, scorer_names
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.dataset.splits import Split

BLEND = "blend"
N_RANKED = 20  # minimum length of the stored lists

Tell = Callable[[dict[str, Any]], None]  # called with every event, for progress messages
Keep: TypeAlias = "Callable[[Comparison], None]"  # called with what is done so far
Tuned: TypeAlias = tuple[Any, dict[str, Any]]  # a config, and what finding it cost


@dataclass(frozen=True, eq=False)
class Comparison:
    """
    The result of a comparison.

    Attributes:
        protocol: The validation and the test split.
        rankings: Test lists of all evaluated listeners, by recommender: user_id, track_id, rank, score and other
            columns.
        costs: By recommender: tuning_cpu_seconds, n_trials, validation_ndcg (not for the blend), train_cpu_seconds,
            listeners_per_second and settings.
        k: Number of list positions that metrics count.
        seed: Seed of the bootstrap.
    """

    protocol: Protocol
    rankings: dict[str, pl.DataFrame]
    costs: dict[str, dict[str, Any]]
    k: int
    seed: int

    def metrics(self) -> pl.DataFrame:
        """Return every metric with its confidence interval (see `evaluate.report.report`)."""
        return report(self.rankings, self.protocol.test, k=self.k)

    def groups(self) -> pl.DataFrame:
        """Return the metrics by group of listeners and of tracks (see `evaluate.groups.report_by_group`)."""
        return report_by_group(self.rankings, self.protocol.test, k=self.k)

    def compare_with(self, baseline: str) -> pl.DataFrame:
        """Compare the nDCG of all other recommenders with a baseline's (see `evaluate.significance.compare_paired`)."""
        return compare_paired(self._ndcg, baseline, seed=self.seed)

    def best(self) -> str:
        """Return the name of the recommender with the highest mean nDCG."""
        return max(self._ndcg, key=lambda name: float(self._ndcg[name].mean()))

    @cached_property
    def _ndcg(self) -> dict[str, F64]:
        split, k = self.protocol.test, self.k
        return {name: values_per_user(lists, split, ndcg_at_k, k=k) for name, lists in self.rankings.items()}

    def data(self) -> dict[str, Any]:
        """
        Return what was read, as plain values.

        They are the order that models could use ('none' if all plays of every listener are of the same time), whether
        validation was carved, what of the test is unknown to models or known to listeners, how many tracks and
        listeners have features, and the warnings.
        """
        protocol, split = self.protocol, self.protocol.test
        has_features = {"tracks": split.train.track_features, "listeners": split.train.user_features}
        return {
            "order": protocol.order if "order" in needs_met(split.train) else "none",
            "validation_is_carved": protocol.is_carved,
            "n_cold_listeners": split.n_cold_users,
            "n_cold_tracks": split.n_cold_tracks,
            "n_repeats": split.n_repeat_plays,
            **{f"n_{name}_with_features": found.n_described() for name, found in has_features.items()},
            "warnings": list(protocol.warnings),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return everything except the rankings as plain values, ready for JSON."""
        return {
            "protocol": self.protocol.name,
            "exclude_seen": self.protocol.exclude_seen,
            "k": self.k,
            "n_listeners": len(evaluated_users(self.protocol.test)),
            **self.data(),
            "metrics": self.metrics().to_dicts(),
            "groups": self.groups().to_dicts(),
            "paired_ndcg": self.compare_with(self.best()).to_dicts(),
            "costs": self.costs,
        }

    def write(self, *, json: Path | None, rankings: Path | None) -> None:
        """Write `as_dict` to a JSON file and all rankings to a Parquet file; a path of None writes no file."""
        if json is not None:
            files.write_json(json, self.as_dict())
        if rankings is not None:
            columns = pl.col("user_id", "track_id", "rank", "score")
            parts = [lists.select(pl.lit(name).alias("recommender"), columns) for name, lists in self.rankings.items()]
            table = pl.concat(parts).rename({"track_id": "item_id"})
            files.write_atomically(rankings, table.write_parquet)


@dataclass(frozen=True)
class ComparisonSettings:
    """
    Settings of a comparison.

    Attributes:
        budget: Limits of the tuning of each recommender.
        k: Number of list positions that metrics count.
        seed: Seed of tuning and bootstrap.
    """

    budget: Budget
    k: int = 10
    seed: int = 7


def compare(
    protocol: Protocol,
    names: Sequence[str],
    settings: ComparisonSettings,
    *,
    candidates: Ids | None = None,
    tell: Tell = lambda _event: None,
    keep: Keep = lambda _so_far: None,
) -> Comparison:
    """
    Tune and fit each recommender, one after the other, and recommend to the listeners of the test part.

    Args:
        protocol: The validation and the test split.
        names: The recommenders. If the blend is among them, its members are tuned as well.
        settings: Budget, k and seed.
        candidates: Ids of the tracks that may be recommended in the test; None allows the whole catalogue.
        tell: Called with every event, for progress messages.
        keep: Called after each recommender with the comparison of those that are done, so that a crash loses one.

    Raises:
        InputError: No listener can be evaluated, or none of the candidates is in the catalogue.
    """
    for text in protocol.warnings:
        tell({"event": "warning", "text": text})
    filters = _filters(protocol, candidates)
    if not len(evaluated_users(protocol.test)):
        raise InputError(
            "the test split has no held-out tracks of training listeners. Use a longer or later test window"
        )
    search = _Search(protocol, settings, tell)
    rankings: dict[str, pl.DataFrame] = {}
    costs: dict[str, dict[str, Any]] = {}

    def so_far() -> Comparison:
        done = [name for name in names if name in rankings]
        lists = {name: rankings[name] for name in done}
        return Comparison(protocol, lists, {name: costs[name] for name in done}, settings.k, settings.seed)

    for name in sorted(dict.fromkeys(names), key=lambda name: name == BLEND):  # its members may be done before
        config, tuning = search.best(name)
        rankings[name], cost = _ranked(protocol, name, config, filters, max(settings.k, N_RANKED))
        costs[name] = tuning | cost | {"settings": asdict(config)}
        tell({"event": "fitted", "recommender": name, **cost})
        keep(so_far())
    return so_far()


def warehouse_protocol(home: Home, name: str, *, as_of: date, recipe: Recipe) -> Protocol:
    """
    Split the interactions of the published warehouse.

    'temporal' has the windows of the recipe, and known tracks where its lists have them; 'leave-last-out' holds out new
    tracks, since it knows of no second play.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        if name == "leave-last-out":
            return leave_last_out(Interactions.read(warehouse, until=as_of))
        return temporal(
            warehouse,
            as_of=as_of,
            test_days=recipe.evaluation.test_days,
            gap_days=recipe.evaluation.gap_days,
            new_only=recipe.export.new_only,
        )


def warehouse_task(home: Home, name: str, *, as_of: date, recipe: Recipe) -> TuningTask:
    """Define the tuning of one recommender on the validation window of the published warehouse."""
    split = warehouse_protocol(home, "temporal", as_of=as_of, recipe=recipe).validation
    return TuningTask(name, split, Filters.for_split(split), recipe.evaluation.k, recipe.evaluation.seed)


def tune_on_warehouse(home: Home, task: TuningTask, budget: Budget, *, tell: Tell) -> TuningResult:
    """Tune with a journal file in models/tuning, so that a repeated call on the same data and window continues it."""
    space = str(ranges(scorer_class(task.name).config_class))  # a journal of other ranges cannot be continued
    split = task.split
    parts = (split.train.as_of, split.hidden.nnz, task.k, task.seed, space)
    window = short_hash(Lake(home).fingerprint(), *map(str, parts))
    return tune(task, budget, journal=home.path / "models" / "tuning" / f"{task.name}-{window}.journal", tell=tell)


def read_item_ids(path: Path) -> pl.Series:
    """
    Read the ids of the items that may be recommended from a Parquet file.

    Raises:
        InputError: The file does not exist, is not Parquet, or has no column item_id.
    """
    try:
        return pl.read_parquet(path, columns=["item_id"])["item_id"].cast(pl.String)
    except (FileNotFoundError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: expected a Parquet file with a column item_id: {error}") from error


def default_recommenders() -> list[str]:
    """Return the names of all recommenders that are fitted here, the blend first; lists from elsewhere are not."""
    return [BLEND, *(name for name in scorer_names() if name not in {BLEND, Imported.name})]


@dataclass(frozen=True, eq=False)
class _Search:
    """The search for the best settings of recommenders; each is searched once, also if it is a member of the blend."""

    protocol: Protocol
    settings: ComparisonSettings
    tell: Tell
    found: dict[str, Tuned] = field(default_factory=dict)

    def best(self, name: str) -> Tuned:
        """Return the best config of a recommender, and what finding it cost."""
        if name not in self.found:
            self.found[name] = self._blend() if name == BLEND else self._single(name)
        return self.found[name]

    def _blend(self) -> Tuned:
        config_class = scorer_class(BLEND).config_class
        members = {name: self.best(name) for name in config_class().models}
        config = config_class(models={name: asdict(config) for name, (config, _) in members.items()})
        seconds = sum(cost["tuning_cpu_seconds"] for _, cost in members.values())
        return config, {"tuning_cpu_seconds": seconds, "n_trials": 0}

    def _single(self, name: str) -> Tuned:
        started, split, settings = time.process_time(), self.protocol.validation, self.settings
        task = TuningTask(name, split, Filters.for_split(split), settings.k, settings.seed)
        best = tune(task, settings.budget, tell=self.tell)
        cost = {"tuning_cpu_seconds": time.process_time() - started, "n_trials": best.n_trials}
        return best.config, cost | {"validation_ndcg": best.validation_ndcg}


def _filters(protocol: Protocol, candidates: Ids | None) -> Filters:
    filters = Filters.for_split(protocol.test)
    if candidates is None:
        return filters
    known = as_ids(candidates).is_in(protocol.test.train.tracks.ids().implode())
    if not known.any():
        raise InputError(
            f"candidates: none of {len(known):,} item ids is in the catalogue, so that every list would be empty; "
            "expected ids as the split spells them. Correct the file"
        )
    return filters.restricted_to(candidates)


def _ranked(
    protocol: Protocol, name: str, config: Any, filters: Filters, k: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    split: Split = protocol.test
    model = Recommender.named(name, config)
    started = time.process_time()
    model.fit(split.train, validation=protocol.validation)
    trained = time.process_time() - started
    ids = split.train.users.ids(evaluated_users(split))
    started = time.perf_counter()
    ranking = model.recommend(ids, k, filters=filters)
    seconds = time.perf_counter() - started
    return ranking, {"train_cpu_seconds": trained, "listeners_per_second": len(ids) / seconds}
