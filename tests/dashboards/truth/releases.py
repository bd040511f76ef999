"""What the page Release room should show, computed from the rows of the lake and the rules of docs/labels.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl
from typing_extensions import override

from .closings import MIN_LISTENERS
from .compared import WEEK, monday_of
from .labels import LabelTruth
from .page import Truth, number, quotient, written
from .rows import ONE_DAY, Lake, between, total

N_LEAST = 9
KINDS = {True: "single", False: "EP"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """A release: its first recording, name, artist, day, and recordings."""

    id: str
    title: str
    artist: str | None
    released: date
    tracks: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Whether it is a single, an EP or an album."""
        return "album" if len(self.tracks) > 6 else KINDS[len(self.tracks) <= 3]


class ReleasesTruth:
    """The page of one label, for an operator."""

    period, ends = "day", (7, 28)

    def __init__(self, lake: Lake, label: str) -> None:
        self.lake, self.label = lake, label

    @property
    def first_day(self) -> date:
        """The day from which releases are known."""
        return self.lake.first_day

    @cached_property
    def releases(self) -> list[Release]:
        """The label's releases, the newest first."""
        is_known = pl.col("release_date").is_between(self.first_day, self.lake.last_day)
        own, groups = self.lake.tracks.filter(is_known, label_id=self.label), dict[tuple[Any, ...], list[Row]]()
        for row in own.iter_rows(named=True):
            title = row["release_title"] or row["title"] or row["track_id"]
            groups.setdefault((row["artist_id"], title, row["release_date"]), []).append(row)
        found = [
            Release(tracks[0]["track_id"], title, tracks[0]["artist_name"], day, tuple(it["track_id"] for it in tracks))
            for (_, title, day), tracks in groups.items()
        ]
        return sorted(found, key=lambda one: (-one.released.toordinal(), one.id))

    def periods(self, release: Release) -> list[Row]:
        """Return the first days of a release."""
        rows = self.lake.rows.filter(pl.col("track_id").is_in(release.tracks))
        n_days = min(self.ends[1], self.lake.rows["day"].n_unique())
        return [self._day(rows, no, release.released + (no - 1) * ONE_DAY) for no in range(1, n_days + 1)]

    def _day(self, rows: pl.DataFrame, no: int, day: date) -> Row:
        is_closed = day <= self.lake.last_day
        plays = total(between(rows, day, day), "n_plays") if is_closed else None
        return {"period_no": no, "n_days": 1, "is_closed": is_closed, "n_plays": plays}

    def page(self, release: Release, *, any_kind: bool) -> Truth:
        """Return the page of a release."""
        earlier = [
            one for one in self.releases if one.released < release.released and (any_kind or one.kind == release.kind)
        ]
        name = "releases" if any_kind else f"{release.kind}s"
        every = [_summed(self.periods(one)) for one in earlier]
        rows = [
            _with_band(
                {"release_date": release.released, "n_recordings": len(release.tracks), "is_withheld": False, **row},
                every,
            )
            for row in _summed(self.periods(release))
        ]
        frames = dict.fromkeys(
            ("release_n_so_far", "release_plays_a_day"), pl.DataFrame(rows, infer_schema_length=None)
        )
        if not any(row[key] is not None for row in rows for key in ("n_so_far", "so_far_high")):
            frames = {}
        if earlier:
            frames["earlier_releases"] = pl.DataFrame([self._earlier(*one) for one in zip(earlier, every, strict=True)])
        return Truth(
            {f"Plays, first {row['period_no']} {self.period}s": (_metric(row), "") for row in self._at_ends(rows)},
            frames,
            [_intro(release), *self._sentences(rows, name)],
        )

    def _at_ends(self, rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["period_no"] in self.ends]

    def _earlier(self, release: Release, rows: list[Row]) -> Row:
        totals = {row["period_no"]: row["n_so_far"] for row in rows}
        short, long = (totals.get(end) for end in self.ends)
        return {
            "title": release.title,
            "n_plays_short": short,
            "n_plays_long": long,
            "release_date": release.released,
            "n_recordings": len(release.tracks),
        }

    def _sentences(self, rows: list[Row], earlier: str) -> list[str]:
        closed = [row for row in rows if row["is_closed"]]
        if not closed:
            return [f"No {self.period} since the release has been closed yet."]
        latest = {max(row["period_no"] for row in closed if row["period_no"] <= end) for end in self.ends}
        known = [row for row in closed if row["period_no"] in latest and row["n_so_far"] is not None]
        if not known:
            return [f"Each closed week since the release had under {MIN_LISTENERS} listeners: there is no figure."]
        return [_so_far(row, self.period, earlier) for row in known]


class LabelReleasesTruth(ReleasesTruth):
    """The page of one label, for the label itself: closed weeks."""

    period, ends = "week", (2, 5)

    def __init__(self, truth: LabelTruth) -> None:
        super().__init__(truth.lake, truth.label)
        self.truth = truth

    @property
    @override
    def first_day(self) -> date:
        """The first day of the first closed week."""
        return self.truth.weeks[0][0]

    @override
    def periods(self, release: Release) -> list[Row]:
        """Return the first weeks of a release."""
        n_weeks, start = min(self.ends[1], len(self.truth.weeks)), monday_of(release.released)
        return [self._week(release, no, start + (no - 1) * WEEK) for no in range(1, n_weeks + 1)]

    def _week(self, release: Release, no: int, start: date) -> Row:
        found = [it for it in self.truth.weeks if monday_of(it[1]) == start and it[1] >= release.released]
        if not found:
            nothing = dict.fromkeys(("from_day", "to_day", "n_days", "n_plays"))
            return {"period_no": no, "is_closed": False, "n_recordings_with_figure": 0, **nothing}
        (week,) = found
        (artist,) = self.truth.tracks.filter(track_id=release.id)["artist_id"]
        cells = self.truth.closings.cells(self.label, "n_plays", week, "recording", artist)
        figures = [cells[track].value for track in release.tracks if track in cells]
        return {
            "period_no": no,
            "from_day": week[0],
            "to_day": week[1],
            "is_closed": True,
            "n_days": (week[1] - max(week[0], release.released)).days + 1,
            "n_plays": sum(figures) if figures else None,
            "n_recordings_with_figure": len(figures),
        }


def _summed(periods: list[Row]) -> list[Row]:
    rows, total_so_far = list[Row](), None
    for period in periods:
        if period["n_plays"] is not None:
            total_so_far = (total_so_far or 0) + period["n_plays"]
        so_far = total_so_far if period["is_closed"] else None
        rows.append({**period, "plays_a_day": quotient(period["n_plays"], period["n_days"]), "n_so_far": so_far})
    return rows


def _with_band(row: Row, earlier: list[list[Row]]) -> Row:
    """Add the band of a period, of the earlier releases whose period is closed."""
    same = [one for rows in earlier for one in rows if one["period_no"] == row["period_no"] and one["is_closed"]]
    low, high = _ends([one["plays_a_day"] for one in same])
    so_far_low, so_far_high = _ends([one["n_so_far"] for one in same])
    own = row["n_so_far"]
    n_lower = None if own is None else sum(one["n_so_far"] is None or one["n_so_far"] < own for one in same)
    band = {"low": low, "high": high, "so_far_low": so_far_low, "so_far_high": so_far_high}
    return {**row, "n_earlier": len(same), **band, "n_lower": n_lower}


def _ends(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Return the values at the positions (n + 1) / 10 and 9 (n + 1) / 10 of the order; missing ones are the lowest."""
    if len(values) < N_LEAST:
        return None, None
    ranked = sorted(values, key=lambda value: (value is not None, value or 0))
    return _value_at(ranked, (len(ranked) + 1) * 1), _value_at(ranked, (len(ranked) + 1) * 9)


def _value_at(ranked: Sequence[float | None], tenths: int) -> float | None:
    below, rest = divmod(tenths, 10)
    low = ranked[below - 1]
    if not rest or low is None:
        return low
    high = ranked[below]
    assert high is not None
    return low + rest / 10 * (high - low)


def _intro(release: Release) -> str:
    n, article = len(release.tracks), "a" if release.kind == "single" else "an"
    what = f"{article} {release.kind} of {n} recording{'' if n == 1 else 's'}"
    return (
        f"{release.title} by {release.artist or 'an unknown artist'}: {what}, released on {written(release.released)}."
    )


def _metric(row: Row) -> str:
    if not row["is_closed"]:
        return "not yet"
    return "too few" if row["n_so_far"] is None else number(row["n_so_far"])


def _so_far(row: Row, period: str, earlier: str) -> str:
    own, low, high, no = row["n_so_far"], row["so_far_low"], row["so_far_high"], row["period_no"]
    text = f"{number(own)} plays in the first {period if no == 1 else f'{no} {period}s'}"
    if high is not None:
        place = "above" if own > high else "below" if low is not None and own < low else "within"
        text += f", {place} what was expected ({'up to' if low is None else f'{low:,.0f} to'} {high:,.0f})"
    compared = f"; more than {row['n_lower']:,} of {row['n_earlier']:,} earlier {earlier}" if row["n_earlier"] else ""
    return f"{text}{compared}."
