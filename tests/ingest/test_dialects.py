"""CSV as spreadsheets and old tools write it: encodings, separators, headers, line ends, decimal commas, dates."""

from datetime import UTC, date, datetime

import pytest

from recsys.errors import InputError
from recsys.ingest.dialect import Dialect
from recsys.ingest.instants import DateOrder
from recsys.ingest.run import IngestReport, ingest

from .conftest import TODAY, Inbox

ROWS = "track_id,title,artist_id\nt1,Café del Mar,a1\nt2,Niño,a2\nt3,Plain,a3\n"
TITLES = ["Café del Mar", "Niño", "Plain"]
LISTENS = [("t1", datetime(2026, 1, 2, 10, tzinfo=UTC)), ("t2", datetime(2026, 1, 3, 11, tzinfo=UTC))]


def take(inbox: Inbox, name: str, content: str | bytes, dialect: Dialect) -> IngestReport:
    """Ingest a file in a stated dialect."""
    return ingest(inbox.home, [inbox.put(name, content)], today=TODAY, dialect=dialect)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le with mark", "utf-16-be with mark"]
)
def test_a_byte_order_mark_states_the_encoding(inbox: Inbox, encoding: str) -> None:
    """Spreadsheets save `Unicode text` as UTF-16; without a mark a text is UTF-8."""
    name, _, mark = encoding.partition(" ")
    inbox.take("t.csv", (("\ufeff" if mark else "") + ROWS).encode(name))

    assert inbox.rows("tracks")["title"].to_list() == TITLES
    assert inbox.refused() == []


REFUSED = {
    "windows-1252": (ROWS, "Windows-1252, of Western Europe", "windows-1252"),
    "iso-8859-1": (ROWS, "Windows-1252, of Western Europe", "windows-1252"),
    "cp850": (ROWS, "a code page of DOS or of old Macs", "cp850"),
    "mac_roman": (ROWS, "a code page of DOS or of old Macs", "cp850"),
    "windows-1251": (
        ROWS.replace("Plain", "Привет"),
        "an encoding of Cyrillic, Greek or Asian letters",
        "windows-1251",
    ),
    "shift_jis": (
        "track_id,title,artist_id\nt1,さくら,a1\nt2,東京,a2\n",
        "an encoding of Cyrillic, Greek or Asian letters",
        "windows-1251",
    ),
    "utf-16-le": (ROWS, "UTF-16 without a byte order mark", "utf-16-le"),
    "utf-16-be": (ROWS, "UTF-16 without a byte order mark", "utf-16-be"),
}


@pytest.mark.parametrize("encoding", REFUSED)
def test_another_encoding_is_refused_with_what_it_looks_like(inbox: Inbox, encoding: str) -> None:
    """No row enters, and the message says how to go on; an encoding is never guessed."""
    text, look, named = REFUSED[encoding]
    message = inbox.complaint("t.csv", text.encode(encoding, "ignore"))

    assert message == (
        f"{inbox.folder / 't.csv'} is not UTF-8; it looks like {look}. Nothing was ingested from it. State its "
        f"encoding, such as --encoding {named}, or convert it: iconv -f {named} -t UTF-8 FILE > NEW_FILE"
    )
    assert inbox.rows("tracks").is_empty()
    assert inbox.refused() == [("unreadable_file", None, "t.csv", 1)]


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-15", "cp850", "mac_roman", "utf-16-le", "utf-16-be"])
def test_a_stated_encoding_is_read(inbox: Inbox, encoding: str) -> None:
    """Also after the same file was refused without it; a byte order mark overrides it."""
    inbox.take("t.csv", ROWS.encode(encoding))
    report = take(inbox, "t.csv", ROWS.encode(encoding), Dialect(encoding))
    take(inbox, "marked.csv", ROWS.replace("t1", "t4").encode("utf-8-sig"), Dialect(encoding))

    assert report.unreadable == []
    assert inbox.rows("tracks")["title"].to_list()[:3] == TITLES
    assert inbox.rows("tracks").filter(track_id="t4")["title"].to_list() == TITLES[:1]


@pytest.mark.parametrize("name", ["nonsense", "base64", "rot13", "utf-8\0"])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    """Before any file is opened; encodings of bytes are not encodings of texts."""
    with pytest.raises(InputError, match="There is no text encoding"):
        Dialect(name)


def test_bytes_that_are_not_text_make_only_their_row_malformed(inbox: Inbox) -> None:
    """NUL bytes, a broken character, and a character cut off at the end of the file."""
    inbox.take("t.csv", ROWS.encode() + b"t4,a\0b,a1\nt5,\xe9,a1\nt6,Six,a1\nt7,Caf\xc3")

    assert inbox.rows("tracks")["track_id"].to_list() == ["t1", "t2", "t3", "t6"]
    assert inbox.refused() == [("malformed_row", None, "t.csv", line) for line in (5, 6, 8)]


DIALECTS = {
    "semicolons": "user_id;track_id;listened_at\nann;t1;2026-01-02T10:00\nann;t2;2026-01-03T11:00\n",
    "tabs": "user_id\ttrack_id\tlistened_at\nann\tt1\t2026-01-02T10:00\nann\tt2\t2026-01-03T11:00\n",
    "bars": "user_id|track_id|listened_at\nann|t1|2026-01-02T10:00\nann|t2|2026-01-03T11:00\n",
    "sep line": "sep=;\r\nuser_id;track_id;listened_at\r\nann;t1;2026-01-02T10:00\r\nann;t2;2026-01-03T11:00\r\n",
    "quoted sep line": '"sep=,"\nuser_id,track_id,listened_at\nann,t1,2026-01-02T10:00\nann,t2,2026-01-03T11:00\n',
    "carriage returns": "user_id,track_id,listened_at\rann,t1,2026-01-02T10:00\rann,t2,2026-01-03T11:00\r",
    "no last line end": "user_id,track_id,listened_at\nann,t1,2026-01-02T10:00\nann,t2,2026-01-03T11:00",
    "quoted header": (
        'user_id,track_id,listened_at,"note, free"\nann,t1,2026-01-02T10:00,"a, b"\nann,t2,2026-01-03T11:00,\n'
    ),
    "header of two lines": (
        'user_id,track_id,"listened_at","note\nof the listener"\nann,t1,2026-01-02T10:00,x\nann,t2,2026-01-03T11:00,\n'
    ),
    "everything quoted": (
        '"user_id","track_id","listened_at"\n"ann","t1","2026-01-02T10:00"\n"ann","t2","2026-01-03T11:00"\n'
    ),
    "two empty columns": "user_id,track_id,listened_at,,\nann,t1,2026-01-02T10:00,,\nann,t2,2026-01-03T11:00,,\n",
    "an empty column inside": "user_id,,track_id,listened_at\nann,,t1,2026-01-02T10:00\nann,x,t2,2026-01-03T11:00\n",
    "empty fields beyond the header": (
        "user_id,track_id,listened_at\nann,t1,2026-01-02T10:00,,\nann,t2,2026-01-03T11:00\n"
    ),
    "rows without the empty columns": (
        "user_id,track_id,listened_at,,\nann,t1,2026-01-02T10:00\nann,t2,2026-01-03T11:00,\n"
    ),
    "files that were joined, each with a mark": (
        "\ufeff\ufeffuser_id,track_id,listened_at\n\ufeffann,t1,2026-01-02T10:00\n\ufeffann,\ufefft2,2026-01-03T11:00\n"
    ),
    "no value, as in a database": (
        "user_id,track_id,listened_at,ms_played\nann,t1,2026-01-02T10:00,\\N\nann,t2,2026-01-03T11:00,\\N\n"
    ),
    "comments": (
        "# title by user_id\n#\nuser_id,track_id,listened_at\nann,t1,2026-01-02T10:00\nann,t2,2026-01-03T11:00\n"
    ),
    "a header marked as comment": "#user_id,track_id,listened_at\nann,t1,2026-01-02T10:00\nann,t2,2026-01-03T11:00\n",
    "blank lines": "\n\nuser_id,track_id,listened_at\n\nann,t1,2026-01-02T10:00\n\n\nann,t2,2026-01-03T11:00\n\n",
    "lines of empty fields": "user_id,track_id,listened_at\nann,t1,2026-01-02T10:00\n,,\nann,t2,2026-01-03T11:00\n,,\n",
    "blanks around names": "User_ID , track_id, LISTENED_AT\nann,t1,2026-01-02T10:00\nann, t2 ,2026-01-03T11:00\n",
    "month names": 'user_id,track_id,listened_at\nann,t1,"02 Jan 2026, 10:00"\nann,t2,"Jan 3, 2026 11:00 AM"\n',
    "epochs": "user_id,track_id,listened_at\nann,t1,1767348000\nann,t2,1767438000000\n",
}


@pytest.mark.parametrize("name", DIALECTS)
def test_usual_dialects_give_the_same_rows(inbox: Inbox, name: str) -> None:
    """Two listens, however they are written; nothing is refused."""
    (batch,) = inbox.take("l.csv", DIALECTS[name]).batches

    assert inbox.rows("listens").select("track_id", "listened_at").rows() == LISTENS
    assert inbox.rows("listens")["user_id"].n_unique() == 1
    assert batch.invalid_values == []
    assert inbox.refused() == []


@pytest.mark.parametrize(("text", "is_skipped"), [("1.0", True), ("0.0", False), ("2.0", None)])
def test_booleans_written_as_fractions_are_read(inbox: Inbox, text: str, is_skipped: bool | None) -> None:
    """As programs write a column of 0 and 1 that has missing values."""
    inbox.take("l.csv", f"user_id,track_id,listened_at,skipped\nann,t1,2026-01-02,{text}\nann,t2,2026-01-02,\n")

    assert inbox.rows("listens").sort("track_id")["skipped"].to_list() == [is_skipped, None]


def test_a_field_beyond_the_header_with_a_value_is_malformed(inbox: Inbox) -> None:
    """Only empty fields are passed over; lines are those of the file."""
    inbox.take("t.csv", '# c\nsep=,\ntrack_id,title,artist_id\nt1,"O\nne",a1,,\nt2,Two,a1,,x\nt3,Three\nt4,Four,a1\n')

    assert inbox.rows("tracks").select("track_id", "title").rows() == [("t1", "O\nne"), ("t4", "Four")]
    assert inbox.refused() == [("malformed_row", None, "t.csv", 6), ("malformed_row", None, "t.csv", 7)]


@pytest.mark.parametrize(
    ("content", "energies"),
    [
        ("track_id;energy;chroma\nt1;0,75;0,5|0,25\nt2;1;1\n", [0.75, 1.0]),
        ("track_id;energy;chroma\nt1;0.75;0.5|0.25\nt2;,5;1\n", [0.75, 0.5]),
        ('track_id,energy,chroma\nt1,"0,75",1\nt2,0.5,1\n', [None, 0.5]),
        ("track_id;energy;chroma\nt1;1.000,5;1\nt2;1 000;1\n", [None, None]),
    ],
)
def test_a_decimal_comma_is_read_where_semicolons_separate(
    inbox: Inbox, content: str, energies: list[float | None]
) -> None:
    """Elsewhere a comma may separate thousands, so the value is unknown; thousands separators are never read."""
    inbox.take("a.csv", content)

    assert inbox.rows("audio_features")["energy"].to_list() == energies
    assert inbox.refused() == []


def test_a_decimal_comma_is_read_where_it_is_stated(inbox: Inbox) -> None:
    """Texts keep their commas."""
    take(inbox, "a.csv", 'track_id,energy,codec\nt1,"0,75","1,5"\n', Dialect(has_decimal_comma=True))

    assert inbox.rows("audio_features").select("energy", "codec").rows() == [(0.75, "1,5")]


DATES = "user_id,track_id,listened_at\nann,t1,01/05/2025 10:00\nann,t2,01/05/2025 11:00 PM\nann,t3,2025-05-01\n"


def test_dates_of_digits_need_a_stated_order(inbox: Inbox) -> None:
    """Where most rows have them, the file is refused, so that it can be ingested with the order."""
    message = inbox.complaint("l.csv", DATES)
    take(inbox, "l.csv", DATES, Dialect(dates=DateOrder.DAY_FIRST))

    assert message == (
        f"{inbox.folder / 'l.csv'}: listened_at has dates in an unstated order of day and month. State it: "
        "--dates day-first or --dates month-first. Nothing was ingested from it"
    )
    days = [instant.date() for instant in inbox.rows("listens").sort("track_id")["listened_at"]]
    assert days == [date(2025, 5, 1)] * 3


def test_few_dates_of_digits_cost_only_their_rows(inbox: Inbox) -> None:
    """An optional date costs only the value."""
    inbox.take("l.csv", DATES + "ann,t4,2025-05-01\nann,t5,2025-05-01\n")
    (batch,) = inbox.take("u.csv", "user_id,signed_up_at\nann,2020-01-02\nbob,2020-01-02\ncem,02/01/2020\n").batches

    assert inbox.refused() == [("date_order", "listened_at", "l.csv", line) for line in (2, 3)]
    assert [(value["reason"], value["first_line"]) for value in batch.invalid_values] == [("date_order", 4)]


def test_times_in_a_named_zone_are_refused_with_a_remedy(inbox: Inbox) -> None:
    """An abbreviation may name several zones, and a zone has hours that occur twice."""
    zone = "user_id,track_id,listened_at\nann,t1,2026-01-02 10:00 EST\nann,t2,2026-01-02T10:00 Europe/Berlin\n"

    assert inbox.complaint("l.csv", zone) == (
        f"{inbox.folder / 'l.csv'}: listened_at has times in a named time zone. Convert them to UTC, or give them an "
        "offset such as +02:00. Nothing was ingested from it"
    )
