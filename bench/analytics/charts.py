"""The real charts of `RECSYS_DATA` by the ordinary door: ingested, built into `marts.chart_weekly`, read back."""

import tempfile
from datetime import date
from pathlib import Path

import polars as pl

from bench.options import data_folder
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse

FILES = {"hot100": "hot100_weekly.parquet", "billboard200": "billboard200_weekly.parquet"}


def chart_table(name: str, *charts: str, until: date = date.max) -> pl.DataFrame:
    """
    Return a table of charts.

    Args:
        name: `chart_weekly` or `chart_half_lives`.
        charts: Names of FILES.
        until: The last day that counts.
    """
    data = data_folder() / "billboard"
    with tempfile.TemporaryDirectory() as made:
        home = Home(Path(made) / "home")
        ingest(home, [data / FILES[chart] for chart in charts], today=date.max)
        sources = Sources(Lake(home), until, results=result_tables())
        build(Path(made) / "charts.duckdb", sources, only=[f"marts.{name}"])
        with Warehouse.open(Path(made) / "charts.duckdb") as warehouse:
            return warehouse.query(f"select * from marts.{name} order by all")
