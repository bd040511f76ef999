"""Tables that Spark computes are checked, typed and updated as on DuckDB."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from recsys.cluster.engine import SparkEngine
from recsys.errors import BrokenCheck
from recsys.warehouse.check import check
from recsys.warehouse.engine_duckdb import DuckDbEngine
from recsys.warehouse.sqlfile import ColumnDoc, SqlFile

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow
DAYS = [date(2026, 1, day) for day in (1, 2, 3)]
PLAYS = pl.DataFrame({"day": [*DAYS, DAYS[2]], "track_id": ["t1", "t1", "t1", "t2"], "n": [1, 2, 3, 4]})
QUERY = "select day, track_id, sum(n) as n_plays from raw.plays group by day, track_id"
DOCUMENTED = {name: ColumnDoc("A column.") for name in ("day", "track_id", "n_plays")}


@pytest.fixture
def engine(spark: "SparkSession", tmp_path: Path) -> Iterator[SparkEngine]:
    """Return an engine with a raw table of plays."""
    with duckdb.connect() as connection:
        for schema in ("raw", "staging", "intermediate", "marts"):
            connection.execute(f"create schema {schema}")
        engine = SparkEngine(spark, DuckDbEngine(connection), tmp_path / "tables")
        engine.add_rows("raw.plays", PLAYS)
        yield engine
        engine.close()


def plays_daily(**changes: object) -> SqlFile:
    """Return a mart that keeps its contract, but for some changes."""
    contract = {
        "grain": ("day", "track_id"),
        "columns": DOCUMENTED,
        "checks": ("n_plays > 0.5",),
        "reconcile": ("(select sum(n_plays) from marts.plays_daily) = (select sum(n) from raw.plays)",),
    }
    return SqlFile("marts.plays_daily", "Plays by day.", **{"query": QUERY, **contract, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("small", [0, 2**24])
def test_a_table_that_keeps_its_contract_passes(
    engine: SparkEngine, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    """Its types are those of DuckDB, and its rows are in DuckDB's file, whether one task reads them or several."""
    monkeypatch.setattr("recsys.cluster.engine._SMALL", small)
    file = plays_daily()
    engine.make(file, "table")
    built = check(engine, file)

    assert (built.n_rows, built.types) == (4, {"day": "DATE", "track_id": "VARCHAR", "n_plays": "HUGEINT"})
    assert engine.run_query("select sum(n_plays) from marts.plays_daily") == [(10,)]


VIOLATIONS = {
    "is not documented": {"columns": {"day": ColumnDoc("Day."), "track_id": ColumnDoc("Track.")}},
    "which the query lacks": {"columns": {**DOCUMENTED, "n_users": ColumnDoc("Listeners.")}},
    "at least 5 expected": {"min_rows": 5},
    '1 rows break "n_plays < 4"': {"checks": ("n_plays < 4",)},
    "they occur more than once": {"grain": ("day",)},
    "does not reconcile": {"reconcile": ("(select count(*) from marts.plays_daily) = 5",)},
}


@pytest.mark.parametrize(("message", "change"), VIOLATIONS.items())
def test_a_violation_of_each_kind_is_caught(engine: SparkEngine, message: str, change: dict[str, object]) -> None:
    """Columns, number of rows, checks, grain and reconciliation: the message is that of DuckDB."""
    file = plays_daily(**change)
    engine.make(file, "table")

    with pytest.raises(BrokenCheck, match=message):
        check(engine, file)


def test_only_stale_days_are_computed(engine: SparkEngine, tmp_path: Path) -> None:
    """Other days are those of the published mart, here with other figures, so that the origin of a day shows."""
    pl.DataFrame({"day": DAYS, "track_id": ["t9"] * 3, "n_plays": [100, 200, 300]}).write_parquet(
        tmp_path / "plays_daily.parquet"
    )
    engine.attach(tmp_path, ["marts.plays_daily"])
    engine.make_by_days(plays_daily(incremental="day"), {}, [DAYS[2]])

    rows = engine.run_query("select day, track_id, n_plays from marts.plays_daily order by day, track_id")
    assert rows == [(DAYS[0], "t9", 100), (DAYS[1], "t9", 200), (DAYS[2], "t1", 3), (DAYS[2], "t2", 4)]


def test_an_export_is_one_file(engine: SparkEngine, tmp_path: Path) -> None:
    """It has the types of DuckDB, as its readers expect."""
    engine.export("select track_id, count(*) as n from raw.plays group by track_id", tmp_path / "n.parquet")

    assert sorted(pl.read_parquet(tmp_path / "n.parquet").rows()) == [("t1", 3), ("t2", 1)]
