"""Atomic writes of files, folders and links."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from recsys import files


def test_a_file_is_written_atomically(tmp_path: Path) -> None:
    """A failed write leaves the earlier file unchanged."""
    path = tmp_path / "deep" / "a.txt"
    files.write_text(path, "first")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        files.write_atomically(path, fail)
    assert path.read_text() == "first"
    files.write_text(path, "second")
    assert path.read_text() == "second"
    assert [left.name for left in path.parent.iterdir()] == ["a.txt"]


def test_equal_values_give_equal_bytes(tmp_path: Path) -> None:
    """The order of keys does not matter; non-ASCII text is written unescaped."""
    files.write_json(tmp_path / "a.json", {"b": "é", "a": [1, None]})
    files.write_json(tmp_path / "b.json", {"a": [1, None], "b": "é"})

    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert files.read_json(tmp_path / "a.json") == {"a": [1, None], "b": "é"}
    assert "é" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_a_finished_folder_replaces_an_unfinished_one(tmp_path: Path) -> None:
    """No file of the earlier attempt remains."""
    partial, folder = tmp_path / ".run.partial", tmp_path / "runs" / "run"
    (folder / "old").mkdir(parents=True)
    (partial / "new").mkdir(parents=True)
    files.place_folder(partial, folder)

    assert [path.name for path in folder.iterdir()] == ["new"]
    assert not partial.exists()


def test_a_new_folder_is_created_atomically(tmp_path: Path) -> None:
    """It replaces an earlier folder when the block ends; a failed block leaves only the earlier folder."""
    folder = tmp_path / "deep" / "run"
    with files.new_folder(folder) as partial:
        (partial / "first").touch()
        assert not folder.exists()

    with pytest.raises(FileNotFoundError), files.new_folder(folder) as partial:
        (partial / "half").rename(partial / "nowhere" / "half")
    assert [path.name for path in folder.iterdir()] == ["first"]

    with files.new_folder(folder) as partial:
        (partial / "second").touch()
    assert [path.name for path in folder.iterdir()] == ["second"]
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_what_a_killed_writer_left_does_not_enter_the_next_folder(tmp_path: Path) -> None:
    """The partial folder is hidden, and the next attempt starts with an empty one."""
    script = (
        "import os, signal, sys; from pathlib import Path; from recsys import files\n"
        "with files.new_folder(Path(sys.argv[1])) as partial:\n"
        "    (partial / 'half').touch(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    folder = tmp_path / "run"

    killed = subprocess.run([sys.executable, "-c", script, folder], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [".run.partial"]
    with files.new_folder(folder) as partial:
        (partial / "whole").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["run", "run/whole"]


def test_a_link_is_swapped_in_one_step(tmp_path: Path) -> None:
    """The link may be new, have another target, or have the file of an interrupted swap beside it."""
    link = tmp_path / "current"
    files.swap_link(link, "one")
    assert link.readlink() == Path("one")
    (tmp_path / ".current.swap").symlink_to("half")
    files.swap_link(link, "two")

    assert link.readlink() == Path("two")
    assert [path.name for path in tmp_path.iterdir()] == ["current"]


def test_remove_removes_files_folders_and_links_but_not_their_targets(tmp_path: Path) -> None:
    """A missing path is not an error."""
    (tmp_path / "folder" / "in").mkdir(parents=True)
    (tmp_path / "link").symlink_to("folder")
    files.remove(tmp_path / "link")
    files.remove(tmp_path / "nowhere")
    assert (tmp_path / "folder" / "in").is_dir()
    files.remove(tmp_path / "folder")

    assert list(tmp_path.iterdir()) == []


def test_hashes_name_bytes_and_sequences(tmp_path: Path) -> None:
    """The boundaries between texts change the hash."""
    (tmp_path / "a").write_bytes(b"abc")

    assert files.sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea")
    assert files.short_hash("ab", "c") != files.short_hash("a", "bc")
    assert len(files.short_hash()) == 12


def leave_log(path: Path) -> None:
    """Leave what a writer of a DuckDB file leaves when it is killed: the file and its write-ahead log."""
    log = path.with_name(f"{path.name}.wal")
    with duckdb.connect(path) as killed:
        killed.execute("create table old (n integer)")
        kept = path.read_bytes(), log.read_bytes()
    path.write_bytes(kept[0])
    log.write_bytes(kept[1])


def tables(path: Path) -> list[str]:
    """Return the tables of a DuckDB file."""
    with duckdb.connect(path) as connection:
        return [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]


def test_a_killed_writers_log_does_not_enter_the_next_copy(tmp_path: Path) -> None:
    """The copy equals its source, and no other file remains."""
    source, target = tmp_path / "built", tmp_path / ".night.partial"
    with duckdb.connect(source) as connection:
        connection.execute("create table new (n integer)")
    leave_log(target)
    (tmp_path / ".night.partial.tmp").mkdir()

    files.copy_database(source, target)

    assert tables(target) == ["new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".night.partial", "built"]


def test_a_database_is_removed_with_the_files_beside_it(tmp_path: Path) -> None:
    """The files beside it are removed too; missing files are not an error."""
    leave_log(tmp_path / "w.duckdb")
    (tmp_path / "w.duckdb.tmp").mkdir()

    files.remove_database(tmp_path / "w.duckdb")
    files.remove_database(tmp_path / "w.duckdb")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [b"plain.mp3", "café.mp3".encode(), b"caf\xe9.mp3", b"\xff\x80\xc3", b""])
def test_a_name_that_is_not_utf8_has_a_printable_form(tmp_path: Path, name: bytes) -> None:
    """It is text, leads back to the name, and JSON keeps the name itself."""
    own = os.fsdecode(name)
    files.write_json(tmp_path / "names.json", [own])

    assert files.printable(own) == name.decode(errors="backslashreplace")
    assert files.unescaped(files.printable(own)) == own
    assert files.read_json(tmp_path / "names.json") == [own]
