"""The day-grain marts of a demo world are the same on both engines; what a killed build left is replaced."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.spark import differing_marts
from recsys.cluster.engine import SparkEngine
from recsys.lake.store import Lake
from recsys.pipeline.inputs import Inputs
from recsys.pipeline.plan import result_tables
from recsys.pipeline.run import Run
from recsys.warehouse.build import Sources, build
from recsys.warehouse.engine_duckdb import DuckDbEngine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow


MARTS = ("marts.artist_daily", "marts.interactions_daily", "marts.track_daily")  # all of them: python -m bench.spark


def test_the_marts_are_equal(spark: "SparkSession", finished: Run, tmp_path: Path) -> None:
    """Exact, and doubles to 1e-9; the results of the nightly run are read on both engines."""
    sources = Sources(Lake(finished.home), finished.as_of, results=result_tables(Inputs(finished).last_results))
    build(tmp_path / "duckdb.duckdb", sources, only=MARTS)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "half a table of a killed build").touch()
    marts = build(
        tmp_path / "spark.duckdb",
        sources,
        only=MARTS,
        engine=lambda target: SparkEngine(spark, DuckDbEngine(target), tmp_path / "tables"),
    )

    assert {table.name for table in marts} >= set(MARTS)
    assert differing_marts(tmp_path / "duckdb.duckdb", tmp_path / "spark.duckdb") == []
    assert not (tmp_path / "tables").exists()
