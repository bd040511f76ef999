"""
Listener ids become keyed hashes before anything else looks at a row.

The key is made once per home and kept in `listener.key` (readable by its owner alone). With it the same account always
becomes the same pseudonym; without it nobody, the operator included, can tell which account a pseudonym is. Losing the
key loses nothing already stored, but ingest stops: under a new key every account would become a new listener. Keep a
copy somewhere safe.
"""

import base64
import hashlib
import os
import secrets
from pathlib import Path
from shlex import quote

import polars as pl

from recsys.errors import SetupError
from recsys.files import write_atomically

_KEY_BYTES = 32
_PSEUDONYM_BYTES = 10  # 80 bits: among 10 million listeners, two collide with a chance of 4 in 10^11
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_IPV4 = r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
_IPV6 = r"\b(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\b|\b(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}\b"
_PERSONAL = f"{_EMAIL}|{_IPV4}|{_IPV6}"


def make_listener_key(path: Path) -> None:
    """Make the key of a new home; an existing one stays."""
    if not path.exists():
        write_atomically(path, _write_key)


def listener_key(path: Path) -> bytes:
    """Return the home's key; SetupError where it is gone, cut short, or others could read it."""
    if not path.exists():
        raise SetupError(
            f"{path} is gone. Put your copy of it back: under a new key every account would become a new listener. "
            f"If that must be, make one: head -c {_KEY_BYTES} /dev/urandom > {quote(str(path))}; "
            f"chmod 600 {quote(str(path))}"
        )
    if path.stat().st_mode & 0o077:
        mode = path.stat().st_mode & 0o777
        raise SetupError(f"{path} can be read by others (mode {mode:o}). Run: chmod 600 {quote(str(path))}")
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise SetupError(f"{path} holds {len(key)} bytes, a key has {_KEY_BYTES}. Put your copy of the key back there")
    return key


def _write_key(path: Path) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(secrets.token_bytes(_KEY_BYTES))


def pseudonym(account: str, key: bytes) -> str:
    """Return the 16-letter pseudonym of one account under a key."""
    digest = hashlib.blake2b(account.encode(), key=key, digest_size=_PSEUDONYM_BYTES).digest()
    return base64.b32encode(digest).decode().lower()


def pseudonymise(raw: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Replace the accounts in `user_id` (String, null stays null) by their pseudonyms, and change nothing else."""
    if "user_id" not in raw.columns:
        return raw
    accounts = raw["user_id"].str.strip_chars().replace("", None)
    names = accounts.drop_nulls().unique().sort()
    hashed = pl.Series([pseudonym(name, key) for name in names], dtype=pl.String)
    return raw.with_columns(accounts.replace_strict(names, hashed, return_dtype=pl.String).alias("user_id"))


def redacted(text: pl.Expr) -> pl.Expr:
    """Blank out e-mail and IP addresses that stand where they should not."""
    return text.str.replace_all(_PERSONAL, "[removed]")
