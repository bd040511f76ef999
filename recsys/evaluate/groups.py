"""
The metrics by group of listeners and by group of tracks.

Listeners are grouped by each feature column (gender, age_band, country ...; 'unknown' is a group), and into thirds by
number of liked tracks and by the popularity of these. Tracks are grouped by popularity, and by whether any listener
touched them in training; a group's recall counts only its own relevant tracks. Groups with fewer than `MIN_LISTENERS`
listeners have a row, but their values are suppressed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from recsys.arrays import F64, I64, Bool
from recsys.columns import GROUP_KIND, GROUP_NAME, HIGH, LOW, METRIC, N_USERS, RECOMMENDER, VALUE, K, schema
from recsys.dataset.features import UNKNOWN, Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.ranking import EvaluatedLists, recall_at_k
from recsys.evaluate.report import (
    PerListenerMetrics,
    align_to_truth,
    evaluated_users,
    intervals_of,
    measure,
    per_listener,
)
from recsys.evaluate.training_profile import TrainingProfile

GROUP_METRICS_COLUMNS = (RECOMMENDER, METRIC, GROUP_KIND, GROUP_NAME, K, VALUE, LOW, HIGH, N_USERS)
MIN_LISTENERS = 10  # smaller groups say too little, and single listeners could be identified
THIRDS = ("low", "middle", "high")
POPULARITY_CUTS = {
    "head": 0.0,
    "middle": 0.2,
    "tail": 0.8,
}  # share of training pairs where each begins, popular tracks first


class Group(NamedTuple):
    """A group of evaluated listeners or of tracks; `members` has the shape (n_users,) or (n_tracks,), bool."""

    kind: str
    name: str
    members: Bool


def report_by_group(rankings: Mapping[str, pl.DataFrame], split: Split, *, k: int) -> pl.DataFrame:
    """
    Evaluate each recommender's lists by group of listeners and by group of tracks.

    Args:
        rankings: Lists by recommender: user_id, track_id, rank for every listener of `evaluated_users`.
        split: The held-out tracks.
        k: List positions that count.

    Returns:
        Rows of recommender, metric, group_kind, group_name, k, value, low, high, n_users: the mean over the group's
        listeners with its 95 % bootstrap interval. All three are null where fewer than `MIN_LISTENERS` listeners have a
        value.
    """
    users = evaluated_users(split)
    aligned, profile = align_to_truth(rankings, split, k=k), TrainingProfile.of(split.train, users)
    everybody = per_listener({name: measure(lists, k) for name, lists in aligned.items()})
    listeners = Features(split.train.user_features.matrix[users], split.train.user_features.names)
    rows: list[tuple[Any, ...]] = []
    for group in listener_groups(listeners, profile):
        rows += _rows(group, {key: values[group.members] for key, values in everybody.items()}, k)
    for group in track_groups(split.train):
        n_relevant = (split.test[users] @ group.members.astype(np.int64)).astype(np.int64)
        recall = {(name, "recall"): _recall(lists, group, n_relevant, k) for name, lists in aligned.items()}
        rows += _rows(group, recall, k)
    return pl.DataFrame(rows, schema(GROUP_METRICS_COLUMNS), orient="row")


def listener_groups(features: Features, profile: TrainingProfile) -> Iterator[Group]:
    """
    Yield the groups of the evaluated listeners, kind by kind.

    A feature column gives one group per value. 'activity' gives thirds by number of liked tracks. 'mainstream' gives
    thirds by the mean popularity of these, and 'unknown' without any. Listeners with equal values share a third.

    Args:
        features: Features of the evaluated listeners.
        profile: Training statistics of the same listeners, in the same order.
    """
    for column, name in enumerate(features.names.ids()):
        kind, _, value = name.partition("=")
        yield Group(kind, value, features.matrix[:, [column]].toarray().ravel() > 0)
    yield from _thirds("activity", np.diff(profile.liked.indptr).astype(np.float64))
    yield from _thirds("mainstream", profile.liked_popularity)


def track_groups(train: Interactions) -> Iterator[Group]:
    """
    Yield the groups of the catalogue's tracks.

    'popularity': 'head' are the most popular tracks, with the first 20 % of all training pairs of listener and track;
    'tail' are the least popular, with the last 20 % or none; 'middle' are the others. 'novelty': 'old' if any listener
    touched the track in training, otherwise 'new'.

    Source: Abdollahpouri et al., User-centered Evaluation of Popularity Bias in Recommender Systems (2021).
    """
    listeners = np.bincount(train.matrix.indices, minlength=len(train.tracks))
    by_popularity = np.argsort(-listeners, kind="stable")
    taken = np.empty(len(listeners))
    taken[by_popularity] = (np.cumsum(listeners[by_popularity]) - listeners[by_popularity]) / max(1, listeners.sum())
    tier = np.searchsorted(list(POPULARITY_CUTS.values()), taken, side="right") - 1
    yield from (Group("popularity", name, tier == number) for number, name in enumerate(POPULARITY_CUTS))
    touched = np.bincount(train.seen.indices, minlength=len(train.tracks)) > 0
    yield from (Group("novelty", "old", touched), Group("novelty", "new", ~touched))


def _thirds(kind: str, values: F64) -> Iterator[Group]:
    known = ~np.isnan(values)
    edges = np.quantile(values[known], [1 / 3, 2 / 3]) if known.any() else np.zeros(2)
    third = np.searchsorted(edges, values)
    yield from (Group(kind, name, known & (third == number)) for number, name in enumerate(THIRDS))
    if not known.all():
        yield Group(kind, UNKNOWN, ~known)


def _recall(lists: RankedLists, group: Group, n_relevant: I64, k: int) -> F64:
    """Return the recall of the group's relevant tracks; NaN for a listener without any."""
    hits = lists.evaluated.hits & group.members[np.maximum(lists.ranked, 0)]
    return recall_at_k(EvaluatedLists(hits, n_relevant), k)


def _rows(group: Group, columns: PerListenerMetrics, k: int) -> Iterator[tuple[Any, ...]]:
    """Yield a row of GROUP_METRICS_COLUMNS for each column of values."""
    for (recommender, metric), interval in intervals_of(columns).items():
        shown = interval[:3] if interval.n_users >= MIN_LISTENERS else (None, None, None)
        yield recommender, metric, group.kind, group.name, k, *shown, interval.n_users
