"""
The folders of a home, and the lock by which only one process at a time writes to it.

A home is the folder with all data of one installation:

    <home>/lake        raw tables as Parquet, the batch log, the quarantine
    <home>/inbox       new source files, for the nightly run to ingest
    <home>/uploads     files in which the nightly run looks for recordings of the catalogue
    <home>/upload_prints   fingerprints of these files
    <home>/tunes       tunes in notes; a file named after the key of a work is the tune of the work
    <home>/runs        one folder per run: its log, its finished steps, the decision of the gate
    <home>/warehouse, marts, models, exports      results, by run
    <home>/current ->  releases/<run>             the published release; publishing swaps this link
    <home>/notices     notices about conflicts of rights, and the log of them (see `recsys.rights.notices`)
    <home>/trainings   which recordings each training of a model had, and with which consent
    <home>/lists       lists of other recommenders, by name and last day of the listening that they were made from
    <home>/compose     a melody model trained on one's own music, and what one likes of suggestions
    <home>/tags        learned tags by kind: model card, doubted labels, the tags as they entered the lake
    <home>/version.json                           version of the form of all this (see `recsys.migration`)
    <home>/migrations      what migrations from older versions changed, as it was before
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsys import __version__, files
from recsys.errors import HomeIsBusy, SetupError

VERSION = 1  # of the form of a home that this program writes; `recsys.migration` has a step from each older one


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
    def upload_prints(self) -> Path:
        """Fingerprints of the uploads, which are searched again for recordings that come later."""
        return self.path / "upload_prints"

    @property
    def tunes(self) -> Path:
        """Tunes in notes, with which tunes are compared."""
        return self.path / "tunes"

    @property
    def compose(self) -> Path:
        """A melody model trained on one's own music, and what one likes of suggestions."""
        return self.path / "compose"

    @property
    def music_folders(self) -> Path:
        """JSON file: the music folders that were scanned."""
        return self.path / "music.json"

    @property
    def mappings(self) -> Path:
        """JSON file: the mappings of columns for files in a form of one's own."""
        return self.path / "mappings.json"

    @property
    def calibration(self) -> Path:
        """JSON file: thresholds of matching that were set on strangers of one's own."""
        return self.path / "calibration.json"

    @property
    def lists(self) -> Path:
        """One folder per name of imported lists of another recommender."""
        return self.path / "lists"

    @property
    def tags(self) -> Path:
        """One folder per kind of learned tags: model card, doubted labels and the tags that entered the lake."""
        return self.path / "tags"

    @property
    def trainings(self) -> Path:
        """One file per training of tags, clusters or an encoder: its recordings and their consent at that time."""
        return self.path / "trainings"

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

    @property
    def version_file(self) -> Path:
        """JSON file: the version of the home's form, and of the program that wrote it."""
        return self.path / "version.json"

    @property
    def version(self) -> int:
        """The version of the home's form: 0 if it was written before homes had one, VERSION if it has no data yet."""
        if not self.version_file.exists():
            return 0 if (self.lake / "_ledger").exists() else VERSION
        with files.reading(self.version_file, "Restore it from a backup of the home"):
            return int(files.read_json(self.version_file)["version"])

    def write_version(self, version: int) -> None:
        """Note that the home has the form of a version."""
        files.write_json(self.version_file, {"version": version, "program": __version__})

    def refuse_newer(self) -> None:
        """Raise SetupError if a newer version of the program has written the home."""
        if self.version > VERSION:
            program = files.read_json(self.version_file).get("program", "unknown")
            raise SetupError(
                f"{self.path} has version {self.version} of the form of a home, this program (recsys {__version__}) "
                f"knows versions up to {VERSION}. Install recsys {program} or newer, which wrote it; or restore a "
                "backup of the home from before that"
            )

    def published_warehouse(self) -> Path:
        """Return the real path of the published warehouse; raises SetupError if there is none yet."""
        self.refuse_newer()
        if not self.warehouse.exists():
            raise SetupError(
                f"{self.path} has no published warehouse yet. Create one: recsys ingest FILES, then recsys build "
                "(or recsys nightly for everything)"
            )
        return self.warehouse.resolve()


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """
    Hold the lock of the home in a `with` block; a new home gets its version.

    Raises:
        HomeIsBusy: Another process holds the lock.
        SetupError: A newer version of the program has written the home.
    """
    home.refuse_newer()
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
        if not home.version_file.exists() and home.version == VERSION:
            home.write_version(VERSION)
        yield
