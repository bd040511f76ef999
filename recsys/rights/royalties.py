"""
Royalties: a pot of money of a month, divided over the owners of the works that were played.

    pro_rata      the pot is divided by all plays
    user_centric  the pot is divided evenly over the listeners who played, and each part by the listener's plays

Both models read the same rows, and divide in the same steps: over recordings and territories, over the works of a
recording evenly, over the owners of a work by their shares on the last day of the month. A work whose shares exceed
100 % is DISPUTED: nobody is paid for it until that is settled. What nobody owns is UNCLAIMED: recordings without a
work, and what is missing to 100 %. Shares that add up within the tolerance of CWR are paid in full.

Until the last step amounts are in millionths of the currency's minor unit (`MICRO`); there they become whole minor
units, which add up to the pot.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import polars as pl

from recsys.errors import InputError
from recsys.rights.apportion import apportion
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

MICRO = 1_000_000
MAX_POT = 1_000_000_000_000  # minor units
WHOLE_BP, TOLERANCE_BP = 10_000, 6
UNCLAIMED, DISPUTED = "(unclaimed)", "(disputed)"
WORLD = "WW"
MODELS = ("pro_rata", "user_centric")
Model = Literal["pro_rata", "user_centric"]
_PLACE = ["track_id", "territory"]
_ITEM = ["owner", "work_key"]
_GROUPS = ((10, "artists 1 to 10"), (100, "artists 11 to 100"))
_OTHERS = "all other artists"


@dataclass(frozen=True)
class Pot:
    """
    Money to divide.

    Attributes:
        month: First day of the month whose plays it is divided by.
        amount: Amount in minor units of the currency, such as cents, 0..10^12.
        right_type: The right that it is paid for: performing, mechanical or synchronisation.
    """

    month: date
    amount: int
    right_type: str

    def __post_init__(self) -> None:
        if self.month.day != 1:
            raise InputError(f"The month is {self.month}; expected its first day")
        if not 0 <= self.amount <= MAX_POT:
            raise InputError(f"The pot is {self.amount:,}; expected 0 to {MAX_POT:,} minor units of the currency")

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return (self.month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


@dataclass(frozen=True)
class Registry:
    """
    Plays of a month, and who owns what was played.

    Attributes:
        plays: user_id, track_id, territory, n_plays; one row per listener, recording and territory.
        works: track_id, work_key.
        owners: work_key, territory, owner, weight (share in 0.01 %).
    """

    plays: pl.DataFrame
    works: pl.DataFrame
    owners: pl.DataFrame

    @classmethod
    def read(cls, warehouse: Warehouse, pot: Pot) -> "Registry":
        """Read what a pot is divided by; raises InputError if there are no plays."""
        days: dict[str, object] = {"since": pot.month, "until": pot.last_day}
        plays = warehouse.query(internal_sql("royalty_plays"), days)
        if plays.is_empty():
            raise InputError(f"There are no plays from {pot.month} to {pot.last_day}. Name a month of the log")
        right: dict[str, object] = {"right_type": pot.right_type, "day": pot.last_day}
        owners = warehouse.query(internal_sql("royalty_owners"), right)
        return cls(plays, warehouse.query(internal_sql("royalty_works")), owners)


def by_recording(plays: pl.DataFrame, pot: int, model: Model) -> pl.DataFrame:
    """Divide a pot over recordings and territories: track_id, territory, amount in millionths of minor units."""
    total = pl.lit(pot * MICRO, pl.Int64)
    by_place = plays.group_by(_PLACE).agg(weight=pl.col("n_plays").sum())
    if model == "pro_rata":
        return apportion(by_place.with_columns(total=total), _PLACE)
    listeners = apportion(
        _numbered(plays, ["user_id"]).with_columns(weight=pl.lit(1), total=total), ["_no"], into="total"
    )
    places = _numbered(plays, _PLACE).rename({"_no": "_place"})
    played = plays.join(listeners, on="user_id").join(places, on=_PLACE)
    parts = apportion(played.select("_no", "_place", "total", weight="n_plays"), ["_place"], within=["_no"])
    return parts.group_by("_place").agg(pl.col("amount").sum()).join(places, on="_place").select(*_PLACE, "amount")


def _numbered(plays: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Return the distinct values of columns with `_no`, a number in their order, which is sorted faster."""
    return plays.select(names).unique().sort(names).with_row_index("_no")


def by_owner(recordings: pl.DataFrame, registry: Registry, pot: int) -> pl.DataFrame:
    """
    Divide what recordings earned over the owners of their works.

    Args:
        recordings: The result of `by_recording`.
        registry: Works and owners.
        pot: The pot in minor units.

    Returns:
        owner, work_key (null: recordings without a work), amount in minor units; the amounts add up to the pot.
    """
    linked = recordings.join(registry.works, on="track_id", how="left").rename({"amount": "total"})
    works = apportion(linked.with_columns(weight=pl.lit(1)), ["work_key"], within=_PLACE)
    earned = works.group_by("work_key", "territory").agg(total=pl.col("amount").sum())
    paid = apportion(_with_owners(earned, registry.owners), ["owner"], within=["work_key", "territory"])
    items = paid.group_by(_ITEM).agg(weight=pl.col("amount").sum())
    return apportion(items.with_columns(total=pl.lit(pot, pl.Int64)), _ITEM)


def owners_in(places: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """
    Return who owns works in territories.

    Args:
        places: work_key and territory, each pair once, and any other columns.
        owners: work_key, territory, owner, weight; WORLD holds in territories without a row of their own.

    Returns:
        The places with `owner` and `weight`, one row per owner, those without an owner once with nulls.
    """
    named = owners.select("work_key", "territory").unique().with_columns(owned_in="territory")
    located = places.join(named, on=["work_key", "territory"], how="left")
    located = located.with_columns(owned_in=pl.col("owned_in").fill_null(WORLD))
    return located.join(owners.rename({"territory": "owned_in"}), on=["work_key", "owned_in"], how="left").drop(
        "owned_in"
    )


def _with_owners(earned: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Return one row per work, territory and owner, with what is missing to 100 % as UNCLAIMED."""
    place = ["work_key", "territory"]
    claimed = owners_in(earned, owners).with_columns(claimed=pl.col("weight").fill_null(0).sum().over(place))
    is_disputed = pl.col("claimed") > WHOLE_BP + TOLERANCE_BP
    owned = claimed.filter(pl.col("weight") > 0, ~is_disputed).select(*place, "total", "owner", "weight")
    rest = claimed.unique(place).filter(is_disputed | (pl.col("claimed") < WHOLE_BP - TOLERANCE_BP))
    nobody = rest.select(
        *place,
        "total",
        owner=pl.when(is_disputed).then(pl.lit(DISPUTED)).otherwise(pl.lit(UNCLAIMED)),
        weight=pl.when(is_disputed).then(1).otherwise(WHOLE_BP - pl.col("claimed")).cast(pl.Int64),
    )
    return pl.concat([owned, nobody])


def royalties(registry: Registry, pot: Pot, model: Model) -> pl.DataFrame:
    """Return what each owner gets for each work: owner, work_key, amount in minor units."""
    return by_owner(by_recording(registry.plays, pot.amount, model), registry, pot.amount)


def compared(registry: Registry, pot: Pot) -> pl.DataFrame:
    """Return what each owner gets under both models: owner, pro_rata, user_centric, difference; the largest first."""
    paid = [
        royalties(registry, pot, model).group_by("owner").agg(pl.col("amount").sum().alias(model))  # type: ignore[arg-type]
        for model in MODELS
    ]
    both = paid[0].join(paid[1], on="owner", how="full", coalesce=True).fill_null(0)
    differing = both.with_columns(difference=pl.col("user_centric") - pl.col("pro_rata"))
    return differing.sort("pro_rata", "owner", descending=[True, False])


def compared_groups(registry: Registry, artists: pl.DataFrame, pot: Pot) -> pl.DataFrame:
    """
    Compare both models by groups of artists, ordered by their plays.

    Args:
        registry: Plays.
        artists: track_id, artist_id.
        pot: The pot.

    Returns:
        artists, n_artists, pro_rata, user_centric (minor units, rounded per group), change [%].
    """
    credited = registry.plays.join(artists, on="track_id", how="left")
    played = (
        credited.group_by("artist_id")
        .agg(pl.col("n_plays").sum())
        .sort("n_plays", "artist_id", descending=[True, False])
    )
    groups = played.with_row_index("place").select("artist_id", group=_group(pl.col("place")))
    sums = groups.group_by("group", maintain_order=True).agg(n_artists=pl.len().cast(pl.Int64))
    for model in MODELS:
        earned = by_recording(registry.plays, pot.amount, model).join(artists, on="track_id", how="left")  # type: ignore[arg-type]
        by_group = earned.join(groups, on="artist_id", nulls_equal=True).group_by("group")
        totals = by_group.agg(weight=pl.col("amount").sum()).with_columns(total=pl.lit(pot.amount, pl.Int64))
        sums = sums.join(apportion(totals, ["group"], into=model), on="group", maintain_order="left")
    change = 100 * (pl.col("user_centric") / pl.col("pro_rata") - 1)
    return sums.rename({"group": "artists"}).with_columns(change_percent=change.round(2))


def compare(warehouse: Warehouse, pot: Pot, *, by_group: bool = False) -> pl.DataFrame:
    """Compare both models by owner, or by groups of artists."""
    registry = Registry.read(warehouse, pot)
    if not by_group:
        return compared(registry, pot)
    return compared_groups(registry, warehouse.query(internal_sql("artists_of_tracks")), pot)


def _group(place: pl.Expr) -> pl.Expr:
    named = pl.lit(_OTHERS)
    for n_artists, name in reversed(_GROUPS):
        named = pl.when(place < n_artists).then(pl.lit(name)).otherwise(named)
    return named
