"""A service of the shared home, and the release that it has open."""

from pathlib import Path

import pytest

from recsys.pipeline.run import Run
from recsys.serve.app import Service
from recsys.serve.current import Current
from recsys.serve.open_release import OpenRelease

from .asking import service_of


@pytest.fixture(scope="session")
def current(finished: Run) -> Current:
    """Open the release of the shared night."""
    return Current.of(finished.home, is_loopback=True)


@pytest.fixture
def release(current: Current) -> OpenRelease:
    """Return the open release."""
    return current.release


@pytest.fixture
def service(finished: Run, current: Current, tmp_path: Path) -> Service:
    """Return a service without keys, whose feedback and log are in the test's folder."""
    same = Current(finished.home, current.release, current.keys, needs_key=False)
    return service_of(finished.home, tmp_path / "inbox", tmp_path / "log", same)
