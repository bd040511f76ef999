"""Accounts, e-mail and IP addresses stay outside; the key stays its owner's."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import SetupError
from recsys.ingest.pseudonym import listener_key, make_listener_key, pseudonym, pseudonymise, redacted
from recsys.lake.store import Lake

from .conftest import LISTENS, Inbox

KEYS = st.binary(min_size=32, max_size=32)


def bytes_of_home(folder: Path) -> bytes:
    """Every byte below a folder, Parquet also as the text of its cells."""
    plain = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    tables = [pl.read_parquet(path, hive_partitioning=False) for path in folder.rglob("*.parquet")]
    return plain + "".join(str(row) for table in tables for row in table.rows()).encode()


def test_no_account_is_in_the_home_in_clear(inbox: Inbox) -> None:
    """Not in the lake, the quarantine or the ledger; not in accepted, refused, conflicting or unreadable rows."""
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


def test_columns_outside_the_contract_never_enter(inbox: Inbox) -> None:
    """An extra column is left at the door."""
    inbox.take("listens.csv", "user_id,track_id,listened_at,user_agent\nann,t1,2026-01-01,Mozilla/5.0\n")

    assert "user_agent" not in inbox.rows("listens").columns
    assert b"Mozilla" not in bytes_of_home(inbox.home.path)


def test_addresses_in_refused_rows_are_blanked_out(inbox: Inbox) -> None:
    """A value in the wrong column keeps no address, and keeps its shape otherwise."""
    inbox.take("l.csv", LISTENS + "ann,call ann@example.org,1.2.3.4,2001:db8::8:800:1,fe80:0:0:0:1:2:3:4,10:30:00,\n")
    (payload,) = inbox.payloads()

    assert payload is not None
    assert payload.count("[removed]") == 4
    assert "call [removed]" in payload
    assert "10:30:00" in payload


def test_addresses_in_what_listeners_write_are_blanked_out(inbox: Inbox) -> None:
    """The title of a playlist is a listener's own words; the title of a track is not."""
    inbox.take("p.csv", "playlist_id,position,track_id,title\np1,1,t1,for bob@example.org\n")
    inbox.take("t.csv", "track_id,title,artist_id\nt1,127.0.0.1,ar1\n")

    assert inbox.rows("playlists")["title"].to_list() == ["for [removed]"]
    assert inbox.rows("tracks")["title"].to_list() == ["127.0.0.1"]


@pytest.mark.parametrize("text", ["2099-01-01T10:30:00+02:00", "12:30", "1.2.3", "a@b", "Foo: Bar", "R&B: 4:44"])
def test_times_and_titles_are_no_addresses(text: str) -> None:
    """What only resembles an address stays."""
    assert pl.select(redacted(pl.lit(text))).item() == text


@given(st.text(min_size=1), st.text(min_size=1), KEYS, KEYS)
def test_a_pseudonym_is_stable_under_a_key_and_differs_between(one: str, other: str, key: bytes, key_2: bytes) -> None:
    """Sixteen letters that tell accounts apart, the same in every file of one home and in no other home."""
    name = pseudonym(one, key)

    assert name == pseudonym(one, key)
    assert len(name) == 16
    assert (name == pseudonym(other, key)) == (one == other)
    assert (name == pseudonym(one, key_2)) == (key == key_2)


@given(st.lists(st.none() | st.text("ab c\t", max_size=4), min_size=1), KEYS)
def test_a_column_of_accounts_is_hashed_one_by_one(accounts: list[str | None], key: bytes) -> None:
    """The column says what each account says alone; blanks around an account do not count, a blank account is none."""
    raw = pl.DataFrame({"user_id": accounts, "track_id": "t1"}, schema_overrides={"user_id": pl.String})

    expected = [pseudonym(account.strip(), key) if account and account.strip() else None for account in accounts]
    assert pseudonymise(raw, key)["user_id"].to_list() == expected
    assert pseudonymise(raw, key)["track_id"].to_list() == ["t1"] * len(accounts)


def test_a_table_without_listeners_stays_as_it_is() -> None:
    """Nothing to hash, nothing changed."""
    raw = pl.DataFrame({"track_id": ["t1"]})

    assert pseudonymise(raw, b"k" * 32).equals(raw)


def test_the_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    """Mode 0600, 32 bytes, the same ever after, and another one in another home."""
    path, other = tmp_path / "home" / "listener.key", tmp_path / "other" / "listener.key"
    for each in (path, other, path):
        make_listener_key(each)
    key = listener_key(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(key) == 32
    assert listener_key(other) != key
    assert [left.name for left in path.parent.iterdir()] == ["listener.key"]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The message gives the command that mends it."""
    path = tmp_path / "listener.key"
    make_listener_key(path)
    path.chmod(0o644)

    with pytest.raises(SetupError, match=r"mode 644\)\. Run: chmod 600"):
        listener_key(path)


def test_a_lost_key_is_not_replaced_behind_the_operators_back(inbox: Inbox) -> None:
    """Once the lake holds listeners, a missing key stops the ingest and says what losing it means."""
    inbox.take("first.csv", "user_id,track_id,listened_at\nann,t1,2026-01-01T10:00:00Z\n")
    inbox.home.key_file.unlink()

    with pytest.raises(SetupError, match="every account would become a new listener"):
        inbox.take("second.csv", "user_id,track_id,listened_at\nann,t2,2026-01-01T10:00:00Z\n")

    assert not inbox.home.key_file.exists()


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_key_cut_short_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty key would hash accounts so that anybody could look them up."""
    path = tmp_path / "listener.key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(SetupError, match=f"holds {len(content)} bytes"):
        listener_key(path)


def test_the_same_account_is_one_listener_in_every_format(inbox: Inbox) -> None:
    """Whatever file an account comes in, as a number or a text, it is the same listener."""
    inbox.take("l.csv", "user_id,track_id,listened_at\n42,t1,2026-01-01\n")
    inbox.take("l.jsonl", '{"user_id": 42, "track_id": "t1", "listened_at": "2026-01-02"}\n')
    pl.DataFrame({"user_id": [42], "track_id": ["t1"], "listened_at": ["2026-01-03"]}).write_parquet(inbox.folder / "p")
    inbox.take("l.parquet", (inbox.folder / "p").read_bytes())

    assert inbox.rows("listens")["user_id"].n_unique() == 1
    assert inbox.rows("listens").height == 3


def test_a_file_named_after_a_listener_is_stored_without_the_address(inbox: Inbox) -> None:
    """Neither ledger nor quarantine keeps an e-mail or IP address of a file's name, readable or not."""
    inbox.take("history of alice@example.com.csv", "user_id,track_id,listened_at\nann,t1,\n")
    inbox.take("10.0.0.7-export.csv", "")
    stored = [batch.source_file for batch in Lake(inbox.home).batches()]

    assert stored == ["history of [removed]", "[removed]-export.csv"]
    assert {file for _, _, file, _ in inbox.refused()} == set(stored)
