"""
The table of all metrics of all recommenders, on the same listeners and the same train-test split.

A metric is a function `<name>_at_k(evaluated, k)` or `<name>_at_k(lists, k)` in a file of this folder. It is found by
its name and parameters, so a new metric needs no registration. Used by the nightly run and by comparisons.
"""

from collections.abc import Callable, Mapping
from inspect import isfunction, signature
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from recsys.arrays import F64, I64, Rows
from recsys.columns import HIGH, LOW, METRIC, N_USERS, RECOMMENDER, VALUE, K, schema
from recsys.dataset.splits import Split
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.ranking import EvaluatedLists, evaluate_lists
from recsys.evaluate.significance import Interval, mean_intervals
from recsys.evaluate.training_profile import TrainingProfile
from recsys.installation.plugins import plugin, plugin_names

RUN_METRICS_COLUMNS = (RECOMMENDER, METRIC, K, VALUE, LOW, HIGH, N_USERS)
PACKAGE = "recsys.evaluate"
SEED = 7  # seed of the bootstrap

PerListenerMetrics: TypeAlias = dict[tuple[str, str], F64]  # (recommender, metric) -> one value per listener


def report(rankings: Mapping[str, pl.DataFrame], split: Split, *, k: int) -> pl.DataFrame:
    """
    Compute every metric of each recommender's lists for the evaluated listeners.

    Args:
        rankings: Lists by recommender: user_id, track_id, rank for every listener of `evaluated_users`.
        split: The held-out tracks.
        k: Number of list positions that are evaluated.

    Returns:
        recommender, metric, k, value (mean over listeners), low and high (95 % bootstrap interval), n_users. low and
        high are null for metrics that are computed from all lists together; value is null if no listener has a value.
    """
    measured = {name: measure(lists, k) for name, lists in align_to_truth(rankings, split, k=k).items()}
    intervals = intervals_of(per_listener(measured))
    n_evaluated = len(evaluated_users(split))
    rows = [
        (recommender, metric, k, *intervals.get((recommender, metric), (value, None, None, n_evaluated)))
        for recommender, values in measured.items()
        for metric, value in values.items()
    ]
    return pl.DataFrame(rows, schema(RUN_METRICS_COLUMNS), orient="row").fill_nan(None)


def align_to_truth(rankings: Mapping[str, pl.DataFrame], split: Split, *, k: int) -> dict[str, RankedLists]:
    """Return the lists of each recommender, one row per evaluated listener, with hits and training statistics."""
    users = evaluated_users(split)
    profile, hidden = TrainingProfile.of(split.train, users), split.hidden[users]
    ranked = {name: _ranked_rows(ranking, split, k) for name, ranking in rankings.items()}
    return {name: RankedLists(rows, profile, _evaluated(rows, split), hidden) for name, rows in ranked.items()}


def measure(lists: RankedLists, k: int) -> dict[str, F64 | float]:
    """Compute all metrics. Return them by name: one value per listener, or one number for all lists together."""
    inputs = {"evaluated": lists.evaluated, "lists": lists}
    return {name: metric(inputs[next(iter(signature(metric).parameters))], k) for name, metric in metrics().items()}


def per_listener(measured: Mapping[str, dict[str, F64 | float]]) -> PerListenerMetrics:
    """Select the metrics that have one value per listener, by recommender and metric."""
    return {
        (recommender, metric): value
        for recommender, values in measured.items()
        for metric, value in values.items()
        if not isinstance(value, float)
    }


def intervals_of(columns: PerListenerMetrics) -> dict[tuple[str, str], Interval]:
    """Return the mean and bootstrap interval of each column; all columns have the same listeners and samples."""
    if not columns:
        return {}
    return dict(zip(columns, mean_intervals(np.stack(list(columns.values()), axis=1), seed=SEED), strict=True))


def evaluated_users(split: Split) -> Rows:
    """Return the rows of the evaluated listeners: training listeners with at least one held-out track."""
    return np.flatnonzero(np.diff(split.test.indptr)).astype(np.int64)


def values_per_user(
    ranking: pl.DataFrame, split: Split, metric: Callable[[EvaluatedLists, int], F64], *, k: int
) -> F64:
    """Compute one metric of a ranking: one value per listener of `evaluated_users`, for paired comparisons."""
    return metric(_evaluated(_ranked_rows(ranking, split, k), split), k)


def metrics() -> dict[str, Callable[..., Any]]:
    """Return all metric functions in this folder, by name without `_at_k`."""
    modules = [plugin(PACKAGE, name) for name in plugin_names(PACKAGE, exclude=["report"])]
    functions = [value for module in modules for value in vars(module).values() if _is_metric(value)]
    return {function.__name__.removesuffix("_at_k"): function for function in functions}


def _is_metric(value: object) -> bool:
    if not isfunction(value) or not value.__name__.endswith("_at_k"):
        return False
    return list(signature(value).parameters) in (["evaluated", "k"], ["lists", "k"])


def _evaluated(ranked: I64, split: Split) -> EvaluatedLists:
    return evaluate_lists(ranked, split.test[evaluated_users(split)])


def _ranked_rows(ranking: pl.DataFrame, split: Split, k: int) -> I64:
    """Return the first k track rows of each evaluated listener, padded with -1. Shape (n_evaluated, k)."""
    first = ranking.filter(pl.col("rank") <= k)
    users = evaluated_users(split)
    row_of = np.full(len(split.train.users), -1)
    row_of[users] = np.arange(len(users))
    row = row_of[split.train.users.rows(first["user_id"])]
    is_evaluated = row >= 0
    position = first["rank"].to_numpy()[is_evaluated] - 1
    ranked = np.full((len(users), k), -1)
    ranked[row[is_evaluated], position] = split.train.tracks.rows(first["track_id"])[is_evaluated]
    return ranked
