"""
Read-only questions to a warehouse file: SQL in, a polars frame out.

The connection can read its one file and nothing else: no other files, no network, no settings. That alone is no guard:
it lets through ATTACH of the file itself, and COPY to the names of the log beside the file, whose content DuckDB would
replay. So what people write goes through `Warehouse.question`, which answers one query and runs nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Self

import duckdb
import polars as pl

from recsys.errors import InputError, SetupError, UnknownIds, did_you_mean
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.sqlfile import SqlFile, read_queries

_LOCKED_DOWN: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "4GB",
    "max_temp_directory_size": "16GB",
    "max_expression_depth": "250",  # planning a deeper one takes a minute, in which it cannot be stopped
}
_LONGEST = 20_000  # characters of a question, for the same reason
_ASKED_WITH = "A question is one query: SELECT, WITH, FROM, VALUES, PIVOT, DESCRIBE, SHOW or SUMMARIZE"


class Warehouse:
    """A warehouse file, open for reading; keeps its version for as long as it is open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file read-only; raises SetupError where it is missing or no warehouse."""
        if not path.exists():
            raise SetupError(f"{path} does not exist. Run: recsys build (or recsys runs, to see what there is)")
        try:
            connection = duckdb.connect(path.resolve(), read_only=True, config=_LOCKED_DOWN)
        except duckdb.Error as broken:
            raise SetupError(f"{path} cannot be opened as a warehouse: {broken}") from broken
        is_locked = connection.execute("select current_setting('lock_configuration')").fetchall() == [(True,)]
        if not is_locked:  # a second reader in this process shares the first one's settings
            connection.execute("set global TimeZone = 'UTC'")
            connection.execute("set lock_configuration = true")
        return cls(connection, path)

    def query(self, sql: str, params: dict[str, object] | None = None, *, limit_s: float | None = None) -> pl.DataFrame:
        """
        Answer one SELECT of the program's own; what people write is for `question`.

        Args:
            sql: The query, `$name` where a parameter stands.
            params: Parameter values.
            limit_s: A query that takes longer is stopped [s]; None is no limit.

        Returns:
            The rows; an interval, or what holds one, as text.

        Raises:
            InputError: The query is wrong, or asks for what a reader may not do; DuckDB's own words say what. Or it
                took too long.
        """
        try:
            with self._connection.cursor() as cursor, _stopped_after(cursor, limit_s):
                relation = cursor.sql(sql, params=params)
                if relation is None:
                    raise InputError("That statement returns no rows; a warehouse is read with SELECT")
                return pl.DataFrame(_intervals_as_texts(relation).pl())
        except duckdb.Error as wrong:
            raise InputError(f"The query failed: {wrong}") from wrong

    def untrusted_query(self, text: str, *, n_rows: int | None = None, limit_s: float | None = None) -> pl.DataFrame:
        """
        Answer what somebody wrote: one query, and nothing beside it.

        Args:
            text: The query; comments and a semicolon may stand behind it.
            n_rows: Only its first rows, in its own order; None is all.
            limit_s: As of `frame`.

        Raises:
            InputError: It is no query, more than one, or too long, and no part of it has run; or as of `frame`.
        """
        if _kind_of(text) is duckdb.StatementType.SELECT:
            subquery = "select * from query($text) limit $n_rows"  # in which no WITH may write
            return self.query(subquery, {"text": text, "n_rows": n_rows}, limit_s=limit_s)
        alone = text.rstrip("; \n\t")
        pivot = f"select * from (\n{alone}\n) limit {'all' if n_rows is None else n_rows}"
        _kind_of(pivot)
        return self.query(pivot, limit_s=limit_s)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _kind_of(text: str) -> duckdb.StatementType:
    """Return whether a text is one SELECT, or one with a PIVOT in it (MULTI); refuse all else, without running it."""
    if len(text) > _LONGEST:
        raise InputError(f"The query has {len(text):,} characters; {_LONGEST:,} are the most. Ask for it in parts")
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(text)]
    except duckdb.Error as wrong:
        raise InputError(f"The query failed: {wrong}") from wrong
    if len(kinds) != 1:
        raise InputError(f"{len(kinds) or 'No'} statements were given, and none was run. {_ASKED_WITH}")
    if kinds[0] not in (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI):
        raise InputError(f"{kinds[0].name} is no query, and was not run. {_ASKED_WITH}")
    return kinds[0]


@contextmanager
def _stopped_after(cursor: duckdb.DuckDBPyConnection, limit_s: float | None) -> Iterator[None]:
    """Stop what a cursor does when its time is up. DuckDB's own setting would hold for every reader of the file."""
    if limit_s is None:
        yield
        return
    timer = Timer(limit_s, cursor.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException as late:
        raise InputError(
            f"The query took longer than {limit_s:g} s and was stopped. Ask for less: fewer days or rows in a where, "
            "tables added up before they are joined, or a saved question"
        ) from late
    finally:
        timer.cancel()


def _intervals_as_texts(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Cast what no polars type can hold."""
    at = [n for n, type_ in enumerate(relation.types) if "INTERVAL" in str(type_)]
    if not at:
        return relation
    names = ['"' + name.replace('"', '""') + '"' for name in relation.columns]
    return relation.project(
        ", ".join(f"{name}::varchar as {name}" if n in at else name for n, name in enumerate(names))
    )


def queries() -> pl.DataFrame:
    """List the named queries: what each answers, and its parameters as one writes them, with their meaning."""
    return pl.DataFrame(
        [
            {"name": query.name, "description": query.description, "parameters": "\n".join(_parameters(query))}
            for query in read_queries().values()
        ]
    )


def _parameters(query: SqlFile) -> list[str]:
    return [
        f"{name}{'' if doc.default is None else f'={doc.default}'}: {doc.meaning}"
        + (" (needed)" if doc.default is None else "")
        for name, doc in query.params.items()
    ]


def run_query(warehouse: Warehouse, name: str, given: dict[str, str], *, limit_s: float | None = None) -> pl.DataFrame:
    """Answer a named query of `sql/queries`: the parameters given, its defaults for the others, at most `limit_s`."""
    queries = read_queries()
    if name not in queries:
        raise UnknownIds.of("query", [name], queries, "sql/queries")
    return warehouse.query(queries[name].query, dict(_filled(queries[name], given)) or None, limit_s=limit_s)


def _filled(query: SqlFile, given: dict[str, str]) -> dict[str, str]:
    unknown = sorted(given.keys() - query.params.keys())
    if unknown:
        raise InputError(
            f"The query {query.name} has no parameter {unknown[0]!r}; it has: {', '.join(query.params) or 'none'}."
            + did_you_mean(unknown[0], query.params)
        )
    values = {name: doc.default for name, doc in query.params.items() if doc.default is not None} | given
    missing = sorted(query.params.keys() - values.keys())
    if missing:
        meaning = query.params[missing[0]].meaning
        raise InputError(f"The query {query.name} needs {missing[0]} ({meaning}). Give it: --param {missing[0]}=...")
    return values


def tables(warehouse: Warehouse) -> pl.DataFrame:
    """List the tables that an analyst can read: name, grain, rows and description."""
    return warehouse.query(internal_sql("marts_of_file"))


def describe(warehouse: Warehouse, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Describe one table.

    Args:
        warehouse: Read.
        name: The table, with or without its schema; without one, a mart.

    Returns:
        One row with name, description, grain, n_rows, reads (the tables it reads) and read_by (the tables that read it,
        null where there are none); and one row per column with name, type, unit and meaning.

    Raises:
        UnknownIds: The warehouse has no such table.
    """
    known = warehouse.query(internal_sql("table_names"))["name"].to_list()
    full = name if "." in name else f"marts.{name}"
    if full not in known:
        raise UnknownIds.of("table", [name], known, "the warehouse")
    facts = warehouse.query(internal_sql("table_facts"), {"name": full})
    readers = warehouse.query(internal_sql("readers_of_table"), {"name": full})["name"].to_list()
    columns = warehouse.query(internal_sql("columns_of_table"), {"name": full})
    return facts.with_columns(read_by=pl.Series([readers or None], dtype=pl.List(pl.String))), columns


def find(warehouse: Warehouse, words: str, n: int) -> pl.DataFrame:
    """List at most `n` tracks, artists and listeners whose name or id contains every word, the most played first."""
    return warehouse.query(internal_sql("named_things"), {"words": words.split(), "n": n})
