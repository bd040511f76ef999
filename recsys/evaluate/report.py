"""
One table of all metrics for all recommenders, on the same listeners and the same cut through time.

A metric is a public function `(judged, k)` or `(exposed, k)` in a file of this folder: it is found by its arguments, so
that adding one takes no second place. Called by the nightly run and by comparisons.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import isfunction, signature
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import METRICS, schema
from recsys.evaluate.beyond import Exposed
from recsys.evaluate.ranking import F64, Judged, judge
from recsys.evaluate.significance import mean_interval
from recsys.interactions import Split
from recsys.vocab import Rows

SEED = 7


def report(rankings: Mapping[str, pl.DataFrame], split: Split, *, k: int) -> pl.DataFrame:
    """
    Judge each recommender's ranking of the split's judged listeners.

    Args:
        rankings: By recommender: user_id, track_id, rank for every listener of `judged_users`.
        split: What was to be found.
        k: Places that count.

    Returns:
        recommender, metric, k, value, low, high, n_users: the mean over listeners with its 95 % bootstrap interval; low
        and high are null for a metric of all lists together.
    """
    rows = [
        {"recommender": recommender, "k": k, **measured}
        for recommender, ranking in rankings.items()
        for measured in _measured(ranking, split, k)
    ]
    return pl.DataFrame(rows, schema_overrides=schema(METRICS)).select(schema(METRICS).names())


def judged_users(split: Split) -> Rows:
    """Rows of the training listeners who discovered something in the test window: those a metric can speak of."""
    return np.flatnonzero(np.diff(split.test.indptr)).astype(np.int64)


def values_per_user(ranking: pl.DataFrame, split: Split, metric: Callable[[Judged, int], F64], *, k: int) -> F64:
    """One metric of the ranking, one value for each of `judged_users`: what a paired comparison needs."""
    return metric(_judged(_ranked_rows(ranking, split, k), split), k)


def metrics() -> dict[str, Callable[..., Any]]:
    """All metrics of the files in this folder, by name without `_at_k`: k stands beside the value."""
    names = [found.name for found in iter_modules([str(Path(__file__).parent)]) if found.name != "report"]
    modules = [import_module(f"recsys.evaluate.{name}") for name in sorted(names)]
    found = [value for module in modules for value in vars(module).values() if _is_metric(value)]
    return {metric.__name__.removesuffix("_at_k"): metric for metric in found}


def _is_metric(value: object) -> bool:
    if not isfunction(value) or value.__name__.startswith("_"):
        return False
    return list(signature(value).parameters) in (["judged", "k"], ["exposed", "k"])


def _measured(ranking: pl.DataFrame, split: Split, k: int) -> list[dict[str, Any]]:
    ranked = _ranked_rows(ranking, split, k)
    listeners = np.bincount(split.train.matrix.indices, minlength=len(split.train.tracks)).astype(np.int64)
    given = {"judged": _judged(ranked, split), "exposed": Exposed(ranked, listeners, len(split.train.users))}
    return [
        {"metric": name, **_summary(metric(given[next(iter(signature(metric).parameters))], k), len(ranked))}
        for name, metric in metrics().items()
    ]


def _summary(values: F64 | float, n_users: int) -> dict[str, Any]:
    if isinstance(values, float):
        return {"value": values, "low": None, "high": None, "n_users": n_users}
    interval = mean_interval(values, seed=SEED)
    return {"value": interval.mean, "low": interval.low, "high": interval.high, "n_users": interval.n_users}


def _judged(ranked: npt.NDArray[np.int64], split: Split) -> Judged:
    return judge(ranked, split.test[judged_users(split)])


def _ranked_rows(ranking: pl.DataFrame, split: Split, k: int) -> npt.NDArray[np.int64]:
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
