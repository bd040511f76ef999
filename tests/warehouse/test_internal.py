"""The program's own questions to a warehouse stand in `sql/internal`, under the rules of the other SQL files."""

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
OURS = read_internal()
VALUES: dict[str, object] = {
    "user_id": "x",
    "artist_id": "x",
    "track_id": "t1",
    "track_ids": ["t1", "t3"],
    "listeners": ["x"],
    "n_shown": 3,
    **{name: date(2026, 1, 31) for name in ("since", "until", "as_of", "served_on")},
}
LEFT = {  # where SQL may stand in Python
    "recsys/search/by_sound.py",  # around a condition that somebody writes
    "recsys/warehouse/labels.py",  # of an attached file
    "dashboards/app_pages/sql.py",  # an example for people
}


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_guard_holds_for_it(name: str) -> None:
    """It means the same on both engines, up to the two functions that Spark calls otherwise."""
    refuse_unportable(OURS[name])


@pytest.mark.parametrize("name", sorted(OURS))
def test_it_is_documented(name: str) -> None:
    """What it answers, and what each parameter means; it takes exactly those."""
    file = OURS[name]

    assert file.description.endswith(".")
    assert all(doc.meaning for doc in file.params.values())
    assert set(re.findall(r"\$(\w+)", file.query)) == set(file.params)


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"internal.label_of_file"}))
def test_it_is_answered(warehouse: Warehouse, name: str) -> None:
    """By a finished file, parameters given; a label's name stands in labels' files alone."""
    params = {param: VALUES[param] for param in OURS[name].params}

    assert warehouse.query(internal_sql(name.removeprefix("internal.")), params or None).columns


def test_a_list_goes_in_as_a_parameter(warehouse: Warehouse) -> None:
    """Of five recordings, the two that were asked for."""
    found = warehouse.query(internal_sql("places_of_tracks"), {"user_id": "x", "track_ids": ["t1", "t3"]})

    assert found.sort("track_id").select("track_id", "title", "place").rows() == [
        ("t1", "One", None),
        ("t3", "Three", None),
    ]


def test_a_parameter_that_no_header_names_is_refused() -> None:
    """And so are a table's, and a function of one engine."""
    with pytest.raises(BadSqlFile, match=r"internal\.x uses a parameter 'b'"):
        refuse_unportable(SqlFile("internal.x", "A question.", "select a from marts.t where b = $b"))
    with pytest.raises(BadSqlFile, match=r"marts\.x uses a parameter 'b'"):
        refuse_unportable(
            SqlFile("marts.x", "A table.", "select a from raw.t where b = $b", params={"b": ColumnDoc("b")})
        )
    with pytest.raises(BadSqlFile, match=r"marts\.x uses the function timezone\(\)"):
        refuse_unportable(SqlFile("marts.x", "A table.", "select timezone('UTC', a) as b from raw.t"))


def test_people_are_not_shown_it(warehouse: Warehouse) -> None:
    """Neither among the queries nor among the tables."""
    assert not {name.removeprefix("internal.") for name in OURS} & set(queries()["name"])
    for refused in (lambda: run_query(warehouse, "track_ids", {}), lambda: describe(warehouse, "internal.track_ids")):
        with pytest.raises(UnknownIds):
            refused()


def test_each_is_asked_and_each_that_is_asked_is_there() -> None:
    """No file is left over, and no name is misspelt."""
    asked = {name for path in SOURCES for name in re.findall(r"internal_sql\(\"(\w+)\"\)", path.read_text("utf-8"))}
    names = {name.removeprefix("internal.") for name in OURS}
    of_steps = {name for step in steps().values() for name in step.reads}

    assert asked <= names
    assert names - asked - of_steps == {"names_of_artists"}  # chosen beside names_of_tracks, by what a product lists


def test_a_change_to_one_names_another_run() -> None:
    """A run is named by the code it was made with, which these are part of."""
    assert {f"{name.removeprefix('internal.')}.sql" for name in OURS} <= {path.name for path in code_files()}


def test_python_holds_no_queries_under_a_name() -> None:
    """A constant that holds a SELECT is a file of `sql/internal` instead."""
    found = {
        str(path.relative_to(ROOT)) for path in SOURCES if "bench" not in path.parts for text in _constants(path)
        if re.match(r"\s*(select|with)\s.*\sfrom\s", text, re.IGNORECASE | re.DOTALL)
    }  # fmt: skip

    assert found == LEFT


def _constants(path: Path) -> Iterator[str]:
    """Every text in what a module assigns to a name at its head."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign):
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
