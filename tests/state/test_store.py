"""The state file: what is in it belongs to one account and label, and damage is a clear error."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.pipeline.doctor import run_checks
from recsys.state import store
from recsys.state.actions import Actor, actions, logged
from recsys.state.alerts import Alert, alerts, record, withdraw
from recsys.state.forget import forget
from recsys.state.store import State, clean_name
from recsys.state.views import View, save, views
from recsys.state.watchlist import Item, Thresholds, owners, set_thresholds, thresholds, unwatch, watch, watched

from .conftest import ANNA, OPERATOR

DAY = date(2026, 6, 30)
ROOT = Path(__file__).parents[2]


def test_without_a_file_everything_is_empty_and_none_is_made(home: Home) -> None:
    """Reading leaves no trace, so a home in which nothing was set has no file."""
    assert watched(home, ANNA) == []
    assert thresholds(home, ANNA) == Thresholds()
    assert views(home, ANNA) == []
    assert alerts(home, ANNA) == []
    assert actions(home) == []
    assert owners(home) == []
    assert State(home).check() == "nothing was set in the dashboards yet"
    assert withdraw(home, "lb_1", DAY, DAY) == 0
    assert list(home.path.iterdir()) == []


def test_rows_belong_to_an_account_with_a_label(home: Home) -> None:
    """Who changes the label, and who has the same label, sees other rows; coming back, the old ones."""
    moved, colleague = replace(ANNA, label_id="lb_2"), replace(ANNA, account="sub:2")
    for owner, item_id in ((ANNA, "a"), (moved, "b"), (colleague, "c"), (OPERATOR, "d")):
        watch(home, owner, "artist", item_id, DAY)
        save(home, owner, View("mine", "artist", {"artist": item_id}))
    set_thresholds(home, ANNA, Thresholds(change_percent=5))

    seen = {owner: (watched(home, owner), views(home, owner)) for owner in (ANNA, moved, colleague, OPERATOR)}

    assert [[item.id for item in items] for items, _ in seen.values()] == [["a"], ["b"], ["c"], ["d"]]
    assert [[view.parameters for view in own] for _, own in seen.values()] == [[{"artist": x}] for x in "abcd"]
    assert thresholds(home, moved) == thresholds(home, colleague) == Thresholds()
    assert thresholds(home, replace(ANNA, name="Anna", address="")).change_percent == 5
    assert [owner.account for owner, _, _ in owners(home)] == ["sub:1", "sub:1", "sub:2", "this machine"]


def test_an_item_is_watched_once_and_removed_by_its_kind(home: Home) -> None:
    """An artist and a recording may have the same id; adding again keeps the first day."""
    for kind in ("artist", "recording", "artist"):
        watch(home, ANNA, kind, "x", DAY if not watched(home, ANNA) else date(2026, 7, 1))

    assert watched(home, ANNA) == [Item("artist", "x", DAY), Item("recording", "x", date(2026, 7, 1))]

    unwatch(home, ANNA, [("artist", "x"), ("artist", "not watched")])

    assert [item.kind for item in watched(home, ANNA)] == ["recording"]


def test_there_is_a_limit(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused and not stored; ids are as long as the lake allows."""
    monkeypatch.setattr("recsys.state.watchlist.MAX_WATCHED", 2)
    monkeypatch.setattr("recsys.state.views.MAX_VIEWS", 1)
    watch(home, ANNA, "artist", "a", DAY)
    watch(home, ANNA, "artist", "x" * 1_000, DAY)
    with pytest.raises(InputError, match="You watch 2 "):
        watch(home, ANNA, "artist", "c", DAY)
    for wrong in ("", "x" * 1_001):
        with pytest.raises(InputError, match="expected an artist or recording"):
            watch(home, OPERATOR, "artist", wrong, DAY)
    save(home, ANNA, View("one", "artist", {}))
    with pytest.raises(InputError, match="You have 1 saved views"):
        save(home, ANNA, View("two", "artist", {}))
    with pytest.raises(InputError, match="8,000 can be saved"):
        save(home, ANNA, View("one", "sql", {"sql": "x" * 8_000}))

    assert [item.id for item in watched(home, ANNA)] == ["a", "x" * 1_000]
    assert views(home, ANNA) == [View("one", "artist", {})]
    assert watched(home, OPERATOR) == []


@pytest.mark.parametrize(
    "name",
    ["'); drop table owners; --", "![p](http://evil.example/p.png)", "=1+1", "a\u202eb", "名前", "%_", "a\ud800"],
)
def test_hostile_texts_are_stored_as_they_are(home: Home, name: str) -> None:
    """Ids and names are values, never SQL; a text that is not Unicode is kept apart from the database."""
    save(home, ANNA, View(name, "artist", {"artist": name}))

    (view,) = views(home, ANNA)
    assert view == View("?" if name == "\ud800" else name, "artist", {"artist": name}) or view.name == clean_name(
        name, ""
    )
    watch(home, ANNA, "artist", "after", DAY)
    assert [item.id for item in watched(home, ANNA)] == ["after"]


def test_a_name_is_one_clean_line() -> None:
    """Control characters become spaces; an empty or long name is refused."""
    assert clean_name("  my\tview\u2028of\x00 it ", "a view") == "my view of it"
    for wrong in ("", " \n", "x" * 101):
        with pytest.raises(InputError, match="expected 1 to 100"):
            clean_name(wrong, "a view")


def test_the_file_is_for_its_owner_alone(home: Home) -> None:
    """It has addresses of people."""
    watch(home, ANNA, "artist", "a", DAY)

    assert stat.S_IMODE(State(home).path.stat().st_mode) == 0o600
    assert [path.name for path in home.path.iterdir()] == ["state.sqlite"]


def damaged(path: Path) -> None:
    """Overwrite the pages after the first with noise."""
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(content)


def text(path: Path) -> None:
    """Replace the file by a text."""
    path.write_text("this is not a database" * 100)


def foreign(path: Path) -> None:
    """Replace the file by the database of another program."""
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("create table owners (owner_id integer)")


def newer(path: Path) -> None:
    """Raise the version of the file."""
    with sqlite3.connect(path) as connection:
        connection.execute(f"pragma user_version = {store.VERSION + 1}")


def without_table(path: Path) -> None:
    """Remove a table."""
    with sqlite3.connect(path) as connection:
        connection.execute("drop table watched")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (damaged, "is damaged"),
        (text, "is damaged"),
        (foreign, "of another program"),
        (newer, "Update this program"),
        (without_table, "Restore it from a backup"),
    ],
)
def test_a_damaged_or_foreign_file_is_a_clear_error(home: Home, spoil: object, found: str) -> None:
    """Neither reading, writing nor the check of `recsys doctor` ends with a traceback or changes the file."""
    watch(home, ANNA, "artist", "a", DAY)
    assert callable(spoil)
    spoil(State(home).path)
    before = State(home).path.read_bytes()

    with pytest.raises(SetupError, match=found):
        watched(home, ANNA)
    with pytest.raises(SetupError, match=found):
        watch(home, ANNA, "artist", "b", DAY)
    (check,) = [check for check in run_checks(home) if check.name == "dashboards' state"]
    assert not check.is_ok
    assert found in check.fix
    assert State(home).path.read_bytes() == before


def test_damaged_thresholds_are_a_clear_error(home: Home) -> None:
    """A value that is not JSON, or has an unknown key, does not stop the program."""
    watch(home, ANNA, "artist", "a", DAY)
    for wrong in ("{", '{"loudness": 1}', '{"change_percent": -1}'):
        with sqlite3.connect(State(home).path) as connection:
            connection.execute("update owners set thresholds = ?", (wrong,))
        with pytest.raises(SetupError):
            thresholds(home, ANNA)


def test_a_home_that_is_read_only_can_be_read(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was set is shown; a change says what to do. Tests may run as root, whom no mode keeps from writing."""
    watch(home, ANNA, "artist", "a", DAY)
    connect = sqlite3.connect
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    monkeypatch.setattr(sqlite3, "connect", lambda name, **options: connect(name.replace("=rw", "=ro"), **options))

    assert [item.id for item in watched(home, ANNA)] == ["a"]
    with pytest.raises(SetupError, match=r"readonly database.*Make it readable and writable"):
        watch(home, ANNA, "artist", "b", DAY)


def test_writers_wait_for_one_another(home: Home) -> None:
    """Four programs that begin at the same time, in a home without a file, lose no row."""
    script = f"""
import sys
from datetime import date
from pathlib import Path
from typing import Any
from recsys.home import Home
from recsys.state.store import Owner
from recsys.state.watchlist import watch
for n in range(15):
    watch(Home(Path({str(home.path)!r})), Owner("sub:1", "lb_1"), "artist", f"{{sys.argv[1]}}-{{n}}", date(2026, 6, 30))
"""
    programs = [subprocess.Popen([sys.executable, "-c", script, str(n)], cwd=ROOT) for n in range(4)]

    assert [program.wait() for program in programs] == [0] * 4
    assert sorted(item.id for item in watched(home, ANNA)) == sorted(f"{p}-{n}" for p in range(4) for n in range(15))


def test_a_file_that_is_being_made_is_not_taken_for_a_strange_one(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program makes the tables while this one looks at the header: both values are of one moment."""
    State(home).path.touch()
    connect: Any = sqlite3.connect
    attempts: list[str] = []

    def make_tables(statement: str) -> None:
        if "user_version" in statement and not attempts:
            attempts.append(statement)
            other = connect(State(home).path, timeout=0, isolation_level=None)
            with closing(other), suppress(sqlite3.OperationalError):  # it has to wait, and here it does not
                other.execute("begin immediate")
                other.execute("create table strange (a)")
                other.execute("pragma user_version = 1")
                other.execute("commit")

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(make_tables)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)

    assert watched(home, ANNA) == []
    assert len(attempts) == 1


def test_a_failed_change_leaves_nothing(home: Home) -> None:
    """A transaction is complete or undone."""
    watch(home, ANNA, "artist", "a", DAY)

    def fail() -> None:
        with State(home).writing() as connection:
            connection.execute("delete from watched")
            raise InputError

    with pytest.raises(InputError):
        fail()

    assert [item.id for item in watched(home, ANNA)] == ["a"]


def test_a_backup_is_complete(home: Home, tmp_path: Path) -> None:
    """It can take the place of the file; nothing is overwritten."""
    with pytest.raises(InputError, match="does not exist yet"):
        State(home).backup(tmp_path / "copy.sqlite")
    watch(home, ANNA, "artist", "a", DAY)

    State(home).backup(tmp_path / "copy.sqlite")

    with pytest.raises(InputError, match="Choose another file"):
        State(home).backup(tmp_path / "copy.sqlite")
    State(home).path.unlink()
    shutil.copyfile(tmp_path / "copy.sqlite", State(home).path)
    assert [item.id for item in watched(home, ANNA)] == ["a"]


def test_actions_are_logged_with_their_outcome(home: Home) -> None:
    """Who, what and when, also if it failed; the newest first."""
    begun = datetime(2026, 7, 1, 8, tzinfo=UTC)
    with logged(home, Actor("ops@example.org", "sub:9"), "review accepted", "f1", begun):
        pass
    with pytest.raises(ValueError, match="no"), logged(home, Actor("cron"), "rollback", "x" * 2_000, begun):
        raise InputError("no")

    failed, done = actions(home)

    assert (done.done_at, done.actor, done.action, done.subject, done.outcome) == (
        begun,
        Actor("ops@example.org", "sub:9"),
        "review accepted",
        "f1",
        "done",
    )
    assert (failed.outcome, len(failed.subject)) == ("InputError", 1_000)


def test_an_account_is_removed(home: Home) -> None:
    """By its address or its provider's id, with all labels; others stay, and the log keeps what was done."""
    moved, bea = replace(ANNA, label_id="lb_2"), replace(ANNA, account="sub:2", name="bea", address="bea@two.example")
    for owner in (ANNA, moved, bea):
        watch(home, owner, "artist", "a", DAY)
        save(home, owner, View("v", "artist", {}))
        record(home, owner, [Alert("e", "match", DAY, DAY, "found", "matches", {})], "shown", DAY)
    for actor in (Actor("anna@one.example", "sub:1"), Actor("Anna@One.example"), Actor("bea", "sub:2")):
        with logged(home, actor, "rollback", "r", datetime(2026, 7, 1, tzinfo=UTC)):
            pass

    counts = forget(home, " ANNA@one.example")

    assert counts == {"watched": 2, "views": 2, "alerts": 2, "practice_takes": 0, "actions": 2}
    assert [owner for owner, _, _ in owners(home)] == [bea]
    assert [action.actor.name for action in actions(home)] == ["bea", "removed account", "removed account"]
    assert b"anna@one" not in State(home).path.read_bytes().lower()
    assert forget(home, "sub:2")["watched"] == 1
    assert forget(home, "nobody@x.example") == dict.fromkeys(counts, 0)
