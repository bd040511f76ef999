"""The stored vectors or histories of a listener in the folder of a model."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from recsys.recommenders.base import Recommender

LISTENERS = "users.parquet"  # marks the folder of a model


def rows(path: Path, user_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return which of the listeners the model has learned from; what it stores of each are numbers only."""
    return [{"listener": user_id} for user_id in sorted(listeners(path) & set(user_ids))]


def listeners(path: Path) -> set[str]:
    """Return the listeners that the model has learned from."""
    return set(pl.read_parquet(path / LISTENERS).to_series())


def copy_without(path: Path, target: Path, user_ids: Sequence[str]) -> None:
    """Write a copy of the model that has nothing of the listeners (see `Recommender.erase_users`)."""
    model = Recommender.load(path)
    model.erase_users(user_ids)
    shutil.copytree(path, target)
    model.save(target)
