"""Fixtures and hooks for all tests: folders of real data, the CPU budget, and which worker runs a test."""

import os
from pathlib import Path

import pytest

from .cpu_budget import CpuBudget
from .nights import copy_of, finished, world

__all__ = ["copy_of", "finished", "world"]


def pytest_configure(config: pytest.Config) -> None:
    """Measure the CPU time of tests, and make the width of printed tables independent of the terminal."""
    os.environ.pop("COLUMNS", None)  # read once, when a console is created
    config.pluginmanager.register(CpuBudget(config))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """
    Run the tests of a file on one worker, and all tests of a shared run on one worker, so that it is made once.

    Benchmarks take as long as all other tests of the shared run, so they are a group by themselves.
    """
    for item in items:
        shared_run = next((name for name in ("demo", "finished") if name in item.fixturenames), None)
        is_benchmark = item.path.parent.name == "bench"
        item.add_marker(pytest.mark.xdist_group(item.path.name if is_benchmark else shared_run or item.path.name))


def _folder(variable: str, content: str) -> Path:
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} is not set: expected the folder of {content}")
    return Path(named)


@pytest.fixture(scope="session")
def recsys_data() -> Path:
    """Return the folder of real research data, named by RECSYS_DATA; skip the test without it."""
    return _folder("RECSYS_DATA", "real research data")


@pytest.fixture(scope="session")
def recsys_audio() -> Path:
    """Return the folder of real music, named by RECSYS_AUDIO; skip the test without it."""
    return _folder("RECSYS_AUDIO", "real music")
