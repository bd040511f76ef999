"""The folders of a home, and its lock."""

import os
from pathlib import Path

import pytest

from recsys.errors import HomeIsBusy, SetupError
from recsys.home import Home, locked


def test_a_home_is_held_by_one_run(tmp_path: Path) -> None:
    """The second is told who holds it; afterwards it is free again."""
    home = Home(tmp_path / "home")
    with locked(home), pytest.raises(HomeIsBusy, match=rf"held by another run \(process {os.getpid()}\)"), locked(home):
        pass

    with locked(home):
        assert (home.path / ".lock").read_text() == str(os.getpid())


def test_a_failed_run_lets_go_of_its_home(tmp_path: Path) -> None:
    """An error is no reason to stay locked."""
    home = Home(tmp_path)
    with pytest.raises(ZeroDivisionError), locked(home):
        _ = 1 / 0

    with locked(home):
        pass


def test_two_homes_do_not_hold_each_other(tmp_path: Path) -> None:
    """Each has its own lock."""
    with locked(Home(tmp_path / "a")), locked(Home(tmp_path / "b")):
        assert (tmp_path / "a" / ".lock").exists()


def test_a_home_without_a_published_warehouse_says_how_to_get_one(tmp_path: Path) -> None:
    """Also where a link points nowhere."""
    home = Home(tmp_path)
    with pytest.raises(SetupError, match="recsys ingest FILES, then recsys build"):
        home.published_warehouse()
    home.warehouse.parent.mkdir()
    home.warehouse.symlink_to("gone.duckdb")

    with pytest.raises(SetupError, match="no published warehouse"):
        home.published_warehouse()


def test_the_published_warehouse_is_the_real_file(tmp_path: Path) -> None:
    """A reader keeps its version when the link moves on."""
    home = Home(tmp_path)
    home.warehouse.parent.mkdir()
    (home.warehouse.parent / "run-1.duckdb").touch()
    home.warehouse.symlink_to("run-1.duckdb")

    assert home.published_warehouse() == (home.warehouse.parent / "run-1.duckdb").resolve()


def test_every_folder_lies_in_the_home(tmp_path: Path) -> None:
    """Nothing of a home is anywhere else."""
    home = Home(tmp_path)

    for part in (home.lake, home.inbox, home.runs, home.key_file, home.current, home.warehouse):
        assert tmp_path in part.parents
