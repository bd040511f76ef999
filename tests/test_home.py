"""The folders of a home, and its lock."""

import os
from pathlib import Path

import pytest

from recsys.errors import HomeIsBusy, SetupError
from recsys.home import Home, locked


def test_a_home_is_locked_by_one_run(tmp_path: Path) -> None:
    """A second run gets the process id of the first; afterwards the lock is free."""
    home = Home(tmp_path / "home")
    message = rf"locked by another run \(process {os.getpid()}\)"
    with locked(home), pytest.raises(HomeIsBusy, match=message), locked(home):
        pass

    with locked(home):
        assert (home.path / ".lock").read_text() == str(os.getpid())


def test_a_failed_run_releases_the_lock(tmp_path: Path) -> None:
    """The lock is released after an error."""
    home = Home(tmp_path)
    with pytest.raises(ZeroDivisionError), locked(home):
        _ = 1 / 0

    with locked(home):
        pass


def test_two_homes_are_locked_independently(tmp_path: Path) -> None:
    """Each home has its own lock."""
    with locked(Home(tmp_path / "a")), locked(Home(tmp_path / "b")):
        assert (tmp_path / "a" / ".lock").exists()


def test_a_home_without_a_published_warehouse_says_how_to_get_one(tmp_path: Path) -> None:
    """Also if the link is dangling."""
    home = Home(tmp_path)
    with pytest.raises(SetupError, match="recsys ingest FILES, then recsys build"):
        home.published_warehouse()
    home.warehouse.parent.mkdir()
    home.warehouse.symlink_to("gone.duckdb")

    with pytest.raises(SetupError, match="no published warehouse"):
        home.published_warehouse()


def test_the_published_warehouse_is_the_real_file(tmp_path: Path) -> None:
    """A reader keeps its version when the link is swapped."""
    home = Home(tmp_path)
    home.warehouse.parent.mkdir()
    (home.warehouse.parent / "run-1.duckdb").touch()
    home.warehouse.symlink_to("run-1.duckdb")

    assert home.published_warehouse() == (home.warehouse.parent / "run-1.duckdb").resolve()


def test_every_folder_lies_in_the_home(tmp_path: Path) -> None:
    """Every path of a home is inside its folder."""
    home = Home(tmp_path)

    for part in (home.lake, home.inbox, home.runs, home.key_file, home.current, home.warehouse):
        assert tmp_path in part.parents
