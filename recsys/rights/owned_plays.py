"""
Who listened to the works of owners, as arrays: rows are sorted once, and every sum follows from that order.

A month may have tens of millions of rows, of which statements need sums by work, by owner and by listener. Ids are
replaced by numbers in the order of the ids, so that ties are broken as ids would break them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.arrays import F64, I64
from recsys.ledger.lines import PLAYS
from recsys.rights.royalties import Model, Registry, owners_in

AMOUNT = "amount"
MEASURES = (PLAYS, AMOUNT)
U32 = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class OwnedPlays:
    """
    The plays of each owner's works by each listener.

    Attributes:
        items: owner, work_key: one row per work of an owner that was played, sorted by both. A row's number is an item.
        item, user: Item and number of a listener, each pair once, sorted by item; shapes (n,).
        values: For each of MEASURES, what the listener played, and what the owner is paid for it (in parts of the pot
            that are not scaled: of the plays, or of the listeners); shapes (n,), above 0.
    """

    items: pl.DataFrame
    item: U32
    user: U32
    values: Mapping[str, F64]

    @classmethod
    def of(cls, registry: Registry, owners: pl.Series, model: Model) -> Self:
        """Return who listened to the works of some owners, in the territories in which they own them."""
        plays = _numbered(registry.plays, model)
        owned = _owned(plays.places, registry, owners)
        items = owned.select("owner", "work_key").unique().sort("owner", "work_key")
        shares = owned.join(items.with_row_index("item"), on=["owner", "work_key"]).select("place", "item", "share")
        rows = plays.rows.join(shares, on="place")
        amount = (rows["earned"] * rows["share"]).to_numpy()
        values = {PLAYS: rows[PLAYS].cast(pl.Float64).to_numpy(), AMOUNT: amount}
        return cls(items, *_summed(rows["item"].to_numpy(), rows["user"].to_numpy(), values))

    @cached_property
    def starts(self) -> I64:
        """The first row of each item; shape (n_items,)."""
        return _starts(self.item)

    def of_items(self, measure: str) -> pl.DataFrame:
        """Return the sums of each item: owner, cell (the item), and those of `recsys.ledger.cells.summed`."""
        values = self.values[measure]
        n_listeners = np.diff(np.append(self.starts, len(self.item)))
        first = np.maximum.reduceat(values, self.starts)
        at_first = np.flatnonzero(values == np.repeat(first, n_listeners))
        others = values.copy()
        others[at_first[_starts(self.item[at_first])]] = 0
        sums = {
            "n_listeners": n_listeners,
            "top_two": first + np.maximum.reduceat(others, self.starts),
            "value": np.add.reduceat(values, self.starts),
        }
        owners = self.items.select("owner", cell=pl.int_range(pl.len(), dtype=pl.UInt32))
        return owners.with_columns(pl.Series(name, column) for name, column in sums.items())

    def of_owners(self) -> pl.DataFrame:
        """Return what each listener played of all works of an owner: owner, user_id (a number), and MEASURES."""
        number = self.items["owner"].rle_id().to_numpy()[self.item]
        n_users = int(self.user.max(initial=0)) + 1
        keys = pl.DataFrame({"key": number.astype(np.int64) * n_users + self.user, **self.values})
        sums = keys.group_by("key").agg(pl.col(MEASURES).sum())
        names = self.items["owner"].unique(maintain_order=True)
        return sums.select(names.gather(sums["key"] // n_users), *MEASURES, user_id=pl.col("key") % n_users)

    def rows_in(self, cells: pl.DataFrame, measure: str) -> pl.DataFrame:
        """Return the rows of some items, given in the column cell: owner, user_id (a number), value."""
        is_wanted = np.zeros(len(self.items), np.bool_)
        is_wanted[cells["cell"].to_numpy()] = True
        rows = is_wanted[self.item]
        owner = self.items["owner"].gather(self.item[rows])
        return pl.DataFrame({"owner": owner, "user_id": self.user[rows], "value": self.values[measure][rows]})


@dataclass(frozen=True, eq=False)
class _Plays:
    """Rows of plays (place, user, n_plays, earned) with numbers for ids, and the places: track_id, territory, place."""

    rows: pl.DataFrame
    places: pl.DataFrame


def _numbered(plays: pl.DataFrame, model: Model) -> _Plays:
    """Replace the ids of plays by numbers, and add what each row earns."""
    user, track, territory = (_codes(plays[name]) for name in ("user_id", "track_id", "territory"))
    n_territories = int(territory.to_numpy().max(initial=0)) + 1
    place = track.cast(pl.Int64) * n_territories + territory
    earned = plays[PLAYS].cast(pl.Float64)
    if model == "user_centric":
        total = np.bincount(user.to_numpy(), earned.to_numpy())
        earned = earned / total[user.to_numpy()]
    rows = pl.DataFrame({"place": place, "user": user, PLAYS: plays[PLAYS], "earned": earned})
    firsts = place.arg_unique()
    places = plays.select(pl.col("track_id", "territory").gather(firsts)).with_columns(place=place.gather(firsts))
    return _Plays(rows, places)


def _codes(ids: pl.Series) -> pl.Series:
    """Return a number from 0 on for each id, uint32."""
    return ids.cast(pl.Categorical).to_physical()


def _owned(places: pl.DataFrame, registry: Registry, owners: pl.Series) -> pl.DataFrame:
    """Return what owners have of places: place, owner, work_key, share (of what the place earns)."""
    n_works = registry.works.group_by("track_id").agg(n_works=pl.len())
    works = places.join(registry.works, on="track_id").join(n_works, on="track_id")
    owned = owners_in(works.select("work_key", "territory").unique(), registry.owners)
    owned = owned.filter(pl.col("weight") > 0, pl.col("owner").is_in(owners.implode()))
    share = pl.col("weight") / pl.col("n_works")
    return works.join(owned, on=["work_key", "territory"]).select("place", "owner", "work_key", share=share)


def _summed(item: U32, user: U32, values: Mapping[str, F64]) -> tuple[U32, U32, dict[str, F64]]:
    """Sort rows by item and user, and add up those of each pair."""
    rows = pl.DataFrame({"key": item.astype(np.int64) << 32 | user, **values}).sort("key")
    key, sums = rows["key"].to_numpy(), {name: rows[name].to_numpy() for name in values}
    starts = _starts(key)
    if len(starts) < len(key):
        key, sums = key[starts], {name: np.add.reduceat(column, starts) for name, column in sums.items()}
    return (key >> 32).astype(np.uint32), (key & 0xFFFFFFFF).astype(np.uint32), sums


def _starts(values: npt.NDArray[np.integer]) -> I64:
    """Return where each run of equal values starts, shape (n_runs,)."""
    return np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if len(values) else np.empty(0, np.int64)
