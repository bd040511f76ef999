"""Whatever is wrong with a file, its content is neither shown nor logged nor stored."""

import io
import json
import re
import traceback
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.errors import InputError, UnreadableSource
from recsys.ingest.mapping import mapping_of
from recsys.ingest.run import ingest
from recsys.ingest.source import Source
from recsys.pipeline.nightly import ingest_files
from recsys.pipeline.run import Run, logged_step
from recsys.recipe import read_recipe

from .conftest import TODAY, Inbox

ANN = "ann@example.com"
HISTORY = [{"time": "2026-05-01T10:00:00Z", "username": ANN, "ip_addr_decrypted": "10.0.0.1"}]


def parquet(**columns: pa.Array) -> bytes:
    """Return a Parquet file of two listens, with these columns replaced."""
    table = {"user_id": pa.array([ANN, "bo"]), "track_id": pa.array(["t1", "t2"]), "listened_at": pa.array(["x", "y"])}
    packed = io.BytesIO()
    pq.write_table(pa.table(table | columns), packed)
    return packed.getvalue()


REFUSED = {
    "array.json": (json.dumps(HISTORY).encode(), "has 3 columns with unknown names"),
    "indented_array.json": (json.dumps(HISTORY, indent=1).encode(), "has 3 columns with unknown names"),
    "array_of_lists.json": (json.dumps([[ANN, 1]]).encode(), "lines is a JSON object"),
    "array_a_line.json": (f'["{ANN}", 1]\n["bo", 2]\n'.encode(), "lines is a JSON object"),
    "array_with_mark.json": (b"\xef\xbb\xbf" + json.dumps(HISTORY).encode(), "has 3 columns with unknown names"),
    "accounts_as_keys.jsonl": (json.dumps({ANN: 1, "bo": 2}).encode(), "has 2 columns with unknown names"),
    "indented.json": (json.dumps(HISTORY[0], indent=1).encode(), "lines is a JSON object"),
    "headerless.csv": (f"{ANN},t1,2026-05-01\nbo,t2,2026-05-01\n".encode(), "has 3 columns with unknown names"),
    "headerless_semicolons.csv": (f"{ANN};t1;2026-05-01\n".encode(), "has 3 columns with unknown names"),
    "headerless_tabs.tsv": (f"{ANN}\tt1\t2026-05-01\n".encode(), "has 3 columns with unknown names"),
    "headerless_twice.csv": (f"t1,{ANN},{ANN}\n".encode(), "names a column twice: columns 2 and 3"),
    "partly_known.csv": (
        f"user_id,track_id,{ANN}\n".encode(),
        "has 3 columns with unknown names (or no header line)",
    ),
    "page.html": (f"<p>{ANN}, t1</p>\n".encode(), "has 2 columns with unknown names"),
    "quotes.csv": (f'user_id,track_id,listened_at\n"{ANN},t1\n'.encode() * 2, None),
    "broken.parquet": (b"PAR1" + ANN.encode() * 9 + b"PAR1", "is damaged Parquet"),
    "bytes.parquet": (parquet(user_id=pa.array([ANN.encode() + b"\xff", b"bo"])), "bytes that are not UTF-8"),
    "map.parquet": (parquet(track_id=pa.array([[(ANN, 1)], []], pa.map_(pa.string(), pa.int64()))), "Write it as text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_content_of_a_refused_file_is_not_quoted(inbox: Inbox, name: str) -> None:
    """Neither in messages, nor with `--traceback`, nor in the run's log, nor in the lake."""
    content, message = REFUSED[name]
    path = inbox.put(name, content)
    run = Run(inbox.home, TODAY, read_recipe(), "run")

    report = ingest_files(run, [path], TODAY)

    messages = [text for _, text in report.unreadable] + [shown(path)]
    logged = (run.folder / "log.jsonl").read_text()
    assert message is None or message in messages[0]
    assert not [text for text in [*messages, logged, *map(str, inbox.payloads())] if "example.com" in text]
    assert "10.0.0.1" not in "".join([*messages, logged])
    assert not message or inbox.refused() == [("unreadable_file", None, name, 1)]


def shown(path: Path) -> str:
    """Return the error with its causes, as Python prints it; '' if there is none."""
    try:
        list(Source(path).chunks())
    except UnreadableSource as refused:
        return "".join(traceback.format_exception(refused))
    return ""


def test_an_age_of_many_digits_is_an_unknown_age(inbox: Inbox) -> None:
    """Only the value is lost; no library error that quotes it stops the run."""
    profile = f"#id\tgender\tage\tcountry\tregistered\nann\tm\t{'9' * 30}\tFinland\tJan 1, 2006\n"
    (batch,) = inbox.take("profile.tsv", profile).batches

    counted = {"column_name": "age_band", "reason": "not_allowed", "n_values": 1, "first_line": 2}
    assert batch.invalid_values == [counted]
    assert inbox.rows("users")["country"].to_list() == ["FI"]


def test_the_log_has_our_messages_and_only_the_type_of_other_errors(inbox: Inbox) -> None:
    """A library's message may quote the value that it could not parse."""
    run = Run(inbox.home, TODAY, read_recipe(), "run")
    with pytest.raises(pl.exceptions.PolarsError, match="ann"), logged_step(run, "ingest"):
        pl.Series([ANN]).cast(pl.Int64)
    with pytest.raises(InputError), logged_step(run, "ingest"):
        raise InputError("The file has no rows")

    log = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    library, ours = (event["error"] for event in log if event["event"] == "failed")
    assert library.startswith("InvalidOperationError in ")
    assert "ann" not in library
    assert ours == "InputError: The file has no rows"


def test_no_byte_of_an_undecodable_record_is_printed(inbox: Inbox, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither where the file is refused for its encoding, nor where only the record is malformed."""
    header = "user_id,track_id,listened_at\n"
    message = inbox.complaint("ragged.csv", f"{header}ann,t".encode() + b"\xff2,2026-01-01,extra\n")
    inbox.take("ünï.csv", f"{header}ünï,t1,2026-01-01\nann,t".encode() + b"\xff2,2026-01-01,extra\n")

    printed = capfd.readouterr()
    assert "ragged.csv is not UTF-8" in message
    assert "0xff" not in message + printed.out + printed.err
    assert printed.err == ""
    assert inbox.refused() == [
        ("unreadable_file", None, "ragged.csv", 1),
        ("malformed_row", None, "ünï.csv", 3),
    ]


WORDS_IN_VALUES = [
    "title,name,ann@example.com\n",
    "name;position;2026-05-01T10:00:00Z\n",
    "genres,ann,bob,cem\n",
    "user_id,track_id,ann@example.com\n",
    "rank,chart,10.0.0.1,kind\n",
]


@pytest.mark.parametrize("content", WORDS_IN_VALUES)
def test_columns_are_named_only_where_the_first_line_is_a_header(inbox: Inbox, content: str) -> None:
    """A first row of values may contain words that are also names of columns: an account `title`, a song `name`."""
    message = inbox.complaint("first_row.csv", content * 3)

    assert "columns with unknown names (or no header line)" in message
    assert "has the columns" not in message


def test_columns_of_a_header_are_named(inbox: Inbox) -> None:
    """Only those that a table has."""
    message = inbox.complaint("l.csv", "user_id,track_id,When did it play?,listened on\nann,t1,x,2026-05-01\n")
    known = inbox.complaint("k.csv", "user_id,track_id,listened on\nann,t1,2026-05-01\n")

    assert "has 4 columns with unknown names" in message
    assert "has the columns user_id, track_id and 1 with unknown names: no table has these" in known
    assert "listened on" not in known


HEADER = re.compile(r"separated as its rows are, for \w+ ([\w, ]+)\.")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("table", "row"),
    [
        (None, [ANN, "t1", "2026-01-05T10:00:00Z"]),
        ("artists", ["ar1"]),
        ("charts", ["House", "2026-01-03", "1", "One", "Ada"]),
    ],
)
def test_a_file_without_a_header_is_read_once_the_header_of_the_message_is_added(
    inbox: Inbox, table: str | None, row: list[str], separator: str
) -> None:
    """The message gives the names of the columns, and no value of the file."""
    row = [*row, *["x"] * (2 - len(row))]
    text = separator.join(row) + "\n"
    message = inbox.complaint("rows.csv", text, table=table)
    stated = HEADER.search(message)

    assert stated is not None
    assert not any(value in message for value in row if len(value) > 3)
    names = [*stated[1].split(", "), *["more"] * (len(row) - len(stated[1].split(", ")))]
    report = inbox.take("rows.csv", separator.join(names) + "\n" + text, table=table)
    assert [(batch.table, batch.n_accepted) for batch in report.batches] == [(table or "listens", 1)]


def test_a_file_with_a_header_of_its_own_is_read_with_the_mapping_of_the_message(inbox: Inbox) -> None:
    """Each COLUMN is replaced by a name of the header."""
    path = inbox.put("own.csv", "who,what,at\nann,t1,2026-01-05T10:00:00Z\n")
    pairs = inbox.complaint("own.csv", path.read_bytes()).rpartition("--map ")[2]
    for name in ("who", "what", "at"):
        pairs = pairs.replace("COLUMN", name, 1)

    mapping = mapping_of(inbox.home, pairs, name=None, table=None, time_format=None)
    report = ingest(inbox.home, [path], today=TODAY, mapping=mapping)

    assert [(batch.table, batch.n_accepted) for batch in report.batches] == [("listens", 1)]
