"""A home without anything, and two owners."""

from pathlib import Path

import pytest

from recsys.home import Home
from recsys.state.store import Owner

ANNA = Owner("sub:1", "lb_1", "anna@one.example", "anna@one.example")
OPERATOR = Owner("this machine")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which nothing was set yet."""
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")
