"""
The ledger of labels, closed again from the rows of a lake by the rules of docs/labels.md, in plain Python.

One closing, after the first nightly run: no row is late. Nothing here reads `recsys.ledger`.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars as pl

from .rows import ONE_DAY, Lake

MIN_LISTENERS, MAX_TOP_TWO = 20, 0.8
DIMENSIONS = {"artist": "artist_id", "recording": "track_id"}  # others are columns of listeners
SOURCES = {"active": "n_active", "algorithmic": "n_algorithmic"}
Period = tuple[date, date]


@dataclass(frozen=True)
class Cell:
    """A figure and its listeners."""

    value: int
    n_listeners: int


def passes(by_listener: Counter[str]) -> bool:
    """Return whether 20 listeners are behind a figure, two of whom make 80 % of it at most."""
    top_two = sum(count for _, count in by_listener.most_common(2))
    return len(by_listener) >= MIN_LISTENERS and top_two <= MAX_TOP_TWO * by_listener.total()


class Closings:
    """The closed periods of each label, and their cells."""

    def __init__(self, lake: Lake, *, close_days: int = 1) -> None:
        self.lake = lake
        self.last_day = lake.last_day - close_days * ONE_DAY
        self.days, self.weeks, self.cells = cache(self._days), cache(self._weeks), cache(self._cells)

    def _rows(self, label: str, measure: str) -> pl.DataFrame:
        return self.lake.rows.filter(pl.col(measure) > 0, label_id=label).with_columns(value=measure)

    def _days(self, label: str, measure: str) -> dict[Period, Cell]:
        """Return the closed days: the days since the last one are added up until they pass."""
        rows = self._rows(label, measure).filter(pl.col("day") <= self.last_day).sort("day")
        closed, waiting, start = dict[Period, Cell](), Counter[str](), None
        for (day,), of_day in rows.group_by("day", maintain_order=True):
            start = start or day
            for user, value in of_day.select("user_id", "value").iter_rows():
                waiting[user] += value
            if passes(waiting):
                closed[start, day] = Cell(waiting.total(), len(waiting))
                waiting, start = Counter(), day + ONE_DAY
        return closed

    def _weeks(self, label: str, measure: str) -> dict[Period, Cell]:
        """Return the closed weeks: each has the days that ended in it."""
        by_sunday = defaultdict[date, list[Period]](list)
        for first, last in self.days(label, measure):
            by_sunday[last + (6 - last.weekday()) * ONE_DAY].append((first, last))
        ended = [(days[0][0], days[-1][1]) for sunday, days in by_sunday.items() if sunday <= self.last_day]
        return {period: self._counted(label, measure, period) for period in ended}

    def _counted(self, label: str, measure: str, period: Period) -> Cell:
        rows = self._of_period(label, measure, period)
        return Cell(int(rows["value"].sum()), rows["user_id"].n_unique())

    def _of_period(self, label: str, measure: str, period: Period) -> pl.DataFrame:
        return self._rows(label, measure).filter(pl.col("day").is_between(*period))

    def _cells(
        self, label: str, measure: str, period: Period, dimension: str, artist: str = ""
    ) -> dict[str | None, Cell]:
        """Return the cells of a week; None names all others. Empty for recordings of an artist without a cell."""
        rows = self._of_period(label, measure, period)
        if artist:
            if artist not in self.cells(label, measure, period, "artist"):
                return {}
            rows = rows.filter(artist_id=artist)
        sums = defaultdict[str | None, Counter[str]](Counter)
        for cell, user, value in _split(rows, dimension).iter_rows():
            sums[cell][user] += value
        return {cell: Cell(users.total(), len(users)) for cell, users in merged(sums).items()}


def _split(rows: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """Return cell, listener and value of each row; plays are split by who chose the recording."""
    if dimension != "source":
        return rows.select(DIMENSIONS.get(dimension, dimension), "user_id", "value")
    unknown = rows.with_columns(n_unknown=pl.col("value") - pl.sum_horizontal(*SOURCES.values()))
    parts = [
        unknown.select(pl.lit(name).alias("cell"), "user_id", pl.col(column).alias("value"))
        for name, column in {**SOURCES, "unknown": "n_unknown"}.items()
    ]
    return pl.concat(parts).filter(pl.col("value") > 0)


def merged(cells: dict[str | None, Counter[str]]) -> dict[str | None, Counter[str]]:
    """Merge the cells that fail into one, with the smallest that pass, until it passes as well."""
    named = {cell: users for cell, users in cells.items() if cell is not None and passes(users)}
    others = Counter[str]()
    for cell, users in cells.items():
        if cell not in named:
            others.update(users)
    smallest = sorted(named, key=lambda cell: (len(named[cell]), named[cell].total(), cell))
    while others and not passes(others) and smallest:
        others.update(named.pop(smallest.pop(0)))
    partition: dict[str | None, Counter[str]] = dict(named.items())
    if others:
        partition[None] = others
    return partition
