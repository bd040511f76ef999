"""What the pages of a label should show, computed from the rows of the lake and the rules of docs/labels.md."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

import numpy as np
import polars as pl

from . import market
from .closings import MAX_TOP_TWO, MIN_LISTENERS, Cell, Closings, Period
from .lists import ListsTruth
from .notes import NotesTruth, milestones
from .page import Truth, country, number, percent, quotient, signed, span, written
from .rows import ONE_DAY
from .shares import SharesTruth
from .signals import rising_signals

NAMES = {
    "n_plays": "Plays",
    "ms_played": "Hours played",
    "n_skips": "Skips",
    "n_saves": "Saves",
    "n_likes": "Likes",
    "n_playlist_adds": "Playlist adds",
}
COUNTS = ("n_plays", "n_skips", "n_saves", "n_likes", "n_playlist_adds")
WEEK_COUNTS = {"1": "the last closed week", "4": "the last four closed weeks"}
SHARED = {"country": "Country", "age_band": "Age", "gender": "Gender", "source": "Who chose the recording"}
GROUPS = {**SHARED, "loyalty": "Played the label before"}
SOURCE_NAMES = {
    "active": "chosen by the listener",
    "algorithmic": "recommended",
    "unknown": "unknown",
    "all others": "all others",
}
HOUR_MS = 3_600_000
PARTS = {"cell": pl.String, "n_plays": pl.Int64, "n_plays_before": pl.Int64, "n_listeners": pl.Int64}


@dataclass(frozen=True)
class Change:
    """A measure of the last closed periods and of those before; `before` is None without them."""

    measure: str
    now: float
    period: Period
    before: float | None = None
    period_before: Period | None = None

    @property
    def is_per_day(self) -> bool:
        """Whether the two periods have different lengths."""
        return self.period_before is not None and n_days(self.period) != n_days(self.period_before)

    @property
    def change(self) -> float | None:
        """Relative change of the daily average."""
        if self.before is None or self.period_before is None:
            return None
        return self.now / n_days(self.period) / (self.before / n_days(self.period_before)) - 1

    def sentence(self) -> str:
        """Write the change as the overview does."""
        name, now = NAMES[self.measure], f"{number(self.now)} {span(*self.period)}"
        if self.change is None or self.period_before is None:
            return f"{name}: {now}; there is no earlier figure to compare with."
        before = f"compared with {number(self.before)} {span(*self.period_before)}."
        name += " per day" if self.is_per_day else ""
        if abs(self.change) < 0.005:
            return f"{name} stayed level: {now}, {before}"
        verb = "rose" if self.change > 0 else "fell"
        return f"{name} {verb} by {abs(self.change):.1%}: {now}, {before}"


def n_days(period: Period) -> int:
    """Count the days of a period."""
    return (period[1] - period[0]).days + 1


def whole(periods: list[Period]) -> Period:
    """Return the first and the last day of several periods."""
    return min(first for first, _ in periods), max(last for _, last in periods)


class LabelTruth:
    """The pages of one label."""

    def __init__(self, closings: Closings, label: str) -> None:
        self.closings, self.label, self.lake = closings, label, closings.lake
        self.tracks = self.lake.tracks.filter(label_id=label)
        self.weeks = sorted(closings.weeks(label, "n_plays"))
        self.shares, self.notes = SharesTruth(closings, label), NotesTruth(closings.lake)

    # ----- figures

    def changes(self, days: int) -> list[Change]:
        """Return the totals of each measure, plays first, the others by their last day and size."""
        found = [change for measure in NAMES if (change := self._change(measure, days))]
        return sorted(
            found, key=lambda one: (one.measure != "n_plays", -one.period[1].toordinal(), -one.now, one.measure)
        )

    def _change(self, measure: str, days: int) -> Change | None:
        lines = (self.closings.days if days == 1 else self.closings.weeks)(self.label, measure)
        periods, n = sorted(lines, reverse=True), ceil(days / 7)
        now, before = periods[:n], periods[n : 2 * n]
        if len(now) < n:
            return None
        if days == 1:
            week_ago = (now[0][0] - 7 * ONE_DAY, now[0][1] - 7 * ONE_DAY)
            before = [week_ago] if week_ago in lines else []
        scale = HOUR_MS if measure == "ms_played" else 1
        value = sum(lines[period].value for period in now) / scale
        if len(before) < n:
            return Change(measure, value, whole(now))
        return Change(measure, value, whole(now), sum(lines[one].value for one in before) / scale, whole(before))

    def trend(self, dimension: str, cell: str = "", artist: str = "") -> pl.DataFrame:
        """Return the closed periods of the label (day or week), of an artist or of a recording."""
        lines = self.closings.days if dimension == "day" else self.closings.weeks
        rows = [self._period(period, dimension, cell, artist) for period in sorted(lines(self.label, "n_plays"))]
        return pl.DataFrame(rows, infer_schema_length=None)

    def _period(self, period: Period, dimension: str, cell: str, artist: str) -> dict[str, Any]:
        cells = {name: self._cell(name, period, dimension, cell, artist) for name in NAMES}
        values = {name: found.value if found else None for name, found in cells.items()}
        plays, skips = values["n_plays"], values["n_skips"]
        has_listeners = dimension in ("week", "artist") and (found := cells["n_plays"]) is not None
        listeners = found.n_listeners if has_listeners and found else None
        return {
            "from_day": period[0],
            "to_day": period[1],
            "n_days": n_days(period),
            "n_listeners": listeners,
            **{name: values[name] for name in COUNTS},
            "hours_played": quotient(values["ms_played"], HOUR_MS),
            "plays_a_day": quotient(plays, n_days(period)),
            "streams_per_listener": quotient(plays, listeners),
            "skip_share": quotient(skips, plays + skips) if plays and skips is not None else None,
            "is_withheld": False,
        }

    def _cell(self, measure: str, period: Period, dimension: str, cell: str, artist: str) -> Cell | None:
        if dimension in ("day", "week"):
            lines = (self.closings.days if dimension == "day" else self.closings.weeks)(self.label, measure)
            return lines.get(period)
        if period not in self.closings.weeks(self.label, measure):
            return None
        return self.closings.cells(self.label, measure, period, dimension, artist).get(cell)

    def parts(self, dimension: str, weeks: str, artist: str = "") -> pl.DataFrame:
        """Return the parts of the plays of the last closed weeks; no rows if there are not as many weeks."""
        n, latest = int(weeks), self.weeks[::-1]
        now, before = (self._named(dimension, artist, some) for some in (latest[:n], latest[n : 2 * n]))
        if now is None:
            return pl.DataFrame()
        named, total = now
        is_comparable = before is not None and n_days(whole(latest[:n])) == n_days(whole(latest[n : 2 * n]))
        earlier = before[0] if before and is_comparable else {}
        last = self.closings.cells(self.label, "n_plays", latest[0], dimension, artist)
        rows = [
            {"cell": cell, "n_plays": plays, "n_plays_before": earlier.get(cell), "n_listeners": last[cell].n_listeners}
            for cell, plays in sorted(named.items(), key=lambda one: (-one[1], one[0]))
        ]
        if rest := total - sum(named.values()):
            rows.append({"cell": None, "n_plays": rest, "n_plays_before": None, "n_listeners": None})
        return self._compared(pl.DataFrame(rows, PARTS), dimension, whole(latest[:n]))

    def _named(self, dimension: str, artist: str, weeks: list[Period]) -> tuple[dict[str, int], int] | None:
        """Return the sum of each cell that has a figure in all weeks, and the sum of all cells; None without cells."""
        cells = [self.closings.cells(self.label, "n_plays", week, dimension, artist) for week in weeks]
        if not cells or not all(cells):
            return None
        names = set.intersection(*map(set, cells)) - {None}
        sums = {name: sum(week[name].value for week in cells) for name in names if name is not None}
        return sums, sum(cell.value for week in cells for cell in week.values())

    def _compared(self, rows: pl.DataFrame, dimension: str, period: Period) -> pl.DataFrame:
        names = self.names(dimension)
        return rows.with_columns(
            name=pl.col("cell").replace(names).fill_null("all others"),
            share=pl.col("n_plays") / pl.col("n_plays").sum(),
            n_listeners=pl.col("n_listeners") if dimension in ("artist", "loyalty") else None,
            difference=pl.col("n_plays") - pl.col("n_plays_before"),
            change=pl.col("n_plays") / pl.col("n_plays_before") - 1,
            first_date=pl.lit(period[0]),
            last_date=pl.lit(period[1]),
        )

    def names(self, dimension: str) -> dict[str, str]:
        """Return the names of artists or recordings by id."""
        key, name = ("artist_id", "artist_name") if dimension == "artist" else ("track_id", "title")
        return dict(self.tracks.select(key, name).drop_nulls().unique(key).iter_rows())

    def outliers(self, dimension: str, direction: str, least_z: float = 4) -> pl.DataFrame:
        """Return the cells whose last week is far from their weeks before, most unusual first."""
        names, owners = self.names(dimension), dict(self.tracks.select("track_id", "artist_id").iter_rows())
        rows = []
        for cell in self._cells_of_last_week(dimension):
            artist = cell if dimension == "artist" else owners[cell]
            found = self._outlier(dimension, cell, artist)
            if found and _is_far(found, direction, least_z):
                artist_name = self.names("artist").get(artist)
                rows.append({"cell": cell, "name": names.get(cell, cell), "artist_name": artist_name, **found})
        ordered = sorted(rows, key=lambda row: (-abs(row["raw_z"]), row["cell"]))
        return pl.DataFrame(ordered, infer_schema_length=None)

    def _cells_of_last_week(self, dimension: str) -> list[str]:
        """Return the artists or the recordings that have a figure in the last closed week."""
        artists = [""] if dimension == "artist" else self._cells_of_last_week("artist")
        cells = [self.closings.cells(self.label, "n_plays", self.weeks[-1], dimension, artist) for artist in artists]
        return [cell for of_artist in cells for cell in of_artist if cell is not None]

    def _outlier(self, dimension: str, cell: str, artist: str) -> dict[str, Any] | None:
        """Return the last week of a cell, the plays expected, and z; None without it or four earlier weeks."""
        last = self.weeks[-1]
        of_recording = artist if dimension == "recording" else ""
        now = self._cell("n_plays", last, dimension, cell, of_recording)
        weeks = [week for week in self.weeks[:-1] if week[1] >= last[1] - timedelta(days=56)]
        found = [(week, self._cell("n_plays", week, dimension, cell, of_recording)) for week in weeks]
        known = [(week, one, self._cell("n_plays", week, "artist", artist, "")) for week, one in found if one]
        if now is None or len(known) < 4:
            return None
        levels = np.log([one.value / n_days(week) for week, one, _ in known])
        per_listener = [of_artist.value / of_artist.n_listeners for _, _, of_artist in known if of_artist]
        usual, level = float(np.median(levels)), float(np.log(now.value / n_days(last)))
        noise = np.sqrt(np.median(per_listener) / np.median([one.value for _, one, _ in known]))
        raw_z = (level - usual) / max(1.4826 * float(np.median(abs(levels - usual))), float(noise))
        expected = round(float(np.exp(usual)) * n_days(last), 1)
        values = {"n_plays": now.value, "n_expected": expected, "z": round(raw_z, 2)}
        return {"from_day": last[0], "to_day": last[1], **values, "raw_z": raw_z, "rise": level - usual}

    # ----- pages

    def overview(self, days: str) -> Truth:
        """Return the page Overview."""
        changes, weeks = self.changes(int(days)), "4" if days == "28" else "1"
        latest = max(one.period[1] for one in changes)
        cards = [one for one in changes if latest - one.period[1] < 7 * ONE_DAY]
        artists = self.parts("artist", weeks).filter(pl.col("difference") != 0)
        most = artists.sort(pl.col("difference").abs(), descending=True, maintain_order=True).head(10)
        movers = most.sort("difference", descending=True, maintain_order=True)
        moved = movers.rename({"name": "artist_name", "n_plays": "n_now"})
        rows = {"plays_by_day": self.trend("day"), "artist_changes": moved, "new_releases": self._releases()}
        total = sum(line.value for line in self.closings.days(self.label, "n_plays").values())
        since = self.weeks[0][0]
        return Truth(
            {NAMES[one.measure]: (number(one.now), signed(one.change)) for one in cards},
            {key: frame for key, frame in rows.items() if not frame.is_empty()},
            [one.sentence() for one in changes] + [_mover(row) for row in movers.head(1).iter_rows(named=True)],
            [f"All closed periods since {written(since)}: {number(total)} plays."],
        )

    def _releases(self) -> pl.DataFrame:
        """Return the ten newest recordings of the last 28 days, with the plays of the last closed week."""
        last_day, cells = self.lake.last_day, dict[str | None, Cell]()
        for artist in self.tracks["artist_id"].drop_nulls().unique():
            cells |= self.closings.cells(self.label, "n_plays", self.weeks[-1], "recording", artist)
        is_recent = pl.col("release_date").is_between(last_day - timedelta(days=27), last_day)
        recent = self.tracks.filter(is_recent)
        plays = [cells[track].value if track in cells else None for track in recent["track_id"]]
        known = recent.with_columns(n_plays=pl.Series(plays, dtype=pl.Int64)).sort(
            "release_date", "n_plays", "track_id", descending=[True, True, False], nulls_last=True
        )
        return known.select("title", "artist_name", "genre", "release_date", "n_plays").head(10)

    def artist(self, artist: str, weeks: str, dimension: str, shown: dict[str, pl.DataFrame]) -> Truth:
        """Return the page Artist; of the shares with noise, those that are shown."""
        recordings = self.parts("recording", weeks, artist)
        truth = self._weeks("artist", artist, "")
        if "artist_audience" in shown:
            truth |= Truth(rows={"artist_audience": self.shares.groups(artist, dimension, shown["artist_audience"])})
        if recordings.is_empty():
            return truth
        columns = ("name", "n_plays", "share", "n_plays_before", "difference", "change")
        return truth | Truth(rows={"artist_tracks": recordings.select(columns)}, texts=[_period_text(recordings)])

    def track(self, track: str) -> Truth:
        """Return the plays of the page Track."""
        (artist,) = self.tracks.filter(track_id=track)["artist_id"]
        return self._weeks("recording", track, artist)

    def _weeks(self, dimension: str, cell: str, artist: str) -> Truth:
        weeks = self.trend(dimension, cell, artist)
        measures = ["n_plays", "n_listeners", *COUNTS[1:], "hours_played", "skip_share"]
        if all(weeks[name].is_null().all() for name in measures):
            return Truth(texts=["Every closed week had under 20 listeners. The plays are in all others."])
        last, known = weeks.row(-1, named=True), [name for name in measures if not weeks[name].is_null().all()]
        listeners = {"Listeners": last["n_listeners"]} if dimension == "artist" else {}
        counts = {"Plays": last["n_plays"], **listeners}
        metrics = {name: "too few" if value is None else number(value) for name, value in counts.items()}
        metrics["Skip share"] = "too few" if last["skip_share"] is None else percent(last["skip_share"])
        rows = {f"{dimension}_weeks": weeks.select("from_day", "to_day", *known).reverse()}
        lines = list[str]()
        if "n_plays" in known:
            rows[f"{dimension}_trend"] = weeks
            tracks = self.tracks.filter(pl.col("artist_id" if dimension == "artist" else "track_id") == cell)
            plays = weeks.drop_nulls("n_plays").select("to_day", "n_plays").iter_rows()
            period = weeks["from_day"][0], weeks["to_day"][-1]
            lines = self.notes.lines(tracks, period, milestones(plays, "in closed weeks with a figure"))
        text = f"Week from {written(last['from_day'])} to {written(last['to_day'])}."
        return Truth({name: (value, "") for name, value in metrics.items()}, rows, lines, [text])

    def trends(self, weeks: str) -> Truth:
        """Return the page Trends."""
        artists = self.parts("artist", weeks)
        growing = artists.filter(pl.col("change") > 0).sort("change", descending=True, maintain_order=True).head(12)
        rows = {"trending_artists": artists.drop("cell", "first_date", "last_date")}
        rows |= {} if growing.is_empty() else {"velocity": growing}
        if not (recordings := self._recordings()).is_empty():
            rows["recording_changes"] = recordings
        rows |= {} if (moves := market.of_label(self.closings, self.label)).is_empty() else {"market_moves": moves}
        return Truth(rows=rows, texts=[_period_text(artists)])

    def _recordings(self) -> pl.DataFrame:
        """Return the 100 recordings of the last closed week whose plays changed most, compared with the week before."""
        artists = self.closings.cells(self.label, "n_plays", self.weeks[-1], "artist")
        found = [self.parts("recording", "1", artist) for artist in artists if artist]
        if not (found := [rows for rows in found if not rows.is_empty()]):
            return pl.DataFrame()
        named = pl.concat(found).drop_nulls("cell")
        order = (pl.col("difference").is_null(), -pl.col("difference").abs(), -pl.col("n_plays"), "cell")
        columns = ("name", "n_plays", "n_plays_before", "difference", "change")
        return named.sort(*order).head(100).select(columns)

    def breakouts(self, dimension: str) -> Truth:
        """Return the page Breakouts."""
        above, below = (self.outliers(dimension, direction) for direction in ("rise", "drop"))
        columns = ("name", "artist_name", "from_day", "to_day", "n_plays", "n_expected", "z")
        found = {"breakouts": above, "breakouts_table": above, "drops": below}
        rows = {key: frame.select(columns) for key, frame in found.items() if not frame.is_empty()}
        if not (signals := rising_signals(self.lake, 7, self.label)).is_empty():
            rows["rising_signals"] = signals
        return Truth(rows=rows, sentences=[_outlier(row) for row in above.head(3).iter_rows(named=True)])

    def audience(self, dimension: str, weeks: str, artist: str, shown: dict[str, pl.DataFrame]) -> Truth:
        """Return the page Audience."""
        groups, overlap = self.parts(dimension, weeks), self.shares.overlap(artist, shown.get("overlap"))
        rows = {} if overlap is None else {"overlap": overlap, "overlap_bars": overlap}
        if dimension == "country":
            groups = groups.with_columns(pl.col("name").map_elements(country, return_dtype=pl.String))
        if groups.is_empty():
            return Truth(rows=rows)
        rows["groups"] = groups.select("name", "n_plays", "share", "n_plays_before", "difference", "change")
        if groups["cell"].drop_nulls().len():
            rows["audience"] = groups
        return Truth(rows=rows, texts=[_period_text(groups)])

    def sources(self, artist: str, shown: dict[str, pl.DataFrame]) -> Truth:
        """Return the page Sources and loyalty; of an artist's shares with noise, those that are shown."""
        if not self.weeks:
            return Truth()
        weeks = self.trend("week")
        rows = {"sources": self._sources(), "loyalty": self._loyalty(), "intensity": weeks}
        plays = _divided("Plays", rows["sources"], "n_plays", "play_share", "part")
        listeners = _divided("Listeners", rows["loyalty"], "n_listeners", "share", "name")
        if "artist_sources" in shown:
            rows["artist_sources"] = self.shares.sources(artist, shown["artist_sources"])
        return Truth(rows=rows, sentences=[plays, listeners])

    def _sources(self) -> pl.DataFrame:
        """Return the plays of each closed week by who chose the recording."""
        rows = []
        for week in self.weeks:
            cells = self.closings.cells(self.label, "n_plays", week, "source")
            n_plays = sum(cell.value for cell in cells.values())
            for name in sorted(cells, key=lambda name: (name is None, name)):
                part = SOURCE_NAMES[name or "all others"]
                rows.append((*week, part, cells[name].value, cells[name].value / n_plays))
        return pl.DataFrame(rows, ["from_day", "to_day", "part", "n_plays", "play_share"], orient="row")

    def markets(self, weeks: str, artist: str, shown: dict[str, pl.DataFrame]) -> Truth:
        """Return the page Markets; of an artist's countries with noise, those that are shown."""
        groups = self.parts("country", weeks)
        named = groups.with_columns(pl.col("name").map_elements(country, return_dtype=pl.String))
        rows = {} if groups.is_empty() else {"countries": named}
        texts = [] if groups.is_empty() else [_period_text(groups)]
        if not (known := named.drop_nulls("cell")).is_empty():
            rows["world"] = known.drop("n_listeners")
            texts += [_not_drawn(share) for share in known.filter(cell="unknown")["share"]]
        if "artist_world" not in shown:
            return Truth(rows=rows, texts=texts)
        found = self.shares.markets(artist, shown["artist_world"])
        most = found.filter(pl.col("low") > 1, pl.col("name") != "unknown").head(3).iter_rows(named=True)
        sentences = [
            f"{row['name']}: about {row['ratio']:.1f} times its share of the label's plays "
            f"({row['low']:.1f} to {row['high']:.1f})."
            for row in most
        ]
        texts += [] if sentences else ["In no country is the artist clearly played more than the label's other music."]
        texts += [_not_drawn(share) for share in found.filter(name="unknown")["share"]]
        return Truth(rows=rows | {"artist_world": found, "artist_markets": found}, sentences=sentences, texts=texts)

    def _loyalty(self) -> pl.DataFrame:
        """Return the listeners of each closed week by what they had played before."""
        rows = [
            (*week, name or "all others", cells[name], sum(cells.values()))
            for week in self.weeks
            if (cells := self.closings.listeners_by_loyalty(self.label, week))
            for name in sorted(cells, key=lambda name: (name is None, name))
        ]
        columns = ("from_day", "to_day", "name", "n_listeners", "n_of_week")
        table = pl.DataFrame(rows, columns, orient="row").with_columns(is_withheld=False)
        return table.with_columns(share=pl.col("n_listeners") / pl.col("n_of_week"))

    def exposure(self, lists: ListsTruth) -> Truth:
        """Return the page Exposure, whose lines are those of the lists of one run and the last closed week."""
        places = lists.places.filter(label_id=self.label)
        by_listener = places.group_by("user_id").agg(pl.col("exposure").sum())
        total, n_shown = float(by_listener["exposure"].sum()), by_listener.height
        top_two = float(by_listener["exposure"].top_k(2).sum())
        if not self.weeks or n_shown < MIN_LISTENERS or top_two > MAX_TOP_TWO * total:
            return Truth()
        values = {"Listeners reached": n_shown, "Exposure": round(total), "Exposure / listener": round(total) / n_shown}
        shown_on = self.lake.last_day + ONE_DAY
        n_listeners = self.closings.weeks(self.label, "n_plays")[self.weeks[-1]].n_listeners
        row = (*self.weeks[-1], shown_on, *values.values(), n_listeners)
        columns = ("from_day", "to_day", "shown_on", "n_shown", "exposure", "exposure_per_listener", "n_listeners")
        sentence = (
            f"Lists reach {number(n_shown)} listeners, {n_shown / n_listeners:.2f} times the {number(n_listeners)} who "
            f"played the label {span(*self.weeks[-1])}."
        )
        return Truth(
            {name: (number(value), "") for name, value in values.items()},
            {"shown": pl.DataFrame([row], columns, orient="row")},
            [sentence],
            texts=[f"Lists of {written(shown_on)}."],
        )


def _is_far(found: dict[str, Any], direction: str, least_z: float) -> bool:
    if direction == "drop":
        return bool(found["raw_z"] <= -least_z)
    return bool(found["raw_z"] >= least_z and found["rise"] >= np.log(2))


def _divided(what: str, rows: pl.DataFrame, count: str, share: str, name: str) -> str:
    last = rows.filter(to_day=rows["to_day"].max()).sort(count, descending=True, maintain_order=True)
    shown = [f"{row[count]:,} {row[name]} ({row[share]:.1%})" for row in last.iter_rows(named=True)]
    return f"{what} {span(last['from_day'][0], last['to_day'][0])}: {', '.join(shown)}."


def _not_drawn(share: float) -> str:
    return f"Not on the map: unknown ({share:.1%} of plays)."


def _mover(row: dict[str, Any]) -> str:
    verb = "gained" if row["difference"] > 0 else "lost"
    return f"{row['name']} {verb} {abs(row['difference']):,} plays ({row['change']:+.1%}), to {number(row['n_plays'])}."


def _outlier(row: dict[str, Any]) -> str:
    now = f"{row['n_plays']:,} plays {span(row['from_day'], row['to_day'])}"
    return f"{row['name']}: {now} ({row['n_expected']:,.0f} expected)."


def _period_text(rows: pl.DataFrame) -> str:
    first, last = rows["first_date"][0], rows["last_date"][0]
    return f"From {written(first)} to {written(last)}. The rows add up to the total."
