"""
For whom, and for which tracks, is a recommender good? The same metrics, group by group.

Listeners: every feature column (gender, age_band, country ...; unknown is a group of its own), and thirds by how many
tracks they have and by how well known these are. Tracks: how popular, and whether anybody had touched them before the
test; a group's recall counts only its own relevant tracks. A group of too few listeners is named, but not measured.
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
from recsys.evaluate.report import Columns, align_to_truth, intervals_of, judged_users, measure, per_listener
from recsys.evaluate.training_profile import TrainingProfile

GROUP_METRICS_COLUMNS = (RECOMMENDER, METRIC, GROUP_KIND, GROUP_NAME, K, VALUE, LOW, HIGH, N_USERS)
MIN_LISTENERS = 10  # below: too few to say anything, and single listeners could be made out
THIRDS = ("low", "middle", "high")
CUTS = {"head": 0.0, "middle": 0.2, "tail": 0.8}  # share of all training pairs that more popular tracks have taken


class Group(NamedTuple):
    """Some of the judged listeners, or some tracks: shape (n_users,) or (n_tracks,), bool."""

    kind: str
    name: str
    members: Bool


def report_by_group(rankings: Mapping[str, pl.DataFrame], split: Split, *, k: int) -> pl.DataFrame:
    """
    Judge each recommender's ranking of the split's judged listeners, by groups of listeners and of tracks.

    Args:
        rankings: By recommender: user_id, track_id, rank for every listener of `judged_users`.
        split: What was to be found.
        k: Places that count.

    Returns:
        recommender, metric, group_kind, group_name, k, value, low, high, n_users: the mean over the group's listeners
        with its 95 % bootstrap interval, all three null where fewer than `MIN_LISTENERS` listeners are evidence.
    """
    users = judged_users(split)
    exposed, past = align_to_truth(rankings, split, k=k), TrainingProfile.of(split.train, users)
    everybody = per_listener({name: measure(each, k) for name, each in exposed.items()})
    listeners = Features(split.train.user_features.matrix[users], split.train.user_features.names)
    rows: list[tuple[Any, ...]] = []
    for group in listener_groups(listeners, past):
        rows += _rows(group, {key: values[group.members] for key, values in everybody.items()}, k)
    for group in track_groups(split.train):
        n_relevant = (split.test[users] @ group.members.astype(np.int64)).astype(np.int64)
        rows += _rows(
            group, {(name, "recall"): _recall(each, group, n_relevant, k) for name, each in exposed.items()}, k
        )
    return pl.DataFrame(rows, schema(GROUP_METRICS_COLUMNS), orient="row")


def listener_groups(features: Features, past: TrainingProfile) -> Iterator[Group]:
    """
    Yield the groups of the judged listeners, whose features these are, kind by kind.

    Of a feature column, one group a value. 'activity': thirds by the number of training tracks. 'mainstream': thirds by
    the mean popularity of these; unknown without any. Listeners of equal value share a third.
    """
    for column, name in enumerate(features.names.ids()):
        kind, _, value = name.partition("=")
        yield Group(kind, value, features.matrix[:, [column]].toarray().ravel() > 0)
    yield from _thirds("activity", np.diff(past.heard.indptr).astype(np.float64))
    yield from _thirds("mainstream", past.own_popularity)


def track_groups(train: Interactions) -> Iterator[Group]:
    """
    Yield the groups of the catalogue.

    'popularity': the head are the most popular tracks that together have the first 20 % of all training pairs of
    listener and track, the tail those that have the last 20 % and all without any, the middle the rest. 'novelty': old
    where any listener touched the track in training, else new.

    Source: Abdollahpouri et al., User-centered Evaluation of Popularity Bias in Recommender Systems (2021).
    """
    listeners = np.bincount(train.matrix.indices, minlength=len(train.tracks))
    by_popularity = np.argsort(-listeners, kind="stable")
    taken = np.empty(len(listeners))
    taken[by_popularity] = (np.cumsum(listeners[by_popularity]) - listeners[by_popularity]) / max(1, listeners.sum())
    tier = np.searchsorted(list(CUTS.values()), taken, side="right") - 1
    yield from (Group("popularity", name, tier == at) for at, name in enumerate(CUTS))
    touched = np.bincount(train.seen.indices, minlength=len(train.tracks)) > 0
    yield from (Group("novelty", "old", touched), Group("novelty", "new", ~touched))


def _thirds(kind: str, values: F64) -> Iterator[Group]:
    known = ~np.isnan(values)
    edges = np.quantile(values[known], [1 / 3, 2 / 3]) if known.any() else np.zeros(2)
    third = np.searchsorted(edges, values)
    yield from (Group(kind, name, known & (third == at)) for at, name in enumerate(THIRDS))
    if not known.all():
        yield Group(kind, UNKNOWN, ~known)


def _recall(exposed: RankedLists, group: Group, n_relevant: I64, k: int) -> F64:
    """Recall of the group's relevant tracks; NaN for a listener who has none of them."""
    hits = exposed.judged.hits & group.members[np.maximum(exposed.ranked, 0)]
    return recall_at_k(EvaluatedLists(hits, n_relevant), k)


def _rows(group: Group, columns: Columns, k: int) -> Iterator[tuple[Any, ...]]:
    """Yield a row of GROUP_METRICS_COLUMNS for each column of one value a listener."""
    for (recommender, metric), interval in intervals_of(columns).items():
        shown = interval[:3] if interval.n_users >= MIN_LISTENERS else (None, None, None)
        yield recommender, metric, group.kind, group.name, k, *shown, interval.n_users
