"""
Metrics by group of listeners and by group of tracks.

Listeners are grouped by each feature column (gender, age_band, country ...; 'unknown' is also a group), into thirds by
number of liked tracks, and into thirds by mean popularity of the liked tracks. Tracks are grouped by popularity, and
into old and new tracks. For a group of tracks, recall is computed on the relevant tracks of this group only. Groups
with fewer than `MIN_LISTENERS` listeners have a row, but its values are suppressed (null).
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
MIN_LISTENERS = 10  # in smaller groups, values are too uncertain and could reveal single listeners
POPULARITY = "popularity"  # a kind of group
THIRDS = ("low", "middle", "high")
POPULARITY_CUTS = {
    "head": 0.0,
    "middle": 0.2,
    "tail": 0.8,
}  # share of training pairs, by falling popularity, at which each starts


class Group(NamedTuple):
    """A group of evaluated listeners or of tracks. `members` has shape (n_users,) or (n_tracks,), bool."""

    kind: str
    name: str
    members: Bool


def report_by_group(rankings: Mapping[str, pl.DataFrame], split: Split, *, k: int) -> pl.DataFrame:
    """
    Evaluate each recommender's lists by group of listeners and by group of tracks.

    Args:
        rankings: Lists by recommender: user_id, track_id, rank for every listener of `evaluated_users`.
        split: The held-out tracks.
        k: Number of list positions that are evaluated.

    Returns:
        recommender, metric, group_kind, group_name, k, value (mean over the group's listeners), low and high (95 %
        bootstrap interval), n_users. value, low and high are null if fewer than `MIN_LISTENERS` listeners have a value.
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

    Each feature column is a kind with one group per value. Kind 'activity': thirds by number of liked tracks. Kind
    'mainstream': thirds by mean popularity of the liked tracks, and 'unknown' for listeners without liked tracks.
    Listeners with equal values are in the same third.

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

    Kind 'popularity': with tracks sorted from most to least popular, 'head' has the first 20 % of all training pairs of
    listener and track, 'tail' the last 20 % and all tracks without a pair, 'middle' the rest. Kind 'novelty': 'old' if
    the track has an interaction in training, otherwise 'new'.

    Source: Abdollahpouri et al., User-centered Evaluation of Popularity Bias in Recommender Systems (2021).
    """
    listeners = np.bincount(train.matrix.indices, minlength=len(train.tracks))
    by_popularity = np.argsort(-listeners, kind="stable")
    share_before = np.empty(len(listeners))
    share_before[by_popularity] = (np.cumsum(listeners[by_popularity]) - listeners[by_popularity]) / max(
        1, listeners.sum()
    )
    tier = np.searchsorted(list(POPULARITY_CUTS.values()), share_before, side="right") - 1
    yield from (Group(POPULARITY, name, tier == number) for number, name in enumerate(POPULARITY_CUTS))
    is_old = np.bincount(train.seen.indices, minlength=len(train.tracks)) > 0
    yield from (Group("novelty", "old", is_old), Group("novelty", "new", ~is_old))


def groups_as_of(groups: pl.DataFrame, train: Interactions) -> pl.DataFrame:
    """
    Replace the popularity of tracks by that in a training window, so that it does not depend on the test days.

    Args:
        groups: The rows of marts.track_groups: track_id, group_kind, group_name. Their popularity counts the whole log.
        train: The training window.

    Returns:
        The rows with the popularity of `track_groups(train)`. Ages stay as they are: they count calendar months to the
        last day of the log, and the few test days before it move hardly a track.
    """
    popularity = [
        pl.DataFrame({"track_id": train.tracks.ids(np.flatnonzero(group.members))}).with_columns(
            group_kind=pl.lit(group.kind), group_name=pl.lit(group.name)
        )
        for group in track_groups(train)
        if group.kind == POPULARITY
    ]
    return pl.concat([groups.filter(pl.col("group_kind") != POPULARITY), *popularity])


def _thirds(kind: str, values: F64) -> Iterator[Group]:
    known = ~np.isnan(values)
    edges = np.quantile(values[known], [1 / 3, 2 / 3]) if known.any() else np.zeros(2)
    third = np.searchsorted(edges, values)
    yield from (Group(kind, name, known & (third == number)) for number, name in enumerate(THIRDS))
    if not known.all():
        yield Group(kind, UNKNOWN, ~known)


def _recall(lists: RankedLists, group: Group, n_relevant: I64, k: int) -> F64:
    """Return the recall of the group's relevant tracks per listener; NaN if the listener has none."""
    hits = lists.evaluated.hits & group.members[np.maximum(lists.ranked, 0)]
    return recall_at_k(EvaluatedLists(hits, n_relevant), k)


def _rows(group: Group, columns: PerListenerMetrics, k: int) -> Iterator[tuple[Any, ...]]:
    """Yield one row of GROUP_METRICS_COLUMNS per recommender and metric."""
    for (recommender, metric), interval in intervals_of(columns).items():
        shown = interval[:3] if interval.n_users >= MIN_LISTENERS else (None, None, None)
        yield recommender, metric, group.kind, group.name, k, *shown, interval.n_users
