"""
The same tables on Spark as on DuckDB: equality of all marts, the days that an added day touches, and CPU time.

Both engines build the tables of one lake. Marts must be equal: all values exactly, doubles to a relative difference of
1e-9 (a sum of doubles depends on their order, and Spark's parts arrive in any). Then the tables of the day before are
built, and the last day is added on Spark: the marts must equal those of a whole build.
"""

import os
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from bench.options import Missing, benchmark, data_folder, size

if TYPE_CHECKING:
    import polars as pl
    from pyspark.sql import SparkSession

    from recsys.home import Home

TOLERANCE = 1e-9
LFM_ENDS = date(2014, 8, 31)


def differing_marts(one: Path, other: Path) -> list[str]:
    """Return the marts that two warehouse files do not have in common: columns, types, rows, values."""
    from recsys.warehouse.query import Warehouse, stored_tables
    from recsys.warehouse.sqlfile import read_layers

    layers = read_layers()
    with Warehouse.open(one) as here, Warehouse.open(other) as there:
        names = sorted(name for name in stored_tables(here) | stored_tables(there) if name.startswith("marts."))
        shared = stored_tables(here) & stored_tables(there)
        return [
            name
            for name in names
            if name not in shared
            or not _equal(*(file.query(f"from {name}") for file in (here, there)), key=list(layers[name].grain))
        ]


def _equal(here: "pl.DataFrame", there: "pl.DataFrame", *, key: list[str]) -> bool:
    from polars.testing import assert_frame_equal

    try:
        assert_frame_equal(*_sorted(here, there, key), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    except AssertionError:
        return False
    return True


def _sorted(here: "pl.DataFrame", there: "pl.DataFrame", key: list[str]) -> tuple["pl.DataFrame", "pl.DataFrame"]:
    by = key or [name for name, kind in here.schema.items() if not kind.is_float() and not kind.is_nested()]
    return here.sort(by or here.columns), there.sort(by or here.columns)


def _home_of(world: str, scale: float, folder: Path) -> tuple["Home", date]:
    """Return a home with the demo world or with real listens, and its last day."""
    from recsys.demo import World, write_world
    from recsys.home import Home
    from recsys.ingest.run import ingest

    home, raw = Home(folder / "home"), folder / "raw"
    last = LFM_ENDS
    if world == "demo":
        settings = World(scale=scale, n_tracks_with_audio=0)
        write_world(folder, settings)
        last = settings.as_of
    else:
        raw.mkdir()
        _lfm1m_listens().write_parquet(raw / "listens.parquet")
    ingest(home, [raw], today=last)
    return home, last


def _lfm1m_listens() -> "pl.DataFrame":
    import polars as pl

    plays = pl.read_parquet(data_folder() / "lfm1m_partial" / "interactions.parquet")
    return plays.select(
        user_id=pl.col("user").cast(pl.String),
        track_id=pl.col("item").cast(pl.String),
        listened_at=pl.from_epoch("timestamp").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
    )


class Builds:
    """Builds of one lake in a folder."""

    def __init__(self, home: "Home", session: "SparkSession", folder: Path, tables: Sequence[str]) -> None:
        self.home, self.session, self.folder, self.tables = home, session, folder, tables

    def build(self, name: str, as_of: date, *, on_spark: bool, previous: Path | None = None) -> Path:
        """Build a warehouse file on one of the engines, and print what it took."""
        from recsys.cluster.engine import SparkEngine
        from recsys.lake.store import Lake
        from recsys.pipeline.plan import result_tables
        from recsys.warehouse.build import Sources, build
        from recsys.warehouse.engine_duckdb import DuckDbEngine

        marts = previous.with_suffix("") if previous else None
        sources = Sources(Lake(self.home), as_of, results=result_tables(), previous=previous, previous_marts=marts)
        folder = self.folder / "tables"
        engine = (lambda target: SparkEngine(self.session, DuckDbEngine(target), folder)) if on_spark else DuckDbEngine
        started_s, started_cpu_s = time.perf_counter(), self._cpu_s()
        target = self.folder / f"{name}.duckdb"
        build(target, sources, only=self.tables, engine=engine)
        wall_s, cpu_s = time.perf_counter() - started_s, self._cpu_s() - started_cpu_s
        click.echo(f"{name}: {cpu_s:.0f} CPU-s, {wall_s:.0f} s")
        return target

    def _cpu_s(self) -> float:
        """Return the CPU seconds of this process and of Spark's, as Linux counts them."""
        process = self.session.sparkContext._gateway.proc  # noqa: SLF001
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return time.process_time() + sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@benchmark(headline=r"equal marts: (\d+) of")
@size("--scale", default=1.0, smallest=0.04, help="Size of the demo world, 0.01..1.")
@size("--tables", multiple=True, default=(), smallest=("marts.track_daily",), help="Marts to build; without, all.")
@click.option("--world", type=click.Choice(["demo", "lfm1m_partial"]), default="demo", show_default=True)
def main(scale: float, tables: Sequence[str], world: str) -> None:
    """Print the CPU seconds of both engines, the marts that differ, and those that differ after an added day."""
    from recsys.cluster.session import open_session, refuse_without_spark
    from recsys.errors import SetupError

    try:
        refuse_without_spark()
    except SetupError as missing:
        raise Missing(str(missing)) from missing
    with TemporaryDirectory() as name:
        folder = Path(name)
        home, last = _home_of(world, scale, folder)
        session = open_session("local[2]", scratch=folder / "shuffles")
        try:
            _compare(Builds(home, session, folder, tables), last)
        finally:
            session.stop()


def _compare(builds: Builds, last: date) -> None:
    from recsys.warehouse.publish import write_marts

    duckdb = builds.build("DuckDB", last, on_spark=False)
    spark = builds.build("Spark", last, on_spark=True)
    n_marts = write_marts(spark, builds.folder / "marts")
    for name in (differing := differing_marts(duckdb, spark)):
        click.echo(f"differs: {name}")
    previous = builds.build("previous", last - timedelta(days=1), on_spark=False)
    write_marts(previous, previous.with_suffix(""))
    grown = builds.build("an added day on Spark", last, on_spark=True, previous=previous)
    click.echo(f"marts that differ after an added day: {', '.join(differing_marts(spark, grown)) or 'none'}")
    click.echo(f"equal marts: {n_marts - len(differing)} of {n_marts}")


if __name__ == "__main__":
    main()
