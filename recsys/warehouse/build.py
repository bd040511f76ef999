"""
Build a warehouse file from the lake: raw views, then the table of every file in `sql/`, after its dependencies.

A build writes a new file, never the published one. A day-grain table (`incremental:` in its header) copies unchanged
days from the last published warehouse and computes the stale ones; every other table is computed as a whole. Staging
and intermediate tables exist only during the build: the file has the marts, and the data dictionary in schema `meta`.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from recsys.errors import BadSqlFile
from recsys.files import remove, remove_database
from recsys.installation.paths import SQL_FOLDER
from recsys.lake.contract import CONTRACTS, INVALID_VALUES, QUARANTINE, Contract
from recsys.lake.store import Batch, Lake
from recsys.warehouse.check import BuiltTable, check
from recsys.warehouse.increment import fingerprint, rows_by_day, spans, stale_days
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.sqlfile import (
    SqlFile,
    materializations,
    quoted,
    read_layers,
    upstream_intermediates,
    with_upstream,
)
from recsys.warehouse.versions import newest_rows, versions

STORAGE_VERSION = "v1.2.0"  # the oldest DuckDB version that can open the published file
_WRONG_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
_NOT_PLAIN = {"invalid_values", "checksums"}  # of an entry of the batch log: no column of raw.batches
_SCHEMAS = ("raw", "staging", "intermediate", "marts", "meta")
Progress = Callable[[str, int, float], None]


def _silent(_name: str, _n_rows: int, _seconds: float) -> None:
    pass


@dataclass(frozen=True)
class ResultTable:
    """A raw table that nightly runs compute: its columns, and its Parquet files; without files, it has no rows."""

    schema: pl.Schema
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Sources:
    """
    The inputs of a build.

    Attributes:
        lake: The raw tables.
        as_of: Last day of the events to use; later rows are ignored.
        results: Name in the schema `raw` -> table that runs computed.
        ledger: Name in the schema `raw` -> table that the query of open listens reads; exists during the build only.
        previous: The last published warehouse, from which unchanged days are copied; None computes all days.
        backfill: First and last day of a period that is computed again, even without new data; None for no period.
    """

    lake: Lake
    as_of: date
    results: Mapping[str, ResultTable] = field(default_factory=dict)
    ledger: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    previous: Path | None = None
    backfill: tuple[date, date] | None = None


def build(
    target: Path,
    sources: Sources,
    *,
    sql: Path = SQL_FOLDER,
    only: Collection[str] = (),
    memory: str = "4GB",
    progress: Progress = _silent,
    exports: Mapping[str, Path] | None = None,
) -> list[BuiltTable]:
    """
    Build and check every table.

    Args:
        target: The file to write; an existing one is replaced.
        sources: The inputs. An interrupted ingest of the lake is finished or removed first.
        sql: The folder of SQL files.
        only: Tables to build together with their upstream tables; empty builds every table.
        memory: DuckDB's memory limit; beyond it, DuckDB spills to disk beside the file.
        progress: Called with each table's name, number of rows and seconds.
        exports: Parquet files to write, by the query of `sql/internal` that they contain; it may read raw tables.

    Returns:
        The marts, in the order in which they were built.

    Raises:
        SetupError: The lake does not agree with its batch log.
        BrokenCheck: A table breaks its contract; the unfinished file is kept for inspection.
        BadSqlFile: A file in `sql/` breaks the project's SQL rules.
    """
    layers = read_layers(sql)
    for file in layers.values():
        refuse_unportable(file)
    if only:
        layers = with_upstream(layers, only)
    sources.lake.recover()
    sources.lake.verify(sources.as_of)
    remove_database(target)
    with _writing(target, memory) as connection:
        _make_raw(connection, sources)
        days = rows_by_day(connection)
        plan = _plan(connection, sources, layers)
        kinds = materializations(layers)
        built = []
        for file in layers.values():
            by_days = partial(_build_by_days, connection, file, days, plan.get(file.name))
            make = by_days if file.incremental else partial(_build_whole, connection, file, kinds[file.name])
            built.append(_build_one(connection, file, make, progress))
        for name, path in (exports or {}).items():
            connection.execute(f"copy ({internal_sql(name)}) to {quoted(path)} (format parquet, compression zstd)")
        _describe(connection, layers, built, sources)
        _drop_working_schemas(connection, sources)
    return [table for table in built if table.name.startswith("marts.")]


def rebuild_results(target: Path, results: Mapping[str, ResultTable]) -> list[BuiltTable]:
    """Rebuild the tables that read `results`, in a warehouse file that is not published yet; return rebuilt marts."""
    files = _reading_results(read_layers(), results)
    with _writing(target, "1GB") as connection:
        for schema in ("raw", "intermediate"):
            connection.execute(f"create schema {schema}")
        _make_results(connection, results)
        built = [
            _build_one(connection, file, partial(_build_whole, connection, file, "table"), _silent) for file in files
        ]
        for table in built:
            connection.execute("update meta.tables set n_rows = ? where name = ?", [table.n_rows, table.name])
        for schema in ("raw", "intermediate"):
            connection.execute(f"drop schema {schema} cascade")
    return [table for table in built if table.name.startswith("marts.")]


def missing_marts(existing: Iterable[str], results: Collection[str]) -> list[SqlFile]:
    """Return the marts that a file with some tables lacks, if they read only these tables, results and each other."""
    readable, missing = {*existing, *(f"raw.{name}" for name in results)}, []
    for file in read_layers().values():
        if file.layer == "marts" and file.name not in readable and file.sources <= readable:
            missing.append(file)
            readable.add(file.name)
    return missing


def add_missing_marts(target: Path, results: Mapping[str, ResultTable]) -> None:
    """Add the `missing_marts` to a warehouse file that is not published yet."""
    with _writing(target, "1GB") as connection:
        existing = connection.execute(internal_sql("stored_tables")).fetchall()
        connection.execute("create schema raw")
        _make_results(connection, results)
        for file in missing_marts(map(".".join, existing), results):
            _build_one(connection, file, partial(_build_whole, connection, file, "table"), _silent)
        connection.execute("drop schema raw cascade")


def _reading_results(layers: dict[str, SqlFile], results: Collection[str]) -> list[SqlFile]:
    """
    Return the tables downstream of results, in the order in which they are built.

    Intermediate tables upstream of them are included, because a finished file contains no intermediate tables; these
    may read only marts.
    """
    changed = {f"raw.{name}" for name in results}
    for file in layers.values():
        if file.sources & changed:
            changed.add(file.name)
    changed |= upstream_intermediates(layers, changed & layers.keys()).keys()
    return [file for name, file in layers.items() if name in changed]


@contextmanager
def _writing(target: Path, memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    target.parent.mkdir(parents=True, exist_ok=True)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "temp_directory": f"{target}.tmp",
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {quoted(target)} as warehouse (storage_version '{STORAGE_VERSION}')")
        connection.execute("use warehouse")
        connection.execute("create schema memory.intermediate")
        yield connection
        connection.execute("checkpoint warehouse")
        connection.execute("use memory")
        connection.execute("detach warehouse")
    remove(Path(f"{target}.tmp"))


def _make_raw(connection: duckdb.DuckDBPyConnection, sources: Sources) -> None:
    for schema in _SCHEMAS:
        connection.execute(f"create schema {schema}")
    for contract in CONTRACTS.values():
        _make_raw_view(connection, contract, sources)
    refused = list((sources.lake.folder / "quarantine").rglob("*.parquet"))
    quarantine = pl.read_parquet(refused, glob=False) if refused else pl.DataFrame(schema=QUARANTINE)
    _make_raw_table(connection, "raw.quarantine", quarantine)
    for name, rows in tables_of_batches(sources.lake.batch_log()).items():
        _make_raw_table(connection, f"raw.{name}", rows)
    _make_results(connection, sources.results)
    for name, rows in sources.ledger.items():
        _make_raw_table(connection, f"raw.{name}", rows)


def tables_of_batches(log: list[Batch]) -> dict[str, pl.DataFrame]:
    """Return the batch log as two raw tables: the batches, and their counts of invalid values."""
    counts = [count | {"batch": entry.batch} for entry in log for count in entry.invalid_values if not entry.undone_on]
    plain = [{name: value for name, value in asdict(entry).items() if name not in _NOT_PLAIN} for entry in log]
    entries = pl.DataFrame(plain, schema_overrides=dict.fromkeys(("days", "members", "columns"), pl.List(pl.String)))
    days = pl.col("ingested_on", "undone_on").replace("", None).str.to_date()
    return {
        "batches": entries.with_columns(days, source_table="table"),
        "invalid_values": pl.DataFrame(counts, schema={"batch": pl.String(), **INVALID_VALUES}),
    }


def _make_raw_view(connection: duckdb.DuckDBPyConnection, contract: Contract, sources: Sources) -> None:
    """Create `raw.<table>`: all rows of an event table; of a reference table the newest per key (see `versions`)."""
    if contract.instant:
        _make_delivered(connection, contract, sources, f"raw.{contract.table}")
        return
    _make_delivered(connection, contract, sources, versions(contract))
    connection.execute(f"create view raw.{contract.table} as {newest_rows(contract)}")


def _make_delivered(connection: duckdb.DuckDBPyConnection, contract: Contract, sources: Sources, name: str) -> None:
    folder = sources.lake.folder / contract.table
    if not any(folder.rglob("*.parquet")):
        _make_raw_table(connection, name, pl.DataFrame(schema={**contract.schema, "ds": pl.Date()}))
        return
    day = "ds" if contract.instant else contract.day
    until = f"where {day} <= date '{sources.as_of}'" if day else ""
    if first := sources.lake.kept_from().get(contract.table):
        until += f" and {day} >= date '{first}'"
    files = quoted(f"{escape(str(folder))}/*/*.parquet")
    by_name = "false" if contract.instant else "true"  # event tables have too many files to read the schema of each
    rows = f"read_parquet({files}, hive_partitioning = true, hive_types = {{'ds': date}}, union_by_name = {by_name})"
    missing = "" if contract.instant else _missing_columns(connection, contract, rows)
    connection.execute(f"create view {name} as select *{missing} from {rows} {until}")


def _missing_columns(connection: duckdb.DuckDBPyConnection, contract: Contract, rows: str) -> str:
    """Return SQL that adds the columns missing in all delivered files, as nulls, to a select list; '' if none is."""
    known = {name for name, *_ in connection.execute(f"describe select * from {rows}").fetchall()}
    connection.register("incoming", pl.DataFrame(schema=contract.schema).to_arrow())
    columns = connection.execute("describe select * from incoming").fetchall()
    connection.unregister("incoming")
    return "".join(f", cast(null as {kind}) as {name}" for name, kind, *_ in columns if name not in known)


def _make_raw_table(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    connection.register("incoming", frame.to_arrow())
    connection.execute(f"create table {name} as select * from incoming")
    connection.unregister("incoming")


def _make_results(connection: duckdb.DuckDBPyConnection, results: Mapping[str, ResultTable]) -> None:
    """Create a table from each result of a run; a column that an older version did not write is null."""
    for name, result in results.items():
        empty = pl.DataFrame(schema=result.schema)
        known = [pl.read_parquet(path, glob=False) for path in result.paths]
        _make_raw_table(connection, f"raw.{name}", pl.concat([empty, *known], how="diagonal").select(empty.columns))


def _plan(connection: duckdb.DuckDBPyConnection, sources: Sources, layers: dict[str, SqlFile]) -> dict[str, list[date]]:
    if sources.previous is None:
        return {}
    connection.execute(f"attach {quoted(sources.previous)} as published (read_only)")
    return stale_days(connection, sources.lake, layers, sources.as_of, sources.backfill)


def _build_one(
    connection: duckdb.DuckDBPyConnection, file: SqlFile, make: Callable[[], None], progress: Progress
) -> BuiltTable:
    """Create one table with `make` and check it; call `progress` with its name, number of rows and seconds."""
    started = time.perf_counter()
    try:
        make()
        built = check(connection, file)
    except _WRONG_SQL as wrong:
        raise BadSqlFile(f"{file.name} does not run: {wrong}") from wrong
    progress(file.name, built.n_rows, time.perf_counter() - started)
    return built


def _build_whole(connection: duckdb.DuckDBPyConnection, file: SqlFile, kind: str) -> None:
    """Create a table or view; intermediate tables are kept in memory, since dropping them would not shrink the file."""
    query = file.query
    if kind == "table" and file.layer == "intermediate":
        connection.execute(f"create table memory.{file.name} as {query}")
        kind, query = "view", f"select * from memory.{file.name}"
    connection.execute(f"create or replace {kind} {file.name} as {query}")


def _build_by_days(
    connection: duckdb.DuckDBPyConnection, file: SqlFile, days: dict[date, int], stale: list[date] | None
) -> None:
    """
    Fill a day-grain table a few days at a time, so that memory does not grow with the length of the history.

    Args:
        connection: Connection to the file being written.
        file: The table's query and contract.
        days: Day -> number of rows in the event tables.
        stale: Days to compute; other days are copied from the published warehouse. None computes all days.
    """
    day = file.incremental
    connection.execute(f"create table {file.name} as select * from ({file.query}) as shape limit 0")
    if stale is not None:
        unchanged = f"select * from published.{file.name} where not list_contains($stale, {day})"
        connection.execute(f"insert into {file.name} {unchanged}", {"stale": stale})
    computed_days = days if stale is None else {day: days[day] for day in stale if day in days}
    for span in spans(computed_days):
        computed = f"select * from ({file.query}) as computed where {day} between $first and $last"
        params = {"first": span[0], "last": span[-1], "span": span}
        connection.execute(f"insert into {file.name} {computed} and list_contains($span, {day})", params)


def _describe(
    connection: duckdb.DuckDBPyConnection, layers: dict[str, SqlFile], built: list[BuiltTable], sources: Sources
) -> None:
    """Write the schema `meta`: data dictionary, batches, first days that are kept, date and time zone of the build."""
    tables = [
        {
            "name": file.name,
            "description": file.description,
            "grain": ", ".join(file.grain),
            "n_rows": table.n_rows,
            "reads": sorted(file.sources),
            "fingerprint": fingerprint(file, layers),
        }
        for file, table in zip(layers.values(), built, strict=True)
    ]
    documented = [
        {"table_name": table.name, "position": position, "name": name, "type": type_name}
        | {"unit": layers[table.name].columns[name].unit, "meaning": layers[table.name].columns[name].meaning}
        for table in built
        for position, (name, type_name) in enumerate(table.types.items(), start=1)
    ]
    batches = [{"batch": entry.batch} for entry in sources.lake.batches()]
    dictionary: dict[str, list[dict[str, Any]]] = {"tables": tables, "columns": documented, "batches": batches}
    for name, rows in dictionary.items():
        connection.register("incoming", pl.DataFrame(rows).to_arrow())
        connection.execute(f"create table meta.{name} as select * from incoming")
        connection.unregister("incoming")
    connection.execute("create table meta.retention (source_table varchar, kept_from date)")
    for table, first in sources.lake.kept_from().items():
        connection.execute("insert into meta.retention values (?, ?)", [table, first])
    of_build = {"as_of": sources.as_of, "time_zone": sources.lake.zone.key}
    connection.execute("create table meta.build as select $as_of::date as as_of, $time_zone as time_zone", of_build)


def _drop_working_schemas(connection: duckdb.DuckDBPyConnection, sources: Sources) -> None:
    for schema in ("intermediate", "staging", "raw"):
        connection.execute(f"drop schema {schema} cascade")
    if sources.previous is not None:
        connection.execute("detach published")
