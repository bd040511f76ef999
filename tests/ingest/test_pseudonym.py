"""Accounts, e-mail and IP addresses are never stored; only the owner can read the key."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import SetupError
from recsys.ingest.pseudonym import fingerprint, listener_key, make_listener_key, pseudonym, pseudonymise, redacted
from recsys.lake.store import Lake

from .conftest import LISTENS, Inbox

KEYS = st.binary(min_size=32, max_size=32)


def bytes_of_home(folder: Path) -> bytes:
    """Return every byte of the files below a folder, and the cells of its Parquet files as text."""
    plain = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    tables = [pl.read_parquet(path, hive_partitioning=False) for path in folder.rglob("*.parquet")]
    return plain + "".join(str(row) for table in tables for row in table.rows()).encode()


def test_no_account_is_stored_in_clear_text(inbox: Inbox) -> None:
    """Neither in the lake, quarantine nor batch log, from accepted, refused, conflicting or malformed rows."""
    inbox.take(
        "listens.csv",
        "user_id,track_id,listened_at,ms_played,ip_address,e_mail\n"
        "account-ann,t1,2026-01-01,1000,10.1.2.3,ann@example.org\n"
        "account-ann,t1,2026-01-01,2000,10.1.2.3,ann@example.org\n"
        "account-bob,t1,never,1000,10.1.2.3,bob@example.org\n"
        "account-cyd,t1,2026-01-01\n",
    )
    inbox.take(
        "events.jsonl", '{"user_id": "account-dan", "track_id": "t1", "event_at": "2026-01-01", "event": "hug"}\n'
    )
    inbox.take("users.csv", "user_id,age_band,e_mail\naccount-eve,100+,eve@example.org\n")
    inbox.take("lists.csv", "playlist_id,position,track_id,user_id\np1,1,t1,account-fay\np1,x,t1,account-fay\n")
    everything = bytes_of_home(inbox.home.path)

    assert inbox.rows("listens").height == 1
    assert [reason for reason, *_ in inbox.refused()].count("conflicting_row") == 1
    assert b"t1" in everything
    assert b"account-" not in everything
    assert b"example.org" not in everything
    assert b"10.1.2.3" not in everything


def test_columns_outside_the_contract_are_dropped(inbox: Inbox) -> None:
    """Other columns of a file are dropped."""
    inbox.take("listens.csv", "user_id,track_id,listened_at,user_agent\nann,t1,2026-01-01,Mozilla/5.0\n")

    assert "user_agent" not in inbox.rows("listens").columns
    assert b"Mozilla" not in bytes_of_home(inbox.home.path)


def test_addresses_in_refused_rows_are_replaced(inbox: Inbox) -> None:
    """Addresses in the payload of a refused row are replaced; other text is kept."""
    inbox.take("l.csv", LISTENS + "ann,call ann@example.org,1.2.3.4,2001:db8::8:800:1,fe80:0:0:0:1:2:3:4,10:30:00,\n")
    (payload,) = inbox.payloads()

    assert payload is not None
    assert payload.count("[removed]") == 4
    assert "call [removed]" in payload
    assert "10:30:00" in payload


def test_addresses_in_personal_text_are_replaced(inbox: Inbox) -> None:
    """Listeners write the titles of playlists, but not the titles of tracks."""
    inbox.take("p.csv", "playlist_id,position,track_id,title\np1,1,t1,for bob@example.org\n")
    inbox.take("t.csv", "track_id,title,artist_id\nt1,127.0.0.1,ar1\n")

    assert inbox.rows("playlists")["title"].to_list() == ["for [removed]"]
    assert inbox.rows("tracks")["title"].to_list() == ["127.0.0.1"]


@pytest.mark.parametrize("text", ["2099-01-01T10:30:00+02:00", "12:30", "1.2.3", "a@b", "Foo: Bar", "R&B: 4:44"])
def test_times_and_titles_are_not_addresses(text: str) -> None:
    """Text that only resembles an address is kept."""
    assert pl.select(redacted(pl.lit(text))).item() == text


@given(st.text(min_size=1), st.text(min_size=1), KEYS, KEYS)
def test_a_pseudonym_is_stable_under_a_key_and_differs_between(one: str, other: str, key: bytes, key_2: bytes) -> None:
    """It has 16 characters, is unique per account, the same within a home and different between homes."""
    name = pseudonym(one, key)

    assert name == pseudonym(one, key)
    assert len(name) == 16
    assert (name == pseudonym(other, key)) == (one == other)
    assert (name == pseudonym(one, key_2)) == (key == key_2)


@given(st.lists(st.none() | st.text("ab c\t", max_size=4), min_size=1), KEYS)
def test_a_column_of_accounts_is_hashed_one_by_one(accounts: list[str | None], key: bytes) -> None:
    """Each account gets its own pseudonym; surrounding blanks are ignored, and a blank account is null."""
    raw = pl.DataFrame({"user_id": accounts, "track_id": "t1"}, schema_overrides={"user_id": pl.String})

    expected = [pseudonym(account.strip(), key) if account and account.strip() else None for account in accounts]
    assert pseudonymise(raw, key)["user_id"].to_list() == expected
    assert pseudonymise(raw, key)["track_id"].to_list() == ["t1"] * len(accounts)


def test_a_table_without_listeners_stays_as_it_is() -> None:
    """A table without user_id is returned unchanged."""
    raw = pl.DataFrame({"track_id": ["t1"]})

    assert pseudonymise(raw, b"k" * 32).equals(raw)


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """It has mode 0600 and 32 bytes, never changes, and differs between homes."""
    path, other = tmp_path / "home" / "listener.key", tmp_path / "other" / "listener.key"
    for key_path in (path, other, path):
        make_listener_key(key_path)
    key = listener_key(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(key) == 32
    assert listener_key(other) != key
    assert [left.name for left in path.parent.iterdir()] == ["listener.key"]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The message gives the command that fixes it."""
    path = tmp_path / "listener.key"
    make_listener_key(path)
    path.chmod(0o644)

    with pytest.raises(SetupError, match=r"mode 644, expected 600\)\. Run: chmod 600"):
        listener_key(path)


def test_a_lost_key_is_not_replaced_silently(inbox: Inbox) -> None:
    """Once the lake has listeners, a missing key stops the ingest; the message says what a new key means."""
    inbox.take("first.csv", "user_id,track_id,listened_at\nann,t1,2026-01-01T10:00:00Z\n")
    inbox.home.key_file.unlink()

    with pytest.raises(SetupError, match="every account becomes a new listener"):
        inbox.take("second.csv", "user_id,track_id,listened_at\nann,t2,2026-01-01T10:00:00Z\n")

    assert not inbox.home.key_file.exists()


def test_a_foreign_key_is_refused_until_the_operator_accepts_it(inbox: Inbox) -> None:
    """The lake keeps the fingerprint of its key; without it, the next ingest takes the key that it finds."""
    row = "user_id,track_id,listened_at\nann,t1,2026-01-0{}T10:00:00Z\n"
    inbox.take("first.csv", row.format(1))
    inbox.home.key_file.write_bytes(b"k" * 32)

    with pytest.raises(SetupError, match=r"is not the key of this home: its fingerprint is [a-z2-7]{16}, expected "):
        inbox.take("second.csv", row.format(2))
    n_before = inbox.rows("listens").height
    inbox.home.key_fingerprint.unlink()
    inbox.take("second.csv", row.format(2))

    assert (n_before, inbox.rows("listens")["user_id"].n_unique()) == (1, 2)


def test_a_home_without_listeners_may_get_another_key(inbox: Inbox) -> None:
    """No listener was hashed with the first key, so the second is kept."""
    inbox.take("tracks.csv", "track_id,title,artist_id\nt1,One,a1\n")
    inbox.home.key_file.write_bytes(b"k" * 32)
    inbox.take("first.csv", "user_id,track_id,listened_at\nann,t1,2026-01-01T10:00:00Z\n")

    assert inbox.home.key_fingerprint.read_text() == f"{fingerprint(b'k' * 32)}\n"
    assert inbox.rows("listens")["user_id"].to_list() == [pseudonym("ann", b"k" * 32)]


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_truncated_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """With an empty key, anybody could compute the pseudonym of an account."""
    path = tmp_path / "listener.key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(SetupError, match=f"has {len(content)} bytes, expected 32"):
        listener_key(path)


def test_the_same_account_is_one_listener_in_every_format(inbox: Inbox) -> None:
    """An account has the same pseudonym in every file, as a number or as text."""
    inbox.take("l.csv", "user_id,track_id,listened_at\n42,t1,2026-01-01\n")
    inbox.take("l.jsonl", '{"user_id": 42, "track_id": "t1", "listened_at": "2026-01-02"}\n')
    pl.DataFrame({"user_id": [42], "track_id": ["t1"], "listened_at": ["2026-01-03"]}).write_parquet(inbox.folder / "p")
    inbox.take("l.parquet", (inbox.folder / "p").read_bytes())

    assert inbox.rows("listens")["user_id"].n_unique() == 1
    assert inbox.rows("listens").height == 3


def test_a_file_named_after_a_listener_is_stored_without_the_address(inbox: Inbox) -> None:
    """Neither batch log nor quarantine has an e-mail or IP address from a file's name, readable or not."""
    inbox.take("history of alice@example.com.csv", "user_id,track_id,listened_at\nann,t1,\n")
    inbox.take("10.0.0.7-export.csv", "")
    stored = [batch.source_file for batch in Lake(inbox.home).batches()]

    assert stored == ["history of [removed]", "[removed]-export.csv"]
    assert {file for _, _, file, _ in inbox.refused()} == set(stored)


def test_an_address_at_the_end_of_a_shortened_text_is_replaced(inbox: Inbox) -> None:
    """Texts are shortened after addresses were replaced; half an address would not be found."""
    title = "x" * 990 + " ann@example.com"
    inbox.take("p.jsonl", json.dumps({"playlist_id": "p1", "position": 0, "track_id": "t1", "title": title}) + "\n")

    (payload,) = inbox.payloads()
    assert payload is not None
    assert "ann@" not in payload
    assert "[removed" in payload
