"""
Read-only queries on a warehouse file: SQL in, a polars frame out.

The connection can read its own file only: no other files, no network, no change of settings. For SQL that people write
this is not enough: DuckDB still allows ATTACH of the file itself, and COPY to the path of its write-ahead log, which
DuckDB would replay; and it tells the paths of the server. Such SQL must go through `Warehouse.untrusted_query`, which
runs exactly one query: DuckDB's own syntax tree shows that it only reads, and asks nothing about the server.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl

from recsys.errors import InputError, SetupError, UnknownIds, did_you_mean
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.sqlfile import SqlFile, read_queries, read_query

READ_ONLY_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "4GB",
    "max_temp_directory_size": "4GB",
    "max_expression_depth": "250",  # a deeper query takes minutes to plan, and cannot be interrupted meanwhile
}
_MAX_CHARACTERS = 20_000  # of an untrusted query; a longer one may also take minutes to plan
_MAX_BYTES = 256_000_000  # of the rows of an untrusted query
_BATCH = 2_048  # rows that are read at a time
_READING = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}  # nodes of a tree that only reads
_OF_SERVER = re.compile(
    r"(duckdb_|pragma_)\w*|current_setting|getenv|which_secret|pg_settings|query|query_table|\w*logging", re.IGNORECASE
)  # tables and functions that tell about the server, or that run a text as a query
_DAMAGE = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException)
_LACKING = (duckdb.CatalogException, duckdb.BinderException)  # of a table or column that the file does not have
_REDUCE = "Reduce it: filter days or rows with WHERE, aggregate tables before joining them, or use a saved query"
_EXPECTED = "Expected one query: SELECT, WITH, FROM, VALUES, PIVOT, DESCRIBE, SHOW or SUMMARIZE"


class Warehouse:
    """A warehouse file, open for reading. It keeps the version that was opened, even if another is published later."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file read-only; raises SetupError if it is missing or not a DuckDB database."""
        if not path.exists():
            raise SetupError(f"{path} does not exist. Run: recsys build (or recsys runs, to list what exists)")
        try:
            connection = duckdb.connect(path.resolve(), read_only=True, config=READ_ONLY_SETTINGS)
        except (duckdb.Error, OSError) as broken:
            raise SetupError(f"{path} cannot be opened as a warehouse: {broken}") from broken
        is_locked = connection.execute("select current_setting('lock_configuration')").fetchall() == [(True,)]
        if not is_locked:  # connections of one process share their settings
            connection.execute("set global TimeZone = 'UTC'")
            connection.execute("set lock_configuration = true")
        return cls(connection, path)

    def query(
        self,
        sql: str,
        params: dict[str, object] | None = None,
        *,
        limit_s: float | None = None,
        if_slow: str = _REDUCE,
    ) -> pl.DataFrame:
        """
        Run one trusted SELECT; SQL that people write goes through `untrusted_query`.

        Args:
            sql: The query, with parameters as `$name`.
            params: Parameter name -> value; exactly the parameters of the query.
            limit_s: Time limit, after which the query is interrupted [s]; None is no limit.
            if_slow: What the message advises then.

        Returns:
            The rows; columns with intervals are converted to text.

        Raises:
            InputError: The query is invalid or not allowed, with DuckDB's message; or it exceeded the time limit.
            SetupError: The file is damaged.
        """
        try:
            with self._connection.cursor() as cursor, _stopped_after(cursor, limit_s, if_slow):
                relation = cursor.sql(sql, params=params)
                if relation is None:
                    raise InputError("The statement returns no rows; expected a SELECT")
                return pl.DataFrame(_intervals_as_texts(relation).pl())
        except _DAMAGE as damaged:
            raise self._damaged(damaged) from damaged
        except _LACKING as lacking:
            remedy = f"If an older version of the program built {self.path.name}, build it anew: recsys build"
            raise InputError(f"The query failed: {lacking}\n{remedy}") from lacking
        except duckdb.Error as wrong:
            raise InputError(f"The query failed: {wrong}") from wrong

    def untrusted_query(
        self,
        text: str,
        *,
        n_rows: int | None = None,
        limit_s: float | None = None,
        on_start: Callable[[Callable[[], None]], None] = lambda _stop: None,
    ) -> pl.DataFrame:
        """
        Run one query that a person wrote, on a connection of its own; any other statement is refused before it runs.

        Args:
            text: The query; it may end with a semicolon and comments.
            n_rows: Maximum number of rows, in the order of the query; None returns all.
            limit_s: As in `query`.
            on_start: Called with a function that stops the query; from another thread.

        Raises:
            InputError: The text is not exactly one query, is too long, or asks about the server; then nothing was run.
                Also as in `query`, or the rows are too large.
        """
        is_pivot = _kind_of(text) is not duckdb.StatementType.SELECT
        without_end = text.rstrip("; \n\t")
        alone = f"select * from (\n{without_end}\n)" if is_pivot else text
        try:
            with self._connection.cursor() as cursor, _stopped_after(cursor, limit_s):
                on_start(cursor.interrupt)
                _refuse_unsafe(cursor, alone, is_pivot=is_pivot)
                relation = cursor.sql(alone)
                if relation is None:
                    raise InputError(f"The statement returns no rows. {_EXPECTED}")
                return _rows_of(relation, n_rows)
        except duckdb.InterruptException as stopped:
            raise InputError("The query was cancelled") from stopped
        except _DAMAGE as damaged:
            raise self._damaged(damaged) from damaged
        except duckdb.Error as wrong:
            raise InputError(f"The query failed: {wrong}") from wrong

    def _damaged(self, error: duckdb.Error) -> SetupError:
        reason = str(error).partition("\n")[0]
        return SetupError(f"{self.path} cannot be read: {reason}. Find out more: recsys doctor")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _kind_of(text: str) -> duckdb.StatementType:
    """Return the type of a query, SELECT or (with PIVOT) MULTI, without running it; raises InputError for others."""
    if len(text) > _MAX_CHARACTERS:
        raise InputError(f"The query has {len(text):,} characters, expected at most {_MAX_CHARACTERS:,}. Split it")
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(text)]
    except duckdb.Error as wrong:
        raise InputError(f"The query failed: {wrong}") from wrong
    if len(kinds) != 1:
        raise InputError(f"{len(kinds) or 'No'} statements were given, and none was run. {_EXPECTED}")
    if kinds[0] not in (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI):
        raise InputError(f"{kinds[0].name} is not a query, and was not run. {_EXPECTED}")
    return kinds[0]


def _refuse_unsafe(cursor: duckdb.DuckDBPyConnection, text: str, *, is_pivot: bool) -> None:
    """Raise InputError unless the syntax tree only reads tables, and asks nothing about the server."""
    if is_pivot:  # DuckDB has no tree of a statement that it expands; inside of a subquery, nothing can write
        _kind_of(text)
        names = set(re.findall(r"\w+", text))
    else:
        ((tree,),) = cursor.execute("select json_serialize_sql(?)", [text]).fetchall()
        nodes = list(_nodes(json.loads(tree)))
        if writing := {str(node["type"]) for node in nodes if str(node.get("type")).endswith("_NODE")} - _READING:
            raise InputError(f"{min(writing).split('_')[0]} is not a query, and was not run. {_EXPECTED}")
        names = {str(node.get(key)) for node in nodes for key in ("function_name", "table_name")}
    if forbidden := sorted(name for name in names if _OF_SERVER.fullmatch(name)):
        raise InputError(
            f"{forbidden[0]} tells about the server, and was not run. For tables and columns: SHOW ALL TABLES, DESCRIBE"
        )


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON tree."""
    if isinstance(tree, dict):
        yield tree
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(value)


def _rows_of(relation: duckdb.DuckDBPyRelation, n_rows: int | None) -> pl.DataFrame:
    """Read rows batch by batch, up to a number; raises InputError if they are too large."""
    texts = _intervals_as_texts(relation)
    frames, n_bytes = [pl.DataFrame(texts.limit(0).pl())], 0
    for batch in (texts if n_rows is None else texts.limit(n_rows)).to_arrow_reader(_BATCH):
        frames.append(pl.DataFrame(pl.from_arrow(batch)))
        n_bytes += batch.nbytes
        if n_bytes > _MAX_BYTES:
            raise InputError(
                f"The rows are larger than {_MAX_BYTES / 1e6:.0f} MB. Select fewer columns or rows, or aggregate in SQL"
            )
    return pl.concat(frames, how="vertical_relaxed")


@contextmanager
def _stopped_after(cursor: duckdb.DuckDBPyConnection, limit_s: float | None, if_slow: str = _REDUCE) -> Iterator[None]:
    """Interrupt a cursor after a time limit; a time limit set in DuckDB would apply to all readers of the file."""
    if limit_s is None:
        yield
        return
    is_late = Event()

    def stop() -> None:
        is_late.set()
        cursor.interrupt()

    timer = Timer(limit_s, stop)
    timer.start()
    try:
        yield
    except duckdb.InterruptException as late:
        if not is_late.is_set():
            raise
        raise InputError(f"The query took longer than {limit_s:g} s and was stopped. {if_slow}") from late
    finally:
        timer.cancel()


def _intervals_as_texts(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Cast interval columns to text, because polars has no type for DuckDB's intervals."""
    intervals = [n for n, type_ in enumerate(relation.types) if "INTERVAL" in str(type_)]
    if not intervals:
        return relation
    names = ['"' + name.replace('"', '""') + '"' for name in relation.columns]
    return relation.project(
        ", ".join(f"{name}::varchar as {name}" if n in intervals else name for n, name in enumerate(names))
    )


def queries() -> pl.DataFrame:
    """List the saved queries of `sql/queries`: name, description, and parameters with defaults and meanings."""
    return pl.DataFrame(
        [
            {"name": query.name, "description": query.description, "parameters": "\n".join(_parameters(query))}
            for query in read_queries().values()
        ]
    )


def _parameters(query: SqlFile) -> list[str]:
    return [
        f"{name}{'' if doc.default is None else f'={doc.default}'}: {doc.meaning}"
        + (" (required)" if doc.default is None else "")
        for name, doc in query.params.items()
    ]


def run_query(warehouse: Warehouse, name: str, given: dict[str, str], *, limit_s: float | None = None) -> pl.DataFrame:
    """
    Run a saved query of `sql/queries`.

    Args:
        warehouse: The warehouse to read.
        name: Name of the query.
        given: Parameter name -> value as text; other parameters take their defaults.
        limit_s: As in `Warehouse.query`.

    Raises:
        UnknownIds: There is no such query.
        InputError: A parameter is unknown or missing; or as in `Warehouse.query`.
    """
    saved = read_query(name)
    return warehouse.query(saved.query, dict(_filled(saved, given)) or None, limit_s=limit_s)


def stored_tables(warehouse: Warehouse) -> set[str]:
    """Return the names of the tables in a file, such as marts.exposure; one of an older release may lack newer ones."""
    return {f"{schema}.{table}" for schema, table in warehouse.query(internal_sql("stored_tables")).iter_rows()}


def run_query_if_stored(warehouse: Warehouse, name: str, given: dict[str, str]) -> pl.DataFrame:
    """Run a saved query as `run_query`; no rows and no columns if the file is of an older release and lacks a table."""
    return run_query(warehouse, name, given) if is_stored(warehouse, name) else pl.DataFrame()


def is_stored(warehouse: Warehouse, name: str) -> bool:
    """Return whether a file has all tables of a saved query."""
    return read_query(name).named_tables <= stored_tables(warehouse)


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
        raise InputError(f"The query {query.name} needs {missing[0]} ({meaning}). Add: --param {missing[0]}=...")
    return values


def tables(warehouse: Warehouse) -> pl.DataFrame:
    """List the tables that an analyst can read: name, grain, number of rows and description."""
    return warehouse.query(internal_sql("marts_of_file"))


def describe(warehouse: Warehouse, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Describe one table.

    Args:
        warehouse: The warehouse to read.
        name: The table; a name without a schema is a mart.

    Returns:
        One row with name, description, grain, n_rows, reads (the tables it reads) and read_by (the tables that read it,
        null if there are none); and one row per column with name, type, unit and meaning.

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
