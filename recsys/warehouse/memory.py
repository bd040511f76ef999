"""Tables in memory for questions that are asked again and again: read once from a warehouse, in a form for them."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from recsys.warehouse.query import READ_ONLY_SETTINGS, Warehouse


def in_memory(frames: Mapping[str, pl.DataFrame]) -> Warehouse:
    """Return a warehouse in memory with a table for each frame, with the rows in their order."""
    connection = duckdb.connect(":memory:", config=READ_ONLY_SETTINGS)
    for name, frame in frames.items():
        connection.register("frame", frame.to_arrow())
        connection.execute(f"create table {name} as select * from frame")
        connection.unregister("frame")
    connection.execute("set lock_configuration = true")
    return Warehouse(connection, Path(":memory:"))
