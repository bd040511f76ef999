"""
Build a warehouse file from the lake: raw views, then every file of `sql/` in the order of what reads what.

A build writes a new file, never the published one. A day-grain table (`incremental:` in its header) takes the untouched
days over from the last published warehouse and computes the others; everything else is computed afresh. Staging and
intermediate steps live only while the build runs: the file holds the marts, and in `meta` the data dictionary.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
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
from recsys.lake.contract import CONTRACTS, QUARANTINE, Contract
from recsys.lake.store import Lake
from recsys.warehouse.check import Built, check
from recsys.warehouse.increment import days_of_logs, fingerprint, fresh_days, spans
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.sqlfile import SqlFile, kinds_of, quoted, read_layers, steps_below, with_sources
from recsys.warehouse.versions import newest_rows, versions

STORAGE_VERSION = "v1.2.0"  # the oldest DuckDB that is to open the published file
_WRONG_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
_SCHEMAS = ("raw", "staging", "intermediate", "marts", "meta")
Progress = Callable[[str, int, float], None]


def _silent(_name: str, _n_rows: int, _seconds: float) -> None:
    pass


@dataclass(frozen=True)
class ResultTable:
    """A table that a run made for SQL: its columns, and its Parquet file; None is a table without rows."""

    schema: pl.Schema
    path: Path | None = None


@dataclass(frozen=True)
class Sources:
    """
    What a build reads.

    Attributes:
        lake: Raw tables.
        as_of: The last day of the logs that counts.
        results: What runs made, by the name of the raw table.
        previous: The last published warehouse, to take untouched days from; None builds everything.
        backfill: First and last day to compute again even if untouched.
    """

    lake: Lake
    as_of: date
    results: Mapping[str, ResultTable] = field(default_factory=dict)
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
) -> list[Built]:
    """
    Build and check every table.

    Args:
        target: The file to write; an unfinished earlier one is replaced.
        sources: What to read. An ingest that was cut short is finished or dropped first.
        sql: The folder of SQL files.
        only: Tables to build, with all that they stand on; none named: every table.
        memory: How much memory DuckDB may take before it spills beside the file.
        progress: Called with each table's name, rows and seconds.

    Returns:
        The tables of the file, in the order they were built.

    Raises:
        InputError: The lake does not hold what its ledger says.
        BrokenCheck: A table breaks its contract; the unfinished file stays for a look.
        BadSqlFile: A file in `sql/` breaks the rules of the house.
    """
    layers = read_layers(sql)
    for file in layers.values():
        refuse_unportable(file)
    if only:
        layers = with_sources(layers, only)
    sources.lake.recover()
    sources.lake.verify()
    remove_database(target)
    with _writing(target, memory) as connection:
        _make_raw(connection, sources)
        days = days_of_logs(connection)
        plan = _plan(connection, sources, layers)
        kinds = kinds_of(layers)
        built = []
        for file in layers.values():
            by_days = partial(_build_by_days, connection, file, days, plan.get(file.name))
            make = by_days if file.incremental else partial(_build_whole, connection, file, kinds[file.name])
            built.append(_build_one(connection, file, make, progress))
        _describe(connection, layers, built, sources)
        _drop_scaffolding(connection, sources)
    return [table for table in built if table.name.startswith("marts.")]


def rebuild_results(target: Path, results: Mapping[str, ResultTable]) -> list[Built]:
    """Build the tables that read what runs made once more, in a file that is not yet published."""
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


def _reading_results(layers: dict[str, SqlFile], results: Collection[str]) -> list[SqlFile]:
    """
    Return the tables that read results, or one another, in the order in which they are built.

    The steps that they read are among them, since a finished file holds none; such a step reads marts alone.
    """
    changed = {f"raw.{name}" for name in results}
    for file in layers.values():
        if file.sources & changed:
            changed.add(file.name)
    changed |= steps_below(layers, changed & layers.keys()).keys()
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
    batches = pl.DataFrame(
        [asdict(entry) for entry in sources.lake.batches()],
        schema_overrides={"days": pl.List(pl.String), "members": pl.List(pl.String)},
    )
    _make_raw_table(
        connection, "raw.batches", batches.with_columns(pl.col("ingested_on").str.to_date(), source_table="table")
    )
    _make_results(connection, sources.results)


def _make_raw_view(connection: duckdb.DuckDBPyConnection, contract: Contract, sources: Sources) -> None:
    """Make `raw.<table>`: all rows of an event table, of a reference table the newest of each key and all beside it."""
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
    files = quoted(f"{escape(str(folder))}/*/*.parquet")
    connection.execute(
        f"create view {name} as select * from read_parquet({files}, "
        f"hive_partitioning = true, hive_types = {{'ds': date}}) {until}"
    )


def _make_raw_table(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    connection.register("incoming", frame.to_arrow())
    connection.execute(f"create table {name} as select * from incoming")
    connection.unregister("incoming")


def _make_results(connection: duckdb.DuckDBPyConnection, results: Mapping[str, ResultTable]) -> None:
    """Make what runs wrote into tables; a column that an older version did not write is null."""
    for name, result in results.items():
        empty = pl.DataFrame(schema=result.schema)
        known = pl.read_parquet(result.path, glob=False) if result.path else empty
        _make_raw_table(connection, f"raw.{name}", pl.concat([empty, known], how="diagonal").select(empty.columns))


def _plan(connection: duckdb.DuckDBPyConnection, sources: Sources, layers: dict[str, SqlFile]) -> dict[str, list[date]]:
    if sources.previous is None:
        return {}
    connection.execute(f"attach {quoted(sources.previous)} as published (read_only)")
    return fresh_days(connection, sources.lake, layers, sources.as_of, sources.backfill)


def _build_one(
    connection: duckdb.DuckDBPyConnection, file: SqlFile, make: Callable[[], None], progress: Progress
) -> Built:
    """Build one table with `make` and check it; `progress` is called with its name, rows and seconds."""
    started = time.perf_counter()
    try:
        make()
        built = check(connection, file)
    except _WRONG_SQL as wrong:
        raise BadSqlFile(f"{file.name} does not run: {wrong}") from wrong
    progress(file.name, built.n_rows, time.perf_counter() - started)
    return built


def _build_whole(connection: duckdb.DuckDBPyConnection, file: SqlFile, kind: str) -> None:
    """Create a table or view; the rows of a step stand beside the file, which would keep their space when they go."""
    query = file.query
    if kind == "table" and file.layer == "intermediate":
        connection.execute(f"create table memory.{file.name} as {query}")
        kind, query = "view", f"select * from memory.{file.name}"
    connection.execute(f"create or replace {kind} {file.name} as {query}")


def _build_by_days(
    connection: duckdb.DuckDBPyConnection, file: SqlFile, days: dict[date, int], fresh: list[date] | None
) -> None:
    """
    Fill a day-grain table some days at a time, so that memory is bounded by days and not by the log.

    Args:
        connection: The file being written.
        file: The table's query and contract.
        days: Rows of the logs by day.
        fresh: The only days to compute; None computes all of it.
    """
    day = file.incremental
    connection.execute(f"create table {file.name} as select * from ({file.query}) as shape limit 0")
    if fresh is not None:
        untouched = f"select * from published.{file.name} where not list_contains($fresh, {day})"
        connection.execute(f"insert into {file.name} {untouched}", {"fresh": fresh})
    wanted = days if fresh is None else {each: days[each] for each in fresh if each in days}
    for span in spans(wanted):
        computed = f"select * from ({file.query}) as fresh where {day} between $first and $last"
        params = {"first": span[0], "last": span[-1], "span": span}
        connection.execute(f"insert into {file.name} {computed} and list_contains($span, {day})", params)


def _describe(
    connection: duckdb.DuckDBPyConnection, layers: dict[str, SqlFile], built: list[Built], sources: Sources
) -> None:
    """Write the data dictionary and what the file was built from."""
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
        {"table_name": table.name, "position": at, "name": name, "type": type_name}
        | {"unit": layers[table.name].columns[name].unit, "meaning": layers[table.name].columns[name].meaning}
        for table in built
        for at, (name, type_name) in enumerate(table.types.items(), start=1)
    ]
    batches = [{"batch": entry.batch} for entry in sources.lake.batches()]
    dictionary: dict[str, list[dict[str, Any]]] = {"tables": tables, "columns": documented, "batches": batches}
    for name, rows in dictionary.items():
        connection.register("incoming", pl.DataFrame(rows).to_arrow())
        connection.execute(f"create table meta.{name} as select * from incoming")
        connection.unregister("incoming")
    of_build = {"as_of": sources.as_of, "time_zone": sources.lake.zone.key}
    connection.execute("create table meta.build as select $as_of::date as as_of, $time_zone as time_zone", of_build)


def _drop_scaffolding(connection: duckdb.DuckDBPyConnection, sources: Sources) -> None:
    for schema in ("intermediate", "staging", "raw"):
        connection.execute(f"drop schema {schema} cascade")
    if sources.previous is not None:
        connection.execute("detach published")
