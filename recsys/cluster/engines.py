"""Choose the engine of a build by the settings of a recipe."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys import files
from recsys.cluster.engine import SparkEngine
from recsys.cluster.session import open_session
from recsys.warehouse.build import EngineFor
from recsys.warehouse.engine_duckdb import DuckDbEngine
from recsys.warehouse.settings import WarehouseSettings


@contextmanager
def engine_of(settings: WarehouseSettings, folder: Path) -> Iterator[EngineFor]:
    """
    Yield what makes the engine of a build; a Spark session is stopped afterwards.

    Args:
        settings: The section [warehouse] of the recipe.
        folder: Folder for the tables of a build on Spark and for its shuffles; removed afterwards.

    Raises:
        SetupError: Spark or Java is not installed, or Spark does not start.
    """
    if settings.engine == "duckdb":
        yield DuckDbEngine
        return
    session = open_session(settings.master, scratch=folder / "shuffles")
    try:
        yield lambda connection: SparkEngine(session, DuckDbEngine(connection), folder / "tables", lake=settings.lake)
    finally:
        session.stop()
        files.remove(folder)
