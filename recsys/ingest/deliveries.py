"""
Which of the given files are deliveries that the lake does not have yet.

A file is identified by its bytes. Of events, the same bytes are ingested once. Of a reference table, the last delivery
wins, so bytes that were delivered before are ingested again if they come under a path that was unknown or had another
content, or if the file is named and the newest file of its table is not. An old version that lies unchanged in a folder
does not return.

A file that was taken back is ingested again when it is named, but not when it is found in a folder. Once a file is
taken back, later files are ingested again if rows of theirs were skipped as repetitions of its rows.
"""

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from recsys.files import sha256_of, short_hash
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Batch


class Status(Enum):
    """Whether a file is to be ingested: NEW is, KNOWN is in the lake, UNDONE was taken back."""

    NEW = "new"
    KNOWN = "known"
    UNDONE = "undone"


def path_id(path: Path) -> str:
    """Return a hash of a file's path, which the batch log has in place of the path."""
    return short_hash(str(path.resolve()))


class Deliveries:
    """The deliveries in the batch log, to compare files with."""

    def __init__(self, log: Iterable[Batch], given: Iterable[str] = ()) -> None:
        """
        Index the batch log.

        Args:
            log: All entries of the batch log, in the order of ingest.
            given: SHA-256 of all files of this ingest.
        """
        self._given = frozenset(given)
        self._of_bytes: defaultdict[str, list[Batch]] = defaultdict(list)
        self._content: dict[str, str] = {}  # id of a path, or a file name of an old entry -> SHA-256
        self._newest: dict[str, Batch] = {}
        self._undone: list[Batch] = []
        self.add(log)

    def add(self, entries: Iterable[Batch]) -> None:
        """Add later entries."""
        for entry in entries:
            if entry.table in CONTRACTS and not entry.replay and not entry.members:
                self._of_bytes[entry.source_sha256].append(entry)
                self._content[entry.source_path or entry.source_file] = entry.source_sha256
                if entry.undone_on:
                    self._undone.append(entry)
                else:
                    self._newest[entry.table] = entry

    def status(self, path: Path, sha256: str, *, is_named: bool) -> Status:
        """
        Return whether a file is to be ingested.

        Args:
            path: The file.
            sha256: Hash of its bytes.
            is_named: Whether the file itself was named, not a folder with it.
        """
        entries = self._of_bytes[sha256]
        live = [entry for entry in entries if not entry.undone_on]
        if not live:
            return Status.UNDONE if entries and not is_named else Status.NEW
        last = [entry for entry in live if entry.delivery == live[-1].delivery]
        has_events = any(CONTRACTS[entry.table].instant for entry in last)
        is_newest = all(self._newest[entry.table] == entry for entry in last)
        if has_events or is_newest:
            is_new = any(self._lacks_rows(entry) for entry in last)
        else:
            is_new = is_named and any(self._newest[entry.table].source_sha256 not in self._given for entry in last)
        if not has_events and self._content.get(path_id(path), self._content.get(path.name)) != sha256:
            is_new = True
        return Status.NEW if is_new else Status.KNOWN

    def number(self, sha256: str) -> int:
        """Return the number that the next delivery of these bytes has, from 1."""
        return 1 + max((entry.delivery for entry in self._of_bytes[sha256]), default=0)

    def batches_of(self, sha256: str) -> list[Batch]:
        """Return the batches of these bytes that are in the lake."""
        return [entry for entry in self._of_bytes[sha256] if not entry.undone_on]

    def _lacks_rows(self, entry: Batch) -> bool:
        """Return whether rows of a batch may have been skipped because of a batch that has been undone since."""
        is_partial = entry.n_duplicate > 0 or entry.n_quarantined > 0
        return is_partial and any(
            undone.table == entry.table and undone.batch_no < entry.batch_no <= undone.undone_no
            for undone in self._undone
        )


def waiting_files(log: list[Batch], paths: Iterable[Path]) -> dict[Path, str]:
    """Return the files that an ingest of a folder's `paths` would take in, and the SHA-256 of each."""
    found = {path: sha256_of(path) for path in paths}
    known = Deliveries(log, found.values())
    return {path: sha256 for path, sha256 in found.items() if known.status(path, sha256, is_named=False) is Status.NEW}


def waiting_sources(log: list[Batch], paths: Iterable[Path]) -> set[str]:
    """Return the ids that `Lake.sources` will have for the files that an ingest of a folder's `paths` would take in."""
    known = Deliveries(log)
    numbers = {sha256: known.number(sha256) for sha256 in waiting_files(log, paths).values()}
    return {sha256 if number == 1 else f"{sha256}:{number}" for sha256, number in numbers.items()}
