"""Days and weeks on which the whole market moved unusually, computed by loops over periods."""

import math
from collections.abc import Mapping
from datetime import date, timedelta
from statistics import median
from typing import Any

import polars as pl

from .closings import Closings, Period
from .rows import ONE_DAY, Lake

DAYS, WEEKS, LEAST_WEEKS, LEAST_OTHERS, MAX_TOP_TWO = 91, range(1, 9), 4, 3, 0.8
TIMES, LEAST_STD = 5, 0.02
Plays = Mapping[Period, int]
Pair = tuple[int, int]  # plays of a period, and of the same one some weeks earlier
SCHEMA = {
    "from_day": pl.Date,
    "to_day": pl.Date,
    "change": pl.Float64,
    "own_change": pl.Float64,
    "n_plays": pl.Int64,
    "n_weeks": pl.Int64,
}


def of_home(lake: Lake) -> pl.DataFrame:
    """Return the moves of all plays of the home, newest first."""
    sums = lake.rows.group_by("day").agg(pl.col("n_plays").sum()).filter(pl.col("n_plays") > 0)
    days = {(day, day): n_plays for day, n_plays in sums.iter_rows()}
    plays = days | _whole_weeks(days, lake.first_day, lake.last_day)
    moves = [_move(period, _pairs(plays, period), {}, plays[period]) for period in plays]
    return _table(moves, lake.last_day)


def of_label(closings: Closings, label: str) -> pl.DataFrame:
    """Return the moves of all other labels, newest first, beside the label's own plays."""
    labels = closings.lake.tracks["label_id"].drop_nulls().unique().sort()
    return moves_of_others({one: _closed(closings, one) for one in labels}, label, closings.lake.last_day)


def moves_of_others(plays: Mapping[str, Plays], label: str, last_day: date) -> pl.DataFrame:
    """Return the moves of all labels but one; `plays` has the closed single days and whole weeks of each."""
    found = []
    for period in {period for of_one in plays.values() for period in of_one}:
        pairs = {week: pair for week in WEEKS if (pair := _others(plays, label, period, week))}
        own = {week: pair for week, pair in _pairs(plays[label], period).items() if week in pairs}
        found.append(_move(period, pairs, own, None))
    return _table(found, last_day)


def _whole_weeks(days: Plays, first_day: date, last_day: date) -> dict[Period, int]:
    mondays = {day - day.weekday() * ONE_DAY for day, _ in days}
    weeks = [(monday, monday + 6 * ONE_DAY) for monday in mondays if first_day <= monday <= last_day - 6 * ONE_DAY]
    return {week: sum(n for (day, _), n in days.items() if week[0] <= day <= week[1]) for week in weeks}


def _closed(closings: Closings, label: str) -> dict[Period, int]:
    """Return the label's closed single days and whole weeks."""
    periods = closings.days(label, "n_plays"), closings.weeks(label, "n_plays")
    lengths = (0 * ONE_DAY, 6 * ONE_DAY)
    return {
        period: cell.value
        for cells, length in zip(periods, lengths, strict=True)
        for period, cell in cells.items()
        if period[1] - period[0] == length
    }


def _earlier(period: Period, week: int) -> Period:
    return period[0] - timedelta(weeks=week), period[1] - timedelta(weeks=week)


def _pairs(plays: Plays, period: Period) -> dict[int, Pair]:
    earlier = {week: _earlier(period, week) for week in WEEKS}
    return {
        week: (plays[period], plays[before]) for week, before in earlier.items() if {period, before} <= plays.keys()
    }


def _others(plays: Mapping[str, Plays], label: str, period: Period, week: int) -> Pair | None:
    """Add up the labels but one; None if they are too few, or two have most of their plays."""
    pairs = [pair for one, of_one in plays.items() if one != label and (pair := _pairs(of_one, period).get(week))]
    sizes = sorted(map(sum, pairs))
    if len(pairs) < LEAST_OTHERS or sum(sizes[-2:]) > MAX_TOP_TWO * sum(sizes):
        return None
    return sum(now for now, _ in pairs), sum(before for _, before in pairs)


def _change(pairs: Mapping[int, Pair]) -> float | None:
    if len(pairs) < LEAST_WEEKS:
        return None
    return median(math.log(now / before) for now, before in pairs.values())


def _percent(change: float | None) -> float | None:
    return None if change is None else round(math.exp(change) - 1, 2)


def _move(
    period: Period, pairs: Mapping[int, Pair], own: Mapping[int, Pair], n_plays: int | None
) -> tuple[Any, ...] | None:
    """Return a row of the table; None if the period was as usual."""
    change = _change(pairs)
    if change is None:
        return None
    std = 1.4826 * median(abs(math.log(now / before) - change) for now, before in pairs.values())
    noise = 2 / math.sqrt(min(now for now, _ in pairs.values()))
    if abs(change) < TIMES * max(LEAST_STD, std, noise):
        return None
    return *period, _percent(change), _percent(_change(own)), n_plays, len(pairs)


def _table(moves: list[tuple[Any, ...] | None], last_day: date) -> pl.DataFrame:
    """Return the moves of the last three months, newest first."""
    table = pl.DataFrame([move for move in moves if move], SCHEMA, orient="row")
    recent = table.filter(pl.col("from_day") > last_day - DAYS * ONE_DAY)
    return recent.sort("to_day", "from_day", descending=[True, False])
