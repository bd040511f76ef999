"""The deny list of erased listeners."""

from pathlib import Path

import pytest

from recsys.errors import SetupError
from recsys.home import Home
from recsys.lake.denied import DenyList

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a lake."""
    (tmp_path / "lake").mkdir()
    return Home(tmp_path)


def test_an_empty_list_denies_nobody_and_is_applied(home: Home) -> None:
    """A home without erasures has no file."""
    denied = DenyList(home)
    assert (len(denied), denied.erased(["ann"], KEY), denied.is_applied()) == (0, [], True)
    assert list(home.path.iterdir()) == [home.lake]


def test_listeners_are_recognised_with_the_key_only(home: Home) -> None:
    """The file has a line per listener, without the id; a repeated listener has one line."""
    DenyList(home).add(["ann", "bob"], KEY)
    DenyList(home).add(["bob", "cy"], KEY)
    denied = DenyList(home)
    assert denied.erased(["ann", "bob", "cy", "di"], KEY) == ["ann", "bob", "cy"]
    assert denied.erased(["ann", "bob", "cy", "di"], OTHER_KEY) == []
    lines = (home.path / "erased.txt").read_text().splitlines()
    assert len(lines) == len(set(lines)) == 3
    assert not any(name in line for name in ("ann", "bob", "cy") for line in lines)


def test_an_older_lake_is_noticed_and_an_older_list_is_refused(home: Home) -> None:
    """The lake has the number of erasures that were applied to it."""
    denied = DenyList(home)
    denied.add(["ann"], KEY)
    assert not denied.is_applied()
    denied.mark_applied()
    assert DenyList(home).is_applied()
    (home.path / "erased.txt").unlink()
    with pytest.raises(SetupError, match="has 0 erased listeners, the lake knows of 1"):
        DenyList(home).is_applied()
