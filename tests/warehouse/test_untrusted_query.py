"""Untrusted queries: one query is run, and every other statement is refused."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Timer

import duckdb
import pytest

from recsys.errors import InputError
from recsys.warehouse.query import Warehouse

NUMBERS = "select range::integer as n from range(5)"
NOT_A_QUERY = [
    "attach ':memory:' as mine",
    "attach '{file}' as mine (read_only)",
    "detach numbers",
    "use marts",
    "set threads = 1",
    "set variable mine = 1",
    "reset threads",
    "pragma database_list",
    "pragma version",
    "call enable_logging()",
    "checkpoint",
    "begin",
    "prepare mine as select 1",
    "execute mine",
    "copy (select 1) to '{file}.wal'",
    "export database '{file}.out'",
    "import database '{file}.out'",
    "install json",
    "load json",
    "vacuum",
    "explain analyze select 1",
    "create temp table mine as select 1",
    "create temp macro mine() as 1",
    "insert into marts.numbers values (1)",
    "delete from marts.numbers",
    "drop table marts.numbers",
]
SEVERAL = [
    "select 1) limit 1; attach ':memory:' as mine; select * from (select 2",
    "select 1; attach ':memory:' as mine",
    "attach ':memory:' as mine; select 1",
    "select 1; select 2",
    "pivot marts.numbers on n; attach ':memory:' as mine",
    "",
    " ; -- nothing",
]
HIDDEN = [  # each is one statement that DuckDB classifies as a query
    "with mine as (copy (select 1) to '{file}.wal') select 1",
    "with mine as (copy (select 1) to '{file}.wal.recovery') select 1",
    "with mine as (copy (select 1) to '{file}.tmp/mine.csv') select 1",
    "with mine as (delete from marts.numbers returning *) select * from mine",
    "with mine as (copy (select 1) to '{file}.wal'), p as (pivot marts.numbers on n) select * from p",
    "pivot (with mine as (copy (select 1) to '{file}.wal') select * from marts.numbers) on n",
    "copy (pivot marts.numbers on n) to '{file}.wal'",
    "create temp table mine as pivot marts.numbers on n",
    "prepare mine as pivot marts.numbers on n",
    "select * from query('attach '':memory:'' as mine')",
    "select * from enable_logging()",
    "select * from read_text('/etc/hostname')",
    "select * from glob('/*')",
    "select getenv('HOME')",
]


OF_SERVER = [
    "select * from duckdb_settings()",
    "select * from duckdb_databases()",
    "from duckdb_databases",
    "select * from DUCKDB_SETTINGS()",
    'select * from "duckdb_settings"()',
    "select * from pragma_database_list",
    "select * from pragma_database_list()",
    "select current_setting('temp_directory')",
    "select (select current_setting('home_directory'))",
    "from pg_catalog.pg_settings",
    "select * from query('select 1')",
    "select * from query('select * from duckdb_' || 'settings()')",
    "select * from query_table('numbers')",
    "with mine as (select * from duckdb_settings()) select count(*) from mine",
    "select n from marts.numbers where n in (select length(path) from duckdb_databases())",
    "select * from marts.numbers, lateral (select * from duckdb_temporary_files())",
    "pivot (select * from duckdb_settings()) on name using count(*)",
    "select 1 union all select count(*) from duckdb_extensions()",
    "select * from duckdb_secrets()",
    "select * from duckdb_logs",
]
FORMS = [  # ways to hide a statement; each must be refused with every statement of NOT_A_QUERY
    "{}",
    " \n\t -- a comment\n /* another */ {}",
    "{};",
    "select 1; {}",
    "{}; select 1",
    "with mine as ({}) select * from mine",
    "select * from ({})",
    "pivot ({}) on n",
]
ALL_FORMS = [form.format(statement) for statement in NOT_A_QUERY for form in FORMS]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Return a warehouse with one table: 0, 1, 2, 3, 4."""
    path = tmp_path_factory.mktemp("numbers") / "numbers.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(f"create schema marts; create table marts.numbers as {NUMBERS}")
    with Warehouse.open(path) as warehouse:
        yield warehouse


def state(warehouse: Warehouse) -> tuple[list[str], list[tuple[str]], bytes]:
    """Return what a statement could change: files, attached databases, and the bytes of the warehouse."""
    databases = warehouse.query("select database_name from duckdb_databases() order by 1").rows()
    return sorted(path.name for path in warehouse.path.parent.iterdir()), databases, warehouse.path.read_bytes()


def test_two_hundred_statements_in_any_form_are_refused(numbers: Warehouse) -> None:
    """Behind comments, beside a query, in a common table expression, in a subquery, in a pivot."""
    before, ran = state(numbers), []
    for text in ALL_FORMS:
        with suppress(InputError):
            numbers.untrusted_query(text.format(file=numbers.path))
            ran.append(text)

    assert len(ALL_FORMS) >= 200
    assert ran == []
    assert state(numbers) == before


@pytest.mark.parametrize("text", OF_SERVER)
def test_nothing_about_the_server_can_be_read(numbers: Warehouse, text: str) -> None:
    """Neither paths nor settings; the message names what was asked for."""
    with pytest.raises(InputError, match="tells about the server, and was not run") as refused:
        numbers.untrusted_query(text)

    assert str(numbers.path.parent) not in str(refused.value)


def test_rows_that_are_too_large_are_refused(numbers: Warehouse) -> None:
    """Before they fill the memory."""
    with pytest.raises(InputError, match=r"larger than 256 MB\. Select fewer columns or rows"):
        numbers.untrusted_query("select repeat('x', 1000000) from range(1000)")


def test_a_query_can_be_stopped(numbers: Warehouse) -> None:
    """By the function that it passes on when it starts."""
    endless = "select count(*) from range(100000000000) as a(x), range(1000) as b(y) where x * y % 7 = 3"

    with pytest.raises(InputError, match="The query was cancelled"):
        numbers.untrusted_query(endless, on_start=lambda stop: Timer(0.3, stop).start())


@pytest.mark.parametrize("text", NOT_A_QUERY + SEVERAL + HIDDEN)
def test_anything_but_one_query_is_refused_without_effect(numbers: Warehouse, text: str) -> None:
    """It leaves no file, attached database or setting behind."""
    before = state(numbers)
    settings = numbers.query("select name, value from duckdb_settings() order by all")

    with pytest.raises(InputError):
        numbers.untrusted_query(text.format(file=numbers.path))

    assert state(numbers) == before
    assert numbers.query("select name, value from duckdb_settings() order by all").equals(settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("attach ':memory:' as mine", "ATTACH is not a query, and was not run. Expected one query: SELECT,"),
        ("select 1; select 2", "2 statements were given, and none was run"),
        (";", "No statements were given, and none was run"),
        (f"select '{'x' * 20_000}'", "20,009 characters, expected at most 20,000"),
        ("select 1)", "The query failed: Parser Error"),
    ],
)
def test_a_refusal_says_what_was_given_and_what_is_expected(numbers: Warehouse, text: str, message: str) -> None:
    """The message says what was given and what is expected."""
    with pytest.raises(InputError, match=re.escape(message)):
        numbers.untrusted_query(text)


@pytest.mark.parametrize("end", ["", ";", " ;; ", " -- the largest first", "\n-- first; second\n", " /* x */;"])
def test_rows_keep_the_order_of_the_query_up_to_the_requested_number(numbers: Warehouse, end: str) -> None:
    """Comments and semicolons may follow the query."""
    text = f"select n from marts.numbers order by n desc{end}"

    assert numbers.untrusted_query(text, n_rows=2)["n"].to_list() == [4, 3]
    assert numbers.untrusted_query(text)["n"].to_list() == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("text", "n_rows"),
    [
        ("with few as (select 1 union all select 2) select * from few", 2),
        ("from marts.numbers", 5),
        ("values (1), (2), (3)", 3),
        ("(select 1) union (select 2)", 2),
        ("describe marts.numbers", 1),
        ("summarize marts.numbers", 1),
        ("show all tables", 1),
        ("pivot marts.numbers on n using count(*);", 1),
        ("select * from (pivot marts.numbers on n using count(*)) -- as columns", 1),
        ("select * from marts.numbers pivot (count(*) for n in (1, 2))", 1),
        ("unpivot marts.numbers on n", 5),
    ],
)
def test_every_form_of_a_query_is_run(numbers: Warehouse, text: str, n_rows: int) -> None:
    """Every kind of query that only reads is allowed."""
    assert numbers.untrusted_query(text).height == n_rows


def test_concurrent_queries_do_not_interfere(numbers: Warehouse) -> None:
    """PIVOT creates a temporary type; concurrent queries do not interfere."""
    pivot = "pivot (select n, {k} as k from marts.numbers where n < {k}) on n using count(*)"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda k: numbers.untrusted_query(pivot.format(k=k)), [1, 2, 3, 4, 5] * 4))

    assert [answer.width - 1 for answer in answers] == [1, 2, 3, 4, 5] * 4
    assert numbers.query("select 1 from duckdb_types() where type_name like '%pivot%'").is_empty()


def test_a_query_too_deep_to_plan_is_refused_at_once(numbers: Warehouse) -> None:
    """Planning cannot be interrupted by the time limit."""
    with pytest.raises(InputError, match="Max expression depth limit of 250"):
        numbers.untrusted_query("select " + "[" * 900 + "1" + "]" * 900)
