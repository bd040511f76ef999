"""
The last figures of watched artists and recordings: plays of the last week, the week before, and all weeks so far.

For a label the weeks are the closed weeks of its ledger, which may have different numbers of days, and a week without a
figure had too few listeners or is withheld. For operators they are complete weeks of the log.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from typing import Any

import polars as pl

from recsys.state.watchlist import Item
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

_SCHEMA = {
    **dict.fromkeys(("title", "artist_name"), pl.String),
    **dict.fromkeys(("from_day", "to_day"), pl.Date),
    **dict.fromkeys(("n_plays", "n_plays_before"), pl.Int64),
    "change": pl.Float64,
    "n_plays_so_far": pl.Int64,
    **dict.fromkeys(("track_id", "artist_id"), pl.String),
}


@dataclass(frozen=True)
class Week:
    """
    A week of an artist or a recording.

    Attributes:
        first_day, last_day: Its days.
        n_plays: Plays, None where there is no figure.
        n_before: Plays in the week before, None where there is no figure or no such week.
        change: Relative change of plays per day since the week before: .1 is 10 % more; None if unknown, or from 0.
        total: Plays of all weeks up to this one that have a figure.
        total_before: The same up to the week before.
    """

    first_day: date
    last_day: date
    n_plays: int | None
    n_before: int | None
    change: float | None
    total: int
    total_before: int


@dataclass(frozen=True)
class Watched:
    """
    What is known of an artist or a recording that is watched.

    Attributes:
        item: The artist or recording.
        name: Name or title; None where the viewer's file does not have it.
        artist_id, artist_name: Of a recording, its artist.
        weeks: Its weeks, oldest first; none before the first week is complete or closed.
    """

    item: Item
    name: str | None
    artist_id: str | None
    artist_name: str | None
    weeks: tuple[Week, ...]


def id_lists(items: Iterable[Item]) -> dict[str, object]:
    """Return the parameters `artists` and `recordings` of queries on watched items."""
    known = list(items)
    return {f"{kind}s": [item.id for item in known if item.kind == kind] for kind in ("artist", "recording")}


def watched_figures(warehouse: Warehouse, items: Sequence[Item], *, is_label: bool) -> list[Watched]:
    """Return names and weeks of watched items from a label's own file, or from the whole warehouse, in their order."""
    ids = id_lists(items)
    names = warehouse.query(internal_sql("watched_names"), ids)
    weeks = warehouse.query(internal_sql("watched_weeks_of_label") if is_label else internal_sql("watched_weeks"), ids)
    named = {row[:2]: row[2:] for row in names.iter_rows()}
    of_item = {key: tuple(_weeks(rows)) for key, rows in groupby(weeks.iter_rows(), key=lambda row: row[:2])}
    return [_known(item, named, of_item) for item in items]


def _known(item: Item, named: dict[Any, Any], weeks: dict[Any, tuple[Week, ...]]) -> Watched:
    name, artist_id, artist_name = named.get((item.kind, item.id), (None, None, None))
    return Watched(item, name, artist_id, artist_name, weeks.get((item.kind, item.id), ()))


def _weeks(rows: Iterable[tuple[Any, ...]]) -> Iterator[Week]:
    total, none = 0, (None, None, None, None, None)
    for (*_, first_before, last_before, before), (*_, first, last, n_plays) in pairwise([none, *rows]):
        reached = total + (n_plays or 0)
        per_day = None if not before or n_plays is None else n_plays / _n_days(first, last)
        change = None if per_day is None else per_day / (before / _n_days(first_before, last_before)) - 1
        yield Week(first, last, n_plays, before, change, reached, total)
        total = reached


def _n_days(first: date, last: date) -> int:
    return (last - first).days + 1


def table(watched: Sequence[Watched]) -> pl.DataFrame:
    """
    Return the last week of each watched item as a table.

    Returns:
        title (null for an artist), artist_name, from_day, to_day, n_plays, n_plays_before, change, n_plays_so_far,
        track_id (null for an artist) and artist_id. Names that the viewer's file does not have are ids, and figures are
        null where there is none.
    """
    return pl.DataFrame([_row(one) for one in watched], schema=_SCHEMA, orient="row")


def _row(one: Watched) -> tuple[Any, ...]:
    name, last = one.name or one.item.id, one.weeks[-1] if one.weeks else None
    is_artist = one.item.kind == "artist"
    names = (None, name) if is_artist else (name, one.artist_name)
    ids = (None, one.item.id) if is_artist else (one.item.id, one.artist_id)
    if last is None:
        return (*names, *[None] * 6, *ids)
    figures = (last.n_plays, last.n_before, last.change, last.total or None)
    return (*names, last.first_day, last.last_day, *figures, *ids)
