"""The step that builds the warehouse: from raw tables to marts, each checked against its contract."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl

from recsys.cluster.engines import engine_of
from recsys.errors import InputError
from recsys.lake.store import Lake
from recsys.ledger.lines import Lines
from recsys.ledger.open_rows import open_row_limits
from recsys.pipeline.plan import result_tables
from recsys.pipeline.results import Artefact, Outcome, step
from recsys.recipe import Recipe
from recsys.releases.release import Release
from recsys.warehouse.build import Sources
from recsys.warehouse.build import build as build_warehouse

BUILD = Artefact(  # copied into the release
    "build", location=lambda run: run.folder / "build.duckdb", lifetime="run"
)

OPEN_LISTENS = Artefact(  # rows that no line of the ledger counts yet
    "open_listens",
    read=pl.scan_parquet,
    location=lambda run: run.folder / "open_listens.parquet",
    lifetime="run",
)

DAYS_OF_LISTENERS = Artefact(  # from which the ledger knows who is new to a label
    "days_of_listeners",
    read=pl.scan_parquet,
    location=lambda run: run.folder / "days_of_listeners.parquet",
    lifetime="run",
)

FAVOURITES_OF_LISTENERS = Artefact(  # from which the ledger knows which artists share listeners
    "favourites_of_listeners",
    read=pl.scan_parquet,
    location=lambda run: run.folder / "favourites_of_listeners.parquet",
    lifetime="run",
)


@step(BUILD, OPEN_LISTENS, DAYS_OF_LISTENERS, FAVOURITES_OF_LISTENERS)
def build(
    *,
    recipe: Recipe,
    lake: Lake,
    ledger: Lines,
    as_of: date,
    last_release: Release | None,
    last_results: dict[str, list[Path]],
    backfill: tuple[date, date] | None,
    build_file: Path,
    open_listens_file: Path,
    days_of_listeners_file: Path,
    favourites_of_listeners_file: Path,
    note: Callable[..., None],
) -> Outcome:
    """Build the warehouse from the lake, with the last release's results until this run has made its own."""
    if not lake.batches():
        raise InputError(f"The lake of {lake.folder.parent} is empty. Ingest files first: recsys ingest FILES")
    sources = Sources(
        lake,
        as_of,
        results=result_tables(last_results),
        ledger=open_row_limits(ledger),
        previous=last_release.warehouse if last_release else None,
        previous_marts=last_release.marts if last_release else None,
        backfill=backfill,
    )
    exports = {
        OPEN_LISTENS.name: open_listens_file,
        DAYS_OF_LISTENERS.name: days_of_listeners_file,
        FAVOURITES_OF_LISTENERS.name: favourites_of_listeners_file,
    }
    with engine_of(recipe.warehouse, build_file.with_name("build-spark")) as engine:
        built = build_warehouse(
            build_file,
            sources,
            exports=exports,
            progress=lambda name, rows, seconds: note(event="table", table=name, rows=rows, seconds=round(seconds, 3)),
            engine=engine,
        )
    return Outcome(counts={"tables": {table.name: table.n_rows for table in built}})
