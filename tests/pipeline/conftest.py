"""The full-size demo world and its nightly run, as `make demo` makes them; takes two minutes, for slow tests only."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
import pytest

from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.releases import registry

from ..documents import demo_in
from ..nights import LAST_DAY


@dataclass(frozen=True)
class Demo:
    """The run, the truth about its world (kind, id, date, details), and a function that runs commands there."""

    run: Run
    truth: pl.DataFrame
    printed: Callable[[list[str]], str]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The home that `make demo` leaves behind. Tests must not change it."""
    folder = tmp_path_factory.mktemp("demo")
    printed = demo_in(folder)
    home = Home(folder / "home")
    run = Run(home, LAST_DAY, read_recipe(home.path / "recipe.toml"), str(registry.current_name(home)))
    return Demo(run, pl.read_ndjson(folder / "truth.jsonl", infer_schema_length=None), printed)
