"""
Feedback on its way to the inbox: events are appended to a hidden file, which becomes a file of the inbox every minute.

Listeners are pseudonyms already, each with its seal (`ingest.pseudonym.sealed`), by which ingest knows them. An answer
is sent when the events are on disk. Each service has a hidden file of its own, which it keeps locked; one that a killed
process left is taken over by the next, without a line that it had not finished. The nightly run reads whole files only,
in the format `service_feedback`, and removes those that the lake has.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import msgspec

from recsys import files
from recsys.errors import SetupError
from recsys.home import Home
from recsys.ingest.formats.service_feedback import PREFIX
from recsys.ingest.pseudonym import listener_key, sealed
from recsys.serve.messages import Shown

ROTATE_S = 60.0
_OPEN, _PARTIAL = f".{PREFIX}", ".partial"


class NotKept(SetupError):  # noqa: N818 - reads as the sentence it prints
    """Feedback could not be written; none of it was."""


class QuotaFull(NotKept):
    """The feedback that waits in the inbox has reached its quota."""


@dataclass
class _OpenFile:
    """A hidden file, open and locked for as long as events are appended to it."""

    path: Path
    handle: int
    since: float


@dataclass
class FeedbackInbox:
    """
    The feedback of one service.

    Attributes:
        folder: The inbox.
        quota_bytes: Maximum size of all feedback that waits in it.
        clock: Seconds from any start on.
        key: The home's key of listeners.
    """

    folder: Path
    quota_bytes: int
    clock: Callable[[], float]
    key: bytes
    _lock: Lock = field(default_factory=Lock)
    _file: _OpenFile | None = None
    _n_bytes: int = 0
    _counted_at: float = 0.0

    @classmethod
    def of(cls, home: Home, quota_bytes: int, clock: Callable[[], float]) -> "FeedbackInbox":
        """Return the inbox of a home, after closing the files that killed processes left."""
        made = cls(home.inbox, quota_bytes, clock, listener_key(home.key_file))
        made.count()
        return made

    def append(self, events: Sequence[tuple[str, Shown]]) -> None:
        """
        Append events, each with the pseudonym of its listener, and flush them to disk.

        Raises:
            QuotaFull: They would exceed the quota.
            NotKept: They could not be written; the file is as it was before.
        """
        lines = b"".join(_line(sealed(listener, self.key), event) for listener, event in events)
        with self._lock:
            if self._n_bytes + len(lines) > self.quota_bytes:
                raise QuotaFull("The inbox has as much feedback as it may. Send it again after the next nightly run")
            try:
                self._file = self._file or self._opened()
                _write(self._file.handle, lines)
            except OSError as error:
                raise NotKept("The feedback could not be written to disk. Send it again later") from error
            self._n_bytes += len(lines)

    def rotate(self) -> None:
        """Make the open file one of the inbox if it is old enough, and count anew what waits."""
        now = self.clock()
        if self._file is not None and now - self._file.since >= ROTATE_S:
            self.close()
        if now - self._counted_at >= ROTATE_S:
            self.count()

    def close(self) -> None:
        """Make the open file one of the inbox."""
        with self._lock:
            if self._file is not None:
                self._hand_over(self._file.path, self._file.handle)
                os.close(self._file.handle)
                self._file = None

    def count(self) -> None:
        """Count the bytes of all feedback that waits, and take over the files of services that were killed."""
        with self._lock:
            self._counted_at = self.clock()
            for path in sorted(self.folder.glob(f"{_OPEN}*{_PARTIAL}")):
                with _locked(path) as handle:
                    if handle is not None:
                        self._hand_over(path, handle)
            waiting = [*self.folder.glob(f"{PREFIX}*"), *self.folder.glob(f"{_OPEN}*")]
            self._n_bytes = sum(_size(path) for path in waiting)

    def _opened(self) -> _OpenFile:
        """Open and lock a new file; another service may take an empty one for abandoned before it is locked."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{_OPEN}{secrets.token_hex(8)}{_PARTIAL}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink == 0:
            os.close(handle)
            return self._opened()
        files.sync(self.folder)
        return _OpenFile(path, handle, self.clock())

    def _hand_over(self, path: Path, handle: int) -> None:
        """Make a hidden file one of the inbox, without an unfinished last line; the caller has it locked."""
        whole = path.read_bytes()
        whole = whole[: whole.rfind(b"\n") + 1]
        os.ftruncate(handle, len(whole))
        if whole:
            path.rename(self.folder / f"{PREFIX}{files.sha256_of(path)[:24]}.jsonl")
            files.sync(self.folder)
        else:
            path.unlink()


def _write(handle: int, lines: bytes) -> None:
    """Append lines and flush them; whatever fails leaves the file as it was."""
    start, rest = os.fstat(handle).st_size, memoryview(lines)
    try:
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, start)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """Open and lock a hidden file; yields None if a service has it, or has handed it over."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield None
    else:
        yield handle if path.exists() else None
    finally:
        os.close(handle)


def _size(path: Path) -> int:
    """Return the size of a file, 0 if it has gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _line(listener: str, event: Shown) -> bytes:
    """Return an event as a line of JSON, with the sealed pseudonym instead of the account."""
    values = {name: value for name, value in msgspec.structs.asdict(event).items() if name != "listener_id"}
    return msgspec.json.encode({"pseudonym": listener, **values}) + b"\n"
