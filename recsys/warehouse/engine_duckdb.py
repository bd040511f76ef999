"""The engine of one machine: DuckDB computes the tables in the file that is being written."""

from collections.abc import Collection, Mapping
from datetime import date
from glob import escape
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from recsys.warehouse.engine import Delivered
from recsys.warehouse.increment import spans
from recsys.warehouse.sqlfile import SqlFile, quoted


class DuckDbEngine:
    """Computes tables with DuckDB (see `warehouse.engine.Engine`)."""

    wrong_sql: tuple[type[Exception], ...] = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Compute in the attached file that `connection` uses."""
        self._connection = connection

    def run_query(self, query: str, params: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self._connection.execute(query, dict(params) if params else None).fetchall()

    def types(self, table: str) -> dict[str, str]:
        """Return column -> DuckDB type."""
        return self.types_of(f"from {table}")

    def types_of(self, query: str) -> dict[str, str]:
        """Return column -> DuckDB type of a query, which is not run."""
        return {str(name): str(kind) for name, kind, *_ in self.run_query(f"describe {query}")}

    def add_files(self, name: str, files: Delivered) -> None:
        """Create a view of Parquet files; a table without files is empty."""
        if not any(files.folder.rglob("*.parquet")):
            self.add_rows(name, pl.DataFrame(schema=files.schema))
            return
        pattern = quoted(f"{escape(str(files.folder))}/*/*.parquet")
        is_event = bool(files.contract.instant)
        by_name = "false" if is_event else "true"  # event tables have too many files to read the schema of each
        options = f"hive_partitioning = true, hive_types = {{'ds': date}}, union_by_name = {by_name}"
        rows = f"read_parquet({pattern}, {options})"
        missing = "" if is_event else self._missing_columns(files, rows)
        where = f"where {files.where}" if files.where else ""
        self.add_view(name, f"select *{missing} from {rows} {where}")

    def _missing_columns(self, files: Delivered, rows: str) -> str:
        """Return SQL that adds the columns missing in all files, as nulls, to a select list; '' if none is."""
        known = self.types_of(f"from {rows}")
        self._connection.register("incoming", pl.DataFrame(schema=files.contract.schema).to_arrow())
        columns = self.types_of("from incoming")
        self._connection.unregister("incoming")
        return "".join(f", cast(null as {kind}) as {name}" for name, kind in columns.items() if name not in known)

    def add_rows(self, name: str, rows: pl.DataFrame) -> None:
        """Create a table from a frame."""
        self._connection.register("incoming", rows.to_arrow())
        self._connection.execute(f"create table {name} as select * from incoming")
        self._connection.unregister("incoming")

    def add_view(self, name: str, query: str) -> None:
        """Create a view."""
        self._connection.execute(f"create view {name} as {query}")

    def attach(self, _marts: Path, _names: Collection[str]) -> None:
        """Do nothing: the build has attached the published file, for the plan."""

    def make(self, file: SqlFile, kind: str) -> None:
        """Create a table or view; intermediate tables are kept in memory: dropping them would not shrink the file."""
        query = file.query
        if kind == "table" and file.layer == "intermediate":
            self._connection.execute(f"create table memory.{file.name} as {query}")
            kind, query = "view", f"select * from memory.{file.name}"
        self._connection.execute(f"create or replace {kind} {file.name} as {query}")

    def make_empty(self, file: SqlFile) -> None:
        """Create a table with the columns of a file, without rows."""
        shape = f"select * from ({file.query}\n) as shape limit 0"  # a query may end in a comment
        self._connection.execute(f"create or replace table {file.name} as {shape}")

    def make_by_days(self, file: SqlFile, days: Mapping[date, int], stale: Collection[date] | None) -> None:
        """Fill a table a few days at a time, so that memory does not grow with the length of the history."""
        day = file.incremental
        self.make_empty(file)
        if stale is not None:
            unchanged = f"select * from published.{file.name} where not list_contains($stale, {day})"
            self._connection.execute(f"insert into {file.name} {unchanged}", {"stale": list(stale)})
        computed_days = dict(days) if stale is None else {day: days[day] for day in stale if day in days}
        for span in spans(computed_days):
            computed = f"select * from ({file.query}\n) as computed where {day} between $first and $last"
            params = {"first": span[0], "last": span[-1], "span": span}
            self._connection.execute(f"insert into {file.name} {computed} and list_contains($span, {day})", params)

    def fill(self, table: str, folder: Path) -> None:
        """Insert the rows of a folder of Parquet files into a table, by the names of its columns."""
        self._connection.execute(f"insert into {table} by name from {_files_of(folder)}")

    def export(self, query: str, path: Path) -> None:
        """Write the rows of a query to one Parquet file."""
        self._connection.execute(f"copy ({query}\n) to {quoted(path)} (format parquet, compression zstd)")

    def export_files(self, folder: Path, path: Path) -> None:
        """Write the rows of a folder of Parquet files to one file."""
        self.export(f"from {_files_of(folder)}", path)

    def close(self) -> None:
        """Drop the raw, staging and intermediate tables."""
        for schema in ("intermediate", "staging", "raw"):
            self._connection.execute(f"drop schema {schema} cascade")


def _files_of(folder: Path) -> str:
    pattern = quoted(f"{escape(str(folder))}/*.parquet")
    return f"read_parquet({pattern})"
