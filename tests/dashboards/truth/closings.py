"""
The ledger of labels, closed again from the rows of a lake by the rules of docs/labels.md, in plain Python.

One closing, after the first nightly run: no row is late. Nothing here reads `recsys.ledger`.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property

import polars as pl

from .crossings import COLUMNS, Cells, Crossing
from .rows import ONE_DAY, Lake

MIN_LISTENERS, MAX_TOP_TWO = 20, 0.8
GROUPS = ("country", "age_band", "gender")
SOURCES = {"active": "n_active", "algorithmic": "n_algorithmic"}
RECENT, KNOWN = timedelta(days=28), timedelta(days=56)  # before a week: a listener returns; the log reaches back
N_FAVOURITES = 20  # artists that count for a listener in a month
Period = tuple[date, date]


@dataclass(frozen=True)
class Cell:
    """A figure and its listeners."""

    value: int
    n_listeners: int


@dataclass(frozen=True)
class Month:
    """The listeners of each artist in a month, as far as they play it much, and the artists with released music."""

    listeners: dict[str, set[str]]
    released: set[str]


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
        self.partitions = cache(self._partitions)

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
        partitions = self.partitions(label, measure, period)
        if artist and artist not in partitions["artist"]:
            return {}
        name = f"recording of {artist}" if artist else dimension
        return {cell: Cell(users.total(), len(users)) for cell, users in partitions[name].items()}

    def _partitions(self, label: str, measure: str, period: Period) -> dict[str, Cells]:
        """Return the cells of a week by dimension, recordings by artist, without narrow intersections."""
        rows = self._of_period(label, measure, period)
        if measure == "n_plays":
            rows = rows.with_columns(loyalty=pl.Series(self._loyalty(label, rows["user_id"], period[0])))
        split = by_source(rows) if measure == "n_plays" else rows
        names = [*GROUPS, *(("source", "loyalty") if measure == "n_plays" else ())]
        partitions = {name: merged(sums_of(split, name)) for name in ("artist", *names)}
        of_artists = {
            f"recording of {artist}": merged(sums_of(rows.filter(artist_id=artist), "recording"))
            for artist in partitions["artist"]
            if artist
        }
        recordings = {cell: users for cells in of_artists.values() for cell, users in cells.items() if cell}
        without_artist = sums_of(rows.filter(pl.col("artist_id").is_null()), "recording")
        crossing = Crossing(split, partitions | {"recording": recordings | without_artist})
        return crossing.merged() | of_artists

    def listeners_by_loyalty(self, label: str, period: Period) -> dict[str | None, int]:
        """Return the listeners of a week by what they had played before; None names all others."""
        rows = self._of_period(label, "n_plays", period)
        kinds = rows.with_columns(loyalty=pl.Series(self._loyalty(label, rows["user_id"], period[0])))
        return {cell: len(users) for cell, users in merged(sums_of(kinds, "loyalty")).items()}

    def _loyalty(self, label: str, users: pl.Series, first: date) -> list[str]:
        """Return what each listener had played of a label before a day."""
        days = self._days_before(label, first)
        is_long = first - self._first_play_day >= KNOWN
        kinds = {user: "returning" if first - day <= RECENT else "back" for user, day in days.items()}
        return [kinds.get(user, "new" if is_long else "unknown") for user in users]

    def _days_before(self, label: str, first: date) -> dict[str, date]:
        """Return the last day before a day on which each listener played a label."""
        plays = self._rows(label, "n_plays").filter(pl.col("day") < first)
        return dict(plays.group_by("user_id").agg(pl.col("day").max()).iter_rows())

    @cached_property
    def _first_play_day(self) -> date:
        """The first day on which somebody played a recording of any label."""
        plays = self.lake.rows.filter(pl.col("n_plays") > 0, pl.col("label_id").is_not_null())
        day: date = plays.select(pl.col("day").min()).item()
        return day

    @cached_property
    def months(self) -> dict[date, Month]:
        """The closed months by their last day."""
        plays = self.lake.rows.filter(pl.col("n_plays") > 0, pl.col("artist_id").is_not_null())
        by_day = plays.with_columns(month=pl.col("day").dt.month_end()).filter(pl.col("month") <= self.last_day)
        sums = by_day.group_by("month", "user_id", "artist_id").agg(
            pl.col("n_plays").sum(), is_released=(pl.col("release_date") <= pl.col("day")).any()
        )
        ranked = sums.sort("n_plays", "artist_id", descending=[True, False]).group_by("month", "user_id")
        months = dict[date, Month]()
        for (month, user), favourites in ranked.head(N_FAVOURITES).group_by("month", "user_id"):
            found = months.setdefault(month, Month(defaultdict(set), set()))
            for artist, is_released in favourites.select("artist_id", "is_released").iter_rows():
                found.listeners[artist].add(user)
                found.released.update({artist} if is_released else ())
        return months


def by_source(rows: pl.DataFrame) -> pl.DataFrame:
    """Split the plays of rows by who chose the recording."""
    unknown = rows.with_columns(n_unknown=pl.col("value") - pl.sum_horizontal(*SOURCES.values()))
    kinds = {**SOURCES, "unknown": "n_unknown"}
    split = [unknown.with_columns(source=pl.lit(name), value=pl.col(column)) for name, column in kinds.items()]
    return pl.concat(split).filter(pl.col("value") > 0)


def sums_of(rows: pl.DataFrame, dimension: str) -> Cells:
    """Return the value of each cell of a dimension, by listener."""
    sums = defaultdict[str | None, Counter[str]](Counter)
    for cell, user, value in rows.select(COLUMNS.get(dimension, dimension), "user_id", "value").iter_rows():
        sums[cell][user] += value
    return sums


def merged(cells: Cells) -> Cells:
    """Merge the cells that fail into one, with the smallest that pass, until it passes as well."""
    named = {cell: users for cell, users in cells.items() if cell is not None and passes(users)}
    others = Counter[str]()
    for cell, users in cells.items():
        if cell not in named:
            others.update(users)
    smallest = sorted(named, key=lambda cell: (len(named[cell]), named[cell].total(), cell))
    while others and not passes(others) and smallest:
        others.update(named.pop(smallest.pop(0)))
    partition: Cells = dict(named.items())
    if others:
        partition[None] = others
    return partition
