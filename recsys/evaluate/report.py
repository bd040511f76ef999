"""
One table of all metrics for all recommenders, on the same listeners and the same cut through time.

A metric is a function `name_at_k(judged, k)` or `name_at_k(exposed, k)` in a file of this folder: it is found by its
arguments, so that adding one takes no second place. Called by the nightly run and by comparisons.
"""

from collections.abc import Callable, Mapping
from inspect import isfunction, signature
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from recsys.arrays import F64, I64, Rows
from recsys.columns import METRICS, schema
from recsys.dataset.splits import Split
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.ranking import EvaluatedLists, judge
from recsys.evaluate.significance import Interval, mean_intervals
from recsys.evaluate.training_profile import TrainingProfile
from recsys.installation.plugins import plugin, plugin_names

PACKAGE = "recsys.evaluate"
SEED = 7

Columns: TypeAlias = dict[tuple[str, str], F64]  # one value a listener, by recommender and metric


def report(rankings: Mapping[str, pl.DataFrame], split: Split, *, k: int) -> pl.DataFrame:
    """
    Judge each recommender's ranking of the split's judged listeners.

    Args:
        rankings: By recommender: user_id, track_id, rank for every listener of `judged_users`.
        split: What was to be found.
        k: Places that count.

    Returns:
        recommender, metric, k, value, low, high, n_users: the mean over listeners with its 95 % bootstrap interval; low
        and high are null for a metric of all lists together, and value is null where no listener is evidence.
    """
    measured = {name: measure(exposed, k) for name, exposed in align_to_truth(rankings, split, k=k).items()}
    intervals = intervals_of(per_listener(measured))
    n_judged = len(judged_users(split))
    rows = [
        (recommender, metric, k, *intervals.get((recommender, metric), (value, None, None, n_judged)))
        for recommender, values in measured.items()
        for metric, value in values.items()
    ]
    return pl.DataFrame(rows, schema(METRICS), orient="row").fill_nan(None)


def align_to_truth(rankings: Mapping[str, pl.DataFrame], split: Split, *, k: int) -> dict[str, RankedLists]:
    """Lay each ranking of the judged listeners against the truth and the past, which is looked up once for all."""
    past = TrainingProfile.of(split.train, judged_users(split))
    ranked = {name: _ranked_rows(ranking, split, k) for name, ranking in rankings.items()}
    return {name: RankedLists(rows, past, _judged(rows, split)) for name, rows in ranked.items()}


def measure(exposed: RankedLists, k: int) -> dict[str, F64 | float]:
    """All metrics by name: one value a listener, or one number of all lists together."""
    given = {"judged": exposed.judged, "exposed": exposed}
    return {name: metric(given[next(iter(signature(metric).parameters))], k) for name, metric in metrics().items()}


def per_listener(measured: Mapping[str, dict[str, F64 | float]]) -> Columns:
    """Keep the metrics of single listeners, by recommender and metric."""
    return {
        (recommender, metric): value
        for recommender, values in measured.items()
        for metric, value in values.items()
        if not isinstance(value, float)
    }


def intervals_of(columns: Columns) -> dict[tuple[str, str], Interval]:
    """Mean and interval of each column, all of them on the same draws of the same listeners."""
    if not columns:
        return {}
    return dict(zip(columns, mean_intervals(np.stack(list(columns.values()), axis=1), seed=SEED), strict=True))


def judged_users(split: Split) -> Rows:
    """Rows of the training listeners who discovered something in the test window: those a metric can speak of."""
    return np.flatnonzero(np.diff(split.test.indptr)).astype(np.int64)


def values_per_user(
    ranking: pl.DataFrame, split: Split, metric: Callable[[EvaluatedLists, int], F64], *, k: int
) -> F64:
    """One metric of the ranking, one value for each of `judged_users`: what a paired comparison needs."""
    return metric(_judged(_ranked_rows(ranking, split, k), split), k)


def metrics() -> dict[str, Callable[..., Any]]:
    """All metrics of the files in this folder, by name without `_at_k`: k stands beside the value."""
    modules = [plugin(PACKAGE, name) for name in plugin_names(PACKAGE, exclude=["report"])]
    found = [value for module in modules for value in vars(module).values() if _is_metric(value)]
    return {metric.__name__.removesuffix("_at_k"): metric for metric in found}


def _is_metric(value: object) -> bool:
    if not isfunction(value) or not value.__name__.endswith("_at_k"):
        return False
    return list(signature(value).parameters) in (["judged", "k"], ["exposed", "k"])


def _judged(ranked: I64, split: Split) -> EvaluatedLists:
    return judge(ranked, split.test[judged_users(split)])


def _ranked_rows(ranking: pl.DataFrame, split: Split, k: int) -> I64:
    """Return the first k track rows of each judged listener, -1 where the list is shorter."""
    first = ranking.filter(pl.col("rank") <= k)
    place_of = np.full(len(split.train.users), -1)
    place_of[judged_users(split)] = np.arange(len(judged_users(split)))
    place = place_of[split.train.users.rows(first["user_id"])]
    judged = place >= 0
    ranked = np.full((len(judged_users(split)), k), -1)
    at = (place[judged], first["rank"].to_numpy()[judged] - 1)
    ranked[at] = split.train.tracks.rows(first["track_id"])[judged]
    return ranked
