"""
From events in a request to the history of a listener, by the contract and the SQL of a nightly run.

The contract reads the events, and the same SQL files that build the warehouse judge and weigh them, on tables of these
events alone. So a listener folded in from events gets what a night would give that had read them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from zoneinfo import ZoneInfo

import polars as pl

from recsys.errors import InputError
from recsys.ingest.coerce import apply_contract
from recsys.ingest.fresh import day_of
from recsys.ingest.json_records import column
from recsys.lake.contract import CONTRACTS
from recsys.serve.messages import Event
from recsys.warehouse.reactions import ReactionTables

NOBODY = "listener"  # the one listener of these tables
TABLES = {"listens": "listened_at", "events": "event_at"}  # raw table -> its instant


@dataclass(frozen=True, eq=False)
class EventReader:
    """
    Reads events as ingest and the warehouse do.

    Attributes:
        zone: The market time zone.
        durations_ms: Length of each recording, where it is known.
        tables: The SQL.
    """

    zone: ZoneInfo
    durations_ms: Mapping[str, int]
    tables: ReactionTables
    _lock: Lock

    def history(self, events: Sequence[Event], as_of: date, today: date) -> pl.DataFrame:
        """
        Return the history that events tell, as of the later of two days: `as_of` and the last event's.

        Args:
            events: At least one.
            as_of: Last day of the release's data.
            today: The current day; later events are refused.

        Returns:
            user_id (NOBODY), track_id, strength, age_days, hour_of_week, as `Interactions.read` reads them.

        Raises:
            InputError: An event breaks the contract of listens or events.
        """
        raw = {table: _typed(table, events, today, self.zone) for table in TABLES}
        last = max(day for rows in raw.values() for day in rows["ds"].to_list())
        known = {event.track_id for event in events} & self.durations_ms.keys()
        tracks = pl.DataFrame(
            [(track_id, self.durations_ms[track_id]) for track_id in sorted(known)],
            {"track_id": pl.String, "duration_ms": pl.Int64},
            orient="row",
        )
        with self._lock:
            return self.tables.pairs(raw["listens"], raw["events"], tracks, until=max(as_of, last))


def event_reader(zone: ZoneInfo, durations_ms: Mapping[str, int]) -> EventReader:
    """Return a reader for a market time zone; it may be called from several threads."""
    return EventReader(zone, durations_ms, ReactionTables(zone.key), Lock())


def refuse_invalid(events: Sequence[Event], today: date, zone: ZoneInfo) -> None:
    """Raise InputError, with the number of the event, the column and the reason, if one breaks its contract."""
    for table in TABLES:
        _typed(table, events, today, zone)


def _typed(table: str, events: Sequence[Event], today: date, zone: ZoneInfo) -> pl.DataFrame:
    """Return the events of one table in the contract's types, each once, with their day `ds` in the market's zone."""
    contract, instant = CONTRACTS[table], TABLES[table]
    own = [(n, event) for n, event in enumerate(events, start=1) if (event.event == "listen") == (table == "listens")]
    if not own:
        return pl.DataFrame(schema={**{field.name: field.kind.value for field in contract.fields}, "ds": pl.Date()})
    named = [{"user_id": NOBODY, instant: event.happened_at, **_values(event)} for _, event in own]
    raw = pl.DataFrame([column(row.get(name) for row in named).alias(name) for name in contract.names])
    checked = apply_contract(raw, contract, today, zone).with_columns(
        number=pl.Series([n for n, _ in own], dtype=pl.Int64)
    )
    for name, reason, number in (
        checked.filter(pl.col("reason").is_not_null()).select("column_name", "reason", "number").iter_rows()
    ):
        shown = "happened_at" if name == instant else name
        raise InputError(f"Event {number}: {shown} is refused ({reason}); see docs/formats.md for what is expected")
    first = checked.unique(contract.key, keep="first", maintain_order=True)
    return first.select(*contract.names, day_of(instant, zone).alias("ds"))


def _values(event: Event) -> dict[str, str | int | bool | None]:
    return {
        "track_id": event.track_id,
        "event": event.event,
        "ms_played": event.ms_played,
        "skipped": event.skipped,
        "utc_offset_min": event.utc_offset_min,
        "n_listens": event.n_listens,
    }
