"""The recipe chooses the engine of a build."""

from pathlib import Path

import pytest

from recsys.cluster.engines import engine_of
from recsys.errors import BadRecipe, SetupError
from recsys.warehouse.engine_duckdb import DuckDbEngine
from recsys.warehouse.settings import WarehouseSettings


def test_duckdb_needs_no_spark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is the default, and starts nothing."""
    monkeypatch.setattr("recsys.cluster.engines.open_session", None)
    with engine_of(WarehouseSettings(), tmp_path / "spark") as engine:
        assert engine is DuckDbEngine


def test_spark_without_java_is_an_error_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is left in the folder of the run."""
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(SetupError, match="Java 17"), engine_of(WarehouseSettings("spark"), tmp_path / "spark"):
        pass
    assert not (tmp_path / "spark").exists()


def test_an_unknown_engine_is_refused() -> None:
    """The message lists the known ones."""
    with pytest.raises(BadRecipe, match="duckdb"):
        WarehouseSettings("flink")  # type: ignore[arg-type]
