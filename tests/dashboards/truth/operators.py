"""What the operator's pages should show, computed from the rows of the lake."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
import polars as pl

from recsys.reports.wording import REFUSALS

from . import market
from .notes import NotesTruth, milestones
from .page import Truth, country, number, percent, quotient, signed, span, written
from .rows import COUNTS, MEASURES, ONE_DAY, Lake, between, counted, monday, of_catalogue, ratio, total
from .signals import rising_signals

NAMES = {
    "n_plays": "Plays",
    "n_tracks": "Tracks played",
    "n_saves": "Saves",
    "n_likes": "Likes",
    "n_playlist_adds": "Playlist adds",
    "n_skips": "Skips",
}
GROUPS = {"country": "Country", "age_band": "Age", "gender": "Gender", "main_genre": "Main genre"}
MONTH_DAYS, TREND_DAYS = 28, 56
LEAST_PLAYS, N_MOVERS, N_RELEASES, N_TRENDING = 50, 5, 10, 50
N_SHOWN = 4
DELIVERED = (
    *("artists", "audio_features", "audio_vectors", "charts", "events"),
    *("labels", "listens", "playlists", "signals", "tracks", "users"),
    *("lyrics", "lyric_hits", "lyric_names", "lyric_sections", "lyric_themes", "lyric_words"),  # made of one file
    *("licences", "work_acknowledgements", "work_recordings", "work_shares", "works"),
)
SOURCES = {"active": "chosen by the listener", "algorithmic": "recommended", "unknown": "unknown"}
LEAST_HEAVY = 5
LEAST_IN_MARKET, N_MARKETS = 10, 15
N_FAVOURITES, LEAST_IN_COMMON, N_OVERLAPS = 20, 10, 20


@dataclass(frozen=True)
class Week:
    """A week of an artist or a label: its shares in one row, and its parts by source and by loyalty."""

    shares: dict[str, Any]
    sources: pl.DataFrame
    loyalty: pl.DataFrame


@dataclass(frozen=True)
class OperatorTruth:
    """The operator's pages."""

    lake: Lake

    @cached_property
    def notes(self) -> NotesTruth:
        """The notes on curves."""
        return NotesTruth(self.lake)

    @property
    def last_sunday(self) -> date:
        """The last day of the last complete week."""
        return self.lake.last_day - ((self.lake.last_day.weekday() + 1) % 7) * ONE_DAY

    # ----- Overview

    def overview(self, days: int, label: str = "", genre: str = "") -> Truth:
        """Return the page Overview."""
        filters = (("label_id", label), ("genre", genre))
        weeks = ceil(days / 7)
        now, before = (of_catalogue(self.lake.last(days, weeks_back=back), filters) for back in (0, weeks))
        metrics, sentences = {}, []
        for name, title in NAMES.items():
            count, earlier = (_measured(rows, name) for rows in (now, before))
            change = quotient(count - earlier, earlier)
            metrics[title] = (number(count), signed(change))
            sentences.append((count, title, earlier))
        movers, largest = self._movers(now, before), []
        for first in (movers.filter(pl.col("difference") > 0).head(1), movers.filter(pl.col("difference") < 0).tail(1)):
            largest += [_mover(row) for row in first.iter_rows(named=True)]
        largest_two = sorted(sentences, key=lambda one: -one[0])[:2]
        top = [self._change(title, count, earlier, days) for count, title, earlier in largest_two]
        frames = {
            "plays_by_day": counted(of_catalogue(self.lake.last(TREND_DAYS), filters), "day").rename(
                {"day": "listen_date"}
            ),
            "artist_changes": movers,
            "new_releases": self._releases(filters),
        }
        return Truth(metrics, {key: one for key, one in frames.items() if not one.is_empty()}, [*top, *largest])

    def _change(self, name: str, now: int, before: int, days: int) -> str:
        first, last = self.lake.last_day - (days - 1) * ONE_DAY, self.lake.last_day
        shift = 7 * ceil(days / 7) * ONE_DAY
        spans = [span(first, last), span(first - shift, last - shift)]
        change = now / before - 1
        text = f"{number(now)} {spans[0]}, compared with {number(before)} {spans[1]}."
        if abs(change) < 0.005:
            return f"{name} stayed level: {text}"
        return f"{name} {'rose' if change > 0 else 'fell'} by {abs(change):.1%}: {text}"

    def _movers(self, now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
        """Return the artists whose plays changed most, five in each direction, the largest gain first."""
        sums = [rows.group_by("artist_id").agg(pl.col("n_plays").sum()) for rows in (now, before)]
        both = (
            sums[0].join(sums[1], on="artist_id", how="full", coalesce=True, suffix="_before").drop_nulls("artist_id")
        )
        counts = both.select(
            "artist_id", n_now=pl.col("n_plays").fill_null(0), n_before=pl.col("n_plays_before").fill_null(0)
        ).filter(pl.max_horizontal("n_now", "n_before") >= LEAST_PLAYS)
        moved = counts.with_columns(difference=pl.col("n_now") - pl.col("n_before")).with_columns(
            change=pl.when(pl.col("n_before") > 0).then(pl.col("difference") / pl.col("n_before"))
        )
        named = self._named(moved).sort("difference", "artist_id", descending=[True, False])
        gains = named.filter(pl.col("difference") > 0).head(N_MOVERS)
        losses = named.sort("difference", "artist_id").filter(pl.col("difference") < 0).head(N_MOVERS)
        return pl.concat([gains, losses]).sort("difference", "artist_id", descending=[True, False])

    def _named(self, rows: pl.DataFrame) -> pl.DataFrame:
        named = rows.join(self.lake.artists, on="artist_id", how="left")
        return named.with_columns(pl.col("artist_name").fill_null(pl.col("artist_id")))

    def _releases(self, filters: tuple[tuple[str, str], ...]) -> pl.DataFrame:
        plays = counted(self.lake.last(MONTH_DAYS), "track_id")
        is_recent = pl.col("release_date").is_between(self.lake.last_day - 27 * ONE_DAY, self.lake.last_day)
        recent = of_catalogue(self.lake.tracks.filter(is_recent), filters).join(plays, on="track_id", how="left")
        known = recent.with_columns(
            pl.col("n_plays").fill_null(0),
            skip_share=ratio("n_skips", "n_plays", "n_skips"),
            save_share=ratio("n_saves", "n_plays"),
        ).sort("n_plays", "track_id", descending=[True, False])
        return known.select("title", "artist_name", "release_date", "n_plays", "skip_share", "save_share").head(
            N_RELEASES
        )

    # ----- Artist and Track

    def artist(self, artist: str, days: int) -> Truth:
        """Return the page Artist; the forecast and the fits of releases that fade are left out."""
        rows = self.lake.rows.filter(artist_id=artist)
        trend = self._trend(counted(rows, "day").rename({"day": "listen_date"}), artist, days)
        last = trend.row(-1, named=True)
        names = {"Listeners": "n_listeners", "Plays": "n_plays", "Plays / listener": "streams_per_listener"}
        shares = {"Skip share": "skip_share", "Save rate": "save_rate", "Completion rate": "completion_rate"}
        metrics = {name: (number(last[column]), "") for name, column in names.items()}
        metrics |= {name: (percent(last[column]), "") for name, column in shares.items()}
        frames = {"artist_trend": trend, "artist_tracks": self.recordings(artist), "catalogue_split": self._split(rows)}
        if not (sources := trend.drop_nulls("algorithmic_share")).is_empty():
            frames["artist_sources"] = sources
        frames = {key: one for key, one in frames.items() if not one.is_empty()}
        window = {1: "1 day", 7: "7 days", 28: "28 days"}[days]
        notes = self._notes("artist_id", artist, trend["listen_date"])
        return Truth(metrics, frames, notes, [f"On {written(last['listen_date'])}; the completion rate over {window}."])

    def _trend(self, by_day: pl.DataFrame, artist: str, days: int) -> pl.DataFrame:
        released = self.lake.tracks.filter(artist_id=artist)["release_date"].min()
        played = by_day.filter(pl.col("n_plays") > 0)["listen_date"].min()
        began = max(self.lake.first_day, min(day for day in (released, played) if day is not None))
        rows = []
        for day in by_day["listen_date"]:
            window = by_day.filter(pl.col("listen_date").is_between(day - (days - 1) * ONE_DAY, day))
            sums = {name: total(window, name) for name in COUNTS}
            n_days = min(days, (day - began).days + 1)
            rows.append(
                {
                    "plays_a_day": quotient(sums["n_plays"], max(0, n_days)),
                    "completion_rate": quotient(sums["n_complete"], sums["n_timed"]),
                    "algorithmic_share": quotient(sums["n_algorithmic"], sums["n_active"] + sums["n_algorithmic"]),
                }
            )
        windows = pl.DataFrame(rows, dict.fromkeys(("plays_a_day", "completion_rate", "algorithmic_share"), pl.Float64))
        return by_day.hstack(windows).with_columns(
            streams_per_listener=ratio("n_plays", "n_listeners"),
            skip_share=ratio("n_skips", "n_plays", "n_skips"),
            save_rate=ratio("n_saves", "n_listeners"),
        )

    def recordings(self, artist: str) -> pl.DataFrame:
        """Return an artist's recordings with their counts of the last 28 days, most played first."""
        recent = counted(self.lake.last(MONTH_DAYS).filter(artist_id=artist), "track_id")
        own = self.lake.tracks.filter(pl.col("title").is_not_null(), artist_id=artist)
        known = own.join(recent, on="track_id", how="left").with_columns(
            pl.col("n_plays", "n_saves", "n_playlist_adds").fill_null(0),
            skip_share=ratio("n_skips", "n_plays", "n_skips"),
            completion_rate=ratio("n_complete", "n_timed"),
            algorithmic_share=ratio("n_algorithmic", "n_active", "n_algorithmic"),
        )
        return known.sort("n_plays", "track_id", descending=[True, False])

    def _split(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the plays of each complete week by the age of the recording."""
        weeks = rows.filter(pl.col("n_plays") > 0).with_columns(week_start=monday("day"))
        first = self.lake.first_day + ((7 - self.lake.first_day.weekday()) % 7) * ONE_DAY
        weeks = weeks.filter(pl.col("week_start").is_between(first, self.last_sunday))
        months = pl.col("week_start").dt.year() * 12 + pl.col("week_start").dt.month().cast(pl.Int32)
        age = months - pl.col("release_date").dt.year() * 12 - pl.col("release_date").dt.month().cast(pl.Int32)
        group = pl.when(age < 18).then(pl.lit("current")).when(age < 36).then(pl.lit("catalogue"))
        aged = weeks.with_columns(
            age_group=group.when(age.is_not_null()).then(pl.lit("deep catalogue")).otherwise(pl.lit("unknown"))
        )
        sums = aged.group_by("week_start", "age_group").agg(
            n_tracks=pl.col("track_id").n_unique().cast(pl.Int64), n_plays=pl.col("n_plays").sum()
        )
        share = pl.col("n_plays") / pl.col("n_plays").sum().over("week_start")
        return sums.with_columns(share=share).sort("week_start", "age_group")

    def track(self, track: str, days: int) -> Truth:
        """Return the page Track, without its metadata."""
        rows = self.lake.rows.filter(track_id=track)
        last = counted(between(rows, self.lake.last_day - 27 * ONE_DAY, self.lake.last_day).with_columns(all=1), "all")
        row = last.row(0, named=True) if last.height else dict.fromkeys((*COUNTS, "n_listeners"), 0)
        shares = {
            "Skip share": quotient(row["n_skips"], row["n_plays"] + row["n_skips"]),
            "Completion rate": quotient(row["n_complete"], row["n_timed"]),
            "Algorithmic share": quotient(row["n_algorithmic"], row["n_active"] + row["n_algorithmic"]),
        }
        counts = {"Plays": "n_plays", "Saves": "n_saves", "Playlist adds": "n_playlist_adds"}
        metrics = {name: (percent(value), "") for name, value in shares.items()}
        metrics |= {name: (number(row[column]), "") for name, column in counts.items()}
        trend = counted(between(rows, self.lake.last_day - (days - 1) * ONE_DAY, self.lake.last_day), "day")
        frames = {} if trend.is_empty() else {"track_trend": trend.rename({"day": "listen_date"})}
        return Truth(metrics, frames, self._notes("track_id", track, trend["day"]), ["Last 28 days."])

    def _notes(self, key: str, value: str, days: pl.Series) -> list[str]:
        """Return what the list below a curve over some days says."""
        if days.is_empty():
            return []
        tracks, plays = self.lake.tracks.filter(pl.col(key) == value), self.lake.rows.filter(pl.col(key) == value)
        by_day = plays.group_by("day").agg(pl.col("n_plays").sum()).iter_rows()
        others = [*self.notes.added(tracks), *milestones(by_day, "since the data begin")]
        return self.notes.lines(tracks, (days[0], days[-1]), others)

    # ----- Trends and Breakouts

    def trends(self, days: int, floor: int, label: str = "") -> Truth:
        """Return the page Trends; the groups of recordings and listeners are left out."""
        rows = self.lake.rows.drop_nulls("artist_id")
        ends = [self.lake.last_day - n * days * ONE_DAY for n in range(4)]
        has_long = self.lake.first_day <= ends[3] + ONE_DAY
        sums = [
            between(rows, ends[n + 1] + ONE_DAY, ends[n]).group_by("artist_id").agg(pl.col("n_plays").sum())
            for n in range(3)
        ]
        artists = sums[1].filter(pl.col("n_plays") >= floor).rename({"n_plays": "n_plays_before"})
        if label:
            own = self.lake.tracks.filter(label_id=label).select("artist_id").unique()
            artists = artists.join(own, on="artist_id", how="semi")
        every = artists.join(sums[0], on="artist_id", how="left").join(
            sums[2].rename({"n_plays": "n_long"}), on="artist_id", how="left"
        )
        velocity = pl.col("n_plays") / pl.col("n_plays_before")
        earlier = pl.when(has_long & (pl.col("n_long") > 0)).then(pl.col("n_plays_before") / pl.col("n_long"))
        grown = self._named(every.with_columns(pl.col("n_plays").fill_null(0))).with_columns(
            name="artist_name", velocity=velocity, acceleration=velocity / earlier
        )
        found = grown.sort("velocity", "artist_id", descending=[True, False]).head(N_TRENDING)
        artist_rows = {} if found.is_empty() else {"trending_artists": found, "velocity": found}
        moves = market.of_home(self.lake)
        artist_rows |= {} if moves.is_empty() else {"market_moves": moves}
        return Truth(rows={**artist_rows, "genre_trends": self.genres()})

    def genres(self) -> pl.DataFrame:
        """Return each complete week's plays of the four genres that were played most in the first."""
        weeks = self.lake.rows.filter(pl.col("n_plays") > 0).with_columns(week_start=monday("day"), name="genre")
        sums = counted(weeks, "week_start", "name").with_columns(
            share=pl.col("n_plays") / pl.col("n_plays").sum().over("week_start")
        )
        by_week = {
            week: dict(rows.select("name", "share").iter_rows()) for (week,), rows in sums.group_by("week_start")
        }
        growth = []
        for week, name, share in sums.select("week_start", "name", "share").iter_rows():
            before = [by_week.get(week - timedelta(days=7 * n)) for n in range(1, 5)]
            known = [shares.get(name, 0) for shares in before if shares is not None]
            growth.append(quotient(4 * share, sum(known)) if len(known) == 4 else None)
        first = self.lake.first_day + ((7 - self.lake.first_day.weekday()) % 7) * ONE_DAY
        every = sums.with_columns(growth=pl.Series(growth, dtype=pl.Float64))
        complete = every.filter(pl.col("week_start").is_between(first, self.last_sunday))
        ordered = complete.sort("week_start", "share", "name", descending=[False, True, False])
        return ordered.filter(pl.col("name").is_in(ordered["name"][:N_SHOWN].implode()))

    def breakouts(self, shown: dict[str, pl.DataFrame], days: int) -> Truth:
        """Return the page Breakouts: rising signals, and the counts of the recordings and days that it names."""
        signals = rising_signals(self.lake, days)
        other = Truth(rows={} if signals.is_empty() else {"rising_signals": signals})
        return self._of_breakouts(shown) | other

    def _of_breakouts(self, shown: dict[str, pl.DataFrame]) -> Truth:
        if "breakouts" not in shown:
            return Truth()
        named = shown["breakouts"].select("track_id", "listen_date")
        days = [self._week_of(track, day) for track, day in named.iter_rows()]
        counts = pl.DataFrame(days, {"n_plays": pl.Int64, "n_listeners": pl.Int64, "n_countries": pl.Int64})
        rows = named.hstack(counts)
        return Truth(rows={"breakouts": rows, "breakouts_table": rows})

    def _week_of(self, track: str, day: date) -> dict[str, int]:
        """Return the plays, listeners and countries of a recording in the seven days that end with a day."""
        rows = between(self.lake.rows.filter(track_id=track), day - 6 * ONE_DAY, day).filter(pl.col("n_plays") > 0)
        return {
            "n_plays": total(rows, "n_plays"),
            "n_listeners": rows["user_id"].n_unique(),
            "n_countries": rows.filter(pl.col("country") != "unknown")["country"].n_unique(),
        }

    # ----- Audience

    def audience(self, artist: str, dimension: str) -> Truth:
        """Return the page Audience."""
        recent = self.lake.last(MONTH_DAYS).filter(pl.col("n_plays") > 0)
        of_artist = recent.filter(artist_id=artist)
        frames = {} if of_artist.is_empty() else self._groups(recent, of_artist, dimension)
        if not (overlap := self._overlap(recent, artist)).is_empty():
            frames |= {"overlap": overlap, "overlap_bars": overlap}
        if not (cohorts := self._cohorts(artist)).is_empty():
            frames["retention"] = cohorts
        return Truth(rows=frames)

    def _groups(self, recent: pl.DataFrame, of_artist: pl.DataFrame, dimension: str) -> dict[str, pl.DataFrame]:
        if dimension == "main_genre":
            genres = recent.group_by("user_id", "genre").agg(pl.col("n_plays").sum())
            first = genres.sort("n_plays", "genre", descending=[True, False]).unique(
                "user_id", keep="first", maintain_order=True
            )
            groups = first.select("user_id", value="genre")
        else:
            groups = recent.select("user_id", value=dimension).unique()
        market = dict(groups.group_by("value").len().iter_rows())
        own = of_artist.group_by("user_id").agg(pl.col("n_plays").sum()).join(groups, on="user_id")
        sums = own.group_by("value").agg(n_listeners=pl.len().cast(pl.Int64), n_plays=pl.col("n_plays").sum())
        of_market = pl.col("value").replace_strict(market, return_dtype=pl.Float64) / groups.height
        rows = sums.with_columns(
            share=pl.col("n_listeners") / own.height,
            play_share=pl.col("n_plays") / pl.col("n_plays").sum(),
            affinity=pl.col("n_listeners") / own.height / of_market,
        ).sort("n_listeners", "value", descending=[True, False])
        if dimension == "country":
            rows = rows.with_columns(pl.col("value").map_elements(country, return_dtype=pl.String))
        return {"audience": rows, "audience_table": rows, "affinity": rows.select("value", "affinity")}

    def _overlap(self, recent: pl.DataFrame, artist: str) -> pl.DataFrame:
        """Return the artists that an artist's listeners also play, by the 20 favourites of each listener."""
        sums = recent.drop_nulls("artist_id").group_by("user_id", "artist_id").agg(pl.col("n_plays").sum())
        ranked = sums.sort("n_plays", "artist_id", descending=[True, False])
        favourites = ranked.group_by("user_id", maintain_order=True).head(N_FAVOURITES)
        listeners = {one: set(users) for one, users in favourites.group_by("artist_id").agg("user_id").iter_rows()}
        own, n_all, rows = listeners.get(artist, set()), favourites["user_id"].n_unique(), []
        for other, theirs in listeners.items():
            n = len(own & theirs)
            if other != artist and n >= LEAST_IN_COMMON:
                affinity = n * n_all / len(own) / len(theirs)
                jaccard = n / len(own | theirs)
                rows.append({"artist_id": other, "n_listeners": n, "jaccard": jaccard, "affinity": affinity})
        if not rows:
            return pl.DataFrame()
        named = pl.DataFrame(rows).join(self.lake.artists, on="artist_id", how="left").rename({"artist_name": "name"})
        return named.sort(pl.col("affinity").round(9), "artist_id", descending=[True, False]).head(N_OVERLAPS)

    def _cohorts(self, artist: str) -> pl.DataFrame:
        """Return the share of each month's new listeners who came back, in complete months."""
        plays = self.lake.rows.filter(pl.col("n_plays") > 0, artist_id=artist)
        months = plays.select("user_id", month=pl.col("day").dt.month_start()).unique()
        first = pl.col("month").min().over("user_id")
        counts = (
            months.with_columns(cohort_month=first)
            .group_by("cohort_month", "month")
            .agg(n_listeners=pl.len().cast(pl.Int64))
        )
        sizes = counts.filter(pl.col("month") == pl.col("cohort_month")).select("cohort_month", n_cohort="n_listeners")
        releases = self.lake.tracks.filter(artist_id=artist)["release_date"]
        is_new = not releases.has_nulls() and releases.len() > 0 and releases.min() >= self.lake.first_day  # type: ignore[operator]
        end = (self.lake.last_day + ONE_DAY).replace(day=1)
        after = pl.col("cohort_month") > self.lake.first_day
        kept = counts.filter(pl.col("month") < end, after | pl.lit(is_new)).join(sizes, on="cohort_month")
        n_months = (pl.col("month").dt.year() - pl.col("cohort_month").dt.year()) * 12 + pl.col(
            "month"
        ).dt.month().cast(pl.Int32)
        return kept.with_columns(
            months_since=n_months - pl.col("cohort_month").dt.month().cast(pl.Int32),
            share=pl.col("n_listeners") / pl.col("n_cohort"),
        ).sort("cohort_month", "months_since")

    # ----- Sources and loyalty

    def sources(self, owner: str, owner_id: str) -> Truth:
        """Return the page Sources and loyalty of an artist or a label."""
        plays = self.lake.rows.filter(pl.col("n_plays") > 0, pl.col(f"{owner}_id") == owner_id)
        weeks = [self._week(plays, first) for first in self._complete_weeks if plays.filter(_is_in(first)).height]
        if not weeks:
            return Truth()
        table = pl.DataFrame([week.shares for week in weeks], infer_schema_length=None)
        last = weeks[-1].shares
        names = {
            "Chosen by listeners": "chosen_share",
            "Recommended": "recommended_share",
            "New listeners": "new_share",
            "Returning listeners": "returning_share",
            "Heavy listeners": "heavy_share",
        }
        metrics = {name: (percent(last[column]), "") for name, column in names.items()}
        if last["new_share"] is None:
            metrics["New listeners"] = ("unknown", "")
        frames = {
            "sources": pl.concat([week.sources for week in weeks]),
            "loyalty": pl.concat([week.loyalty for week in weeks]),
            "heavy": table,
            "weeks": table.reverse(),
        }
        return Truth(metrics, frames, [], [f"Week from {written(last['week_start'])}, of {last['n_plays']:,} plays."])

    @property
    def _complete_weeks(self) -> list[date]:
        first = self.lake.first_day + ((7 - self.lake.first_day.weekday()) % 7) * ONE_DAY
        return [first + n * 7 * ONE_DAY for n in range(((self.last_sunday - first).days + 1) // 7)]

    def _week(self, plays: pl.DataFrame, first: date) -> "Week":
        """Count a week by source, by what listeners had played before, and by how much they played."""
        now, before = plays.filter(_is_in(first)), plays.filter(pl.col("day") < first)
        log_began = self.lake.rows.filter(pl.col("n_plays") > 0).select(pl.col("day").min()).item()
        last_days = dict(before.group_by("user_id").agg(pl.col("day").max()).iter_rows())
        listeners = dict(now.group_by("user_id").agg(pl.col("n_plays").sum()).iter_rows())
        parts = dict[str, list[int]]()
        for user, n_plays in listeners.items():
            parts.setdefault(_loyalty(last_days.get(user), first, log_began), []).append(n_plays)
        n, n_plays = len(listeners), sum(listeners.values())
        heavy = [count for count in listeners.values() if count >= LEAST_HEAVY]
        counts = {"active": total(now, "n_active"), "algorithmic": total(now, "n_algorithmic")}
        counts["unknown"] = n_plays - sum(counts.values())
        is_known = counts["unknown"] < n_plays
        shares = {
            "week_start": first,
            "n_plays": n_plays,
            "chosen_share": counts["active"] / n_plays if is_known else None,
            "recommended_share": counts["algorithmic"] / n_plays if is_known else None,
            "n_listeners": n,
            "new_share": None if "unknown" in parts else len(parts.get("new", [])) / n,
            "returning_share": len(parts.get("returning", [])) / n,
            "back_share": len(parts.get("back", [])) / n,
            "heavy_share": len(heavy) / n,
            "heavy_play_share": sum(heavy) / n_plays,
        }
        by_source = [(first, SOURCES[part], count, count / n_plays) for part, count in counts.items() if count]
        users = {"active": "n_active", "algorithmic": "n_algorithmic"}
        unknown = now.group_by("user_id").agg(pl.col("n_plays", "n_active", "n_algorithmic").sum())
        n_unknown = unknown.filter(pl.col("n_plays") > pl.col("n_active") + pl.col("n_algorithmic")).height
        people = {part: now.filter(pl.col(column) > 0)["user_id"].n_unique() for part, column in users.items()}
        of_source = people | {"unknown": n_unknown}
        columns = ["week_start", "part", "n_plays", "play_share"]
        source_rows = pl.DataFrame(by_source, columns, orient="row").with_columns(
            n_listeners=pl.Series([of_source[part] for part, count in counts.items() if count]), listener_share=None
        )
        by_loyalty = [
            (first, part, sum(found), sum(found) / n_plays, len(found), len(found) / n)
            for part, found in sorted(parts.items())
        ]
        loyalty = pl.DataFrame(by_loyalty, [*columns, "n_listeners", "listener_share"], orient="row")
        return Week(shares, source_rows, loyalty)

    # ----- Markets

    def markets(self, owner: str, owner_id: str) -> Truth:
        """Return the page Markets of an artist or a label."""
        recent = self.lake.last(MONTH_DAYS).filter(pl.col("n_plays") > 0)
        own = recent.filter(pl.col(f"{owner}_id") == owner_id)
        if own.is_empty():
            return Truth()
        every = self._compared_countries(recent, own)
        rows = every.with_columns(name=pl.col("code").map_elements(country, return_dtype=pl.String))
        is_known = pl.col("n_listeners") >= LEAST_IN_MARKET
        known = rows.filter(is_known)
        frames = {"markets": rows, "world": rows.with_columns(ratio=pl.when(is_known).then("ratio"))}
        frames |= {} if known.is_empty() else {"ratios": known.head(N_MARKETS)}
        most = known.filter(pl.col("low") > 1, pl.col("code") != "unknown").sort("ratio", descending=True).head(3)
        sentences = [
            f"{row['name']}: {row['ratio']:.1f} times its share of all plays ({row['play_share']:.1%} instead of "
            f"{row['home_share']:.1%}; 95 % interval {row['low']:.1f} to {row['high']:.1f})."
            for row in most.iter_rows(named=True)
        ]
        nothing = (
            [] if sentences else ["In no country with 10 listeners or more is it clearly played more than other music."]
        )
        unknown = rows.filter(code="unknown")["play_share"].to_list()
        return Truth(
            rows=frames,
            sentences=sentences,
            texts=nothing + [f"Not on the map: unknown ({share:.1%} of plays)." for share in unknown],
        )

    def _compared_countries(self, recent: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
        """Return the shares of each country in plays, most plays first; intervals by each listener's influence."""
        listeners = recent.group_by("user_id", code="country").agg(all=pl.col("n_plays").sum())
        plays = own.group_by("user_id").agg(own=pl.col("n_plays").sum())
        every = listeners.join(plays, on="user_id", how="left").with_columns(pl.col("own").fill_null(0))
        weights = every.select(own=pl.col("own") / pl.col("own").sum(), all=pl.col("all") / pl.col("all").sum())
        mine, home = weights["own"].to_numpy(), weights["all"].to_numpy()
        rows = []
        for (code,), found in every.filter(pl.col("own") > 0).group_by("code"):
            inside = (every["code"] == code).to_numpy()
            share, of_all = float(mine[inside].sum()), float(home[inside].sum())
            influence = mine * (inside / share - 1) - home * (inside / of_all - 1)
            wide = float(np.exp(1.96 * np.sqrt((influence**2).sum())))
            counts = {"n_plays": total(found, "own"), "n_listeners": found.height}
            shares = {"play_share": share, "home_share": of_all, "ratio": share / of_all}
            rows.append({"code": code, **counts, **shares, "low": share / of_all / wide, "high": share / of_all * wide})
        return pl.DataFrame(rows).sort("n_plays", "code", descending=[True, False])

    # ----- Operations

    def delivered(self) -> Truth:
        """Return the accepted and the refused rows of the page Catalogue."""
        quarantine = self.lake.table("quarantine").with_columns(pl.col("column_name").fill_null(""))
        keys = ("source_table", "source_file", "reason", "column_name")
        reasons = quarantine.group_by(keys).agg(n_rows=pl.len().cast(pl.Int64)).rename({"reason": "outcome"})
        refused = dict(quarantine.group_by("source_table").len().iter_rows())
        accepted = {name: self.lake.table(name).height for name in DELIVERED}
        rows = [(name, accepted[name], refused.get(name, 0)) for name in DELIVERED]
        outcomes = pl.DataFrame(rows, ["source_table", "n_accepted", "n_refused"], orient="row")
        frames = {
            "refused_rows": reasons.sort(
                "n_rows", "source_file", "outcome", "column_name", descending=[True, False, False, False]
            ).with_columns(pl.col("outcome").replace(REFUSALS)),
            "outcomes": outcomes.sort("n_refused", "source_table", descending=[True, False]),
        }
        counts = {"Accepted": sum(accepted.values()), "Refused": quarantine.height}
        return Truth({name: (f"{number(count)} rows", "") for name, count in counts.items()}, frames)

    def listener(self, user: str) -> Truth:
        """Return the listener's totals on the page Recommendations, and what the filters exclude."""
        rows = self.lake.rows.filter(pl.col("n_plays") > 0, user_id=user)
        tracks, country = self.lake.tracks, self.lake.listeners.filter(user_id=user)["country"].to_list()
        where = (country or ["unknown"])[0]
        is_elsewhere = ~pl.col("available_in").list.contains(where)
        excluded = {
            "played already": rows["track_id"].n_unique(),
            "withdrawn": tracks["withdrawn_at"].count(),
            "not available in the listener's country": tracks.filter(is_elsewhere).height,
            "no licence to stream it in the listener's country": len(self.lake.unlicensed(where)),
            "nothing known but its id": tracks.filter(~pl.col("is_known")).height,
        }
        kept = pl.DataFrame({"reason": list(excluded), "n_tracks": list(excluded.values())})
        metrics = {
            "Tracks played": (number(rows["track_id"].n_unique()), ""),
            "Plays": (number(total(rows, "n_plays")), ""),
        }
        return Truth(metrics, {"kept_from": kept.sort("n_tracks", "reason", descending=[True, False])})


def _is_in(first: date) -> pl.Expr:
    """Return whether a day is in the week that begins with a day."""
    return pl.col("day").is_between(first, first + 6 * ONE_DAY)


def _loyalty(last_day: date | None, first: date, log_began: date) -> str:
    """Return what a listener had played before a week, given the last day with a play before it."""
    if last_day is None:
        return "new" if first - log_began >= timedelta(days=56) else "unknown"
    return "returning" if first - last_day <= timedelta(days=28) else "back"


def _measured(rows: pl.DataFrame, name: str) -> int:
    if name == "n_tracks":
        return rows.filter(pl.col("n_plays") > 0)["track_id"].n_unique()
    assert name in MEASURES
    return total(rows, name)


def _mover(row: dict[str, Any]) -> str:
    change = "" if row["change"] is None else f" ({row['change']:+.1%})"
    verb = "gained" if row["difference"] > 0 else "lost"
    return f"{row['artist_name']} {verb} {abs(row['difference']):,} plays{change}, to {number(row['n_now'])}."
