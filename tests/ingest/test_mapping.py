"""Files in a form of one's own, read by a mapping of columns."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import InputError
from recsys.ingest.mapping import Mapping, mapping_of, save, saved
from recsys.ingest.run import IngestReport, ingest

from .conftest import TODAY, Inbox
from .test_parquet import packed

PAIRS = 'user_id=account, track_id=song,listened_at="Played, At"'
COLUMNS = {"user_id": "account", "track_id": "song", "listened_at": "played, at"}
OWN = 'account,song,"Played, At",secret\nana,t1,05.01.2026 10:30,x\nbo,t2,2026-01-05,x\n'


def given(
    inbox: Inbox, pairs: str, *, name: str | None = None, table: str | None = None, time_format: str | None = None
) -> Mapping:
    """Return a mapping."""
    return mapping_of(inbox.home, pairs, name=name, table=table, time_format=time_format)


def take(inbox: Inbox, path: Path, mapping: Mapping, user: str | None = None) -> IngestReport:
    """Save a mapping and ingest a file by it, as the command does."""
    save(inbox.home, mapping)
    return ingest(inbox.home, [path], today=TODAY, mapping=mapping, format_name="mapped", user=user)


def test_own_columns_and_times_are_read(inbox: Inbox) -> None:
    """A time in another format than the mapping's is refused, not guessed."""
    path = inbox.put("plays.tsv", OWN.replace(",", "\t").replace("Played\t At", "Played, At"))
    mapping = given(inbox, PAIRS, time_format="%d.%m.%Y %H:%M")
    take(inbox, path, mapping)

    assert inbox.rows("listens").select("track_id", "listened_at").rows() == [
        ("t1", datetime(2026, 1, 5, 10, 30, tzinfo=UTC))
    ]
    assert inbox.refused() == [("bad_type", "listened_at", "plays.tsv", 3)]
    assert saved(inbox.home) == (Mapping("listens", COLUMNS, None, "%d.%m.%Y %H:%M"),)


def test_a_kept_mapping_reads_later_files(inbox: Inbox) -> None:
    """By its columns, in any format, order and case; the nightly run has no options. A name may be given again."""
    take(
        inbox,
        inbox.put("a.tsv", "account\tsong\tplayed, at\nana\tt0\t2026-01-05\n"),
        given(inbox, PAIRS, name="app"),
    )
    inbox.take("b.jsonl", '{"Song": "t1", "ACCOUNT": "ana", "Played, At": "2026-01-06", "more": 1}\n')
    inbox.take(
        "c.parquet", packed(pl.DataFrame({"played, at": [date(2026, 1, 7)], "song": ["t2"], "account": ["ana"]}))
    )
    inbox.take("d.csv", "user_id,track_id,listened_at\nana,t3,2026-01-08\n")

    assert inbox.rows("listens")["track_id"].to_list() == ["t0", "t1", "t2", "t3"]
    assert inbox.rows("listens")["user_id"].n_unique() == 1
    assert given(inbox, "app").columns == COLUMNS


def test_names_may_be_mapped_instead_of_ids(inbox: Inbox) -> None:
    """Then the ids are derived, and the recordings and artists are delivered."""
    path = inbox.put("h.csv", "When,Song,Band,Len\n2026-01-05T10:00:00+02:00,One,Ada,1000\n")
    pairs = "listened_at=When,title=Song,artist=Band,duration_ms=Len"
    take(inbox, path, given(inbox, pairs, time_format="%Y-%m-%dT%H:%M:%S%z"), user="ana")

    assert inbox.rows("listens").select("track_id", "listened_at").rows() == [
        ("name:ada/one", datetime(2026, 1, 5, 8, tzinfo=UTC))
    ]
    assert inbox.rows("tracks").select("title", "duration_ms").rows() == [("One", 1000)]


@pytest.mark.parametrize("text", ["name=The Artist", 'name="The Artist"', "name='The Artist'", " name = The Artist "])
def test_a_column_may_be_quoted(inbox: Inbox, text: str) -> None:
    """A shell removes quotes or leaves them."""
    assert given(inbox, f"{text},artist_id=no").columns == {"name": "the artist", "artist_id": "no"}


def test_any_table_may_be_mapped(inbox: Inbox) -> None:
    """By its columns, or as named."""
    artists, users = inbox.put("a.csv", "no,called\nar1,Ada\n"), inbox.put("u.csv", "who,since\nana,05/01/2026\n")
    take(inbox, artists, given(inbox, "artist_id=no,name=called"))
    mapping = given(inbox, "user_id=who,signed_up_at=since", table="users", time_format="%d/%m/%Y")
    take(inbox, users, mapping)

    assert inbox.rows("artists")["name"].to_list() == ["Ada"]
    assert inbox.rows("users")["signed_up_at"].to_list() == [date(2026, 1, 5)]
    assert [mapping.name for mapping in saved(inbox.home)] == ["listens", "users"]


def test_a_file_without_the_columns_is_refused(inbox: Inbox) -> None:
    """Nothing is ingested, and nothing of the file is quoted."""
    path = inbox.put("x.csv", "a,b\nana@example.com,2\n")
    report = take(inbox, path, given(inbox, PAIRS))

    assert "does not have all columns" in report.unreadable[0][1]
    assert "example" not in report.unreadable[0][1]


@pytest.mark.parametrize(
    ("pairs", "options", "message"),
    [
        ("user_id=a,user=b", {}, "Did you mean 'user_id'"),
        ("user_id=a,user_id=b", {}, "twice"),
        ("user_id=a,track_id=A", {}, "twice"),
        ("user_id=", {}, "not readable"),
        ("user_id=a,=b", {}, "not readable"),
        ('user_id="a', {}, "not readable"),
        ("other", {}, "no mapping 'other'"),
        (PAIRS, {"name": "../x"}, "letters, digits"),
        (PAIRS, {"time_format": "%Q"}, "not a format of times"),
    ],
)
def test_a_wrong_mapping_is_refused(inbox: Inbox, pairs: str, options: dict[str, str], message: str) -> None:
    """The message says what is wrong."""
    with pytest.raises(InputError, match=message):
        given(inbox, pairs, **options)
