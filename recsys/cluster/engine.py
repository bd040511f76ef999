"""
The engine of many machines: Spark computes the tables of a build, and DuckDB's file gets the marts.

Raw tables are views of the very same files of the lake. All others, also those that are views on DuckDB, are Parquet
files in a folder of the build, which every machine must be able to read and write: checks and later tables would
compute a view again. DuckDB binds every query on tables without rows: this gives each column the type that it has in a
build on DuckDB, and no row is computed for it. Views live in a session of their own, so that builds of one process do
not meet.
"""

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recsys import files
from recsys.cluster.translate import spark_sql, spark_type
from recsys.warehouse.engine import Delivered
from recsys.warehouse.engine_duckdb import DuckDbEngine
from recsys.warehouse.sqlfile import SqlFile

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SMALL = 2**24  # bytes of Parquet that one task reads in a second or two


class SparkEngine:
    """Computes tables with Spark (see `warehouse.engine.Engine`)."""

    def __init__(self, session: "SparkSession", target: DuckDbEngine, folder: Path, *, lake: str = "") -> None:
        """
        Compute in a new session of the same application.

        Args:
            session: A Spark session (see `cluster.session`).
            target: The file that gets the marts.
            folder: Folder for tables of the build; it is replaced, and removed by `close`.
            lake: Address of the lake for Spark, such as `s3a://bucket/lake`, if it is not the lake's own folder.
        """
        self._session, self._target, self._folder, self._lake = session.newSession(), target, folder, lake
        files.remove(folder)

    @property
    def wrong_sql(self) -> tuple[type[Exception], ...]:
        """The exceptions of both engines, since both bind every query."""
        from pyspark.errors import AnalysisException  # noqa: PLC0415 - also of what cannot be parsed

        return (*self._target.wrong_sql, AnalysisException)

    def run_query(self, query: str, params: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return [tuple(row) for row in self._rows(query, params).collect()]

    def types(self, table: str) -> dict[str, str]:
        """Return column -> DuckDB type."""
        return self._target.types(table)

    def add_files(self, name: str, files: Delivered) -> None:
        """Create a view of the files of a raw table; days are found by their folders."""
        self._target.add_rows(name, pl.DataFrame(schema=files.schema))
        rows = self._read(files.folder, self.types(name))
        self._name(name, rows.where(files.where) if files.where else rows)

    def add_rows(self, name: str, rows: pl.DataFrame) -> None:
        """Create a raw table from a frame, through a file, from which Spark reads in parallel."""
        self._target.add_rows(name, rows.clear())
        folder = self._folder / name
        folder.mkdir(parents=True)
        rows.write_parquet(folder / "rows.parquet")
        self._name(name, self._read(folder, self.types(name)))

    def add_view(self, name: str, query: str) -> None:
        """Create a view."""
        self._target.add_view(name, query)
        self._name(name, self._rows(query))

    def attach(self, marts: Path, names: Collection[str]) -> None:
        """Make published marts readable."""
        for name in names:
            file = marts / f"{name.partition('.')[2]}.parquet"
            self._name(f"published.{name}", self._session.read.parquet(self._location(file)))

    def make(self, file: SqlFile, _kind: str) -> None:
        """Write Parquet files, also for what DuckDB makes a view of, and for a mart the table in DuckDB's file."""
        self._bind(file)
        self._store(file, self._rows(file.query))

    def make_by_days(self, file: SqlFile, _days: Mapping[date, int], stale: Collection[date] | None) -> None:
        """Write the stale days and a copy of the others in one go; Spark itself spills what exceeds its memory."""
        self._bind(file)
        rows = self._typed(file.name, self._rows(file.query))
        if stale is not None:
            is_stale = rows[file.incremental].isin(list(stale))
            published = self._typed(file.name, self._session.table(f"`published.{file.name}`"))
            unchanged = published.where(~published[file.incremental].isin(list(stale)))
            rows = unchanged.unionByName(rows.where(is_stale)) if stale else unchanged
        self._store(file, rows)

    def export(self, query: str, path: Path) -> None:
        """Write the rows of a query to one Parquet file."""
        folder = self._folder / "export"
        self._write(self._rows(query), self._target.types_of(query), folder)
        self._target.export_files(folder, path)

    def close(self) -> None:
        """Drop the working tables of both engines; the views go with the session."""
        self._target.close()
        files.remove(self._folder)

    def _rows(self, query: str, params: Mapping[str, object] | None = None) -> "DataFrame":
        return self._session.sql(spark_sql(query, params))

    def _bind(self, file: SqlFile) -> None:
        if file.layer == "marts":
            self._target.make_empty(file)
        else:
            self._target.make(file, "view")

    def _store(self, file: SqlFile, rows: "DataFrame") -> None:
        folder = self._folder / file.name
        self._write(rows, self.types(file.name), folder)
        self._name(file.name, self._read(folder, self.types(file.name)))
        if file.layer == "marts":
            self._target.fill(file.name, folder)

    def _write(self, rows: "DataFrame", types: Mapping[str, str], folder: Path) -> None:
        _typed(rows, types).write.mode("overwrite").parquet(self._location(folder))

    def _typed(self, name: str, rows: "DataFrame") -> "DataFrame":
        return _typed(rows, self.types(name))

    def _read(self, folder: Path, types: Mapping[str, str]) -> "DataFrame":
        """
        Read a folder of Parquet files by the names of the columns, without reading a schema from them.

        A small table is read by one task: then queries on small tables have no shuffles, which cost more than the work.
        """
        schema = ", ".join(f"`{name}` {spark_type(kind)}" for name, kind in types.items())
        sizes = [file.stat().st_size for file in folder.rglob("*.parquet")]
        if not sizes:
            return self._session.createDataFrame([], schema).coalesce(1)
        reader = self._session.read.schema(schema).option("pathGlobFilter", "*.parquet")
        rows = reader.parquet(self._location(folder))
        return rows.coalesce(1) if sum(sizes) < _SMALL else rows

    def _name(self, name: str, rows: "DataFrame") -> None:
        rows.createOrReplaceTempView(f"`{name}`")

    def _location(self, path: Path) -> str:
        """Return the address of a file or folder for Spark: that of `lake` for a table of the lake, if there is one."""
        return (
            f"{self._lake.rstrip('/')}/{path.name}" if self._lake and path.parent.name == "lake" else f"file://{path}"
        )


def _typed(rows: "DataFrame", types: Mapping[str, str]) -> "DataFrame":
    """Cast columns to the types that they have on DuckDB, in their order there."""
    return rows.select([rows[f"`{name}`"].cast(spark_type(kind)).alias(name) for name, kind in types.items()])
