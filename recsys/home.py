"""
Where everything lies: the folders of one home, and the lock that lets one run work in it.

    <home>/lake        raw tables as Parquet, the ledger of batches, the quarantine
    <home>/inbox       where the nightly run looks for new files
    <home>/uploads     where it looks for files that may use recordings of the catalogue
    <home>/runs        one folder a run: its log, its finished steps, its verdict
    <home>/warehouse, marts, models, exports      what runs made, by run
    <home>/current ->  releases/<run>             the one link that a publication swaps
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import HomeIsBusy, SetupError


@dataclass(frozen=True)
class Home:
    """The folders of one home."""

    path: Path

    @property
    def lake(self) -> Path:
        """Raw tables."""
        return self.path / "lake"

    @property
    def inbox(self) -> Path:
        """Files that wait for the nightly run."""
        return self.path / "inbox"

    @property
    def uploads(self) -> Path:
        """Files in which recordings of the catalogue are looked for."""
        return self.path / "uploads"

    @property
    def music_folders(self) -> Path:
        """A list of the folders of music that were scanned."""
        return self.path / "music.json"

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.path / "runs"

    @property
    def key_file(self) -> Path:
        """The secret that listener ids are hashed with."""
        return self.path / "listener.key"

    @property
    def current(self) -> Path:
        """The published release: a link to `releases/<run>`."""
        return self.path / "current"

    @property
    def warehouse(self) -> Path:
        """The published warehouse (a chain of links; open its real path)."""
        return self.path / "warehouse" / "current.duckdb"

    def published_warehouse(self) -> Path:
        """Return the real path of the published warehouse, or say how to get one."""
        if not self.warehouse.exists():
            raise SetupError(
                f"{self.path} has no published warehouse yet. Bring files in and build one: "
                "recsys ingest FILES, then recsys build (or recsys nightly for everything)"
            )
        return self.warehouse.resolve()


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Hold the home for one run; a second one is told who holds it."""
    home.path.mkdir(parents=True, exist_ok=True)
    with (home.path / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            lock.seek(0)
            raise HomeIsBusy(
                f"{home.path} is held by another run (process {lock.read().strip() or 'unknown'}). "
                "Wait for it to end, or stop it, then try again"
            ) from busy
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
