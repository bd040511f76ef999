"""
The folders of a home, and the lock by which only one process at a time writes to it.

A home is the folder with all data of one installation:

    <home>/lake        raw tables as Parquet, the batch log, the quarantine
    <home>/inbox       new source files, for the nightly run to ingest
    <home>/uploads     files in which the nightly run looks for recordings of the catalogue
    <home>/runs        one folder per run: its log, its finished steps, the decision of the gate
    <home>/warehouse, marts, models, exports      results, by run
    <home>/current ->  releases/<run>             the published release; publishing swaps this link
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
    """The paths of a home; files and folders may not exist yet."""

    path: Path

    @property
    def lake(self) -> Path:
        """The lake: raw tables."""
        return self.path / "lake"

    @property
    def inbox(self) -> Path:
        """Source files that the next nightly run ingests."""
        return self.path / "inbox"

    @property
    def uploads(self) -> Path:
        """Files that the nightly run searches for recordings of the catalogue."""
        return self.path / "uploads"

    @property
    def music_folders(self) -> Path:
        """JSON file: the music folders that were scanned."""
        return self.path / "music.json"

    @property
    def mappings(self) -> Path:
        """JSON file: the mappings of columns for files in a form of one's own."""
        return self.path / "mappings.json"

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.path / "runs"

    @property
    def key_file(self) -> Path:
        """The secret key that listener ids are hashed with."""
        return self.path / "listener.key"

    @property
    def key_fingerprint(self) -> Path:
        """The fingerprint of this key."""
        return self.lake / "_listener_key"

    @property
    def current(self) -> Path:
        """The published release: a link to `releases/<run>`."""
        return self.path / "current"

    @property
    def warehouse(self) -> Path:
        """The published warehouse: a symbolic link; to open the file, use `published_warehouse`."""
        return self.path / "warehouse" / "current.duckdb"

    def published_warehouse(self) -> Path:
        """Return the real path of the published warehouse; raises SetupError if there is none yet."""
        if not self.warehouse.exists():
            raise SetupError(
                f"{self.path} has no published warehouse yet. Create one: recsys ingest FILES, then recsys build "
                "(or recsys nightly for everything)"
            )
        return self.warehouse.resolve()


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Hold the lock of the home in a `with` block; raises HomeIsBusy if another process holds it."""
    home.path.mkdir(parents=True, exist_ok=True)
    with (home.path / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            lock.seek(0)
            raise HomeIsBusy(
                f"{home.path} is locked by another run (process {lock.read().strip() or 'unknown'}). "
                "Wait for it to end, or stop it, then try again"
            ) from busy
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
