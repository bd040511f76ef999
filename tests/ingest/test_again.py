"""Repeated files, rows and keys, and newer versions of a track."""

from datetime import timedelta

import polars as pl

from recsys.ingest.run import ingest
from recsys.lake.store import Lake

from .conftest import LISTENS, TODAY, Inbox

ONE = "ann,t1,2026-01-01T10:00:00Z,1000,,,\n"
TWO = "ann,t2,2026-01-02T10:00:00Z,2000,,,\n"
THREE = "bob,t1,2026-01-03T10:00:00Z,3000,,,\n"
TRACKS = "track_id,title,artist_id,genres\n"


def counts(inbox: Inbox) -> list[tuple[int, int, int, int]]:
    """Return read, accepted, quarantined and duplicate rows of every batch, in order."""
    return [(b.n_read, b.n_accepted, b.n_quarantined, b.n_duplicate) for b in Lake(inbox.home).batches()]


def newest(inbox: Inbox, table: str, key: str) -> pl.DataFrame:
    """Return the newest row of each key."""
    return inbox.rows(table).unique(key, keep="last", maintain_order=True).sort(key)


def test_the_same_file_again_changes_nothing(inbox: Inbox) -> None:
    """A file is identified by its bytes, not by its name."""
    first = inbox.take("a.csv", LISTENS + ONE)
    again = inbox.take("a.csv", LISTENS + ONE)
    renamed = inbox.take("b.csv", LISTENS + ONE)

    assert len(first.batches) == 1
    assert (again.batches, renamed.batches) == ([], [])
    assert [path.name for path in again.known_files + renamed.known_files] == ["a.csv", "b.csv"]
    assert inbox.rows("listens").height == 1


def test_the_same_file_twice_in_one_ingest_enters_once(inbox: Inbox) -> None:
    """A copy in the same folder is recognised as ingested."""
    inbox.put("a.csv", LISTENS + ONE)
    inbox.put("b.csv", LISTENS + ONE)
    report = ingest(inbox.home, [inbox.folder], today=TODAY)

    assert (len(report.batches), len(report.known_files)) == (1, 1)


def test_rows_of_overlapping_files_enter_once(inbox: Inbox) -> None:
    """Repeated rows count as duplicates, within a file and across files."""
    inbox.take("a.csv", LISTENS + ONE + TWO + TWO)
    inbox.take("b.csv", LISTENS + THREE + TWO + ONE)

    assert counts(inbox) == [(3, 2, 0, 1), (3, 1, 0, 2)]
    assert inbox.rows("listens")["ms_played"].to_list() == [1000, 2000, 3000]
    assert inbox.refused() == []


def test_a_repeated_row_is_recognised_in_another_spelling(inbox: Inbox) -> None:
    """The same instant written with another UTC offset is the same listen."""
    inbox.take("a.csv", LISTENS + ONE)
    inbox.take("b.csv", LISTENS + ONE.replace("10:00:00Z", "12:00:00+02:00"))

    assert counts(inbox)[1] == (1, 0, 0, 1)


def test_a_listen_that_contradicts_an_earlier_one_is_refused(inbox: Inbox) -> None:
    """In the same file or in the lake, the first row of a key is kept."""
    inbox.take("a.csv", LISTENS + ONE + ONE.replace("1000", "1111"))
    inbox.take("b.csv", LISTENS + ONE.replace("1000", "2222") + ONE + TWO)

    assert counts(inbox) == [(2, 1, 1, 0), (3, 1, 1, 1)]
    assert inbox.refused() == [("conflicting_row", None, "a.csv", 3), ("conflicting_row", None, "b.csv", 2)]
    assert inbox.rows("listens")["ms_played"].to_list() == [1000, 2000]
    assert ["2222" in str(payload) for payload in inbox.payloads()] == [True, False]


def test_two_events_of_one_instant_are_two_events(inbox: Inbox) -> None:
    """A like and a save are both kept; the same like twice is one."""
    row = "ann,t1,2026-01-01T10:00:00Z,"
    inbox.take("e.csv", f"user_id,track_id,event_at,event\n{row}like\n{row}save\n{row}LIKE\n")

    assert counts(inbox) == [(3, 2, 0, 1)]


def test_a_newer_version_of_a_track_replaces_the_older(inbox: Inbox) -> None:
    """A reference table keeps every version; an unchanged row is a duplicate, also with lists."""
    inbox.take("a.csv", TRACKS + "t1,One,ar1,rock|pop\nt2,Two,ar1,\n")
    inbox.take("b.csv", TRACKS + "t1,One (Remaster),ar1,rock|pop\nt2,Two,ar1,\n", today=TODAY + timedelta(days=1))
    inbox.take("c.csv", TRACKS + "t2,Two,ar1,\nt1,One (Remaster),ar1,rock | pop\n")

    assert counts(inbox) == [(2, 2, 0, 0), (2, 1, 0, 1), (2, 0, 0, 2)]
    assert newest(inbox, "tracks", "track_id")["title"].to_list() == ["One (Remaster)", "Two"]


def test_a_track_may_return_to_an_older_version(inbox: Inbox) -> None:
    """The newest batch wins, not the first or the most frequent version."""
    inbox.take("a.csv", TRACKS + "t1,One,ar1,\n")
    inbox.take("b.csv", TRACKS + "t1,Uno,ar1,\n")
    inbox.take("c.csv", TRACKS + "t1,One,ar1,\nt2,Two,ar1,\n")

    assert newest(inbox, "tracks", "track_id")["title"].to_list() == ["One", "Two"]


def test_an_old_version_that_stays_in_the_folder_does_not_return(inbox: Inbox) -> None:
    """The folder is read by every nightly run; a version that was replaced stays replaced."""
    inbox.put("a.csv", TRACKS + "t1,One,ar1,\n")
    inbox.put("b.csv", TRACKS + "t1,Uno,ar1,\n")
    for _ in range(2):
        ingest(inbox.home, [inbox.folder], today=TODAY)

    assert newest(inbox, "tracks", "track_id")["title"].to_list() == ["Uno"]
    assert inbox.rows("tracks").height == 2


def test_two_versions_of_a_track_in_one_file_conflict(inbox: Inbox) -> None:
    """It is unknown which version is newer, so the first is kept, also if the lake already has the track."""
    inbox.take("a.csv", TRACKS + "t1,One,ar1,\n")
    inbox.take("b.csv", TRACKS + "t1,One,ar1,\nt1,Uno,ar1,\n")
    inbox.take("c.csv", TRACKS + "t1,Eins,ar1,\nt1,One,ar1,\n")

    assert counts(inbox) == [(1, 1, 0, 0), (2, 0, 1, 1), (2, 1, 1, 0)]
    assert newest(inbox, "tracks", "track_id")["title"].to_list() == ["Eins"]


def test_every_row_is_accounted_for(inbox: Inbox) -> None:
    """Accepted, quarantined and duplicate rows add up to the rows read; the quarantine agrees with the batch log."""
    inbox.take("a.csv", LISTENS + ONE + ONE + ONE.replace("1000", "7") + "ann,t1\n" + ",t1,2026-01-01,,,,\n" + TWO)
    (batch,) = Lake(inbox.home).batches()

    assert (batch.n_read, batch.n_accepted, batch.n_quarantined, batch.n_duplicate) == (6, 2, 3, 1)
    assert len(inbox.refused()) == batch.n_quarantined
    assert batch.days == ["2026-01-01", "2026-01-02"]


def test_batches_are_numbered_in_the_order_of_ingest(inbox: Inbox) -> None:
    """The newest row of a reference table is the one with the largest number."""
    inbox.take("b.csv", LISTENS + ONE)
    inbox.take("a.csv", TRACKS + "t1,One,ar1,\n")

    assert [(batch.batch_no, batch.source_file) for batch in Lake(inbox.home).batches()] == [(1, "b.csv"), (2, "a.csv")]
    assert inbox.rows("tracks")["batch_no"].to_list() == [2]
