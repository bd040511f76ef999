"""
Weigh a few listens and events by the SQL of the warehouse, on tables in memory that have only them.

The texts of intermediate.judged_listens, intermediate.reactions, marts.interactions_daily and the internal query
listened_pairs are those that a build and a training run, so no rule stands twice.
"""

from datetime import date

import duckdb
import polars as pl

from recsys.installation.paths import SQL_FOLDER
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import READ_ONLY_SETTINGS

_VIEWS = ("intermediate/judged_listens", "intermediate/reactions", "marts/interactions_daily")
_STAGING = {
    "listens": "user_id text, track_id text, listened_at timestamp, listen_date date, n_listens bigint, "
    "ms_played bigint, skipped boolean, utc_offset_min bigint, source text, batch_no bigint",
    "events": "user_id text, track_id text, event_at timestamp, event_date date, event text, batch_no bigint",
    "tracks": "track_id text, duration_ms bigint",
}


class ReactionTables:
    """The tables and views of one connection in memory; to be used by one thread at a time."""

    def __init__(self, time_zone: str) -> None:
        self._connection = duckdb.connect(":memory:", config={**READ_ONLY_SETTINGS, "threads": 1})
        self._connection.execute("set TimeZone = 'UTC'")
        for schema in ("staging", "intermediate", "marts", "meta"):
            self._connection.execute(f"create schema {schema}")
        self._connection.execute("create table meta.build as select ? as time_zone", [time_zone])
        for name, columns in _STAGING.items():
            self._connection.execute(f"create table staging.{name} ({columns})")
        for path in _VIEWS:
            text = (SQL_FOLDER / f"{path}.sql").read_text(encoding="utf-8")
            self._connection.execute(f"create view {path.replace('/', '.')} as {text}")

    def pairs(self, listens: pl.DataFrame, events: pl.DataFrame, tracks: pl.DataFrame, *, until: date) -> pl.DataFrame:
        """
        Return the weight, age and hour of each pair of listener and recording.

        Args:
            listens: The columns of the raw table, typed, and `ds`.
            events: Likewise.
            tracks: track_id, duration_ms of the recordings whose length is known.
            until: Last day of the window.

        Returns:
            user_id, track_id, strength, age_days, hour_of_week.
        """
        filled = {
            "listens": listens.rename({"ds": "listen_date"}),
            "events": events.rename({"ds": "event_date"}),
            "tracks": tracks,
        }
        self._connection.begin()
        try:
            for name, rows in filled.items():
                self._connection.register("given", rows.to_arrow())
                self._connection.execute(f"insert into staging.{name} by name select * from given")
                self._connection.unregister("given")
            window: dict[str, object] = {"since": date.min, "until": until}
            return pl.DataFrame(self._connection.sql(internal_sql("listened_pairs"), params=window).pl())
        finally:
            self._connection.rollback()
