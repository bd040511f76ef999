"""
What a build needs of the engine that computes its tables.

`warehouse.build` decides what is built, in which order, which days are stale and what is checked; an engine decides how
rows are computed. Every query that it gets is DuckDB's SQL as far as the portability guard allows it. DuckDB is the
engine of one machine (`warehouse.engine_duckdb`), Spark that of many (`cluster.engine`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from recsys.lake.contract import Contract
from recsys.warehouse.sqlfile import SqlFile


@dataclass(frozen=True)
class Delivered:
    """
    The files of a raw table in the lake.

    Attributes:
        contract: The table's contract.
        folder: Folder with a folder `ds=<day>` for each day of the events or the ingest.
        where: SQL condition of the rows to use; empty for all rows.
    """

    contract: Contract
    folder: Path
    where: str = ""

    @property
    def schema(self) -> pl.Schema:
        """The columns of the raw table: those of the contract and of its batch, and the day of its folder."""
        return pl.Schema({**self.contract.schema, "ds": pl.Date()})


class Engine(Protocol):
    """Computes the tables of one build."""

    @property
    def wrong_sql(self) -> tuple[type[Exception], ...]:
        """The exceptions that say that a query cannot run."""

    def run_query(self, query: str, params: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query; parameters are written `$name`."""

    def types(self, table: str) -> dict[str, str]:
        """Return column -> DuckDB type of a table that exists."""

    def add_files(self, name: str, files: Delivered) -> None:
        """Create a raw table from files of the lake; columns that no file has are null."""

    def add_rows(self, name: str, rows: pl.DataFrame) -> None:
        """Create a raw table from a frame."""

    def add_view(self, name: str, query: str) -> None:
        """Create a view."""

    def attach(self, marts: Path, names: Collection[str]) -> None:
        """
        Make marts of the last published warehouse readable as `published.<name>`.

        Args:
            marts: Folder with the published marts as Parquet.
            names: The marts that will be read.
        """

    def make(self, file: SqlFile, kind: str) -> None:
        """Create the table or view of a file, as `kind` says; an existing one is replaced."""

    def make_by_days(self, file: SqlFile, days: Mapping[date, int], stale: Collection[date] | None) -> None:
        """
        Create a day-grain table.

        Args:
            file: The table's query and contract.
            days: Day -> number of rows in the event tables.
            stale: Days to compute; other days are copied from the published table. None computes all days.
        """

    def export(self, query: str, path: Path) -> None:
        """Write the rows of a query to one Parquet file."""

    def close(self) -> None:
        """Drop everything that the finished file does not have."""
