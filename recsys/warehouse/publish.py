"""Export the marts as Parquet files, for other tools and for Spark."""

from pathlib import Path

import duckdb

from recsys import files
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.sqlfile import quoted


def write_marts(warehouse: Path, folder: Path) -> int:
    """Write each mart of a warehouse file to `<folder>/<mart>.parquet`, atomically; return the number of marts."""
    with files.new_folder(folder) as new, duckdb.connect(warehouse, read_only=True) as connection:
        tables = connection.execute(internal_sql("stored_tables")).fetchall()
        names = [name for schema, name in tables if schema == "marts"]
        for name in names:
            target = quoted(new / f"{name}.parquet")
            connection.execute(f"copy marts.{name} to {target} (format parquet, compression zstd)")
    return len(names)
