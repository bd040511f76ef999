"""
The deny list: listeners who were erased, so that no later delivery, replay or backup brings them back.

`<home>/erased.txt` has a keyed hash per listener, one per line, in the order of erasure; it names nobody, not even by
pseudonym. `lake/_erased` has the number of lines that were applied to the lake, so that a lake that was restored from
an older backup is noticed.
"""

import hashlib
from collections.abc import Iterable

from recsys import files
from recsys.errors import SetupError
from recsys.home import Home

_HASH_BYTES = 16
_PURPOSE = b"erased"  # a pseudonym's hash for this list differs from every other hash with the same key


class DenyList:
    """The erased listeners of one home."""

    def __init__(self, home: Home) -> None:
        self._path, self._applied = home.path / "erased.txt", home.lake / "_erased"
        self._hashes = self._path.read_text(encoding="utf-8").split() if self._path.exists() else []

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, user_ids: Iterable[str], key: bytes) -> None:
        """Add listeners that are not on the list yet; `key` is the home's listener key."""
        self._hashes = list(dict.fromkeys([*self._hashes, *(_hash(user_id, key) for user_id in user_ids)]))
        files.write_text(self._path, "".join(f"{line}\n" for line in self._hashes))

    def erased(self, user_ids: Iterable[str], key: bytes) -> list[str]:
        """Return those of the listeners that are on the list; `key` is the home's listener key."""
        hashes = set(self._hashes)
        return [user_id for user_id in user_ids if _hash(user_id, key) in hashes] if hashes else []

    def is_applied(self) -> bool:
        """
        Return whether the whole list was applied to the lake.

        Raises:
            SetupError: The lake knows of more erasures than the list has.
        """
        n_applied = int(self._applied.read_text()) if self._applied.exists() else 0
        if n_applied > len(self):
            raise SetupError(
                f"{self._path} has {len(self):,} erased listeners, the lake knows of {n_applied:,}. Restore the newest "
                "copy of this file: without it, erased listeners could come back"
            )
        return n_applied == len(self)

    def mark_applied(self) -> None:
        """Note in the lake that the whole list was applied to it."""
        files.write_text(self._applied, f"{len(self)}\n")


def _hash(user_id: str, key: bytes) -> str:
    return hashlib.blake2b(user_id.encode(), key=key, person=_PURPOSE, digest_size=_HASH_BYTES).hexdigest()
