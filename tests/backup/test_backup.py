"""Backups of a home: what is restored is what was there, whatever happened meanwhile, without erased listeners."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from recsys import files
from recsys.backup.create import DELIVERIES, Backup, back_up, plan
from recsys.backup.manifest import Manifest, StoredFile, StoredFolder, StoredLink, decode
from recsys.backup.restore import restore, verify
from recsys.backup.store import BackupStore
from recsys.cli import main
from recsys.erasure.erase import erase, listeners
from recsys.errors import HomeIsBusy, InputError, SetupError
from recsys.home import Home, locked
from recsys.ingest.pseudonym import listener_key, pseudonym
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline.run import Run
from recsys.state.actions import COMMAND_LINE, Actor, actions, logged
from recsys.state.store import State

MOMENT = datetime(2026, 7, 1, 4, tzinfo=UTC)
LISTENS = "user_id,track_id,listened_at\nanna,t1,2026-06-01T10:00:00Z\nben,t1,2026-06-02T10:00:00Z\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with two listeners, a recipe, a link and a set of deliveries."""
    home, delivered = Home(tmp_path / "home"), tmp_path / "listens.csv"
    delivered.write_text(LISTENS)
    with locked(home):
        ingest(home, [delivered], today=date(2026, 7, 1))
    (home.path / "recipe.toml").write_text('recommender = "als"\n')
    (home.path / "releases" / "first").mkdir(parents=True)
    home.current.symlink_to("releases/first")
    home.inbox.mkdir()
    (home.inbox / "listens.csv").write_text(LISTENS)
    return home


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The folder of backups, which does not exist yet."""
    return tmp_path / "backups"


def saved(home: Home, target: Path, hour: int = 0, **options: bool | int) -> Backup:
    """Back up some hours after the first moment."""
    return back_up(home, target, made_at=MOMENT + timedelta(hours=hour), **options)  # type: ignore[arg-type]


def tree(folder: Path, *left_out: str) -> dict[str, object]:
    """Return every entry below a folder by its path: bytes and permissions, target of the link, or a folder."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if name.parts[0] not in {".lock", "listener.key", *DELIVERIES, *left_out}:
            content: object = os.readlink(path) if path.is_symlink() else None  # noqa: PTH115 - as it is written
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns
            found[str(name)] = content
    return found


def test_a_restored_home_is_the_home_byte_for_byte(
    finished: Run, copy_of: Callable[[Home], Home], target: Path, tmp_path: Path
) -> None:
    """A home after a nightly run, without deliveries and key: bytes, permissions, times and links."""
    home = copy_of(finished.home)
    with logged(home, Actor(COMMAND_LINE), "rollback", "to a release", MOMENT):
        pass
    saved(home, target)
    restored = Home(tmp_path / "restored")

    done = restore(restored, target, key_file=home.key_file)

    assert tree(restored.path, "state.sqlite") == tree(home.path, "state.sqlite")
    assert done.n_files == sum(
        content is not None and not isinstance(content, str) for content in tree(home.path).values()
    )
    assert actions(restored) == actions(home) != []
    assert restored.key_file.read_bytes() == home.key_file.read_bytes()
    assert Lake(restored).verify() == Lake(home).verify() > 0
    assert restored.published_warehouse().is_relative_to(restored.path)


def test_a_second_backup_copies_only_what_is_new(home: Home, target: Path) -> None:
    """An equal content is copied once, also under another name; an unchanged file is not read."""
    first = saved(home, target)
    (home.path / "notify.toml").write_text("new")
    (home.path / "copy.toml").write_bytes((home.path / "recipe.toml").read_bytes())
    planned = [path.name for path in plan(home, target).changed]

    second = saved(home, target, hour=1)

    assert first.n_copied == len({content for content in tree(home.path).values() if isinstance(content, tuple)}) - 2
    assert planned == ["copy.toml", "notify.toml"]
    assert (second.n_copied, second.n_copied_bytes) == (1, 3)
    assert second.n_files == first.n_files + 2


def test_key_and_deliveries_are_left_out_unless_the_key_is_asked_for(home: Home, target: Path, tmp_path: Path) -> None:
    """A backup says what it lacks; with the key, the restored home has it with its permissions."""
    assert saved(home, target).left_out == {"inbox": 1, "listener.key": 1}
    assert not restore(Home(tmp_path / "without"), target).has_key

    assert saved(home, target, hour=1, with_key=True).left_out == {"inbox": 1}
    assert restore(Home(tmp_path / "with"), target).has_key
    assert (tmp_path / "with" / "listener.key").stat().st_mode & 0o777 == 0o600


def test_a_flipped_bit_is_found_and_repaired(home: Home, target: Path, tmp_path: Path) -> None:
    """Neither a rehearsal nor a restore takes the file, and nothing is left; --verify copies it anew from the home."""
    saved(home, target)
    damaged = BackupStore(target).path_of(files.sha256_of(home.path / "recipe.toml"))
    flip(damaged)

    with pytest.raises(SetupError, match=r"recipe.toml, is damaged"):
        verify(target)
    with pytest.raises(SetupError, match=r"recipe.toml, is damaged"):
        restore(Home(tmp_path / "restored"), target)
    assert list(tmp_path.glob("*restored*")) == []

    repaired = saved(home, target, hour=1, verify=True)
    assert (repaired.n_copied, repaired.incomplete) == (1, [])
    verify(target)


def test_a_damaged_manifest_and_a_lost_content_are_named(home: Home, target: Path) -> None:
    """What the home has no more cannot be repaired, and its snapshot is named."""
    first = saved(home, target)
    BackupStore(target).path_of(files.sha256_of(home.path / "recipe.toml")).unlink()
    (home.path / "recipe.toml").write_text("other\n")
    assert saved(home, target, hour=1, verify=True).incomplete == [first.name]
    with pytest.raises(SetupError, match=r"lacks the content of recipe.toml"):
        verify(target, first.name)

    flip(target / "snapshots" / f"{first.name}.json")
    with pytest.raises(SetupError, match="its checksum differs"):
        verify(target, first.name)


def flip(path: Path) -> None:
    """Flip one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_file_of_the_lake_does_not_enter_a_backup(home: Home, target: Path) -> None:
    """It is compared with the batch log when it is read."""
    flip(next(home.lake.glob("listens/*/*.parquet")))

    with pytest.raises(SetupError, match="its checksum differs from the batch log"):
        saved(home, target)

    assert BackupStore(target).snapshots() == []


KILLED = """
import os, shutil, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from recsys.backup.create import back_up
from recsys.home import Home

def half(source, copy):
    copy.write_bytes(source.read_bytes()[:3])
    os.kill(os.getpid(), signal.SIGKILL)

shutil.copyfile = half
back_up(Home(Path(sys.argv[1])), Path(sys.argv[2]), made_at=datetime(2026, 7, 2, tzinfo=UTC))
"""


def test_a_killed_backup_leaves_the_former_one_whole(home: Home, target: Path, tmp_path: Path) -> None:
    """The next one removes what it left."""
    first, before = saved(home, target), tree(home.path)
    (home.path / "notify.toml").write_text("a longer text")

    killed = subprocess.run([sys.executable, "-c", KILLED, home.path, target], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert len(list(target.glob("objects/*/.*"))) == 1
    assert BackupStore(target).snapshots() == [first.name]
    restore(Home(tmp_path / "restored"), target)
    assert tree(tmp_path / "restored") == before
    saved(home, target, hour=1)
    assert list(target.glob("objects/*/.*")) == []


def test_a_full_disk_is_a_plain_error(
    home: Home, target: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is written if the space cannot suffice, by a backup or by a restore."""
    saved(home, target)
    (home.path / "notify.toml").write_text("a longer text")
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil's
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(100, 95, 5))

    with pytest.raises(SetupError, match=r"needs 13 bytes, its disk has 5 free"):
        saved(home, target, hour=1)
    with pytest.raises(SetupError, match=r"its disk has 5 free. Free space"):
        restore(Home(tmp_path / "restored"), target)

    assert not (tmp_path / "restored").exists()


def test_old_backups_are_pruned_with_what_only_they_have(home: Home, target: Path) -> None:
    """The newest are kept whole."""
    for hour in range(4):
        (home.path / "recipe.toml").write_text(f"# {hour}\n")
        saved(home, target, hour=hour, keep=2)

    store = BackupStore(target)
    assert len(store.snapshots()) == 2
    assert store.incomplete() == []
    contents = {path.read_bytes() for path in target.glob("objects/*/*")}
    assert {f"# {hour}\n".encode() in contents for hour in (0, 1)} == {False}
    assert {f"# {hour}\n".encode() in contents for hour in (2, 3)} == {True}


def test_an_erased_listener_does_not_come_back(home: Home, target: Path, tmp_path: Path) -> None:
    """Restoring a snapshot from before the erasure erases again, which needs the key; nothing appears without it."""
    key = listener_key(home.key_file)
    before = saved(home, target)
    anna, ben = (pseudonym(name, key) for name in ("anna", "ben"))
    with locked(home):
        erase(home, "anna")
    saved(home, target, hour=1)
    restored = Home(tmp_path / "restored")

    with pytest.raises(SetupError, match=r"were erased after this snapshot.*--key FILE"):
        restore(restored, target, before.name)
    assert not restored.path.exists()
    done = restore(restored, target, before.name, key_file=home.key_file)

    assert done.erased_again
    assert listeners(restored) == [ben]
    assert not any(anna.encode() in path.read_bytes() for path in restored.path.rglob("*.parquet"))


def test_an_erasure_after_the_last_backup_is_replayed_from_a_newer_list(
    home: Home, target: Path, tmp_path: Path
) -> None:
    """The old home's erased.txt is named by --erased."""
    saved(home, target, with_key=True)
    with locked(home):
        erase(home, "anna")

    done = restore(Home(tmp_path / "restored"), target, erased_file=home.path / "erased.txt")

    assert done.erased_again
    assert listeners(Home(tmp_path / "restored")) == [pseudonym("ben", listener_key(home.key_file))]


def test_another_key_is_refused(home: Home, target: Path, tmp_path: Path) -> None:
    """Under another key every account would become a new listener."""
    saved(home, target)
    other = tmp_path / "other.key"
    other.write_bytes(bytes(32))
    other.chmod(0o600)

    with pytest.raises(SetupError, match="is not the key of this home"):
        restore(Home(tmp_path / "restored"), target, key_file=other)


def test_what_is_in_the_way_is_refused(home: Home, target: Path, tmp_path: Path) -> None:
    """A home that is not empty, folders that are no backups or no homes, and a backup of another home."""
    saved(home, target)
    with pytest.raises(InputError, match="exists and is not empty"):
        restore(home, target)
    with pytest.raises(InputError, match="is not a folder of backups"):
        restore(Home(tmp_path / "restored"), home.path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a folder of backups"):
        saved(home, tmp_path / "full")
    with pytest.raises(InputError, match="contain one another"):
        saved(home, tmp_path)
    with pytest.raises(InputError, match="contain one another"):
        saved(home, home.path / "backups")
    with pytest.raises(InputError, match="is no home"):
        saved(Home(tmp_path / "nothing"), target)
    assert not (tmp_path / "nothing").exists()
    other = Home(tmp_path / "other")
    with locked(other):
        ingest(other, [tmp_path / "listens.csv"], today=date(2026, 7, 1))
    with pytest.raises(InputError, match="backups of another home"):
        saved(other, target)


def test_a_home_in_use_is_not_backed_up(home: Home, target: Path) -> None:
    """A nightly run holds the lock of the home; another backup holds that of the folder."""
    saved(home, target)
    with locked(home), pytest.raises(HomeIsBusy):
        saved(home, target, hour=1)
    with BackupStore(target).locked(), pytest.raises(HomeIsBusy, match="in use by another backup"):
        saved(home, target, hour=1)


def test_what_people_set_is_copied_while_they_set_it(home: Home, target: Path, tmp_path: Path) -> None:
    """A transaction that is not finished is not in the backup, and does not stop it."""
    with logged(home, Actor(COMMAND_LINE), "first", "", MOMENT):
        pass
    with closing(sqlite3.connect(home.path / "state.sqlite", isolation_level=None)) as writing:
        writing.execute("begin immediate")
        writing.execute("update actions set action = 'second'")
        saved(home, target)
        writing.execute("commit")

    restore(Home(tmp_path / "restored"), target)

    assert [action.action for action in actions(Home(tmp_path / "restored"))] == ["first"]


def test_what_people_set_during_a_backup_is_in_the_next_one(
    home: Home, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change right after the state was copied is not taken for known."""
    with logged(home, Actor(COMMAND_LINE), "first", "", MOMENT):
        pass
    copy_of = State.backup

    def copy_then_change(state: State, copy: Path) -> None:
        copy_of(state, copy)
        with logged(home, Actor(COMMAND_LINE), "second", "", MOMENT):
            pass

    with monkeypatch.context() as patched:
        patched.setattr(State, "backup", copy_then_change)
        saved(home, target)
    saved(home, target, hour=1)

    restore(Home(tmp_path / "restored"), target)

    assert sorted(action.action for action in actions(Home(tmp_path / "restored"))) == ["first", "second"]


def test_a_clock_that_went_back_is_named(home: Home, target: Path) -> None:
    """Otherwise --keep 1 would remove the backup that was just made."""
    first = saved(home, target, hour=1, keep=1)

    with pytest.raises(SetupError, match="Correct the clock"):
        saved(home, target, hour=0, keep=1)
    assert BackupStore(target).snapshots() == [first.name]


def test_a_link_that_leads_out_of_the_home_is_refused(home: Home, target: Path) -> None:
    """A backup of the link alone would lack what it points to."""
    (home.path / "tunes").symlink_to("/usr")

    with pytest.raises(SetupError, match="leads out of the home"):
        saved(home, target)


def hostile() -> Iterator[Manifest]:
    """Yield manifests that would write outside of the home, or over something else."""
    file = StoredFile("a", "0" * 64, 1, 0, 0, 0o600)
    empty = Manifest("2026-07-01T00:00:00+00:00", "1", "", 0o755, (), (), ())
    for path in ("../a", "/a", "a/../../b", "", ".", "a/./b", "a//b", "a\0b", ".."):
        yield replace(empty, files=(replace(file, path=path),))
        yield replace(empty, folders=(StoredFolder(path, 0, 0o755),))
        yield replace(empty, links=(StoredLink(path, "b"),))
    for link in ("/etc", "..", "../..", "b/../../..", "b/../c", "", "\0"):
        yield replace(empty, links=(StoredLink("a", link),))
    yield replace(empty, links=(StoredLink("d/a", "../../b"),))
    yield replace(empty, files=(replace(file, path="a/b"),), links=(StoredLink("a", "c"),))
    yield replace(empty, files=(file, file))
    yield replace(empty, files=(replace(file, sha256="../../../etc/passwd"),))
    yield replace(empty, files=(replace(file, mode=0o4755),))


def test_a_hostile_manifest_is_refused() -> None:
    """Whoever can write to the backup must not be able to write outside of the restored home."""
    for manifest in hostile():
        with pytest.raises(SetupError, match=r"is refused|is not the manifest"):
            decode(manifest.encoded(), Path("snapshot.json"))
    for content in (b"", b"{}", b"[]", b"\xff", b"[" * 100_000, json.dumps({"files": 1}).encode()):
        with pytest.raises(SetupError, match="is not the manifest"):
            decode(content, Path("snapshot.json"))


def test_the_commands_say_what_they_did(home: Home, target: Path, tmp_path: Path) -> None:
    """A dry run lists and writes nothing; a restore says what is still to do."""

    def recsys(home: Path, *words: str) -> str:
        done = CliRunner().invoke(main, ["--home", str(home), *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    planned = recsys(home.path, "backup", str(target), "--dry-run")
    assert "recipe.toml" in planned
    assert "Left out: inbox (1 file), listener.key (1 file)" in planned
    assert not target.exists()
    made = recsys(home.path, "backup", str(target))
    (name,) = BackupStore(target).snapshots()
    assert f"Snapshot {name}: " in made
    assert name in recsys(home.path, "restore", str(target), "--list")
    assert f"Snapshot {name} can be restored" in recsys(home.path, "restore", str(target), "--dry-run")
    restored = recsys(tmp_path / "restored", "restore", str(target))
    assert "all checksums agree" in restored
    assert "Put your copy of listener.key at" in restored
