"""What every test may ask for, and which worker runs it."""

import os
from pathlib import Path

import pytest

from .cpu_budget import CpuBudget
from .nights import copy_of, finished, world

__all__ = ["copy_of", "finished", "world"]


def pytest_configure(config: pytest.Config) -> None:
    """Count what the tests cost; let no width of somebody's terminal decide how tables are printed."""
    os.environ.pop("COLUMNS", None)  # read once, where a console is made
    config.pluginmanager.register(CpuBudget(config))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Run the tests of a file on one worker, and all that look at the same night on one too: each is made once."""
    for item in items:
        night = next((name for name in ("demo", "finished") if name in item.fixturenames), None)
        item.add_marker(pytest.mark.xdist_group(night or item.path.name))


def _folder(variable: str, holds: str) -> Path:
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} is not set: it names the folder of {holds}")
    return Path(named)


@pytest.fixture(scope="session")
def recsys_data() -> Path:
    """The folder of real research data, named by RECSYS_DATA."""
    return _folder("RECSYS_DATA", "real research data")


@pytest.fixture(scope="session")
def recsys_audio() -> Path:
    """The folder of real music, named by RECSYS_AUDIO."""
    return _folder("RECSYS_AUDIO", "real music")
