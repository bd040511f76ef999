"""Check a built table against the contract in its header: columns, minimum rows, grain, checks, reconciliation."""

from dataclasses import dataclass

from recsys.errors import BrokenCheck
from recsys.warehouse.engine import Engine
from recsys.warehouse.sqlfile import SqlFile

_N_SHOWN = 3


@dataclass(frozen=True)
class BuiltTable:
    """A table that satisfies its contract: its name, number of rows and column types (name -> DuckDB type)."""

    name: str
    n_rows: int
    types: dict[str, str]


def check(engine: Engine, file: SqlFile, *, may_be_empty: bool = False) -> BuiltTable:
    """
    Check a built table against its header.

    Args:
        engine: The engine that has built it.
        file: The table.
        may_be_empty: Whether there is nothing to make it of: it needs no rows, and sums of no rows reconcile.

    Raises:
        BrokenCheck: At the first violation.
    """
    types = _check_columns(engine, file)
    n_rows, n_broken, n_repeated, reconciled = _counts(engine, file, may_be_empty=may_be_empty)
    if n_rows < file.min_rows and not may_be_empty:
        raise BrokenCheck(
            f"{file.name}: {n_rows:,} rows, at least {file.min_rows:,} expected. "
            "Is a source file missing? recsys quarantine list says which rows ingest refused"
        )
    for condition, n in zip(file.checks, n_broken, strict=True):
        if n:
            raise BrokenCheck(_broken(engine, file, f'"{condition}"', f"({condition}) is not true", n))
    if n_repeated:
        grain = ", ".join(file.grain)
        rule = f'the grain "{grain}": they occur more than once'
        raise BrokenCheck(_broken(engine, file, rule, f"({grain}) in ({_repeated(file)})", n_repeated))
    for condition, is_true in zip(file.reconcile, reconciled, strict=True):
        if not is_true:
            raise BrokenCheck(f"{file.name} does not reconcile with its source: {condition} is not true")
    return BuiltTable(file.name, n_rows, types)


def _counts(engine: Engine, file: SqlFile, *, may_be_empty: bool) -> tuple[int, list[int], int, list[bool]]:
    """Count in one query the rows, those that break each check, and grains that repeat, and run each reconciliation."""
    broken = [f"count(*) filter (where ({condition}) is not true)" for condition in file.checks]
    repeated = f"(select count(*) from ({_repeated(file)}) as repeated)" if file.grain else "0"
    reconciled = [f"coalesce({condition}, {may_be_empty})" for condition in file.reconcile]
    # a reconciliation is a condition on whole tables, and may not stand beside the sums of this one
    counted = f"(select {', '.join(['count(*)', *broken])} from {file.name}) as counted"
    (row,) = engine.run_query(f"select counted.*, {', '.join([repeated, *reconciled])} from {counted}")
    n = 1 + len(broken)
    return row[0], list(row[1:n]), row[n], list(row[n + 1 :])


def _repeated(file: SqlFile) -> str:
    grain = ", ".join(file.grain)
    return f"select {grain} from {file.name} group by {grain} having count(*) > 1"


def _check_columns(engine: Engine, file: SqlFile) -> dict[str, str]:
    types = engine.types(file.name)
    undocumented, missing = types.keys() - file.columns.keys(), file.columns.keys() - types.keys()
    if undocumented:
        raise BrokenCheck(f"{file.name}: the column {min(undocumented)} is not documented. Add it to the header")
    if missing:
        raise BrokenCheck(
            f"{file.name}: the header documents {min(missing)}, which the query lacks. Remove it from the header"
        )
    return types


def _broken(engine: Engine, file: SqlFile, rule: str, where: str, n: int) -> str:
    query = f"select * from {file.name} where {where}"
    shown = engine.run_query(f"{query} limit {_N_SHOWN}")
    rows = "\n".join(f"  {row}" for row in shown)
    return f"{file.name}: {n:,} rows break {rule}. The first:\n{rows}\nList them all: {query}"
