"""Recognising the table of a file, and files that cannot be read."""

import gzip
import os
from pathlib import Path

import pytest

from recsys.errors import InputError, UnreadableSource
from recsys.ingest.run import ingest, source_files
from recsys.ingest.source import format_names
from recsys.lake.store import Lake

from .conftest import LISTENS, TODAY, Inbox, zstd

ROW = "ann,t1,2026-01-01T10:00:00Z,1000,,,\n"
LONG = "".join(f"ann,t{n},2026-01-01T10:00:00Z,{n * 7919 % 100_003 + 1},,,\n" for n in range(50_000))


def left_behind(inbox: Inbox) -> list[str]:
    """Return the names of the files in the lake, without the fingerprint of the listener key."""
    fingerprint = inbox.home.key_fingerprint
    return sorted(path.name for path in inbox.home.lake.rglob("*") if path.is_file() and path != fingerprint)


UNREADABLE = {
    "empty": (b"", "is empty: it has no lines"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00,", "none of the known formats"),
    "utf-16": ("user_id,track_id\n".encode("utf-16"), "no table has these. Name the table with --as"),
    "one column": (b"user_id\nann\n", "none of the known formats"),
    "foreign columns": (b"a,b\n1,2\n", "no table has these. If it has no header line, add one"),
    "listens with another time": (b"user_id,track_id,played_at\nann,t1,2026-01-01\n", "no table has these"),
    "listens that name titles": (b"user_id,track_id,title,artist_id,at\nann,t1,x,ar1,1\n", "no table has these"),
    "users and nothing else": (b"user_id,shoe_size\nann,44\n", "no table has these"),
    "gzip cut short": (gzip.compress((LISTENS + ROW).encode())[:-20], "get the file again"),
    "long gzip cut short": (gzip.compress((LISTENS + LONG).encode())[:-20], "get the file again"),
    "gzip with a wrong byte": (
        b"%b\xff%b" % ((g := gzip.compress((LISTENS + LONG).encode()))[:99999], g[100000:]),
        "again",
    ),
    "gzip and rubbish": (gzip.compress((LISTENS + ROW).encode()) + b"rubbish", "get the file again"),
    "zstd cut short": (zstd(LISTENS + ROW)[:-5], "get the file again"),
    "long zstd cut short": (zstd(LISTENS + LONG)[:-5], "get the file again"),
    "zstd and rubbish": (zstd(LISTENS + ROW) + b"rubbish", "get the file again"),
}


@pytest.mark.parametrize(("content", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_nothing_of_an_unreadable_source_is_ingested(inbox: Inbox, content: bytes, message: str) -> None:
    """The message names the file and says what to do; only the attempt is recorded, and no row is ingested."""
    reported = inbox.complaint("bad.file", content)
    (entry,) = Lake(inbox.home).batches()

    assert message in reported
    assert "bad.file" in reported
    assert (entry.table, entry.n_read, entry.n_accepted, entry.n_quarantined) == ("unknown", 1, 0, 1)
    assert left_behind(inbox) == sorted([f"{entry.batch}.json", f"{entry.batch}.parquet"])
    assert inbox.refused() == [("unreadable_file", None, "bad.file", 1)]


def test_an_unreadable_file_does_not_stop_the_others(inbox: Inbox) -> None:
    """Each attempt reports it again, but it is recorded once."""
    inbox.put("a.csv", LISTENS + ROW)
    inbox.put("b.csv", "a,b\n1,2\n")
    inbox.put("c.csv", LISTENS + ROW.replace("t1", "t2"))
    first, again = (ingest(inbox.home, [inbox.folder], today=TODAY) for _ in range(2))

    assert [path.name for path, _ in first.unreadable + again.unreadable] == ["b.csv", "b.csv"]
    assert [path.name for path in again.known_files] == ["a.csv", "c.csv"]
    assert inbox.rows("listens")["track_id"].to_list() == ["t1", "t2"]
    assert [batch.batch_no for batch in Lake(inbox.home).batches()] == [1, 2, 3]


def test_an_unreadable_file_is_ingested_once_it_can_be_read(inbox: Inbox) -> None:
    """After the file is replaced, or its table is named; the record of the failed attempt stays."""
    inbox.complaint("t.csv", "")
    inbox.take("t.csv", LISTENS + ROW)
    inbox.complaint("u.csv", "track_id,title\nt1,One\n")
    inbox.take("u.csv", "track_id,title\nt1,One\n", table="tracks")

    assert [batch.table for batch in Lake(inbox.home).batches()] == ["unknown", "listens", "unknown", "tracks"]
    assert Lake(inbox.home).verify() == 4


@pytest.mark.parametrize(
    ("header", "table"),
    [
        ("user_id,track_id,listened_at", "listens"),
        ("user_id,track_id,listened_at,title,artist_id", "listens"),
        ("user_id,track_id,event_at,event", "events"),
        ("track_id,title,artist_id", "tracks"),
        ("track_id,title,artist_id,name", "tracks"),
        ("artist_id,name", "artists"),
        ("label_id,name", "labels"),
        ("user_id,country", "users"),
        ("playlist_id,position,track_id,user_id", "playlists"),
    ],
)
def test_a_table_is_recognised_by_its_columns(inbox: Inbox, header: str, table: str) -> None:
    """The file has the required columns of the table, and no other table fits better."""
    (batch,) = inbox.take("file.csv", header + "\n").batches

    assert batch.table == table


def test_the_table_may_be_named(inbox: Inbox) -> None:
    """Rows without its required columns are then refused."""
    inbox.take("t.csv", "track_id,title\nt1,One\n", table="tracks")

    assert inbox.refused() == [("missing_value", "artist_id", "t.csv", 2)]


def test_a_named_table_must_have_a_column_of_the_file(inbox: Inbox) -> None:
    """An unrelated file is refused as a whole, not row by row."""
    assert "tracks has none of these" in inbox.complaint("t.csv", "a,b\n1,2\n", table="tracks")


def test_an_unknown_table_or_format_is_refused_with_what_is_known(inbox: Inbox) -> None:
    """The message lists the known names; nothing is read."""
    path = inbox.put("t.csv", LISTENS)
    with pytest.raises(InputError, match="no raw table 'plays'; known: listens, events"):
        ingest(inbox.home, [path], today=TODAY, table="plays")
    with pytest.raises(InputError, match="Did you mean 'parquet'"):
        ingest(inbox.home, [path], today=TODAY, format_name="parket")


def test_a_format_may_be_named(inbox: Inbox) -> None:
    """This helps with a CSV file whose first line begins with a brace."""
    path = inbox.put("t.csv", "{x},track_id,title,artist_id\n1,t1,One,ar1\n")
    ingest(inbox.home, [path], today=TODAY, format_name="csv")

    assert inbox.rows("tracks").height == 1


def test_formats_are_found_in_their_folder() -> None:
    """General formats are tried last, and CSV after all others, since nearly any text looks like CSV."""
    assert format_names()[-3:] == ["parquet", "jsonl", "csv"]
    assert {"billboard", "lastfm", "spotify"} < set(format_names())


def test_folders_are_searched_in_name_order_without_hidden_files(tmp_path: Path) -> None:
    """Copying programs hide a file until it is complete."""
    for name in ("b.csv", "a/z.csv", ".c.csv", "a/.partial", ".cache/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")

    assert [str(path.relative_to(tmp_path)) for path in source_files([tmp_path])] == ["a/z.csv", "b.csv"]


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A mistyped path is not treated as an empty folder."""
    with pytest.raises(UnreadableSource, match="does not exist"):
        source_files([tmp_path / "nowhere"])


def test_an_empty_folder_is_not_an_error(inbox: Inbox) -> None:
    """An ingest without new files does nothing."""
    report = ingest(inbox.home, [inbox.folder], today=TODAY)

    assert (report.batches, report.known_files, Lake(inbox.home).batches()) == ([], [], [])


def test_a_file_name_that_is_not_utf8_is_escaped(inbox: Inbox) -> None:
    """The file is read or refused like any other; the batch log and the quarantine have the escaped name."""
    inbox.take(os.fsdecode(b"caf\xe9.csv"), "track_id,title,artist_id\nt1,One,a1\n,Two,a2\n")
    report = inbox.take(os.fsdecode(b"no\xe9.csv"), "x,y\n1,2\n")

    assert inbox.rows("tracks")["track_id"].to_list() == ["t1"]
    assert len(report.unreadable) == 1
    assert [(reason, file) for reason, _, file, _ in inbox.refused()] == [
        ("missing_value", r"caf\xe9.csv"),
        ("unreadable_file", r"no\xe9.csv"),
    ]
