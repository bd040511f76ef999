"""
Erase a listener from every store of a home.

The deny list gets an entry first, and the lake is marked last; between them, every file that names the listener is
replaced by a copy without these rows. So an erasure that was interrupted, or undone by restoring a backup of the lake,
is done again (`erase_again`) before the next command that writes. Figures of many listeners stay: closed lines of the
ledger of labels, metrics, and what models have learned from all listeners together until they are fitted again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.erasure.lake_rows import erase_rows
from recsys.erasure.replace import replace
from recsys.erasure.stores import LAKE, STORES, Store
from recsys.errors import SetupError
from recsys.home import Home
from recsys.ingest.copies import delete_copies
from recsys.ingest.pseudonym import listener_key, pseudonym
from recsys.lake.denied import DenyList
from recsys.lake.store import Lake
from recsys.pipeline import export
from recsys.releases import registry


@dataclass(frozen=True)
class Erased:
    """
    What an erasure removed from one store.

    Attributes:
        store: Name of the store.
        n_files: Files that named the listener before.
        n_rows: Rows that named the listener before.
        n_left: Rows that name the listener afterwards: 0.
    """

    store: str
    n_files: int
    n_rows: int
    n_left: int


def erase(home: Home, listener: str, archive: Path | None = None) -> list[Erased]:
    """
    Erase a listener, and keep every later delivery, replay and backup from bringing them back.

    Args:
        home: The home; the caller must hold its lock.
        listener: The account's id as delivered, or its pseudonym.
        archive: The folder with copies of ingested files (`recsys.ingest.copies`): those with the listener are deleted.

    Returns:
        What was removed, by store; stores in which nothing was found included.
    """
    key = listener_key(home.key_file)
    user_ids = ids_of(listener, key)
    denied = DenyList(home)
    denied.add(user_ids, key)
    found = _remove(home, user_ids, archive)
    denied.mark_applied()
    return found


def erase_again(home: Home, denied: DenyList) -> None:
    """Erase all listeners of the deny list from a home that was restored from a backup."""
    _remove(home, denied.erased(listeners(home), listener_key(home.key_file)), None)
    denied.mark_applied()


def held(home: Home, listener: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """
    Return everything that is held about a listener: store -> file -> rows.

    Args:
        home: The home.
        listener: The account's id as delivered, or its pseudonym.
    """
    user_ids = ids_of(listener, listener_key(home.key_file))
    return {store.name: _rows(home, store, user_ids) for store in STORES}


def ids_of(listener: str, key: bytes) -> list[str]:
    """Return the ids under which a listener may be stored: the given one, and its pseudonym."""
    return [listener, pseudonym(listener.strip(), key)]


def listeners(home: Home) -> list[str]:
    """Return all listeners in all stores, sorted."""
    return sorted(
        {user_id for store in STORES for path in store.paths(home) for user_id in store.reader.listeners(path)}
    )


def _remove(home: Home, user_ids: Sequence[str], archive: Path | None) -> list[Erased]:
    Lake(home).recover()
    before = {store.name: _rows(home, store, user_ids) for store in STORES}
    intact = [name for name in registry.release_names(home) if registry.damaged_file(home, name) is None]
    sources: set[str] = set()
    for store in STORES:
        paths = [home.path / name for name in before[store.name]]
        if store is LAKE:
            sources = erase_rows(Lake(home), paths, user_ids)
        else:
            for path in paths:
                _replace(home, store, path, user_ids)
    for name in intact if any(before.values()) else ():
        registry.note_checksums(home, name)
    for folder in {path.parent for path in home.path.glob(f"exports/ds=*/run=*/{export.MANIFEST}")}:
        if any(name.startswith(str(folder.relative_to(home.path))) for rows in before.values() for name in rows):
            export.describe_again(folder)
    erased = [_erased(home, store, before[store.name], user_ids) for store in STORES]
    if left := [found.store for found in erased if found.n_left]:
        raise SetupError(f"The listener is still named in: {', '.join(left)}. Run the command again")
    n_copies = delete_copies(archive, sources) if archive else 0
    return [*erased, Erased("copies of ingested files", n_copies, n_copies, 0)]


def _replace(home: Home, store: Store, path: Path, user_ids: Sequence[str]) -> None:
    replace(home, path, lambda beside: store.reader.copy_without(path, beside, user_ids))


def _erased(home: Home, store: Store, before: dict[str, list[dict[str, Any]]], user_ids: Sequence[str]) -> Erased:
    n_rows = sum(len(rows) for rows in before.values())
    n_left = sum(len(rows) for rows in _rows(home, store, user_ids).values())
    return Erased(store.name, len(before), n_rows, n_left)


def _rows(home: Home, store: Store, user_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a store that name a listener, by path below the home; only files that have any."""
    found = ((path, store.reader.rows(path, user_ids)) for path in store.paths(home))
    return {str(path.relative_to(home.path)): rows for path, rows in found if rows}
