"""
The portability guard: a file in `sql/` may only use SQL that means the same on DuckDB and Spark.

Functions are allowed by a list; before adding a function to it, compare its documentation for both engines.
"""

from functools import cache

from sqlglot import ErrorLevel, exp
from sqlglot.errors import SqlglotError

from recsys.errors import BadSqlFile
from recsys.warehouse.sqlfile import SqlFile

_FUNCTIONS = {
    *("abs", "avg", "case", "cast", "coalesce", "count", "count_if", "floor", "greatest", "least", "length", "ln"),
    *("lower", "max", "min", "nullif", "regexp_like", "round", "row_number", "sum", "trim", "upper", "year", "month"),
    *("timestamp_trunc", "date_trunc", "and", "or", "if", "sqrt", "exp", "rank", "dense_rank", "lag", "lead", "concat"),
    *("time_to_unix", "mod", "replace", "split_part", "median", "last_day", "substring", "md5"),
}
# Functions that internal queries (sql/internal) may also use: these queries read a finished file, so they always run on
# DuckDB. In Spark, `timezone` is named to_utc_timestamp, and array_contains returns null instead of false if the list
# contains a null but not the value.
_INTERNAL_FUNCTIONS = {
    "timezone",
    "array_agg",
    "array_contains",
    "array_size",
    "concat_ws",
    "contains",
    "filter",
    "nfc_normalize",
} | {
    "strip_accents",
    "percentile_cont",
    "regexp_replace",
}
_REFUSED = {
    exp.Star: "select *: name the columns",
    exp.Pivot: "pivot: write one case expression per column",
    exp.Unnest: "unnest: keep lists as lists, or split them at ingest",
    exp.Explode: "unnest: keep lists as lists, or split them at ingest",
    exp.IntDiv: "//: use floor(a / b)",
    exp.DateDiff: "date_diff, which counts differently on each engine: use epoch arithmetic",
    exp.Qualify: "qualify: filter by row_number() in the next step",
    exp.AtTimeZone: "at time zone, which gives another type on each engine: ingest cuts the days, and all else is UTC",
    exp.TableSample: "a sample: the same input must give the same rows",
}


@cache
def refuse_unportable(file: SqlFile) -> None:
    """Raise BadSqlFile if a query uses SQL that does not mean the same on DuckDB and Spark."""
    if not isinstance(file.tree, exp.Query):
        raise BadSqlFile(f"{file.name} is {file.tree.key}: a file has one SELECT and nothing else")
    known, params = (_FUNCTIONS | _INTERNAL_FUNCTIONS, file.params) if file.layer == "internal" else (_FUNCTIONS, {})
    for node in file.tree.walk():
        if isinstance(node, exp.Star) and isinstance(node.parent, exp.Count):
            continue
        if isinstance(node, exp.Placeholder) and node.name not in params:
            raise BadSqlFile(
                f"{file.name} uses a parameter {node.name!r}: only files in sql/queries and sql/internal may have "
                "parameters, and their header must document them"
            )
        if isinstance(node, exp.Join) and node.method in {"ASOF", "POSITIONAL"}:
            raise BadSqlFile(
                f"{file.name} uses a join {node.method}, which Spark does not have: join on a range and row_number()"
            )
        if reason := _refused(node):
            raise BadSqlFile(f"{file.name} uses {reason}")
        if isinstance(node, exp.Func) and _name(node) not in known:
            raise BadSqlFile(
                f"{file.name} uses the function {_name(node)}(), which is not known to mean the same on DuckDB and "
                "Spark. Use another, or compare both and add it to recsys/warehouse/portability.py"
            )
    try:
        file.tree.sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as unsupported:
        raise BadSqlFile(f"{file.name} cannot be translated to Spark SQL: {unsupported}") from unsupported


def _refused(node: exp.Expr) -> str:
    """Return what a node has that does not mean the same, and what to write instead; empty if it has nothing."""
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.DECIMAL:
        return "decimal, whose division Spark rounds to six digits: use double"
    if isinstance(node, exp.SplitPart) and node.args["part_index"].sql() in {"0", "-0"}:
        return "part 0 of split_part, which is empty on DuckDB and an error on Spark: parts are counted from 1"
    return next((instead for kind, instead in _REFUSED.items() if isinstance(node, kind)), "")


def _name(function: exp.Func) -> str:
    named = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
    return named.lower()
