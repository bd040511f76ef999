"""A curve over time as points in a unit square, with the ticks of its axes: the template only scales it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import ceil, floor, log10

import polars as pl

NO_FORECAST = pl.DataFrame(schema={"day": pl.Date, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64})
N_TICKS = 4  # at most, above 0 on the vertical axis
N_DOTS = 30  # at most, where the points are drawn, too
N_DAYS = 5  # labelled on the horizontal axis


@dataclass(frozen=True)
class Curve:
    """
    A curve: all coordinates are 0..1, from the left and from the bottom.

    Attributes:
        title: What is counted.
        unit: Its unit, and over what it is averaged.
        alt_text: Description for people who cannot see it.
        lines: Runs of points (x, y) without a gap.
        forecast: Points (x, y) of the forecast.
        band: Interval of the forecast: (x, low, high).
        x_ticks: Position and text of labelled days.
        y_ticks: Position and text of labelled values.
        has_dots: Whether the points are drawn, too.
    """

    title: str
    unit: str
    alt_text: str
    lines: Sequence[Sequence[tuple[float, float]]]
    forecast: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    has_dots: bool


def curve(title: str, unit: str, values: pl.DataFrame, forecast: pl.DataFrame = NO_FORECAST) -> Curve | None:
    """
    Return the curve of a series; None if it has no value.

    Args:
        title: What is counted.
        unit: Its unit, and over what it is averaged.
        values: day and value; a null is a gap.
        forecast: day, value, low and high of the days after them.
    """
    known = values.drop_nulls("value")
    if known.is_empty():
        return None
    days = [*values["day"], *forecast["day"]]
    ticks = _ticks(max(*known["value"], *forecast["high"], 1))
    first, n_days, top = days[0], max((days[-1] - days[0]).days, 1), ticks[-1]

    def x(day: date) -> float:
        return float((day - first).days / n_days)

    runs = groupby(values.select("day", "value").iter_rows(), key=lambda point: point[1] is not None)
    last_day, last_value = known.select("day", "value").row(-1)
    return Curve(
        title,
        unit,
        f"{title}: {last_value:,.0f} on {last_day:%-d %B %Y}, the last day with a figure; {unit}.",
        [[(x(day), value / top) for day, value in run] for is_known, run in runs if is_known],
        [(x(day), value / top) for day, value in forecast.select("day", "value").iter_rows()],
        [(x(day), low / top, high / top) for day, low, high in forecast.select("day", "low", "high").iter_rows()],
        [(x(day), f"{day:%-d %b}") for day in _spaced(days)],
        [(tick / top, f"{tick:,.0f}") for tick in ticks],
        len(days) <= N_DOTS,
    )


def _ticks(greatest: float) -> list[float]:
    """
    Return round numbers from 0 to the first that is not below the greatest value, at most N_TICKS above 0.

    >>> _ticks(449), _ticks(3)
    ([0, 200, 400, 600], [0, 1, 2, 3])
    """
    power = 10 ** floor(log10(greatest / N_TICKS)) if greatest > N_TICKS else 1
    step = next(unit * power for unit in (1, 2, 5, 10) if unit * power * N_TICKS >= greatest)
    return [number * step for number in range(ceil(greatest / step) + 1)]


def _spaced(days: Sequence[date]) -> list[date]:
    """Return at most N_DAYS days, evenly spaced, the first and the last among them."""
    n = min(N_DAYS, len(days))
    return [days[round(place * (len(days) - 1) / max(n - 1, 1))] for place in range(n)]
