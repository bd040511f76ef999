"""The engine of one machine: what its own tests can show better than a whole build."""

from pathlib import Path

import duckdb
import polars as pl

from recsys.warehouse.engine_duckdb import DuckDbEngine


def test_an_exported_query_may_end_in_a_comment(tmp_path: Path) -> None:
    """As the files of `sql/internal` may: the comment ends with its line."""
    with duckdb.connect() as connection:
        DuckDbEngine(connection).export("select 1 as n -- one row", tmp_path / "n.parquet")

    assert pl.read_parquet(tmp_path / "n.parquet").rows() == [(1,)]
