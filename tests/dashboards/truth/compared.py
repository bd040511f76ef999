"""What the page Compare should show, computed from the rows of the lake and the rules of docs/labels.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from .labels import LabelTruth
from .page import Truth, quotient
from .rows import ONE_DAY, Lake, between, total

WEEK = 7 * ONE_DAY
RELEASED = {"artist": "newest_release", "recording": "release_date"}
KEYS = {"artist": "artist_id", "recording": "track_id"}
COUNTS = ("n_plays", "n_skips", "n_saves")
Row = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """What is compared: ids of a kind, by date or release, over so many weeks, averaged over a window of days."""

    kind: str
    items: Sequence[str]
    by: str
    weeks: int
    window: int = 7

    def address(self) -> dict[str, str | list[str]]:
        """Return the query parameters of the page."""
        items = {KEYS[self.kind].replace("_id", "s"): list(self.items)}
        return {**items, "of": self.kind, "by": self.by, "weeks": str(self.weeks), "window": str(self.window)}

    def has(self, no: int | None, day: date, last_day: date, days: int) -> bool:
        """Return whether a period of some days is shown: its number since the release, and its last day."""
        if self.by == "release":
            return no is not None and 1 <= no <= self.weeks * 7 // days
        return day > last_day - self.weeks * WEEK


def operators_page(lake: Lake, choice: Choice) -> Truth:
    """Return the page of an operator."""
    drawn = [days for item in choice.items if (days := _days(lake, item, choice))]
    totals = [_total(choice.kind, days) for days in drawn]
    for one, days in zip(totals, drawn, strict=True):
        n_skips, n_starts = (sum(day[name] for day in days for name in names) for names in (("n_skips",), COUNTS[:2]))
        one |= {"skip_share": quotient(n_skips, n_starts), "n_saves": sum(day["n_saves"] for day in days)}
    return _page([day for days in drawn for day in days], totals)


def labels_page(truth: LabelTruth, choice: Choice) -> Truth:
    """Return the page of a label."""
    drawn = [found for item in choice.items if (found := _weeks(truth, item, choice))]
    totals = [
        _total(choice.kind, found)
        | {"n_with_figure": sum(week["n_plays"] is not None for week in found), "n_periods": len(found)}
        for found in drawn
    ]
    return _page([week for found in drawn for week in found], totals)


def _page(periods: list[Row], totals: list[Row]) -> Truth:
    rows = {"compared": periods, "compared_totals": totals} if periods else {}
    return Truth(rows={key: pl.DataFrame(found, infer_schema_length=None) for key, found in rows.items()})


def _total(kind: str, periods: list[Row]) -> Row:
    known = [period for period in periods if period["n_plays"] is not None]
    plays = sum(period["n_plays"] for period in known)
    return {
        "name": known[0]["name"],
        RELEASED[kind]: known[0]["release_date"],
        "n_plays": plays,
        "plays_a_day": plays / sum(period["n_days"] for period in known),
    }


def _released(lake: Lake, kind: str, item: str) -> tuple[str, date | None, date | None]:
    """Return the name of an artist or a recording, and the first and the newest release date."""
    tracks = lake.tracks.filter(pl.col(KEYS[kind]) == item)
    name = tracks["artist_name" if kind == "artist" else "title"].drop_nulls()
    released = tracks["release_date"].drop_nulls()
    first, newest = released.min(), released.filter(released <= lake.last_day).max()
    return (name[0] if len(name) else item), first, newest  # type: ignore[return-value]


def _days(lake: Lake, item: str, choice: Choice) -> list[Row]:
    """Return the days of an item; none without a play or a release."""
    name, released, newest = _released(lake, choice.kind, item)
    rows = lake.rows.filter(pl.col(KEYS[choice.kind]) == item)
    began: list[date] = [*rows.filter(pl.col("n_plays") > 0)["day"], *([released] if released else [])]
    if not began:
        return []
    start, found = max(min(began), lake.first_day), list[Row]()
    for no in range((lake.last_day - start).days + 1):
        day = start + no * ONE_DAY
        day_no = (day - newest).days + 1 if newest else None
        if not choice.has(day_no, day, lake.last_day, 1):
            continue
        counts = {count: total(between(rows, day, day), count) for count in COUNTS}
        averaged = total(between(rows, day - (choice.window - 1) * ONE_DAY, day), "n_plays")
        found.append(
            {"name": name, "release_date": newest, "listen_date": day, "day_no": day_no, "n_days": 1, **counts}
            | {"plays_a_day": averaged / min(choice.window, no + 1)}
        )
    return found


def _weeks(truth: LabelTruth, item: str, choice: Choice) -> list[Row]:
    """Return the closed weeks of an item; none if it has no figure in any of them."""
    name, _, newest = _released(truth.lake, choice.kind, item)
    is_recording = choice.kind == "recording"
    artist = truth.tracks.filter(track_id=item)["artist_id"].item() if is_recording else ""
    found = list[Row]()
    for row in truth.trend(choice.kind, item, artist).iter_rows(named=True):
        first, last = row["from_day"], row["to_day"]
        week_no = (monday_of(last) - monday_of(newest)) // WEEK + 1 if newest else None
        if not choice.has(week_no, last, truth.lake.last_day, 7):
            continue
        is_first = choice.by == "release" and is_recording and newest is not None and first <= newest <= last
        n_days = ((last - newest).days + 1) if is_first and newest else row["n_days"]
        found.append(
            {"name": name, "release_date": newest, "from_day": first, "to_day": last, "week_no": week_no}
            | {"n_days": n_days, "n_plays": row["n_plays"], "is_withheld": False}
            | {"plays_a_day": quotient(row["n_plays"], n_days)}
        )
    return found if any(week["n_plays"] is not None for week in found) else []


def monday_of(day: date) -> date:
    """Return the first day of a day's week."""
    return day - day.weekday() * ONE_DAY
