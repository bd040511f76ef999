"""
Translate DuckDB's SQL to Spark's: the one place where sqlglot does it, with what it leaves different.

A number with a point is DECIMAL on Spark, and a division of decimals is rounded to six digits, so such numbers become
DOUBLE. Row numbers and ranks are INTEGER there, and overflow where they are multiplied, so they become BIGINT. A table
in a schema is a temporary view on Spark, whose name contains the schema: these views belong to one session, and need no
catalogue.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache

import sqlglot
from sqlglot import exp


def spark_sql(query: str, params: Mapping[str, object] | None = None) -> str:
    """
    Return a query as Spark runs it, with the values of its parameters in their places.

    Args:
        query: One SELECT in DuckDB's SQL; a parameter is written `$name`.
        params: Parameter name -> text, date, number, or a list of these.
    """
    tree = _parsed(query).copy()
    if params:
        tree = tree.transform(lambda node: _filled(node, params))
    return tree.sql(dialect="spark")


@cache
def _parsed(query: str) -> exp.Expr:
    return sqlglot.parse_one(query, read="duckdb").transform(_for_spark).transform(_with_wide_ranks)


def _with_wide_ranks(node: exp.Expr) -> exp.Expr:
    is_rank = isinstance(node, exp.Window) and isinstance(node.this, exp.RowNumber | exp.Rank | exp.DenseRank)
    return exp.cast(node.copy(), "bigint") if is_rank else node


def _for_spark(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Literal) and not node.is_string and not node.this.isdecimal():
        return exp.cast(node.copy(), "double")
    if isinstance(node, exp.Table) and node.db:
        view = exp.table_(exp.to_identifier(_full_name(node), quoted=True))
        return exp.alias_(view, node.alias or node.name, table=True)
    return node


def _full_name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _filled(node: exp.Expr, params: Mapping[str, object]) -> exp.Expr:
    return _literal(params[node.name]) if isinstance(node, exp.Placeholder | exp.Parameter) else node


def _literal(value: object) -> exp.Expr:
    if isinstance(value, list):
        return exp.Array(expressions=[_literal(item) for item in value])
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(str(value)), "date")
    return exp.convert(value)


@cache
def spark_type(duckdb_type: str) -> str:
    """
    Return the Spark type of a DuckDB type.

    A sum of whole numbers is HUGEINT on DuckDB and BIGINT on Spark, which raises an error where it overflows.
    """
    return exp.DataType.build(duckdb_type.replace("HUGEINT", "BIGINT"), dialect="duckdb").sql(dialect="spark")
