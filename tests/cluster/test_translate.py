"""The translation to Spark's SQL changes what the two engines read differently, and nothing else."""

from datetime import date

import pytest

from recsys.cluster.translate import spark_sql, spark_type

TRANSLATED = {
    "select 1.5 * t.a as b from marts.t as t": "SELECT CAST(1.5 AS DOUBLE) * t.a AS b FROM `marts.t` AS t",
    "select t.a from marts.t": "SELECT t.a FROM `marts.t` AS t",
    "select a from published.marts.t": "SELECT a FROM `published.marts.t` AS t",
    "select a from raw.t order by a": "SELECT a FROM `raw.t` AS t ORDER BY a NULLS LAST",
    "select row_number() over (order by a desc nulls last) as n from raw.t": (
        "SELECT CAST(ROW_NUMBER() OVER (ORDER BY a DESC) AS BIGINT) AS n FROM `raw.t` AS t"
    ),
}


@pytest.mark.parametrize(("query", "expected"), TRANSLATED.items())
def test_a_query_is_translated(query: str, expected: str) -> None:
    """Numbers with a point are doubles, tables in a schema are views, unknown values are last, ranks are wide."""
    assert spark_sql(query) == expected


def test_parameters_are_filled_in() -> None:
    """Texts are quoted; a list is an array."""
    query = "select a from raw.t where list_contains($names, a) and day > $last"

    assert spark_sql(query, {"names": ["it's", "b"], "last": date(2026, 1, 31)}) == (
        "SELECT a FROM `raw.t` AS t WHERE ARRAY_CONTAINS(ARRAY('it\\'s', 'b'), a) AND day > CAST('2026-01-31' AS DATE)"
    )


def test_types_are_those_of_spark() -> None:
    """An instant has a time zone on both engines; Spark has no integer of 128 bits."""
    kinds = ("VARCHAR", "HUGEINT", "TIMESTAMP WITH TIME ZONE", "FLOAT[]")

    assert [spark_type(kind) for kind in kinds] == ["STRING", "BIGINT", "TIMESTAMP", "ARRAY<FLOAT>"]
