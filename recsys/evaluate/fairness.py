"""
Fairness report of a run's lists: exposure by group of tracks, and accuracy group_gaps between groups of listeners.

The metrics are defined in `exposure` and `expected_exposure`. Values of groups with fewer than `MIN_LISTENERS`
listeners are suppressed (null).
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from recsys.arrays import F64, Bool
from recsys.columns import schema
from recsys.dataset.features import Features
from recsys.dataset.splits import Split
from recsys.evaluate.bootstrap import bootstrap_means
from recsys.evaluate.expected_exposure import expected_exposure
from recsys.evaluate.exposure import attention_fairness, shares_of_kind
from recsys.evaluate.groups import GROUP_METRICS_COLUMNS, MIN_LISTENERS, listener_groups
from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import SEED, evaluated_users, values_per_user
from recsys.evaluate.significance import Interval, interval_of, mean_interval
from recsys.evaluate.training_profile import TrainingProfile

ALL = "all"  # group name of a metric that compares all groups of a kind


def fairness_report(
    rankings: Mapping[str, pl.DataFrame], split: Split, groups: pl.DataFrame, *, k: int
) -> pl.DataFrame:
    """
    Compute the fairness metrics of each recommender's lists for the evaluated listeners.

    Args:
        rankings: Lists by recommender: user_id, track_id, rank.
        split: The held-out tracks.
        groups: Groups of tracks: track_id, group_kind, group_name.
        k: Number of list positions that are evaluated.

    Returns:
        Rows with the columns of `groups.report_by_group`. Per group of tracks: 'exposure', its share of exposure. Per
        kind of track group, with the group name 'all': 'awrf' (attention-weighted rank fairness; the target is each
        group's share of the catalogue) and 'ee_disparity', 'ee_relevance', 'ee_loss' (see `expected_exposure`). Per
        group of listeners: 'ndcg_gap' (see `group_gaps`).
    """
    users = evaluated_users(split)
    listeners = Features(split.train.user_features.matrix[users], split.train.user_features.names)
    user_groups = list(listener_groups(listeners, TrainingProfile.of(split.train, users)))
    ids = split.train.users.ids(users)
    tests = split.test[users].tocoo()
    relevant = pl.DataFrame({"user_id": ids.gather(tests.row), "track_id": split.train.tracks.ids(tests.col)})
    rows = []
    for name, ranking in rankings.items():
        lists = ranking.filter(pl.col("rank") <= k)
        ndcg = values_per_user(ranking, split, ndcg_at_k, k=k)
        differences = zip(
            user_groups,
            group_gaps(ndcg, np.stack([group.members for group in user_groups], axis=1), seed=SEED),
            strict=True,
        )
        rows += [(name, "ndcg_gap", group.kind, group.name, k, *difference) for group, difference in differences]
        rows += [(name, *row[:3], k, *row[3]) for row in _of_tracks(lists, relevant, groups)]
    table = pl.DataFrame(rows, schema(GROUP_METRICS_COLUMNS), orient="row").fill_nan(None)
    enough = pl.col("n_users") >= MIN_LISTENERS
    return table.with_columns(pl.when(enough).then(pl.col(column)).alias(column) for column in ("value", "low", "high"))


def _of_tracks(
    lists: pl.DataFrame, relevant: pl.DataFrame, groups: pl.DataFrame
) -> list[tuple[str, str, str, Interval]]:
    """Return (metric, group kind, group name, interval) of all metrics of track groups."""
    rows: list[tuple[str, str, str, Interval]] = []
    for (kind,), members in groups.group_by(["group_kind"], maintain_order=True):
        sizes = members.group_by("group_name").len()
        target = dict(sizes.select("group_name", pl.col("len") / pl.col("len").sum()).iter_rows())
        shares = shares_of_kind(lists, members, SEED)
        rows += [("exposure", str(kind), name, share) for name, share in shares.items()]
        rows.append(("awrf", str(kind), ALL, mean_interval(attention_fairness(lists, members, target), seed=SEED)))
        expected = expected_exposure(lists, relevant, members, seed=SEED)
        rows += [(f"ee_{name}", str(kind), ALL, value) for name, value in expected.items()]
    return rows


def group_gaps(values: F64, members: Bool, *, seed: int) -> list[Interval]:
    """
    Return each group's gap: mean of its listeners minus mean of all other listeners, with the gap's 95 % interval.

    Args:
        values: One metric value per listener. Shape (n_users,); NaN is left out.
        members: True where a listener is in a group. Shape (n_users, n_groups), bool.
        seed: Seed of the bootstrap.

    Returns:
        One interval per group, NaN if the group or all others have no value. `n_users` is the number of the group's
        listeners with a value.
    """
    n_groups = members.shape[1]
    sides = np.where(np.concatenate([members, ~members], axis=1), values[:, None], np.nan)
    n_users = (~np.isnan(sides)).sum(axis=0)
    observed = np.nansum(sides, axis=0) / np.where(n_users > 0, n_users, np.nan)
    means = np.concatenate([observed[None], bootstrap_means(sides, seed=seed)])
    differences = means[:, :n_groups] - means[:, n_groups:]
    return [interval_of(differences[:, group], int(n_users[group])) for group in range(n_groups)]
