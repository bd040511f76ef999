"""Read the real charts of `RECSYS_DATA` through the pipeline: ingest the files, build the mart, read it back."""

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
    Return a chart mart.

    Args:
        name: `chart_weekly` or `chart_half_lives`.
        charts: Keys of FILES.
        until: The last day included.

    Raises:
        Missing: RECSYS_DATA does not name a folder.
    """
    data = data_folder() / "billboard"
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        ingest(home, [data / FILES[chart] for chart in charts], today=date.max)
        sources = Sources(Lake(home), until, results=result_tables())
        build(Path(folder) / "charts.duckdb", sources, only=[f"marts.{name}"])
        with Warehouse.open(Path(folder) / "charts.duckdb") as warehouse:
            return warehouse.query(f"select * from marts.{name} order by all")
