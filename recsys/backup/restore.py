"""
Restore a home from a snapshot.

The home is written to a hidden folder beside it, and appears complete or not at all. Every file is compared with its
SHA-256 after it was written. Listeners who were erased after the snapshot are erased from the restored home before it
appears; that needs the key of listener ids.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from recsys import files
from recsys.backup.manifest import Manifest, StoredFile
from recsys.backup.store import BackupStore, read_lines, require_space
from recsys.erasure.erase import erase_again
from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.ingest.pseudonym import check_listener_key, listener_key
from recsys.lake.denied import DenyList


@dataclass(frozen=True)
class Restored:
    """
    A restored home.

    Attributes:
        name: The snapshot.
        n_files, n_bytes: What it has [count, bytes].
        has_key: Whether the key of listener ids is in the home.
        erased_again: Whether listeners were erased who had been erased after the snapshot.
    """

    name: str
    n_files: int
    n_bytes: int
    has_key: bool
    erased_again: bool


def chosen(target: Path, name: str | None) -> tuple[str, Manifest]:
    """
    Return a snapshot with its name.

    Args:
        target: The folder of backups.
        name: The snapshot; None for the newest.

    Raises:
        InputError: The folder is none of backups, or there is no such snapshot.
        SetupError: The snapshot is damaged.
    """
    store = BackupStore(target)
    store.require()
    name = name or store.newest()
    if name is None:
        raise InputError(f"{target} has no snapshot yet: the first backup was not finished. Run recsys backup again")
    return name, store.read(name)


def restore(
    home: Home, target: Path, name: str | None = None, *, key_file: Path | None = None, erased_file: Path | None = None
) -> Restored:
    """
    Write the home of a snapshot.

    Args:
        home: Where to; it must not exist, or be empty.
        target: The folder of backups.
        name: The snapshot; None for the newest.
        key_file: The key of listener ids, kept apart from the backup.
        erased_file: The newest `erased.txt`, if listeners were erased after the newest backup.

    Raises:
        InputError: The home is not empty, or there is no such snapshot.
        SetupError: A content is missing or damaged, the disk is full, a newer program has written the home, or the key
            is needed to erase listeners again. Nothing is restored.
    """
    _require_empty(home)
    store = BackupStore(target)
    store.require()
    with store.locked(for_reading=True):
        name, snapshot = chosen(target, name)
        require_space(home.path, snapshot.n_bytes)
        with files.new_folder(home.path) as folder:
            _write(store, snapshot, folder)
            restored = Home(folder)
            restored.refuse_newer()
            if key_file:
                _place_key(restored, key_file)
            erased_again = _erase(restored, [*store.erased(), *(_given(erased_file) if erased_file else ())])
            _set_times(snapshot, folder)
            has_key = restored.key_file.exists()
    home.path.chmod(snapshot.mode)
    return Restored(name, len(snapshot.files), snapshot.n_bytes, has_key, erased_again)


def verify(target: Path, name: str | None = None) -> tuple[str, Manifest]:
    """Read all contents of a snapshot, and raise like `restore` if one is missing or damaged; nothing is written."""
    store = BackupStore(target)
    name, snapshot = chosen(target, name)
    with store.locked(for_reading=True):
        for file in snapshot.files:
            _require(store, file, store.path_of(file.sha256))
    return name, snapshot


def _require_empty(home: Home) -> None:
    if home.path.is_symlink() or (home.path.exists() and (not home.path.is_dir() or any(home.path.iterdir()))):
        raise InputError(
            f"{home.path} exists and is not empty. Restore to a new folder (recsys --home FOLDER restore ...), or move "
            "the old home away first"
        )


def _write(store: BackupStore, snapshot: Manifest, folder: Path) -> None:
    folder.chmod(0o700)
    for entry in snapshot.folders:
        (folder / entry.path).mkdir(parents=True, exist_ok=True)
    for file in snapshot.files:
        path, content = folder / file.path, store.path_of(file.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.is_file():
            shutil.copyfile(content, path)
        _require(store, file, path)
        path.chmod(file.mode)
        os.utime(path, ns=(file.mtime_ns, file.mtime_ns))
    for link in snapshot.links:
        (folder / link.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / link.path).symlink_to(link.target)


def _require(store: BackupStore, file: StoredFile, path: Path) -> None:
    """Raise SetupError if a file is missing or differs from what the snapshot says."""
    if not path.is_file():
        raise SetupError(f"{store.folder} lacks the content of {files.printable(file.path)}. {_REMEDY}")
    if files.sha256_of(path) != file.sha256:
        raise SetupError(
            f"{store.path_of(file.sha256)}, the content of {files.printable(file.path)}, is damaged: its checksum "
            f"differs. {_REMEDY}"
        )


_REMEDY = (
    "Restore another snapshot (recsys restore FOLDER --list); if the old home still exists, recsys backup FOLDER "
    "--verify copies what is damaged anew"
)


def _set_times(snapshot: Manifest, folder: Path) -> None:
    """Give folders their times and permissions, the deepest first, after everything in them was written."""
    for entry in sorted(snapshot.folders, key=lambda entry: entry.path, reverse=True):
        if (path := folder / entry.path).is_dir():
            os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
            path.chmod(entry.mode)


def _given(erased_file: Path) -> list[str]:
    if not erased_file.is_file():
        raise InputError(f"{erased_file} does not exist. Name the newest erased.txt of the old home")
    return read_lines(erased_file)


def _place_key(home: Home, key_file: Path) -> None:
    key = listener_key(key_file)
    check_listener_key(key, home.key_fingerprint, is_new=False)
    home.key_file.unlink(missing_ok=True)
    shutil.copy(key_file, home.key_file)  # with its permissions: readable by its owner only


def _erase(home: Home, later: list[str]) -> bool:
    """Erase the listeners again who were erased after the snapshot; return whether there were any."""
    path = home.path / "erased.txt"
    before = read_lines(path)
    lines = list(dict.fromkeys([*before, *later]))
    if lines != before:
        files.write_text(path, "".join(f"{line}\n" for line in lines))
    denied = DenyList(home)
    if denied.is_applied():
        return False
    if not home.key_file.exists():
        raise SetupError(
            "Listeners were erased after this snapshot was made. To find them, listener.key is "
            "needed, which the snapshot lacks. Name your copy of the key: --key FILE"
        )
    erase_again(home, denied)
    return True
