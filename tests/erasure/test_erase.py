"""A listener is found in every store of a finished home, and in none after the erasure."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.home import Home
from recsys.lake.store import Lake
from recsys.pipeline.run import Run
from recsys.warehouse.query import Warehouse, tables

TODAY = date(2026, 7, 1)
ACCOUNT = "somebody@example.org"
LISTENS = "user_id,track_id,listened_at\n"


def texts(path: Path) -> Iterator[str]:
    """Yield everything in a file as text, however it is stored."""
    if path.suffix == ".parquet":
        yield from (
            pl.read_parquet(path, glob=False, hive_partitioning=False)
            .select(pl.all().cast(pl.String, strict=False))
            .write_csv()
            .splitlines()
        )
        yield from (json.dumps(row, default=str) for row in pl.read_parquet(path, glob=False).iter_rows())
    elif path.suffix == ".duckdb":
        with Warehouse.open(path) as warehouse:
            for name in tables(warehouse)["table"]:
                yield from map(str, warehouse.query(f"select * from {name}").iter_rows())
    elif path.suffix in {".npz", ".npy"}:
        with np.load(path) as arrays:
            yield from (str(arrays[name].tolist()) for name in arrays if arrays[name].dtype.kind in "US")
    else:
        yield path.read_text(encoding="utf-8", errors="replace")


def files_that_name(home: Home, *names: str) -> list[str]:
    """Read every file of a home, and return those that contain one of the names, also in their bytes."""
    files = [path for path in sorted(home.path.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [
        str(path.relative_to(home.path))
        for path in files
        if any(name.encode() in path.read_bytes() for name in names)
        or any(name in text for text in texts(path) for name in names)
    ]


@pytest.fixture
def listener(finished: Run) -> str:
    """The most active listener of the finished run."""
    played = Lake(finished.home).rows("listens").group_by("user_id").len().sort("len", "user_id").collect()
    return str(played["user_id"][-1])
