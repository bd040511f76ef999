"""
Exposure of groups of tracks: their shares over all lists, and the distance of each list from a target distribution.

Conventions: the exposure of a rank is 1 / log2(1 + rank), as in sql/marts/exposure.sql, which computes the same shares.
A group is a (group_kind, group_name) of marts.track_groups; 'unknown' is also a group. If a track has no group of some
kind, it is left out of that kind. Intervals come from a user-level bootstrap, because ranks within one list are not
independent.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.errors import InputError
from recsys.evaluate.bootstrap import bootstrap_means
from recsys.evaluate.significance import Interval, interval_of

MIN_TRACKS = 20  # smaller crossed groups are merged into one
OTHER_CELLS = "small cells"


def exposure_shares(lists: pl.DataFrame, groups: pl.DataFrame, plays: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """
    Compare each group's share of exposure with its share of the catalogue and of plays.

    Args:
        lists: user_id, track_id, rank.
        groups: track_id, group_kind, group_name, for the whole catalogue.
        plays: track_id, n_plays.
        seed: Seed of the bootstrap.

    Returns:
        group_kind, group_name, n_tracks, catalogue_share, listening_share, exposure_share, low and high (95 % interval
        of the exposure share) and n_users, sorted. exposure_share, low and high are null if there are no lists;
        listening_share is null if there are no plays.
    """
    sizes = (
        groups.join(plays, on="track_id", how="left")
        .group_by("group_kind", "group_name")
        .agg(n_tracks=pl.len().cast(pl.Int64), n_plays=pl.col("n_plays").sum())
    )
    sizes = sizes.with_columns(
        catalogue_share=pl.col("n_tracks") / pl.col("n_tracks").sum().over("group_kind"),
        listening_share=(pl.col("n_plays") / pl.col("n_plays").sum().over("group_kind")).fill_nan(None),
    )
    rows = [
        (kind, name, *interval)
        for kind in sizes["group_kind"].unique().sort()
        for name, interval in shares_of_kind(lists, groups.filter(group_kind=kind), seed).items()
    ]
    names = {"group_kind": pl.String, "group_name": pl.String, "exposure_share": pl.Float64}
    shown = pl.DataFrame(rows, {**names, "low": pl.Float64, "high": pl.Float64, "n_users": pl.Int64}, orient="row")
    table = sizes.drop("n_plays").join(shown.fill_nan(None), on=["group_kind", "group_name"])
    return table.sort("group_kind", "group_name")


def attention_fairness(lists: pl.DataFrame, groups: pl.DataFrame, target: Mapping[str, float]) -> F64:
    """
    Compute attention-weighted rank fairness: 1 minus the total variation distance from the target shares.

    The distance is computed between each list's shares of exposure and the target shares. 1: they are equal; 0: all
    exposure goes to groups whose target is 0.

    Args:
        lists: user_id, track_id, rank.
        groups: track_id, group_name; groups of one kind only.
        target: Target share of each group; the shares sum to 1. Groups that are not in `target` have target 0.

    Returns:
        One value per listener, 0..1, in order of their first row in `lists`; NaN if no track of the list has a group.

    Raises:
        InputError: The target shares do not sum to 1.

    Source:
        Sapiezynski et al., Quantifying the Impact of User Attention on Fair Group Representation in Ranked Lists
        (2019).
    """
    if abs(sum(target.values()) - 1) > 1e-6:
        raise InputError(f"target: found shares that sum to {sum(target.values()):.6f}, expected a sum of 1")
    names, exposure = exposure_of_listeners(lists, groups)
    total = exposure.sum(axis=1, keepdims=True)
    shares = exposure / np.where(total > 0, total, np.nan)
    missing = sum(share for name, share in target.items() if name not in names)
    distance: F64 = (np.abs(shares - [target.get(name, 0) for name in names]).sum(axis=1) + missing) / 2
    return 1 - distance


def cross_groups(
    groups: pl.DataFrame, first: str, second: str, name: str, *, min_tracks: int = MIN_TRACKS
) -> pl.DataFrame:
    """
    Cross two kinds of groups, such as gender and country: 'female, BR'.

    Args:
        groups: track_id, group_kind, group_name.
        first: The first kind.
        second: The second kind.
        name: The name of the crossed kind.
        min_tracks: Crossed groups with fewer tracks are merged into one group, 'small cells'.

    Returns:
        track_id, group_kind, group_name. Tracks without a group of both kinds are left out.
    """
    sides = [groups.filter(group_kind=kind).select("track_id", "group_name") for kind in (first, second)]
    both = sides[0].join(sides[1], on="track_id", suffix="_2")
    cell = pl.format("{}, {}", "group_name", "group_name_2")
    named = pl.when(pl.len().over("group_name", "group_name_2") >= min_tracks).then(cell).otherwise(pl.lit(OTHER_CELLS))
    return both.select("track_id", pl.lit(name).alias("group_kind"), named.alias("group_name"))


def share_if(exposure: pl.DataFrame, source: str, group: str, share: float) -> float:
    """
    Compute what a group's share of all exposure would be if one source changed the group's share of its exposure.

    Args:
        exposure: source, group_name, exposure: for example the number of plays per radio station and gender.
        source: The source that changes. Its total exposure and all other sources stay the same.
        group: The group whose share changes.
        share: The group's new share of the source's exposure, 0..1.

    Raises:
        InputError: The source is unknown or has no exposure.
    """
    of_source = float(exposure.filter(source=source)["exposure"].sum())
    if not of_source:
        known = ", ".join(exposure["source"].unique().sort().head(5))
        raise InputError(f"source: found {source!r}, which is unknown or has no exposure; expected one such as {known}")
    others = float(exposure.filter(pl.col("source") != source, group_name=group)["exposure"].sum())
    return (others + share * of_source) / float(exposure["exposure"].sum())


def exposure_of_listeners(lists: pl.DataFrame, groups: pl.DataFrame) -> tuple[list[str], F64]:
    """Return the sorted names of groups of one kind, and each group's exposure per list, shape (n_users, n_groups)."""
    users, names = lists["user_id"].unique(maintain_order=True), groups["group_name"].unique().sort()
    seen = lists.with_columns(exposure=1 / (pl.col("rank") + 1.0).log(2))
    return names.to_list(), sums_by_group(seen, groups, users, names)


def shares_of_kind(lists: pl.DataFrame, groups: pl.DataFrame, seed: int) -> dict[str, Interval]:
    """Return each group's share of exposure among groups of one kind, with its interval; NaN if no list has a group."""
    names, exposure = exposure_of_listeners(lists, groups)
    if not exposure.any():
        return dict.fromkeys(names, Interval(float("nan"), float("nan"), float("nan"), len(exposure)))
    means = np.concatenate([exposure.mean(axis=0)[None], bootstrap_means(exposure, seed=seed)])
    shares = means / means.sum(axis=1, keepdims=True)
    return {name: interval_of(shares[:, column], len(exposure)) for column, name in enumerate(names)}


def sums_by_group(rows: pl.DataFrame, groups: pl.DataFrame, users: pl.Series, names: pl.Series) -> F64:
    """Sum rows of user_id, track_id, exposure by listener and group. Shape (n_users, n_groups)."""
    row = pl.DataFrame({"user_id": users}).with_row_index("row")
    column = pl.DataFrame({"group_name": names}).with_row_index("column")
    placed = rows.join(row, on="user_id").join(groups, on="track_id").join(column, on="group_name")
    exposure = np.zeros((len(users), len(names)))
    np.add.at(exposure, (placed["row"].to_numpy(), placed["column"].to_numpy()), placed["exposure"].to_numpy())
    return exposure
