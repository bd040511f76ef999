"""Deliveries whose columns differ from those of earlier deliveries of the same source."""

import pytest

from recsys.ingest.run import IngestReport, ingest

from .conftest import TODAY, Inbox

FULL = "track_id,title,artist_id,duration_ms,language\n"
LESS = "track_id,title,artist_id,language\n"
REMEDY = "Nothing was ingested from it. Correct the file, or accept the change: recsys ingest --accept-schema FILE"


def accept(inbox: Inbox, name: str, content: str) -> IngestReport:
    """Ingest a file and accept its columns."""
    return ingest(inbox.home, [inbox.put(name, content)], today=TODAY, accept_schema=True)


def test_a_removed_column_refuses_the_file(inbox: Inbox) -> None:
    """The message names the column and the remedy."""
    inbox.take("tracks-2026-01.csv", FULL + "t1,One,a1,1000,en\n")
    first = inbox.complaint("tracks-2026-02.csv", LESS + "t2,Two,a1,en\n")
    inbox.take("tracks-2026-03.csv", FULL + "t3,Three,a1,1000,en\n")
    second = inbox.complaint("tracks-2026-04.csv", "track_id,title,artist_id\nt4,Four,a1\n")

    assert first == (
        f"{inbox.folder / 'tracks-2026-02.csv'} lacks the column duration_ms, which the earlier delivery of "
        f"tracks-#-#.csv had. {REMEDY}"
    )
    assert second == (
        f"{inbox.folder / 'tracks-2026-04.csv'} lacks the columns duration_ms, language, which all 2 earlier "
        f"deliveries of tracks-#-#.csv had. {REMEDY}"
    )
    assert inbox.rows("tracks")["track_id"].to_list() == ["t1", "t3"]


def test_an_accepted_change_is_the_new_schema(inbox: Inbox) -> None:
    """Later deliveries without the column need no option; one with it is still accepted."""
    inbox.take("t1.csv", FULL + "t1,One,a1,1000,en\n")
    reports = [
        accept(inbox, "t2.csv", LESS + "t2,Two,a1,en\n"),
        inbox.take("t3.csv", LESS + "t3,Three,a1,en\n"),
        inbox.take("t4.csv", FULL + "t4,Four,a1,1000,en\n"),
    ]

    assert [report.unreadable for report in reports] == [[], [], []]
    assert inbox.rows("tracks")["track_id"].to_list() == ["t1", "t2", "t3", "t4"]


@pytest.mark.parametrize("name", ["other.csv", "tracks.tsv"])
def test_other_sources_have_columns_of_their_own(inbox: Inbox, name: str) -> None:
    """A correction may have only the columns that it corrects; its file has another name."""
    inbox.take("tracks.csv", FULL + "t1,One,a1,1000,en\n")
    report = inbox.take(name, LESS + "t2,Two,a1,en\n")

    assert report.unreadable == []


def test_records_without_a_key_are_no_removed_column(inbox: Inbox) -> None:
    """JSON Lines may leave out a key without a value."""
    inbox.take("1.jsonl", '{"track_id": "t1", "title": "One", "artist_id": "a1", "language": "en"}\n')
    report = inbox.take("2.jsonl", '{"track_id": "t2", "title": "Two", "artist_id": "a1"}\n')

    assert report.unreadable == []


def test_new_columns_warn_once(inbox: Inbox) -> None:
    """Columns of the table by name; others by number, since a name may be anything."""
    inbox.take("1.csv", LESS + "t1,One,a1,en\n")
    new = inbox.take("2.csv", FULL.strip() + ",mood,ann@example.com\n" + "t2,Two,a1,1000,en,x,y\n")
    again = inbox.take("3.csv", FULL.strip() + ",mood,ann@example.com\n" + "t3,Three,a1,1000,en,x,y\n")

    path = inbox.folder / "2.csv"
    assert new.warnings == [
        f"{path} has the column duration_ms, which earlier deliveries did not have",
        f"{path} has new columns that tracks does not have (2); they are ignored",
    ]
    assert again.warnings == []
    log = "".join(file.read_text() for file in (inbox.home.lake / "_ledger").glob("*.json"))
    assert "mood" not in log
    assert "example.com" not in log


def rows(first: int, duration: str, n_rows: int = 12) -> str:
    """Return tracks with this duration."""
    return FULL + "".join(f"t{n},Title,a1,{duration},en\n" for n in range(first, first + n_rows))


def test_a_retyped_column_refuses_the_file(inbox: Inbox) -> None:
    """Durations that were milliseconds and are now minutes and seconds."""
    inbox.take("1.csv", rows(1, "1000"))
    message = inbox.complaint("2.csv", rows(20, "3:20"))
    accepted = accept(inbox, "2.csv", rows(20, "3:20"))

    assert message == (
        f"{inbox.folder / '2.csv'} has mostly invalid values in the column duration_ms; the earlier delivery of #.csv "
        f"had valid ones. {REMEDY}"
    )
    assert [batch.n_accepted for batch in accepted.batches] == [12]


def test_few_or_usual_invalid_values_are_counted_only(inbox: Inbox) -> None:
    """A small file may be odd, and a source may always have been."""
    first = inbox.take("1.csv", rows(1, "3:20"))
    same = inbox.take("2.csv", rows(20, "3:20"))
    inbox.take("few-1.csv", rows(40, "1000"))
    few = inbox.take("few-2.csv", rows(60, "3:20", n_rows=9))

    assert [report.unreadable for report in (first, same, few)] == [[], [], []]
    assert inbox.rows("tracks").filter(duration_ms=1000).height == 12
