"""A table that breaks the contract in its header stops the build with a message."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from recsys.errors import BadSqlFile, BrokenCheck

from .conftest import Place, rows

BuildWith: TypeAlias = Callable[[str], Path]

HEADER = """-- Plays of a listener.
-- grain: user_id
-- columns:
--   user_id  listener
--   n_plays  plays [count]
-- checks:
--   n_plays >= 1
-- reconcile:
--   (select sum(n_plays) from marts.x) = (select count(*) from raw.listens)
"""
QUERY = "select user_id, count(*) as n_plays from raw.listens group by user_id\n"


@pytest.fixture
def build_with(world: Place, tmp_path: Path) -> BuildWith:
    """Return a function that builds the world with one mart from a given text."""

    def built(text: str) -> Path:
        (tmp_path / "sql" / "marts").mkdir(parents=True)
        (tmp_path / "sql" / "marts" / "x.sql").write_text(text)
        return Place(world.home, tmp_path).build("x", sql=tmp_path / "sql")

    return built


def test_a_table_that_satisfies_its_contract_is_built_and_described(build_with: BuildWith) -> None:
    """The file has the data dictionary."""
    path = build_with(HEADER + QUERY)

    assert rows(path, "select count(*), sum(n_plays)::bigint from marts.x") == [(2, 6)]
    assert rows(path, "select name, grain, n_rows, description, reads from meta.tables") == [
        ("marts.x", "user_id", 2, "Plays of a listener.", ["raw.listens"])
    ]
    assert rows(path, "select name, type, unit, meaning from meta.columns order by position") == [
        ("user_id", "VARCHAR", "", "listener"),
        ("n_plays", "BIGINT", "count", "plays"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + QUERY.replace("as n_plays", "as n_plays, 1 as extra"), "the column extra is not documented"),
        (
            HEADER.replace("--   n_plays  plays [count]\n", "--   n_plays  plays\n--   gone  x\n") + QUERY,
            "documents gone, which the query lacks",
        ),
        (HEADER.replace("n_plays >= 1", "n_plays > 3") + QUERY, r'2 rows break "n_plays > 3". The first:\n  \('),
        (HEADER.replace("n_plays >= 1", "nullif(n_plays, 3) >= 1") + QUERY, '2 rows break "nullif'),
        (HEADER + "select user_id, 1 as n_plays from raw.listens\n", 'break the grain "user_id"'),
        (
            HEADER + QUERY.replace("group", "where user_id = '' group"),
            "0 rows, at least 1 expected. Is a source file missing",
        ),
        (HEADER.replace("-- columns", "-- rows: 3\n-- columns") + QUERY, "2 rows, at least 3 expected"),
        (HEADER + QUERY.replace("count(*)", "1"), "marts.x does not reconcile with its source: .* is not true"),
        (HEADER.replace("sum(n_plays)", "nullif(sum(n_plays), 6)") + QUERY, "does not reconcile"),
    ],
    ids=["undocumented", "missing", "check", "null check", "grain", "empty", "too few", "sums differ", "null sum"],
)
def test_a_broken_contract_stops_the_build(build_with: BuildWith, text: str, message: str) -> None:
    """A condition that is null counts as broken."""
    with pytest.raises(BrokenCheck, match=message) as broken:
        build_with(text)

    assert str(broken.value).startswith("marts.x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + QUERY.replace("user_id, count", "usr_id, count"), r"marts\.x does not run: .*usr_id"),
        (HEADER + QUERY.replace("raw.listens", "raw.listen"), r"marts\.x does not run: .*Did you mean \"listens\""),
        (HEADER.replace("n_plays >= 1", "n_play >= 1") + QUERY, r"marts\.x does not run: .*n_play"),
        (HEADER + QUERY.replace("count(*)", "mode(1)"), r"mode\(\), which is not known"),
    ],
    ids=["column", "raw table", "check", "function"],
)
def test_sql_that_does_not_run_names_its_file(build_with: BuildWith, text: str, message: str) -> None:
    """The error has DuckDB's message, not its stack trace."""
    with pytest.raises(BadSqlFile, match=f"(?s){message}"):
        build_with(text)
