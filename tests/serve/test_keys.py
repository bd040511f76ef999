"""Keys: kept as hashes, found only whole, and with scopes that fit together."""

import stat
from pathlib import Path

import pytest

from recsys.errors import InputError, SetupError, UnknownIds
from recsys.home import Home, locked
from recsys.pipeline.run import Run
from recsys.serve.keys import Keys, add_key, keys_file, refuse_unknown_label, remove_key
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a home without keys."""
    return Home(tmp_path)


def test_a_key_is_kept_as_its_hash_in_a_file_of_its_owner(home: Home) -> None:
    """Neither the key nor a part of it is on disk."""
    key = add_key(home, "player", ["lists"])

    assert key[8:24] not in keys_file(home).read_text()
    assert stat.S_IMODE(keys_file(home).stat().st_mode) == 0o600
    assert len(key) >= 40


def test_only_the_whole_key_is_found(home: Home) -> None:
    """Each finds its own consumer; a part, another case, nothing and no ASCII find none."""
    player, label = add_key(home, "player", ["lists", "feedback"]), add_key(home, "lodestar", ["label"], "lb_1")
    keys = Keys.read(home)

    assert [keys.find(key) and keys.find(key).name for key in (player, label)] == ["player", "lodestar"]  # type: ignore[union-attr]
    assert [keys.find(key) for key in (player[:-1], player.swapcase(), "", f"{player} ", "ключ", "a\x00b")] == [
        None
    ] * 6


def test_a_removed_key_is_not_found(home: Home) -> None:
    """The others are."""
    first, second = add_key(home, "first", ["lists"]), add_key(home, "second", ["lists"])

    remove_key(home, "first")

    assert Keys.read(home).find(first) is None
    assert Keys.read(home).find(second) is not None
    with pytest.raises(UnknownIds, match="no key 'third'"):
        remove_key(home, "third")


def test_a_key_can_be_removed_during_a_nightly_run(home: Home) -> None:
    """The lock of the home, which a night holds for hours, is not asked for."""
    key = add_key(home, "player", ["lists"])

    with locked(home):
        remove_key(home, "player")

    assert Keys.read(home).find(key) is None


@pytest.mark.parametrize(
    ("name", "scopes", "label_id"),
    [
        ("Player", ["lists"], None),
        ("a\nb", ["lists"], None),
        ("local", ["lists"], None),
        ("taken", ["lists"], None),
        ("player", [], None),
        ("player", ["label"], None),
        ("player", ["lists"], "lb_1"),
        ("player", ["label", "lists"], "lb_1"),
    ],
)
def test_names_and_scopes_that_do_not_fit_are_refused(
    home: Home, name: str, scopes: list[str], label_id: str | None
) -> None:
    """A label's key reads its label's file and nothing else."""
    add_key(home, "taken", ["lists"])

    with pytest.raises(InputError):
        add_key(home, name, scopes, label_id)


def test_a_key_is_not_made_for_an_unknown_label(finished: Run) -> None:
    """A label of the warehouse passes; a misspelt one is refused with the nearest."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        label = warehouse.query(internal_sql("labels"))["label_id"][0]

    refuse_unknown_label(finished.home, label)

    with pytest.raises(UnknownIds, match=label):
        refuse_unknown_label(finished.home, f"{label}x")


def test_a_damaged_or_open_file_of_keys_is_an_error(home: Home) -> None:
    """It is never taken for a home without keys."""
    add_key(home, "player", ["lists"])
    keys_file(home).chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        Keys.read(home)
    keys_file(home).write_text("[")
    keys_file(home).chmod(0o600)
    with pytest.raises(SetupError, match="damaged"):
        Keys.read(home)
