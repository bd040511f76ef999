"""
Who is shown: exposure of groups of tracks in all lists together, and how near each list comes to a wanted mix.

Conventions: exposure of a place is 1 / log2(1 + rank), as in sql/marts/exposure.sql, which gives the same shares; a
group is a row of marts.track_groups (group_kind, group_name), unknown among them; a track that no group of a kind names
counts for nothing in it. Intervals draw listeners again, for a listener's places are not independent.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.errors import InputError
from recsys.evaluate.bootstrap import bootstrap_means
from recsys.evaluate.significance import Interval, interval_of

MIN_TRACKS = 20  # of a combination of groups that is shown by its name
SMALL_CELLS = "small cells"


def discounts(k: int) -> F64:
    """Exposure of the places 1..k."""
    weights: F64 = 1 / np.log2(1 + np.arange(1, k + 1))
    return weights


def exposure_shares(lists: pl.DataFrame, groups: pl.DataFrame, plays: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """
    Lay each group's share of what listeners look at beside its share of the catalogue and of plays.

    Args:
        lists: user_id, track_id, rank.
        groups: track_id, group_kind, group_name: the whole catalogue.
        plays: track_id, n_plays.
        seed: Of the draws.

    Returns:
        group_kind, group_name, n_tracks, catalogue_share, listening_share, exposure_share with the ends low and high
        of its 95 % interval, and n_users; sorted. Exposure is null without lists, listening without plays.
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


def attention_fairness(lists: pl.DataFrame, groups: pl.DataFrame, wanted: Mapping[str, float]) -> F64:
    """
    How near each list's exposure comes to the wanted mix of groups: 1 as wanted, 0 nothing of it.

    Attention-weighted rank fairness: 1 less the total variation distance of the list's shares from the wanted ones.

    Args:
        lists: user_id, track_id, rank.
        groups: track_id, group_name, of one kind.
        wanted: Share of each group, sum 1; a group not named wants none.

    Returns:
        One value a listener, in order of their first row; NaN where no track of the list is in any group.

    Raises:
        InputError: The wanted shares do not sum to 1.

    Source:
        Sapiezynski et al., Quantifying the Impact of User Attention on Fair Group Representation in Ranked Lists
        (2019).
    """
    if abs(sum(wanted.values()) - 1) > 1e-6:
        raise InputError(f"the wanted shares sum to {sum(wanted.values()):.6f}; expected 1")
    names, exposure = exposure_of_listeners(lists, groups)
    total = exposure.sum(axis=1, keepdims=True)
    shares = exposure / np.where(total > 0, total, np.nan)
    missing = sum(share for name, share in wanted.items() if name not in names)
    distance: F64 = (np.abs(shares - [wanted.get(name, 0) for name in names]).sum(axis=1) + missing) / 2
    return 1 - distance


def crossed(groups: pl.DataFrame, first: str, second: str, name: str, *, min_tracks: int = MIN_TRACKS) -> pl.DataFrame:
    """
    Cross two kinds of groups: 'female, BR'. Cells of fewer than `min_tracks` tracks become one group, 'small cells'.

    Args:
        groups: track_id, group_kind, group_name.
        first: A kind.
        second: Another one.
        name: What the crossed kind is called.
        min_tracks: Of a cell that is named.
    """
    sides = [groups.filter(group_kind=kind).select("track_id", "group_name") for kind in (first, second)]
    both = sides[0].join(sides[1], on="track_id", suffix="_2")
    cell = pl.format("{}, {}", "group_name", "group_name_2")
    named = pl.when(pl.len().over("group_name", "group_name_2") >= min_tracks).then(cell).otherwise(pl.lit(SMALL_CELLS))
    return both.select("track_id", pl.lit(name).alias("group_kind"), named.alias("group_name"))


def share_if(exposure: pl.DataFrame, source: str, group: str, share: float) -> float:
    """
    Say what a group's share of all exposure would be if one source gave it a share of its own.

    Args:
        exposure: source, group_name, exposure: who shows whom how much, such as the plays of radio stations.
        source: Who changes; how much it shows in all stays the same, and so do the others.
        group: Who is shown more, or less.
        share: Of the source's own exposure, 0..1.

    Raises:
        InputError: There is no such source.
    """
    own = float(exposure.filter(source=source)["exposure"].sum())
    if not own:
        known = ", ".join(exposure["source"].unique().sort().head(5))
        raise InputError(f"nothing is shown by {source!r}; expected a source such as {known}")
    others = float(exposure.filter(pl.col("source") != source, group_name=group)["exposure"].sum())
    return (others + share * own) / float(exposure["exposure"].sum())


def exposure_of_listeners(lists: pl.DataFrame, groups: pl.DataFrame) -> tuple[list[str], F64]:
    """Names of the groups of one kind, sorted, and their exposure in each list, shape (n_users, n_groups)."""
    users, names = lists["user_id"].unique(maintain_order=True), groups["group_name"].unique().sort()
    seen = lists.with_columns(exposure=1 / (pl.col("rank") + 1.0).log(2))
    return names.to_list(), sums_by_group(seen, groups, users, names)


def shares_of_kind(lists: pl.DataFrame, groups: pl.DataFrame, seed: int) -> dict[str, Interval]:
    """Share of exposure of each group of one kind, with its interval; NaN where nothing of any is shown."""
    names, exposure = exposure_of_listeners(lists, groups)
    if not exposure.any():
        return dict.fromkeys(names, Interval(float("nan"), float("nan"), float("nan"), len(exposure)))
    means = np.concatenate([exposure.mean(axis=0)[None], bootstrap_means(exposure, seed=seed)])
    shares = means / means.sum(axis=1, keepdims=True)
    return {name: interval_of(shares[:, at], len(exposure)) for at, name in enumerate(names)}


def sums_by_group(rows: pl.DataFrame, groups: pl.DataFrame, users: pl.Series, names: pl.Series) -> F64:
    """Sum the exposure of (user_id, track_id, exposure) by listener and group, shape (n_users, n_groups)."""
    row = pl.DataFrame({"user_id": users}).with_row_index("row")
    column = pl.DataFrame({"group_name": names}).with_row_index("column")
    placed = rows.join(row, on="user_id").join(groups, on="track_id").join(column, on="group_name")
    exposure = np.zeros((len(users), len(names)))
    np.add.at(exposure, (placed["row"].to_numpy(), placed["column"].to_numpy()), placed["exposure"].to_numpy())
    return exposure
