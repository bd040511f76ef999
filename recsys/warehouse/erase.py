"""Rows of a warehouse file that name a listener, in any column of any table."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from recsys import files
from recsys.warehouse.build import STORAGE_VERSION
from recsys.warehouse.sqlfile import quoted

_SOURCE, _TARGET = "source", "target"


def rows(path: Path, user_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows that name one of the listeners, each with the name of its table."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(path)} as {_SOURCE} (read_only)")
        found = []
        for table, names in _tables(connection):
            if names:
                query = f"select * from {_SOURCE}.{table} where {names}"
                selected = connection.sql(query, params={"ids": list(user_ids)}).pl()
                found += [{"table": table, **row} for row in selected.iter_rows(named=True)]
        return found


def listeners(path: Path) -> set[str]:
    """Return all listeners in the columns user_id."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(path)} as {_SOURCE} (read_only)")
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_columns() "
            "where database_name = $source and column_name = 'user_id' and not internal",
            {"source": _SOURCE},
        ).fetchall()
        found = [
            connection.execute(f"select distinct user_id from {_SOURCE}.{table} where user_id is not null").fetchall()
            for (table,) in tables
        ]
        return {user_id for rows in found for (user_id,) in rows}


def copy_without(path: Path, target: Path, user_ids: Sequence[str]) -> None:
    """
    Write a copy without these rows.

    Tables are written anew, as DuckDB would keep the bytes of deleted rows. The fingerprints of queries are left out,
    so that the next build computes every day again, instead of copying days from this file.
    """
    files.remove_database(target)
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(path)} as {_SOURCE} (read_only)")
        connection.execute(f"attach {quoted(target)} as {_TARGET} (storage_version '{STORAGE_VERSION}')")
        for table, names in _tables(connection):
            connection.execute(f"create schema if not exists {_TARGET}.{table.split('.')[0]}")
            kept = f" where not coalesce({names}, false)" if names else ""
            given = {"ids": list(user_ids)} if names else {}
            connection.execute(f"create table {_TARGET}.{table} as select * from {_SOURCE}.{table}{kept}", given)
        connection.execute(f"update {_TARGET}.meta.tables set fingerprint = null")
        connection.execute(f"checkpoint {_TARGET}")
        connection.execute(f"detach {_TARGET}")


def _tables(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    """Yield each table with the SQL condition that one of $ids is in its columns of texts; '' without such columns."""
    columns = connection.execute(
        "select schema_name, table_name, list(case when data_type like '%VARCHAR%' then column_name end order by "
        "column_index) from duckdb_columns() where database_name = $source and not internal "
        "group by schema_name, table_name order by schema_name, table_name",
        {"source": _SOURCE},
    ).fetchall()
    for schema, table, names in columns:
        texts = [f'cast("{name}" as varchar)' for name in names if name is not None]
        is_named = " or ".join(f"len(list_filter($ids, lambda id: contains({text}, id))) > 0" for text in texts)
        yield f"{schema}.{table}", is_named
