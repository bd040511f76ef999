"""The current release and the keys, looked at again every second, so that a service need not be started anew."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

from recsys.errors import RecsysError
from recsys.home import Home
from recsys.serve.keys import LOCAL, Consumer, Keys
from recsys.serve.open_release import OpenRelease, open_release, version_of
from recsys.serve.problems import place_of

STALE = "The newest release cannot be opened; the service's log says why"
RETRY_S = 300.0  # longest pause before a release that could not be opened is tried again


class _Failed(NamedTuple):
    """A version that could not be opened, the pause after that, and when it is tried again."""

    version: str
    pause_s: float
    again_at: float


@dataclass
class Current:
    """
    What the service answers from.

    Attributes:
        home: The home.
        release: The open release; replaced as a whole, so that a request that holds one keeps it.
        keys: The keys.
        needs_key: Whether every request needs a key. Once it does, it does until the service ends, also without keys.
        problem: Why the newest release is not the open one; None if it is.
        clock: Seconds from any start on.
    """

    home: Home
    release: OpenRelease
    keys: Keys
    needs_key: bool
    problem: str | None = None
    clock: Callable[[], float] = monotonic
    _failed: "_Failed | None" = None

    @classmethod
    def of(cls, home: Home, *, is_loopback: bool) -> "Current":
        """
        Open the current release of a home.

        Args:
            home: The home.
            is_loopback: Whether only this machine can reach the service.

        Raises:
            SetupError: There is no release with lists, or a file is damaged.
        """
        keys = Keys.read(home)
        return cls(home, open_release(home, *version_of(home)), keys, bool(keys.consumers) or not is_loopback)

    def refresh(self) -> list[str]:
        """
        Read the keys again, and open the release if it is another or was changed; keep the last one if that fails.

        Whatever fails is tried again, a release after a pause that doubles up to RETRY_S; nothing is raised.

        Returns:
            What was done or what failed, for the log.
        """
        return [*self._read_keys(), *self._open_newest()]

    def _read_keys(self) -> Iterator[str]:
        try:
            self.keys = Keys.read(self.home)
            self.needs_key = self.needs_key or bool(self.keys.consumers)
        except Exception as error:  # noqa: BLE001 - nobody is let in by keys that cannot be read
            self.keys, self.needs_key = Keys(()), True
            yield f"keys: {_text(error)}"

    def _open_newest(self) -> Iterator[str]:
        try:
            name, version = version_of(self.home)
            if version == self.release.version:
                self.problem, self._failed = None, None
                return
            if self._failed is not None and self._failed.version == version and self.clock() < self._failed.again_at:
                return
        except Exception as error:  # noqa: BLE001 - the open release answers; the next second tells
            yield from self._fail("", error)
            return
        try:
            opened = open_release(self.home, name, version)
            opened.warm_like(self.release)
            self.release, self.problem = opened, None
        except Exception as error:  # noqa: BLE001 - as above
            yield from self._fail(version, error)
        else:
            self._failed = None
            yield f"release: {name} is open"

    def _fail(self, version: str, error: Exception) -> Iterator[str]:
        """Note that a version cannot be opened; it is logged once, and tried again after twice the last pause."""
        last, self.problem = self._failed, STALE
        is_same = last is not None and last.version == version
        pause_s = min(2 * last.pause_s, RETRY_S) if last is not None and is_same else 1.0
        self._failed = _Failed(version, pause_s, self.clock() + pause_s)
        if not is_same:
            yield f"release: {_text(error)}"

    def consumer(self, authorization: str | None) -> Consumer | None:
        """Return who asks, by the header Authorization; None if the header names nobody."""
        if not self.needs_key:
            return LOCAL
        scheme, _, key = (authorization or "").partition(" ")
        return self.keys.find(key.strip()) if scheme.lower() == "bearer" else None


def _text(error: Exception) -> str:
    """Return what an error says; of one that is not ours, which may quote data, its type and place."""
    return str(error) if isinstance(error, RecsysError) else place_of(error)
