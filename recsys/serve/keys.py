"""
The keys of the programs that use the service, and what each of them may do.

`<home>/service_keys.json`, readable by its owner only, has the SHA-256 of each key; the key itself is printed once,
when it is made. A key is 32 random bytes, so that a plain hash cannot be guessed. Without any key, the service answers
programs on its own machine only (`LOCAL`).
"""

import fcntl
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import msgspec
import polars as pl

from recsys import files
from recsys.errors import InputError, SetupError, UnknownIds
from recsys.home import Home
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

Scope = Literal["lists", "feedback", "metric", "operations", "label"]
SCOPES: tuple[str, ...] = get_args(Scope)
PREFIX = "rsk_"  # so that a key is recognised where it was left by mistake
_KEY_BYTES = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class Consumer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A program that uses the service.

    Attributes:
        name: Its name, which the log and the metrics show.
        scopes: lists (read lists, search, explain), feedback (post events), metric (read the metrics of the release),
            operations (read the service's own counts) or label (read what the label's file has, and nothing else).
        sha256: SHA-256 of its key, in hex; empty for programs on this machine where there are no keys.
        label_id: The label whose file it may read; None unless it has the scope label.
    """

    name: str
    scopes: tuple[Scope, ...]
    sha256: str = ""
    label_id: str | None = None


LOCAL = Consumer("local", ("lists", "feedback", "metric", "operations"))


@dataclass(frozen=True)
class Keys:
    """The consumers of a home, by no order that matters."""

    consumers: tuple[Consumer, ...]

    @classmethod
    def read(cls, home: Home) -> "Keys":
        """
        Read the keys of a home; there are none if it has no file of keys.

        Raises:
            SetupError: The file is damaged, or other users can read it.
        """
        path = keys_file(home)
        if not path.exists():
            return cls(())
        if path.stat().st_mode & 0o077:
            raise SetupError(f"{path} can be read by other users, expected mode 600. Run: chmod 600 {path}")
        with files.reading(path, "Restore it from a backup of the home, or remove it and make new keys"):
            return cls(msgspec.json.decode(path.read_bytes(), type=tuple[Consumer, ...]))

    def table(self) -> pl.DataFrame:
        """Return name, scopes and label of each consumer."""
        rows = [(one.name, ", ".join(one.scopes), one.label_id) for one in self.consumers]
        return pl.DataFrame(rows, {"name": pl.String, "scopes": pl.String, "label": pl.String}, orient="row")

    def find(self, key: str) -> Consumer | None:
        """Return whose key this is, None if nobody's; the time it takes does not depend on the key."""
        given, found = _hash(key), None
        for consumer in self.consumers:
            if hmac.compare_digest(given, consumer.sha256):
                found = consumer
        return found


def keys_file(home: Home) -> Path:
    """Return the path of the file of keys, which may not exist."""
    return home.path / "service_keys.json"


def add_key(home: Home, name: str, scopes: Iterable[str], label_id: str | None = None) -> str:
    """
    Make a key for a consumer.

    Args:
        home: The home.
        name: Name of the consumer: at most 40 lower-case letters, digits, - and _.
        scopes: What it may do, at least one.
        label_id: With the scope label, and only with it: the label.

    Returns:
        The key, which is kept nowhere.

    Raises:
        InputError: The name is invalid or taken, or the scopes do not fit together.
    """
    chosen = tuple(sorted(set(scopes)))
    if not _NAME.fullmatch(name):
        raise InputError(f"The name is {name!r}, expected at most 40 lower-case letters, digits, - and _")
    if not chosen or ("label" in chosen) != (label_id is not None) or ("label" in chosen and len(chosen) > 1):
        raise InputError(
            f"The scopes are {', '.join(chosen) or 'none'}, with {'a' if label_id else 'no'} label; expected one or "
            "more of lists, feedback and operations, or label alone with --label ID"
        )
    key = PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    added = Consumer(name, msgspec.convert(chosen, tuple[Scope, ...]), _hash(key), label_id)
    with _changing(home) as keys:
        if any(consumer.name == name for consumer in (*keys.consumers, LOCAL)):
            raise InputError(f"There is a key for {name!r} already. Remove it first: recsys serve-key remove {name}")
        _write(home, (*keys.consumers, added))
    return key


def remove_key(home: Home, name: str) -> None:
    """Remove the key of a consumer; raises UnknownIds if there is none."""
    with _changing(home) as keys:
        known = [consumer.name for consumer in keys.consumers]
        if name not in known:
            raise UnknownIds.of("key", [name], known, str(keys_file(home)))
        _write(home, tuple(consumer for consumer in keys.consumers if consumer.name != name))


def refuse_unknown_label(home: Home, label_id: str) -> None:
    """Raise UnknownIds unless the published warehouse has the label; SetupError if there is none yet."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        known = warehouse.query(internal_sql("labels"))["label_id"].to_list()
    if label_id not in known:
        raise UnknownIds.of("label", [label_id], known, "the published warehouse")


@contextmanager
def _changing(home: Home) -> Iterator[Keys]:
    """Hold the lock of the keys, which no nightly run holds, so that a key can be removed at any time; yield them."""
    with (home.path / ".service_keys.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Keys.read(home)


def _write(home: Home, consumers: tuple[Consumer, ...]) -> None:
    with files.new_files([keys_file(home)]) as (beside,):
        beside.touch(mode=0o600)
        beside.write_bytes(msgspec.json.encode(consumers))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
