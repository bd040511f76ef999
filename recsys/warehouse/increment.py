"""
Find the stale days of day-grain tables: these are computed again, other days are copied from the published warehouse.

A day is stale if a new batch has rows for it, or a batch that was taken back had; if it is later than the `as_of` of
the last build; if it is older than the first day that is kept, and was not when the last build was made; if it has
events of a track or listener for which a reference table got a new row; or if a backfill requests it. If the stale days
cannot be determined, all days are stale.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from recsys.files import short_hash
from recsys.lake.contract import CONTRACTS, Contract
from recsys.lake.store import Batch, Lake
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.sqlfile import SqlFile, raw_sources
from recsys.warehouse.versions import newest_rows, versions

_EVENT_TABLES = [contract for contract in CONTRACTS.values() if contract.instant]
RunQuery = Callable[..., list[tuple[Any, ...]]]  # runs a query with its parameters on the engine of the build
_ROWS_PER_SPAN = 4_000_000  # rows of event tables that one statement aggregates: about 1 GB of groups


@dataclass(frozen=True)
class Published:
    """
    The inputs of the attached published warehouse.

    Attributes:
        as_of: Its last day.
        batches: Ids of its batches.
        fingerprints: Table -> fingerprint of its query.
        kept_from: Raw table -> first day that was kept, of tables with a limit.
    """

    as_of: date
    batches: frozenset[str]
    fingerprints: dict[str, str]
    kept_from: dict[str, date]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> "Published":
        """Read the schema `meta` of the attached database `published`."""
        with connection.cursor() as cursor:
            cursor.execute("use published")  # applies to this cursor only
            (as_of,) = cursor.execute(internal_sql("as_of")).fetchall()[0]
            batches = cursor.execute(internal_sql("built_batches")).fetchall()
            tables = cursor.execute(internal_sql("query_fingerprints")).fetchall()
            kept_from = _kept_from(cursor)
        return cls(as_of, frozenset(batch for (batch,) in batches), dict(tables), kept_from)


def _kept_from(cursor: duckdb.DuckDBPyConnection) -> dict[str, date]:
    try:
        return dict(cursor.execute(internal_sql("built_retention")).fetchall())
    except duckdb.CatalogException:  # of a version that kept everything
        return {}


def fingerprint(file: SqlFile, layers: dict[str, SqlFile]) -> str:
    """Return a hash of a table's query and all its upstream queries."""
    return short_hash(file.query, *sorted(_upstream(source, layers) for source in file.sources))


def _upstream(source: str, layers: dict[str, SqlFile]) -> str:
    if source in layers:
        return fingerprint(layers[source], layers)
    contract = CONTRACTS.get(source.removeprefix("raw."))
    return "" if contract is None or contract.instant else newest_rows(contract)


def rows_by_day(run_query: RunQuery) -> dict[date, int]:
    """Return day -> number of rows in all event tables, in order of days."""
    query = " union all ".join(f"select ds from raw.{events.table}" for events in _EVENT_TABLES)
    return dict(run_query(f"select ds, count(*) from ({query}) as days group by ds order by ds"))


def spans(days: dict[date, int]) -> list[list[date]]:
    """Split days (day -> number of rows) into spans that are small enough for one SQL statement each."""
    cut: list[list[date]] = []
    n_rows = _ROWS_PER_SPAN
    for day, n_here in days.items():
        if n_rows + n_here > _ROWS_PER_SPAN:
            cut.append([])
            n_rows = 0
        cut[-1].append(day)
        n_rows += n_here
    return cut


def stale_days(
    published: Published,
    run_query: RunQuery,
    lake: Lake,
    layers: dict[str, SqlFile],
    *,
    as_of: date,
    backfill: tuple[date, date] | None,
) -> dict[str, list[date]]:
    """Return table -> stale days; a day-grain table that is not among them must be computed for all days."""
    log = lake.batch_log()
    kept_from = lake.kept_from()
    keeps_more = any(kept_from.get(table, date.min) < first for table, first in published.kept_from.items())
    if as_of < published.as_of or published.batches - {batch.batch for batch in log} or keeps_more:
        return {}  # an earlier date than the published one, a batch was removed from the lake, or days came back
    new = [batch for batch in log if (batch.batch in published.batches) == bool(batch.undone_on)]
    backfilled = set(_days_between(*backfill)) if backfill else set()
    plan = {}
    for file in layers.values():
        if file.incremental and published.fingerprints.get(file.name) == fingerprint(file, layers):
            raw = raw_sources(file.name, layers)
            contracts = [CONTRACTS[name.removeprefix("raw.")] for name in raw]
            affected = _affected_days(run_query, contracts, new)
            if affected is not None:
                later = _days_after(run_query, published.as_of)
                expired = _expired_days(run_query, file, contracts, published.kept_from, kept_from)
                plan[file.name] = sorted(day for day in affected | backfilled | later | expired if day <= as_of)
    return plan


def _affected_days(run_query: RunQuery, contracts: Iterable[Contract], new: Collection[Batch]) -> set[date] | None:
    """Return the days of some tables' rows that new or undone batches change; None if these days are unknown."""
    affected: set[date] = set()
    for contract in contracts:
        batches = [batch for batch in new if batch.table == contract.table and batch.days]
        if contract.instant:
            affected.update(date.fromisoformat(day) for batch in batches for day in batch.days)
        elif any(batch.undone_on for batch in batches):
            return None  # its keys are not in the lake any more
        elif batches and set(contract.key) <= {"track_id", "user_id"}:
            affected |= _days_of_keys(run_query, contract, [batch.batch for batch in batches])
        elif batches:
            return None
    return affected


def _days_of_keys(run_query: RunQuery, reference: Contract, batches: list[str]) -> set[date]:
    key = reference.key[0]
    named = f"select {key} from {versions(reference)} where list_contains($batches, batch)"
    query = " union ".join(f"select ds from raw.{events.table} where {key} in ({named})" for events in _EVENT_TABLES)
    return {day for (day,) in run_query(query, {"batches": batches})}


def _expired_days(
    run_query: RunQuery,
    file: SqlFile,
    contracts: Iterable[Contract],
    before: Mapping[str, date],
    now: Mapping[str, date],
) -> set[date]:
    """Return the published days of a table that were kept `before`, and of which a raw table keeps no rows `now`."""
    limits = [(before.get(raw.table, date.min), now[raw.table]) for raw in contracts if raw.table in now]
    query = f"select distinct {file.incremental} from published.{file.name}"
    days = {day for (day,) in run_query(query)} if any(old < new for old, new in limits) else set()
    return {day for day in days if any(old <= day < new for old, new in limits)}


def _days_after(run_query: RunQuery, last: date) -> set[date]:
    query = " union ".join(f"select ds from raw.{events.table} where ds > $last" for events in _EVENT_TABLES)
    return {day for (day,) in run_query(query, {"last": last})}


def _days_between(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
