"""Rises of other channels, computed from the raw rows by loops over days."""

import math
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from statistics import median
from typing import Any

import polars as pl

from .rows import ONE_DAY, Lake, between, total

Score = tuple[float, float, float, int]  # mean per day, usual mean per day, z, weeks before
COLUMNS = (
    *("title", "artist_name", "source", "metric", "day", "value_per_day", "usual_per_day", "z", "n_weeks"),
    *("n_plays", "n_plays_before"),
)


def score(values: Mapping[date, float], last: date) -> Score | None:
    """Score the seven days that end with `last` against the eight weeks before; None without values in either."""
    now, *before = (average(values, last - timedelta(days=7 * week)) for week in range(9))
    known = [mean for mean in before if mean is not None]
    if now is None or not known:
        return None
    usual = median(known)
    std = 1.4826 * median(abs(math.log1p(mean) - math.log1p(usual)) for mean in known)
    error = max(std, 1 / math.sqrt(7 * usual + 1)) * math.sqrt(1 + 1.57 / len(known))
    return now, usual, (math.log1p(now) - math.log1p(usual)) / error, len(known)


def average(values: Mapping[date, float], last: date) -> float | None:
    """Return the mean of the days with a value among the seven that end with `last`."""
    week = [values[day] for n in range(7) if (day := last - timedelta(days=n)) in values]
    return sum(week) / len(week) if week else None


def is_rise(one: Score | None) -> bool:
    """Whether a score is that of a rise."""
    return one is not None and one[0] >= 2 * one[1] and one[2] >= 4 and one[3] >= 3


def rising_signals(lake: Lake, days: int, label: str | None = None) -> pl.DataFrame:
    """Return the newest rise of each recording's counts in the last days; those of a label without plays."""
    own = lake.tracks if label is None else lake.tracks.filter(pl.col("artist_id").is_in(artists_of(lake, label)))
    found = pl.DataFrame([*_found(lake, days, own, with_plays=label is None)], infer_schema_length=None)
    if found.is_empty():
        return found
    return found.sort("z", "track_id", descending=[True, False]).select(COLUMNS)


def artists_of(lake: Lake, label: str) -> list[str]:
    """Return the artists whose recordings are all of one label, as far as they have one."""
    labels = lake.tracks.drop_nulls(["artist_id", "label_id"]).group_by("artist_id").agg(pl.col("label_id").unique())
    return labels.filter(pl.col("label_id") == [label])["artist_id"].to_list()


def _found(lake: Lake, days: int, own: pl.DataFrame, *, with_plays: bool) -> Iterator[dict[str, Any]]:
    if not lake.has("signals"):
        return
    signals = lake.table("signals").filter(pl.col("value") >= 0).join(own, on="track_id")
    keys = ("track_id", "title", "artist_name", "source", "metric")
    for names, counts in signals.group_by(keys):
        values = dict(counts.select("day", "value").iter_rows())
        for day in (lake.last_day - n * ONE_DAY for n in range(days)):
            one = score(values, day) if day in values else None
            if is_rise(one):
                plays = _plays(lake, str(names[0]), day) if with_plays else (None, None)
                if plays[0] is None or plays[0] <= 1.5 * plays[1]:
                    yield dict(zip(keys, names, strict=True)) | _figures(day, one, plays)
                break


def _figures(day: date, one: Score | None, plays: tuple[Any, Any]) -> dict[str, Any]:
    assert one is not None
    mean, usual, z, n_weeks = one
    means = {"value_per_day": mean, "usual_per_day": usual, "z": round(z, 2), "n_weeks": n_weeks}
    return {"day": day, **means, "n_plays": plays[0], "n_plays_before": plays[1]}


def _plays(lake: Lake, track: str, day: date) -> tuple[int, int]:
    rows = lake.rows.filter(track_id=track)
    now = between(rows, day - 6 * ONE_DAY, day)
    before = between(rows, day - 13 * ONE_DAY, day - 7 * ONE_DAY)
    return total(now, "n_plays"), total(before, "n_plays")
