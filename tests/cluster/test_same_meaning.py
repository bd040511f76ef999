"""Each trap between DuckDB and Spark gives the same value on both, once it is translated."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

from recsys.cluster.translate import spark_sql

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = pl.DataFrame(
    {
        "n": [1, 2, 3, 4, None],
        "x": [0.5, float("nan"), -1.5, None, 2.675],
        "name": ["a & b & c", "", "Ä.b", None, "x|y"],
        "day": ["2026-01-31", "2026-02-28", "2024-12-30", "2025-01-01", "2026-03-29"],
        "started_at": [f"2026-03-29 {hour}:30:00+00:00" for hour in ("00", "01", "02", "22", "23")],
    },
).with_columns(pl.col("day").str.to_date(), pl.col("started_at").str.to_datetime("%Y-%m-%d %H:%M:%S%z", time_unit="us"))
VALUES = {
    "decimal literal": "max(1.0 * n / 3)",
    "decimal literals alone": "max(1.0 / 3.0)",
    "whole numbers divided": "max(n / 3)",
    "sum": "sum(n)",
    "median of an even number": "median(n)",
    "rounded": "max(round(n / 3, 2))",
    "rounded half": "max(round(n + 0.5))",
    "rest of a negative number": "min(mod(-n, 3))",
    "part of a text": "max(split_part(name, ' & ', 2))",
    "part after the last": "max(split_part(name, ' & ', 9))",
    "part at a point, which is no pattern": "max(split_part(name, '.', 2))",
    "part at a bar, which is no pattern": "max(split_part(name, '|', 2))",
    "texts joined with an unknown one": "min(concat(name, '!'))",
    "greatest with an unknown one": "min(greatest(n, 2))",
    "hash": "max(md5(name))",
    "lower": "max(lower(name))",
    "day of an instant": "max(cast(started_at as date))",
    "hour of an instant": "max(date_trunc('hour', started_at))",
    "seconds of an instant": "max(epoch(started_at))",
    "week of a day": "min(date_trunc('week', day))",
    "last day of a month": "max(last_day(day))",
}
ROW_NUMBER = "row number"
ORDERS = {
    "unknown last": "n",
    "unknown last when falling": "n desc",
    "NaN above all numbers": "x",
    "texts by their code points": "name",
}


def _query() -> str:
    """Return one query for all values, since each query costs Spark a second; orders as a sum of numbered instants."""
    values = [f'(select {value} from raw.t) as "{name}"' for name, value in VALUES.items()]
    for name, order in ORDERS.items():
        numbered = f"select row_number() over (order by {order}, day) as no, epoch(started_at) as seconds from raw.t"
        values.append(f'(select sum(no * seconds) from ({numbered}) as numbered) as "{name}"')
    wide = "select row_number() over (order by day) * 3000000000 as wide from raw.t"
    values.append(f'(select max(wide) from ({wide}) as numbers) as "{ROW_NUMBER}"')
    return f"select {', '.join(values)}"


def _on_duckdb() -> dict[str, Any]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema raw")
        connection.register("incoming", ROWS.to_arrow())
        connection.execute("create table raw.t as select * from incoming")
        (row,) = connection.sql(_query()).pl().to_dicts()
        return dict(row)


@pytest.fixture(scope="session")
def answers(spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the value of each expression on both engines."""
    file = Path(tmp_path_factory.mktemp("rows")) / "rows.parquet"
    ROWS.write_parquet(file)
    session = spark.newSession()
    session.read.parquet(str(file)).createOrReplaceTempView("`raw.t`")
    (row,) = session.sql(spark_sql(_query())).collect()
    return [_on_duckdb(), row.asDict()]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*VALUES, *ORDERS, ROW_NUMBER])
def test_both_engines_agree(answers: list[dict[str, Any]], name: str) -> None:
    """The values are equal."""
    duck, spark = (_plain(values[name]) for values in answers)

    assert spark == duck


def _plain(value: Any) -> Any:
    """Return a value without the time zone of an instant, which is UTC on both engines."""
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value
