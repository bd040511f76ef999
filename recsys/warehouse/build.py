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
from recsys.warehouse.engine import Delivered, Engine
from recsys.warehouse.engine_duckdb import DuckDbEngine
from recsys.warehouse.increment import Published, fingerprint, rows_by_day, stale_days
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.sqlfile import (
    SqlFile,
    downstream,
    materializations,
    quoted,
    read_layers,
    upstream_intermediates,
    with_upstream,
)
from recsys.warehouse.versions import newest_rows, versions

STORAGE_VERSION = "v1.2.0"  # the oldest DuckDB version that can open the published file
_NOT_PLAIN = {"invalid_values", "checksums"}  # of an entry of the batch log: no column of raw.batches
_SCHEMAS = ("raw", "staging", "intermediate", "marts", "meta")
Progress = Callable[[str, int, float], None]
EngineFor = Callable[[duckdb.DuckDBPyConnection], Engine]


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
        previous_marts: Folder with its marts as Parquet, from which an engine copies that cannot read the file.
        backfill: First and last day of a period that is computed again, even without new data; None for no period.
    """

    lake: Lake
    as_of: date
    results: Mapping[str, ResultTable] = field(default_factory=dict)
    ledger: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    previous: Path | None = None
    previous_marts: Path | None = None
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
    engine: EngineFor = DuckDbEngine,
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
        engine: Makes the engine that computes the tables, from the connection to the file being written.

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
        working = engine(connection)
        _make_raw(connection, working, sources)
        plan = _plan(connection, working, sources, layers)
        built = _build_all(working, layers, sources.lake, plan, progress)
        for name, path in (exports or {}).items():
            working.export(internal_sql(name), path)
        _describe(connection, layers, built, sources)
        working.close()
        if sources.previous is not None:
            connection.execute("detach published")
    return [table for table in built if table.name.startswith("marts.")]


def _build_all(
    engine: Engine, layers: dict[str, SqlFile], lake: Lake, plan: dict[str, list[date]], progress: Progress
) -> list[BuiltTable]:
    """Build and check every table, after its dependencies; `plan` has the stale days of day-grain tables."""
    days = rows_by_day(engine.run_query)
    kinds = materializations(layers)
    may_be_empty = _may_be_empty(layers, has_listens=any(batch.table == "listens" for batch in lake.batch_log()))
    built = []
    for file in layers.values():
        by_days = partial(engine.make_by_days, file, days, plan.get(file.name))
        make = by_days if file.incremental else partial(engine.make, file, kinds[file.name])
        built.append(_build_one(engine, file, make, progress, may_be_empty=file.name in may_be_empty))
    return built


def _may_be_empty(layers: dict[str, SqlFile], *, has_listens: bool) -> set[str]:
    """Return the tables made of listens if there never were any, as in an archive that has a catalogue alone."""
    return set() if has_listens else downstream(layers, {"raw.listens"})


def rebuild_results(target: Path, results: Mapping[str, ResultTable]) -> list[BuiltTable]:
    """Rebuild the tables that read `results`, in a warehouse file that is not published yet; return rebuilt marts."""
    layers = read_layers()
    files = _reading_results(layers, results)
    with _writing(target, "1GB") as connection:
        ((has_listens,),) = connection.execute(internal_sql("has_listens")).fetchall()
        may_be_empty = _may_be_empty(layers, has_listens=has_listens)
        for schema in ("raw", "intermediate"):
            connection.execute(f"create schema {schema}")
        engine = DuckDbEngine(connection)
        _make_results(engine, results)
        built = [
            _build_one(
                engine, file, partial(engine.make, file, "table"), _silent, may_be_empty=file.name in may_be_empty
            )
            for file in files
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
        engine = DuckDbEngine(connection)
        _make_results(engine, results)
        for file in missing_marts(map(".".join, existing), results):
            _build_one(engine, file, partial(engine.make, file, "table"), _silent)
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


def _make_raw(connection: duckdb.DuckDBPyConnection, engine: Engine, sources: Sources) -> None:
    for schema in _SCHEMAS:
        connection.execute(f"create schema {schema}")
    for contract in CONTRACTS.values():
        _make_raw_view(engine, contract, sources)
    refused = list((sources.lake.folder / "quarantine").rglob("*.parquet"))
    quarantine = pl.read_parquet(refused, glob=False) if refused else pl.DataFrame(schema=QUARANTINE)
    engine.add_rows("raw.quarantine", quarantine)
    for name, rows in tables_of_batches(sources.lake.batch_log()).items():
        engine.add_rows(f"raw.{name}", rows)
    _make_results(engine, sources.results)
    for name, rows in sources.ledger.items():
        engine.add_rows(f"raw.{name}", rows)


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


def _make_raw_view(engine: Engine, contract: Contract, sources: Sources) -> None:
    """Create `raw.<table>`: all rows of an event table; of a reference table the newest per key (see `versions`)."""
    if contract.instant:
        engine.add_files(f"raw.{contract.table}", _delivered(contract, sources))
        return
    engine.add_files(versions(contract), _delivered(contract, sources))
    engine.add_view(f"raw.{contract.table}", newest_rows(contract))


def _delivered(contract: Contract, sources: Sources) -> Delivered:
    """Return the files of a raw table, with the condition of the days to use."""
    day = "ds" if contract.instant else contract.day
    conditions = [f"{day} <= date '{sources.as_of}'"] if day else []
    if first := sources.lake.kept_from().get(contract.table):
        conditions.append(f"{day} >= date '{first}'")
    return Delivered(contract, sources.lake.folder / contract.table, " and ".join(conditions))


def _make_results(engine: Engine, results: Mapping[str, ResultTable]) -> None:
    """Create a table from each result of a run; a column that an older version did not write is null."""
    for name, result in results.items():
        empty = pl.DataFrame(schema=result.schema)
        known = [pl.read_parquet(path, glob=False) for path in result.paths]
        engine.add_rows(f"raw.{name}", pl.concat([empty, *known], how="diagonal").select(empty.columns))


def _plan(
    connection: duckdb.DuckDBPyConnection, engine: Engine, sources: Sources, layers: dict[str, SqlFile]
) -> dict[str, list[date]]:
    """Return day-grain table -> stale days, which is the same on every engine; a table that is missing is computed."""
    if sources.previous is None:
        return {}
    connection.execute(f"attach {quoted(sources.previous)} as published (read_only)")
    published = Published.read(connection)
    if sources.previous_marts is not None:
        known = [file.name for file in layers.values() if file.incremental and file.name in published.fingerprints]
        engine.attach(sources.previous_marts, known)
    return stale_days(published, engine.run_query, sources.lake, layers, as_of=sources.as_of, backfill=sources.backfill)


def _build_one(
    engine: Engine, file: SqlFile, make: Callable[[], None], progress: Progress, *, may_be_empty: bool = False
) -> BuiltTable:
    """Create one table with `make` and check it; call `progress` with its name, number of rows and seconds."""
    started = time.perf_counter()
    try:
        make()
        built = check(engine, file, may_be_empty=may_be_empty)
    except engine.wrong_sql as wrong:
        raise BadSqlFile(f"{file.name} does not run: {wrong}") from wrong
    progress(file.name, built.n_rows, time.perf_counter() - started)
    return built


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
