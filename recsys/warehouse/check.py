"""Check a built table against the contract in its header: columns, minimum rows, grain, checks, reconciliation."""

from dataclasses import dataclass

import duckdb

from recsys.errors import BrokenCheck
from recsys.warehouse.sqlfile import SqlFile

_N_SHOWN = 3


@dataclass(frozen=True)
class BuiltTable:
    """A table that satisfies its contract: its name, number of rows and column types (name -> DuckDB type)."""

    name: str
    n_rows: int
    types: dict[str, str]


def check(connection: duckdb.DuckDBPyConnection, file: SqlFile) -> BuiltTable:
    """Check a built table against its header; raises BrokenCheck at the first violation."""
    types = _check_columns(connection, file)
    conditions = [f"count(*) filter (where ({condition}) is not true)" for condition in file.checks]
    n_rows, *n_broken = _row(connection, f"select {', '.join(['count(*)', *conditions])} from {file.name}")
    if n_rows < file.min_rows:
        raise BrokenCheck(
            f"{file.name}: {n_rows:,} rows, at least {file.min_rows:,} expected. "
            "Is a source file missing? recsys quarantine list says which rows ingest refused"
        )
    for condition, n in zip(file.checks, n_broken, strict=True):
        if n:
            raise BrokenCheck(_broken(connection, file, f'"{condition}"', f"({condition}) is not true", n))
    _check_grain(connection, file)
    for condition in file.reconcile:
        if _row(connection, f"select {condition}") != (True,):
            raise BrokenCheck(f"{file.name} does not reconcile with its source: {condition} is not true")
    return BuiltTable(file.name, n_rows, types)


def _check_columns(connection: duckdb.DuckDBPyConnection, file: SqlFile) -> dict[str, str]:
    described = connection.execute(f"describe {file.name}").fetchall()
    types = {str(name): str(type_name) for name, type_name, *_ in described}
    undocumented, missing = types.keys() - file.columns.keys(), file.columns.keys() - types.keys()
    if undocumented:
        raise BrokenCheck(f"{file.name}: the column {min(undocumented)} is not documented. Add it to the header")
    if missing:
        raise BrokenCheck(
            f"{file.name}: the header documents {min(missing)}, which the query lacks. Remove it from the header"
        )
    return types


def _check_grain(connection: duckdb.DuckDBPyConnection, file: SqlFile) -> None:
    if not file.grain:
        return
    grain = ", ".join(file.grain)
    (n_repeated,) = _row(
        connection,
        f"select count(*) from (select {grain} from {file.name} group by {grain} having count(*) > 1) as repeated",
    )
    if n_repeated:
        repeated = f"({grain}) in (select ({grain}) from {file.name} group by {grain} having count(*) > 1)"
        rule = f'the grain "{grain}": they occur more than once'
        raise BrokenCheck(_broken(connection, file, rule, repeated, n_repeated))


def _broken(connection: duckdb.DuckDBPyConnection, file: SqlFile, rule: str, where: str, n: int) -> str:
    query = f"select * from {file.name} where {where}"
    shown = connection.execute(f"{query} limit {_N_SHOWN}").fetchall()
    rows = "\n".join(f"  {row}" for row in shown)
    return f"{file.name}: {n:,} rows break {rule}. The first:\n{rows}\nList them all: {query}"


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    return connection.execute(query).fetchall()[0]
