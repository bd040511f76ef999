"""
Pseudonyms of listeners: keyed hashes that replace account ids in the first step of ingest.

The key is generated once per home and stored in `listener.key`, readable by its owner only. With the key, an account
always gets the same pseudonym; without the key, nobody can compute which account a pseudonym belongs to. If the key is
lost, stored data stays usable, but ingest stops, because with a new key every account would become a new listener. Keep
a backup of the key.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from shlex import quote

import polars as pl

from recsys.errors import SetupError
from recsys.files import write_atomically, write_text
from recsys.lake.denied import DenyList
from recsys.lake.field import MAX_CHARS

_TOO_LONG = "-" * (MAX_CHARS + 1)
_KEY_BYTES = 32
_PSEUDONYM_BYTES = 10  # 80 bits: among 10 million listeners, the probability of a collision is 4e-11
_PSEUDONYM_CHARS = _PSEUDONYM_BYTES * 8 // 5
_MAX_KNOWN = 1_000_000  # accounts with their pseudonyms in memory
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_IPV4 = r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
_IPV6 = r"\b(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\b|\b(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}\b"
_PERSONAL = f"{_EMAIL}|{_IPV4}|{_IPV6}"


def make_listener_key(path: Path) -> None:
    """Generate the key of a new home; an existing key is kept."""
    if not path.exists():
        write_atomically(path, _write_key)


def listener_key(path: Path) -> bytes:
    """Return the home's key; raises SetupError if the key is missing, of the wrong length, or readable by others."""
    if not path.exists():
        raise SetupError(
            f"{path} is missing. Restore it from your backup: under a new key every account becomes a new listener. "
            f"To accept that, make a new key: head -c {_KEY_BYTES} /dev/urandom > {quote(str(path))}; "
            f"chmod 600 {quote(str(path))}; rm -f {quote(str(path.parent / 'lake' / '_listener_key'))}"
        )
    if path.stat().st_mode & 0o077:
        mode = path.stat().st_mode & 0o777
        raise SetupError(
            f"{path} can be read by other users (mode {mode:o}, expected 600). Run: chmod 600 {quote(str(path))}"
        )
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise SetupError(f"{path} has {len(key)} bytes, expected {_KEY_BYTES}. Restore the key from your backup")
    return key


def check_listener_key(key: bytes, fingerprint_file: Path, *, is_new: bool) -> None:
    """
    Compare the key with the fingerprint of the key that the home's listeners were hashed with.

    Args:
        key: The key.
        fingerprint_file: The file with the fingerprint. If the home has none yet, it is written.
        is_new: Whether the home has no listeners yet, so that any key is right.

    Raises:
        SetupError: The key is another one.
    """
    found = fingerprint(key)
    if is_new or not fingerprint_file.exists():
        if not fingerprint_file.exists() or fingerprint_file.read_text().strip() != found:
            write_text(fingerprint_file, f"{found}\n")
    elif (expected := fingerprint_file.read_text(errors="replace").strip()) != found:
        raise SetupError(
            f"listener.key is not the key of this home: its fingerprint is {found}, expected {expected}. Under another "
            "key every account becomes a new listener. Restore the key from your backup; to accept another key, remove "
            f"{quote(str(fingerprint_file))}"
        )


def fingerprint(key: bytes) -> str:
    """Return a short text that identifies a key and does not reveal it."""
    return pseudonym("fingerprint of this key", key)


def _write_key(path: Path) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(secrets.token_bytes(_KEY_BYTES))


def pseudonym(account: str, key: bytes) -> str:
    """Return the pseudonym of an account: 16 lower-case letters and digits, the same for the same account and key."""
    return pseudonyms([account], key)[0]


def pseudonyms(accounts: Iterable[str], key: bytes) -> list[str]:
    """Return the pseudonym of each account."""
    keyed, digests = hashlib.blake2b(key=key, digest_size=_PSEUDONYM_BYTES), []
    for account in accounts:
        account_hash = keyed.copy()
        account_hash.update(account.encode())
        digests.append(account_hash.digest())
    letters = base64.b32encode(b"".join(digests)).decode().lower()  # 10 bytes are exactly 16 letters
    return [letters[start : start + _PSEUDONYM_CHARS] for start in range(0, len(letters), _PSEUDONYM_CHARS)]


def sealed(listener: str, key: bytes) -> str:
    """Return a pseudonym with a seal that only who has the key can make: `<pseudonym>.<seal>`."""
    seal = hashlib.blake2b(listener.encode(), key=key, digest_size=_PSEUDONYM_BYTES, person=b"recsys seal").digest()
    return f"{listener}.{base64.b32encode(seal).decode().lower()}"


def unsealed(raw: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Return the rows whose `user_id` is a pseudonym with the seal of this key, without the seals."""
    names = raw["user_id"].drop_nulls().unique()
    known = {name: listener for name in names if sealed(listener := name.partition(".")[0], key) == name}
    kept = raw.filter(pl.col("user_id").is_in(pl.Series(list(known), dtype=pl.String).implode()))
    return kept.with_columns(pl.col("user_id").replace_strict(known, return_dtype=pl.String))


def pseudonymise(raw: pl.DataFrame, key: bytes, known: dict[str, str] | None = None) -> pl.DataFrame:
    """
    Replace the account ids in the column `user_id` (String; null stays null), if it exists, by pseudonyms.

    An account that is too long for the contract becomes another text that is too long.

    Args:
        raw: The rows.
        key: The listener key.
        known: Account -> pseudonym, of rows before; those of these rows are added, so that no account is hashed for
            each slice of a file. At most `_MAX_KNOWN` are kept.
    """
    if "user_id" not in raw.columns:
        return raw
    given = raw["user_id"].str.strip_chars().replace("", None)
    accounts = given.set((given.str.len_chars() > MAX_CHARS).fill_null(value=False), None)
    names = accounts.drop_nulls().unique()
    hashed = pl.Series(_looked_up(names.to_list(), key, {} if known is None else known), dtype=pl.String)
    user_ids = accounts.replace_strict(names, hashed, return_dtype=pl.String)
    return raw.with_columns(user_ids.set(accounts.is_null() & given.is_not_null(), _TOO_LONG).alias("user_id"))


def _looked_up(accounts: list[str], key: bytes, known: dict[str, str]) -> list[str]:
    if len(known) + len(accounts) > _MAX_KNOWN:
        known.clear()
    new = [account for account in accounts if account not in known]
    known.update(zip(new, pseudonyms(new, key), strict=True))
    return [known[account] for account in accounts]


def without_erased(raw: pl.DataFrame, denied: DenyList, key: bytes) -> pl.DataFrame:
    """Leave out the rows of erased listeners, by the pseudonyms in the column `user_id`, if it exists."""
    if "user_id" not in raw.columns or not len(denied):
        return raw
    erased = denied.erased(raw["user_id"].drop_nulls().unique(), key)
    return raw.filter(~pl.col("user_id").is_in(erased).fill_null(value=False))


def redacted(text: pl.Expr) -> pl.Expr:
    """Replace e-mail and IP addresses in a text by '[removed]'."""
    return text.str.replace_all(_PERSONAL, "[removed]")
