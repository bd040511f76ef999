"""The definitions in sql/metrics and sql/facts: documented, portable, and the same wherever SQL computes a figure."""

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from recsys.errors import BadSqlFile, InputError, UnknownIds
from recsys.installation.paths import SQL_FOLDER
from recsys.metrics.definitions import Metric, metric_of, metrics, split
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.sqlfile import SqlFile, read_sql_file

ALL = list(metrics().values())
FACTS = {metric.facts.name: metric.facts for metric in ALL}
FOLDERS = ("intermediate", "marts", "queries", "internal")
RATIOS = {metric.name for metric in ALL if "nullif" in metric.formula}
NAMED = re.compile(rf"\bas ({'|'.join(sorted(RATIOS))})\b")


@pytest.mark.parametrize("file", FACTS.values(), ids=list(FACTS))
def test_facts_are_documented_and_portable(file: SqlFile) -> None:
    """Their headers name the columns of the query, in its order."""
    refuse_unportable(file)

    assert list(file.columns) == named_selects(file)
    assert ("weight" in file.columns) == ("user_id" in file.columns)


@pytest.mark.parametrize("metric", ALL, ids=[metric.name for metric in ALL])
def test_a_metric_is_a_documented_and_portable_formula(metric: Metric) -> None:
    """One column with a unit, of one table of facts; whatever divides cannot be 0."""
    file = read_sql_file(SQL_FOLDER / "metrics" / f"{metric.name}.sql", metric.name)
    refuse_unportable(file)

    assert named_selects(file) == list(file.columns) == [metric.name]
    assert metric.meaning.startswith(metric.doc.meaning)
    assert metric.doc.unit
    assert all(isinstance(found.expression, exp.Nullif | exp.Literal) for found in file.tree.find_all(exp.Div))


def named_selects(file: SqlFile) -> list[str]:
    """The names of the columns that a query returns."""
    assert isinstance(file.tree, exp.Query)
    return file.tree.named_selects


def ratio(sql: str) -> tuple[str, str] | None:
    """Return numerator and denominator of an expression as sums of columns; None if it is no ratio."""
    return _sides(sqlglot.parse_one(sql, read="duckdb"))


def _sides(expression: exp.Expr) -> tuple[str, str] | None:
    bare = expression.transform(_bare)
    return (bare.this.sql(), bare.expression.unnest().sql()) if isinstance(bare, exp.Div) else None


def _bare(node: exp.Expr) -> exp.Expr:
    """Drop what does not change which columns are added and divided: tables, sums, windows, casts, zeros for nulls."""
    match node:
        case exp.Column():
            return exp.column(node.name)
        case exp.Window() | exp.Sum() | exp.Nullif() | exp.Cast() | exp.Coalesce():
            inner: exp.Expr = node.this.transform(_bare)
            return inner
    return node


def computed() -> list[tuple[str, str, tuple[str, str]]]:
    """Every ratio in the SQL of marts and queries whose column has the name of a metric: file, column, ratio."""
    found = []
    paths = [path for folder in FOLDERS for path in sorted((SQL_FOLDER / folder).glob("*.sql"))]
    for path in (path for path in paths if NAMED.search(path.read_text())):
        for alias in read_sql_file(path, path.stem).tree.find_all(exp.Alias):
            sides = _sides(alias.this) if alias.alias in RATIOS else None
            found += [(path.stem, alias.alias, sides)] if sides else []
    return found


def test_every_query_that_computes_a_metric_computes_its_formula() -> None:
    """A column with the name of a metric divides what the metric divides."""
    others = [(file, name) for file, name, sides in computed() if sides != ratio(metrics()[name].formula)]

    assert others == []
    assert {"artist_trend", "artist_tracks", "new_releases", "label_trend"} <= {file for file, _, _ in computed()}


@pytest.mark.parametrize(
    ("sql", "sides"),
    [
        ("sum(a.x)::bigint / nullif(sum(b.y + b.z), 0)", ("x", "y + z")),
        ("x / sum(sum(x)) over (partition by k)", ("x", "x")),
        ("coalesce(s.x, 0) / nullif(t.x, 0)", ("x", "x")),
        ("x / y - 1", None),
        ("avg(x / y)", None),
    ],
)
def test_ratios_are_compared_by_their_columns(sql: str, sides: tuple[str, str] | None) -> None:
    """Sums and joined totals of the same columns are the same; a mean of ratios is none."""
    assert ratio(sql) == sides


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("select n_plays + 1 as other from listening", "expected a header with the column m"),
        ("select n_plays as m from nothing", "FACTS is one of listening"),
        ("select 1 as m from listening", "names no measure"),
    ],
)
def test_a_file_that_is_no_formula_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """With the form that is expected."""
    for name, content in (
        ("facts/listening", "-- Facts.\n-- columns:\n--   day      day\n--   n_plays  plays [count]\nselect 1\n"),
        ("metrics/m", f"-- A metric.\n-- columns:\n--   m  plays [count]\n{text}\n"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.sql").write_text(content)

    with pytest.raises(BadSqlFile, match=problem):
        metrics(tmp_path)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    """Of metrics and dimensions; periods exclude each other."""
    with pytest.raises(UnknownIds, match="Did you mean 'skip_share'"):
        metric_of("skip_sahre")
    with pytest.raises(InputError, match="Did you mean 'country'"):
        metric_of("plays").require_dimensions(["contry"])
    with pytest.raises(InputError, match="week is no filter"):
        metric_of("plays").require_filters(["week"])
    with pytest.raises(InputError, match="at most one of day, week, month"):
        split(["day", "week"])
