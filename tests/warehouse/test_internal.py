"""Internal queries are files of `sql/internal` and follow the rules of the other SQL files."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from recsys.errors import BadSqlFile, UnknownIds
from recsys.installation.paths import code_files
from recsys.pipeline.plan import steps
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.query import Warehouse, describe, queries, run_query
from recsys.warehouse.sqlfile import ColumnDoc, SqlFile, read_internal

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for room in ("recsys", "dashboards", "bench") for path in (ROOT / room).rglob("*.py"))
INTERNAL = read_internal()
VALUES: dict[str, object] = {
    "user_id": "x",
    "artist_id": "x",
    "track_id": "t1",
    "label": "la1",
    "track_ids": ["t1", "t3"],
    "right_type": "performing",
    "ended": "false",
    "source": "x",
    "day": date(2026, 1, 31),
    "use_type": "stream",
    "territory": "DE",
    "name_words": " one",
    "ipi": "x",
    "listeners": ["x"],
    "n_shown": 3,
    "n": 3,
    "days": 7,
    "name": "marts.track_daily",
    "word": "one",
    "encoder": "one",
    "words": ["one"],
    "consents": ["granted"],
    "text": "One",
    "artist": "x",
    "artists": ["x"],
    "recordings": ["t1"],
    "probability": 0.5,
    "dimension": "week",
    "measures": ["n_plays"],
    "from": "",
    "to": "",
    **{name: date(2026, 1, 31) for name in ("since", "until", "as_of", "served_on", "listens_from", "events_from")},
}
# What SQL in Python begins with; ordinary sentences in English do not match.
STATEMENT = re.compile(
    r"\s*(select\b.*\bfrom\b|with\s+\w+\s+as\s*\(|insert\s+into\b|update\s+\S+\s+set\b|delete\s+from\b"
    r"|create\s+(or\s+replace\s+)?(temp\s+)?(table|view|schema)\b)",
    re.IGNORECASE | re.DOTALL,
)
QUERY = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
# Statements that are composed at run time, or that write: what a file of `sql/internal` cannot hold. File -> reason.
COMPOSED = {
    "recsys/warehouse/erase.py": "reads and copies every table of a file, whatever its columns are called",
    "recsys/warehouse/build.py": "creates tables, views and schemas from the files of sql/",
    "recsys/warehouse/engine_duckdb.py": "creates tables and views from the files of sql/, on one of two engines",
    "recsys/warehouse/reactions.py": "creates the tables that the queries of a listener's events read",
    "recsys/published/explain.py": "limits an internal query to one listener",
    "recsys/warehouse/check.py": "tests the conditions in the header of any table",
    "recsys/warehouse/increment.py": "reads every event table that the contracts declare",
    "recsys/warehouse/labels.py": "copies rows and the data dictionary between attached files",
    "recsys/warehouse/query.py": "limits the rows of a query that a person wrote",
    "recsys/warehouse/versions.py": "reads the columns and key of a contract",
    "recsys/warehouse/memory.py": "creates tables of frames",
    "recsys/metrics/dbt.py": "writes the models of another tool",
    "recsys/metrics/of_label.py": "applies the formula of a metric to the lines of a label",
    "recsys/metrics/read.py": "groups the facts of a metric and applies its formula",
    "recsys/search/by_terms.py": "puts the conditions of a search together",
    "recsys/search/catalogue.py": "reads tables in memory, which no file of sql/ knows",
    "recsys/search/terms/tag.py": "joins the tags that a search names",
    "recsys/search/terms/theme.py": "joins the theme that a search names",
    "recsys/search/by_sound.py": "filters by a condition that a person wrote",
}
# Whole queries that may stand in Python: file and first words -> reason.
WHOLE = {
    ("dashboards/app_pages/sql.py", "select * from marts.artist"): "an example for operators to start from",
    ("dashboards/app_pages/sql.py", "select * from marts.label_"): "an example for labels to start from",
    ("recsys/metrics/dbt.py", "select listen_date as date"): "a model of another tool, which has no header",
    ("recsys/warehouse/erase.py", "select schema_name || '.' "): "lists DuckDB's tables with listeners",
    ("recsys/warehouse/erase.py", "select schema_name, table_"): "lists DuckDB's tables with their columns of texts",
}


@pytest.mark.parametrize("name", sorted(INTERNAL))
def test_it_is_portable(name: str) -> None:
    """It passes the portability guard for internal queries."""
    refuse_unportable(INTERNAL[name])


@pytest.mark.parametrize("name", sorted(INTERNAL))
def test_it_is_documented(name: str) -> None:
    """Its header has a description and documents exactly its parameters."""
    file = INTERNAL[name]

    assert file.description.endswith(".")
    assert all(doc.meaning for doc in file.params.values())
    assert set(re.findall(r"\$(\w+)", file.query)) == set(file.params)


ELSEWHERE = {  # run on the file of a label; during a build
    "internal.label_of_file",
    "internal.watched_weeks_of_label",
    "internal.open_listens",
    "internal.favourites_of_listeners",
}


@pytest.mark.parametrize("name", sorted(INTERNAL.keys() - ELSEWHERE))
def test_it_runs(warehouse: Warehouse, name: str) -> None:
    """It runs on a finished file."""
    params = {param: VALUES[param] for param in INTERNAL[name].params}

    assert warehouse.query(internal_sql(name.removeprefix("internal.")), params or None).columns


def test_a_parameter_may_be_a_list(warehouse: Warehouse) -> None:
    """Of five recordings, the two requested ones are returned."""
    found = warehouse.query(internal_sql("places_of_tracks"), {"user_id": "x", "track_ids": ["t1", "t3"]})

    assert found.sort("track_id").select("track_id", "title", "place").rows() == [
        ("t1", "One", None),
        ("t3", "Three", None),
    ]


def test_a_parameter_that_no_header_names_is_refused() -> None:
    """So are a parameter of a table, and a function of one engine."""
    with pytest.raises(BadSqlFile, match=r"internal\.x uses a parameter 'b'"):
        refuse_unportable(SqlFile("internal.x", "A question.", "select a from marts.t where b = $b"))
    with pytest.raises(BadSqlFile, match=r"marts\.x uses a parameter 'b'"):
        refuse_unportable(
            SqlFile("marts.x", "A table.", "select a from raw.t where b = $b", params={"b": ColumnDoc("b")})
        )
    with pytest.raises(BadSqlFile, match=r"marts\.x uses the function timezone\(\)"):
        refuse_unportable(SqlFile("marts.x", "A table.", "select timezone('UTC', a) as b from raw.t"))


def test_it_is_not_offered_to_people(warehouse: Warehouse) -> None:
    """It is listed neither among the queries nor among the tables."""
    assert not {name.removeprefix("internal.") for name in INTERNAL} & set(queries()["name"])
    for refused in (lambda: run_query(warehouse, "track_ids", {}), lambda: describe(warehouse, "internal.track_ids")):
        with pytest.raises(UnknownIds):
            refused()


def test_each_file_is_used_and_each_used_name_is_a_file() -> None:
    """No file is unused, and no name is misspelt."""
    used = {name for path in SOURCES for name in re.findall(r"internal_sql\(\"(\w+)\"\)", path.read_text("utf-8"))}
    names = {name.removeprefix("internal.") for name in INTERNAL}
    of_steps = {name for step in steps().values() for name in step.reads}

    assert used <= names
    assert names - used - of_steps == {"names_of_artists"}  # chosen beside names_of_tracks, by what a product lists


def test_a_change_changes_the_run_id() -> None:
    """A run id depends on the code, which internal queries are part of."""
    assert {f"{name.removeprefix('internal.')}.sql" for name in INTERNAL} <= {path.name for path in code_files()}


def test_python_holds_no_whole_query() -> None:
    """A string that is a complete query belongs into a file of `sql/internal`."""
    whole = [
        (name, " ".join(text.split())[:26])
        for name, text, is_composed in _statements()
        if not is_composed and QUERY.match(text)
    ]

    assert sorted(whole) == sorted(WHOLE)


def test_only_named_files_compose_or_write_sql() -> None:
    """Every other module reads the warehouse through files of `sql/`."""
    composing = {name for name, text, is_composed in _statements() if is_composed or not QUERY.match(text)}

    assert composing == COMPOSED.keys()


def test_sql_is_recognised_in_any_string() -> None:
    """It may be in a call, an f-string or upper case; a sentence that begins with the same word is not SQL."""
    code = """
def read(connection, table):
    "Select rows from a table."
    connection.execute("SELECT a FROM t")
    connection.execute(f"insert into {table} values (1)")
    raise ValueError("Select a file, or create one")
"""

    assert list(_sql_in(ast.parse(code))) == [("SELECT a FROM t", False), ("insert into {} values (1)", True)]


def _statements() -> Iterator[tuple[str, str, bool]]:
    """Yield file, text and whether it is an f-string, for every SQL statement in the package and the dashboards."""
    for path in SOURCES:
        room = path.relative_to(ROOT).parts[:-1]
        if room[0] != "bench" and room != ("recsys", "state"):  # what people set is in a file of SQLite
            for text, is_composed in _sql_in(ast.parse(path.read_text(encoding="utf-8"))):
                yield path.relative_to(ROOT).as_posix(), text, is_composed


def _sql_in(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield each string of a module that is an SQL statement, and whether it is an f-string; docstrings are skipped."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside | docstrings:
            text = node.value
        else:
            continue
        if STATEMENT.match(text):
            yield text, isinstance(node, ast.JoinedStr)
