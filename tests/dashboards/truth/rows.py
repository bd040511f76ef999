"""
The rows of a lake, read and counted by polars alone: what the figures on pages are compared with.

Nothing here reads a mart, a query of `sql/` or a line of the ledger. The definitions are those of the documentation: a
play lasted at least 30 s or half the recording, and a listen without a duration is a play unless it was skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

MEASURES = ("n_plays", "n_skips", "n_saves", "n_likes", "n_playlist_adds", "n_shares")
COUNTS = (*MEASURES, "n_active", "n_algorithmic", "n_timed", "n_complete", "ms_played")
EVENTS = {"like": "n_likes", "save": "n_saves", "playlist_add": "n_playlist_adds", "share": "n_shares"}
AUDIENCES = ("country", "gender", "age_band")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Lake:
    """A lake, its tables as of its last delivery."""

    folder: Path

    def table(self, name: str) -> pl.DataFrame:
        """Read all rows of a table."""
        files = sorted((self.folder / name).rglob("*.parquet"))
        return pl.read_parquet(files, hive_partitioning=False)

    def has(self, name: str) -> bool:
        """Whether any row of a table was delivered."""
        return any((self.folder / name).rglob("*.parquet"))

    def newest(self, name: str, key: str) -> pl.DataFrame:
        """Read the newest row per key."""
        return self.table(name).sort("batch_no", maintain_order=True).unique(key, keep="last", maintain_order=True)

    @cached_property
    def artists(self) -> pl.DataFrame:
        """The artists."""
        return self.newest("artists", "artist_id").select("artist_id", artist_name="name")

    @cached_property
    def tracks(self) -> pl.DataFrame:
        """The catalogue, with names of artists and labels, and the main genre; also what is only played."""
        labels = self.newest("labels", "label_id").select("label_id", label_name="name")
        known = self.newest("tracks", "track_id").drop("batch", "batch_no").with_columns(is_known=pl.lit(True))
        names = ("listens", "events", "playlists", "audio_features", "audio_vectors")
        mentioned = pl.concat([self.table(name).select("track_id") for name in names]).unique()
        stubs = mentioned.join(known, on="track_id", how="anti").with_columns(is_known=pl.lit(False))
        every = pl.concat([known, stubs], how="diagonal")
        named = every.join(self.artists, on="artist_id", how="left").join(labels, on="label_id", how="left")
        return named.with_columns(genre=pl.col("genres").list.first().fill_null("unknown")).sort("track_id")

    @cached_property
    def listeners(self) -> pl.DataFrame:
        """Everybody in the users file: country, gender and age band, `unknown` where null."""
        users = self.newest("users", "user_id").select("user_id", *AUDIENCES)
        return users.with_columns(pl.col(AUDIENCES).fill_null("unknown"))

    def unlicensed(self, where: str) -> set[str]:
        """Return the recordings with licences, none of which permits streaming in a country on the next day."""
        if not self.has("licences"):
            return set()
        licences = self.table("licences")
        places = {"WW", *licences.filter(use_type="stream")["territory"]} if where == "unknown" else {where}
        permitted = [set(self._permitted(place)) for place in places]
        return set(licences["track_id"]) - set.intersection(*permitted)

    def _permitted(self, where: str) -> pl.Series:
        """Return the recordings that a licence permits to stream in a country on the next day."""
        served_on = self.last_day + ONE_DAY
        streams = self.table("licences").filter(use_type="stream")
        excluded = streams.filter(~pl.col("is_granted"), territory=where)
        return (
            streams.filter(pl.col("is_granted"), pl.col("territory").is_in(["WW", where]))
            .filter(pl.col("valid_from").fill_null(date.min) <= served_on)
            .filter(pl.col("valid_until").fill_null(date.max) >= served_on)
            .join(excluded, on=("source", "licence_id", "term_no"), how="anti")["track_id"]
        )

    @cached_property
    def rows(self) -> pl.DataFrame:
        """Every listen and every reaction, with its day, COUNTS, its recording and its listener."""
        listens = self.table("listens").join(self.tracks.select("track_id", "duration_ms"), on="track_id", how="left")
        judged = listens.with_columns(day=pl.col("listened_at").dt.date(), is_play=_is_play()).select(
            "user_id",
            "track_id",
            "day",
            "ms_played",
            n_plays=pl.col("n_listens") * pl.col("is_play"),
            n_skips=pl.col("n_listens") * (~pl.col("is_play") & pl.col("skipped").fill_null(value=True)),
            n_active=pl.col("n_listens") * (pl.col("is_play") & (pl.col("source") == "active")),
            n_algorithmic=pl.col("n_listens") * (pl.col("is_play") & (pl.col("source") == "algorithmic")),
            n_timed=pl.col("n_listens") * (pl.col("ms_played").is_not_null() & pl.col("duration_ms").is_not_null()),
            n_complete=pl.col("n_listens")
            * (pl.col("ms_played") >= 0.9 * pl.col("duration_ms")).fill_null(value=False),
        )
        reactions = self.table("events").select(
            "user_id",
            "track_id",
            day=pl.col("event_at").dt.date(),
            **{count: (pl.col("event") == event).cast(pl.Int64) for event, count in EVENTS.items()},
        )
        every = pl.concat([judged, reactions], how="diagonal").with_columns(pl.col(COUNTS).fill_null(0).cast(pl.Int64))
        tracks = self.tracks.select("track_id", "artist_id", "label_id", "genre", "release_date")
        detailed = every.join(tracks, on="track_id", how="left").join(self.listeners, on="user_id", how="left")
        return detailed.with_columns(pl.col(AUDIENCES).fill_null("unknown"))

    @cached_property
    def first_day(self) -> date:
        """The first day of the log."""
        day: date = self.rows.select(pl.col("day").min()).item()
        return day

    @cached_property
    def last_day(self) -> date:
        """The last day of the log."""
        day: date = self.rows.select(pl.col("day").max()).item()
        return day

    def last(self, n_days: int, *, weeks_back: int = 0) -> pl.DataFrame:
        """Return the rows of the last days, or of as many days that ended whole weeks earlier."""
        end = self.last_day - weeks_back * 7 * ONE_DAY
        return between(self.rows, end - (n_days - 1) * ONE_DAY, end)


def _is_play() -> pl.Expr:
    listened, length = pl.col("ms_played"), pl.col("duration_ms")
    is_scrobble = listened.is_null() & ~pl.col("skipped").fill_null(value=False)
    return is_scrobble | (listened >= 30_000).fill_null(value=False) | (2 * listened >= length).fill_null(value=False)


def between(rows: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return the rows of some days."""
    return rows.filter(pl.col("day").is_between(first, last))


def counted(rows: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Sum COUNTS per group and count the listeners who played; sorted by the keys."""
    played = pl.col("user_id").filter(pl.col("n_plays") > 0).n_unique().alias("n_listeners")
    return rows.group_by(keys).agg(pl.col(COUNTS).sum(), played).sort(keys)


def ratio(part: str, *whole: str) -> pl.Expr:
    """Return a column divided by a sum of columns; null where the sum is 0."""
    total = pl.sum_horizontal(*whole)
    return pl.when(total > 0).then(pl.col(part) / total)


def monday(column: str) -> pl.Expr:
    """Return the Monday of each day's week."""
    return pl.col(column) - pl.duration(days=pl.col(column).dt.weekday().cast(pl.Int64) - 1)


def total(rows: pl.DataFrame, column: str) -> int:
    """Sum a column of whole numbers."""
    return int(rows[column].sum())


def of_catalogue(rows: pl.DataFrame, filters: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Keep the rows whose columns have the values that are not ''."""
    for column, value in filters:
        rows = rows.filter(pl.col(column) == value) if value else rows
    return rows
