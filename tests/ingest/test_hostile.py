"""Hostile files: whatever the bytes, ingest ends with a message that quotes nothing, or with the right rows."""

import gzip
import io
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.home import Home
from recsys.ingest.run import IngestReport, ingest
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake

from .conftest import TODAY, Inbox, zstd

SECRET = "zq7secret"  # noqa: S105 - planted, to be found
LISTENS = "user_id,track_id,listened_at"
TRACKS = "track_id,title,artist_id"
GOOD = f"{SECRET},t1,2026-01-02T10:00:00Z"


@dataclass(frozen=True)
class Hostile:
    """
    A file and what must become of it.

    Attributes:
        content: The bytes.
        n_accepted: Rows that enter; None where the file is refused with a message that contains `message`.
        n_refused: Rows in the quarantine.
        message: A part of the message of a refused file.
        suffix: The end of the file's name.
    """

    content: bytes
    n_accepted: int | None = None
    n_refused: int = 0
    message: str = ""
    suffix: str = ".csv"


def refused(content: str | bytes, message: str, suffix: str = ".csv") -> Hostile:
    """Return a file that is refused with a message."""
    return Hostile(content.encode() if isinstance(content, str) else content, message=message, suffix=suffix)


def read(content: str | bytes, n_accepted: int, n_refused: int = 0, suffix: str = ".csv") -> Hostile:
    """Return a file that is read."""
    return Hostile(content.encode() if isinstance(content, str) else content, n_accepted, n_refused, suffix=suffix)


def parquet(**columns: pa.Array) -> bytes:
    """Return a Parquet file."""
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed)
    return packed.getvalue()


def encodings() -> Iterator[tuple[str, Hostile]]:
    """Generate one text in many encodings."""
    text = f"{TRACKS}\nt1,Café {SECRET},a1\nt2,Niño,a2\n"
    for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        yield f"encoding {name}", read(text.encode(name), 2)
    for name in ("windows-1252", "iso-8859-1", "iso-8859-15", "cp437", "cp850", "mac_roman", "windows-1250", "cp037"):
        message = "none of the known formats" if name == "cp037" else "is not UTF-8; it looks like"
        yield f"encoding {name}", refused(text.encode(name, "replace"), message)
    for name, word in (
        ("windows-1251", "Привет"), ("koi8-r", "Привет"), ("iso-8859-7", "Αθήνα"), ("shift_jis", "東京"),
        ("euc_jp", "東京"), ("gb18030", "北京"), ("big5", "東京市"), ("euc_kr", "서울"), ("iso-8859-8", "שלום"),
    ):  # fmt: skip
        message = "it looks like an encoding of Cyrillic, Greek or Asian letters"
        yield f"encoding {name}", refused(f"{TRACKS}\nt1,{word} {SECRET},a1\nt2,{word},a2\n".encode(name), message)
    for name in ("utf-16-le", "utf-16-be"):
        yield f"encoding {name}", refused(text.encode(name), "UTF-16 without a byte order mark")
    yield "utf-16 of an odd length", read(text.encode("utf-16") + b"\0", 2, 1)
    yield "utf-7", read(f"{TRACKS}\nt1,Caf+AOk- {SECRET},a1\n", 1)
    yield "only a byte order mark", refused(b"\xef\xbb\xbf", "is empty")
    yield "surrogates in utf-8", read(f"{TRACKS}\nt1,ünïçødé,a1\n".encode() + b"t2,\xed\xa0\x80,a1\n", 1, 1)


def line_ends() -> Iterator[tuple[str, Hostile]]:
    """Generate line ends, blank lines and what follows the last row."""
    rows = [LISTENS, GOOD, GOOD.replace("t1", "t2")]
    for name, end in (("lf", "\n"), ("crlf", "\r\n"), ("cr", "\r")):
        yield f"line ends {name}", read(end.join(rows) + end, 2)
        yield f"no last line end {name}", read(end.join(rows), 2)
        yield f"blank lines {name}", read((end * 3).join(rows) + end * 5, 2)
    yield "line ends mixed", read(f"{rows[0]}\r\n{rows[1]}\n{rows[2]}\r", 2)
    yield "nul bytes at the end", read("\n".join(rows).encode() + b"\n" + b"\0" * 500, 2, 1)
    yield "nul bytes in a row", read(f"{LISTENS}\n{GOOD}\nbo,t\x001,2026-01-02\n", 1, 1)
    yield "nul bytes in the header", refused(f"user_id,tr\x00ack_id,listened_at\n{GOOD}\n", "none of the known formats")
    yield "nul bytes only", refused(b"\0" * 100, "none of the known formats")
    yield "the end of file of DOS", read("\n".join(rows) + "\n\x1a", 2, 1)
    yield "form feeds", read(f"{LISTENS}\n{GOOD}\n\f\n", 1, 1)
    yield "unicode line separators", read(f"{TRACKS}\nt1,a\u2028b,a1\nt2,a\u0085b,a1\n", 2)
    yield "empty", refused(b"", "is empty")
    yield "a line end", refused(b"\n", "is empty")
    yield "header only", read(LISTENS, 0)
    yield "header twice", read(f"{LISTENS}\n{LISTENS}\n{GOOD}\n", 1, 1)


def quotes() -> Iterator[tuple[str, Hostile]]:
    """Generate quotes, right and wrong."""
    yield "quotes inside", read(f'{TRACKS}\nt1,12" {SECRET},a1\nt2,Say "yes",a1\n', 2)
    yield "quotes doubled", read(f'{TRACKS}\nt1,"12"" {SECRET}",a1\n', 1)
    yield "quotes around line ends", read(f'{TRACKS}\nt1,"a\n\nb\r\nc",a1\n{"t2,b,a1"}\n', 2)
    for name, rows, line in (
        ("first column", f'"{SECRET},a,a1\nt2,b,a1\nt3,c,a1\n', 2),
        ("last column", f't1,a,a1\nt2,{SECRET},"a1\nt3,c,a1\n', 3),
        ("last row", 't1,a,"a1', 2),
    ):
        message = f"a quote in the record that begins in line {line} is never closed"
        yield f"a quote that is never closed: {name}", refused(f"{TRACKS}\n{rows}", message)
    yield "a quote closed much later", read(f'{TRACKS}\nt1,"{SECRET},a1\nt2,b,a1\nt3,c",a1\n', 1)
    yield "single quotes", read(f"{TRACKS}\nt1,'a, b',a1\nt2,b,a1\n", 1, 1)
    yield "a quoted header", read(f'"user_id","track_id","listened_at"\n{GOOD}\n', 1)
    yield "a quoted comma in the header", read(f'{LISTENS},"note, free"\n{GOOD},"a, b"\n', 1)
    yield "a quoted line end in the header", read(f'{LISTENS},"note\nfree"\n{GOOD},x\n', 1)
    yield "an unclosed quote in the header", refused(f'user_id,"{SECRET},listened_at\n{GOOD}\n', "no table has")
    yield "only quotes", refused('"' * 1000, "none of the known formats")


def headers() -> Iterator[tuple[str, Hostile]]:
    """Generate headers and first lines that are no header."""
    for end, n_empty in ((",", 1), (",,", 2), ("," * 50, 50)):
        yield f"{n_empty} empty columns", read(f"{LISTENS}{end}\n{GOOD}{end}\n", 1)
        yield f"{n_empty} empty fields beyond the header", read(f"{LISTENS}\n{GOOD}{end}\n", 1)
    for name, first in {
        "an address": f"{SECRET}@example.com,t1,2026-01-02",
        "a known word": f"title,{SECRET},2026-01-02",
        "two known words": f"title,name,{SECRET},10.0.0.1",
        "numbers": f"1,2,{SECRET}",
        "a sentence": f"Report of {SECRET}, made in May",
    }.items():
        yield f"no header: {name}", refused(f"{first}\n" * 3, "no header line")
    yield "a title above the header", refused(f"{SECRET}'s plays\n{LISTENS}\n{GOOD}\n", "none of the known formats")
    yield "a column twice", refused(f"{LISTENS},user_id\n{GOOD},x\n", "names a column twice: columns 1 and 4")
    yield "an unknown column twice", refused(f"{LISTENS},{SECRET},{SECRET}\n{GOOD},,\n", "columns 4 and 5")
    yield "a secret as column", read(f"{LISTENS},{SECRET}\n{GOOD},x\n", 1)
    yield "the column _line", read(f"{LISTENS},_line\n{GOOD},x\n", 1)
    yield "ten thousand columns", read(f"{LISTENS},{','.join(f'c{n}' for n in range(5_000))}\n{GOOD}{',' * 5_000}\n", 1)
    yield (
        "a header longer than the sample",
        refused(f"{LISTENS},{','.join(f'{SECRET}{n}' for n in range(9_000))}\n", "cannot be a header"),
    )
    yield "a header in capitals", read(f"{LISTENS.upper()}\n{GOOD}\n", 1)
    yield "comments first", read(f"# {SECRET}\n# made in May\n{LISTENS}\n{GOOD}\n", 1)
    yield "a comment later", read(f"{LISTENS}\n{GOOD}\n# {SECRET}\n", 1, 1)
    for delimiter in ";\t|":
        yield f"delimiter {delimiter!r}", read(f"{LISTENS}\n{GOOD}\n".replace(",", delimiter), 1)
        yield f"sep={delimiter!r}", read(f"sep={delimiter}\n" + f"{LISTENS}\n{GOOD}\n".replace(",", delimiter), 1)
    yield "sep= that is wrong", refused(f"sep=;\n{LISTENS}\n{GOOD}\n", "none of the known formats")
    yield "blanks as delimiter", refused(f"{LISTENS}\n{GOOD}\n".replace(",", " "), "none of the known formats")
    yield "rows of many widths", read(f"{LISTENS}\na\na,b\n{GOOD}\na,b,c,d\n{GOOD},\n", 1, 3)


def values() -> Iterator[tuple[str, Hostile]]:
    """Generate odd values of a listen, a track, a listener and a vector."""
    for name, text, is_read in (
        ("zero", "0", False), ("negative", "-5", False), ("infinite", "inf", False), ("huge", "9" * 400, False),
        ("formula", "=a", False), ("empty", "", False), ("blank", "  ", False), ("zone", "2026-01-02 1:00 EST", False),
        ("micros", "1767348000000000", True), ("month name", "02 Jan 2026 10:00", True), ("compact", "20260102", True),
        ("leap day", "2025-02-29", False), ("year 0", "0000-01-01", False), ("year 9999", "9999-12-31", False),
        ("full width digits", "\uff12\uff10\uff12\uff16-01-02", False), ("hindi digits", "२०२६-०१-०२", False),
    ):  # fmt: skip
        rows = f"{LISTENS}\n{GOOD}\n{GOOD.replace('t1', 't2')}\nbo,t3,{text}\n"
        yield f"time: {name}", read(rows, 3 if is_read else 2, 0 if is_read else 1)
    for column in ("duration_ms", "release_date", "explicit", "language", "training_consent"):
        for text in ("0x10", "nan", "1e400", "-1", SECRET, "9" * 30, "\u200b", "NULL", "#N/A", "\uff11\uff12"):
            yield f"{column}: {text}", read(f"{TRACKS},{column}\nt1,One,a1,{text}\n", 1)
    for text in ("ZZ", "france|nowhere", SECRET, "G B", "🇫🇷"):
        yield f"available_in: {text}", read(f"{TRACKS},available_in\nt1,One,a1,{text}\n", 0, 1)
    for text in ("0|0", "nan|1", "1|x", "", "1e39|1", "1e30|1"):
        yield f"vector: {text}", read(f"track_id,encoder,vector\nt1,e,{text}\nt2,e,1|2\n", 1, 1)
    yield "an id of a megabyte", read(f"{TRACKS}\n{'x' * 1_000_000},One,a1\n", 0, 1)
    yield "an account of a megabyte", read(f"{LISTENS}\n{SECRET * 100_000},t1,2026-01-02\n", 0, 1)
    yield "a field larger than a block", read(f'{TRACKS}\nt1,"{"x" * 17_000_000}",a1\n', 0, 1)
    yield "right to left", read(f"{TRACKS}\nt1,\u202e{SECRET},a1\n", 1)


def json_lines() -> Iterator[tuple[str, Hostile]]:
    """Generate JSON Lines."""
    row = {"user_id": SECRET, "track_id": "t1", "listened_at": "2026-01-02T10:00:00Z"}
    line = json.dumps(row)
    for name, text, n_accepted, n_refused in (
        ("plain", line, 1, 0), ("blank lines", f"\n\n{line}\n\n", 1, 0), ("cut short", f"{line}\n{line[:-9]}", 1, 1),
        ("a list", f"{line}\n[1]", 1, 1), ("a number", f"{line}\n7", 1, 1), ("NaN", f"{line}\nNaN", 1, 1),
        ("deep", f'{line}\n{{"a":{"[" * 100_000}', 1, 1), ("half a pair", f'{line}\n{{"user_id": "\\ud800"}}', 1, 1),
        ("an id of a megabyte", json.dumps(row | {"track_id": "x" * 1_000_000}), 0, 1),
        ("nested", json.dumps(row | {"track_id": {"id": SECRET}}), 1, 0),
        ("a nested account", json.dumps(row | {"user_id": [SECRET, 1]}), 1, 0),
        ("numbers as ids", json.dumps(row | {"track_id": 7, "user_id": 8.5}), 1, 0),
        ("null", json.dumps(row | {"track_id": None}), 0, 1),
    ):  # fmt: skip
        yield f"json: {name}", read(text, n_accepted, n_refused, ".jsonl")
    yield "json: other names", refused(json.dumps({SECRET: 1}), "no header line", ".jsonl")
    yield "json: only broken lines", refused(f'{{"{SECRET}\n' * 3, "a JSON object", ".jsonl")


def packed() -> Iterator[tuple[str, Hostile]]:
    """Generate compressed files and Parquet."""
    text = f"{LISTENS}\n{GOOD}\n".encode()
    yield "gzip", read(gzip.compress(text), 1, suffix=".gz")
    yield "gzip in gzip", refused(gzip.compress(gzip.compress(text)), "contains an archive or compressed file", ".gz")
    yield "zstd of utf-16", read(zstd(text.decode().encode("utf-16")), 1, suffix=".zst")
    for n_bytes in (3, 12, 20, 30):
        yield f"gzip cut at {n_bytes}", refused(gzip.compress(text * 9)[:n_bytes], "", ".gz")
        yield f"zstd cut at {n_bytes}", refused(zstd(text * 9)[:n_bytes], "", ".zst")
    table = {"user_id": pa.array([SECRET]), "track_id": pa.array(["t1"])}
    for name, times in {
        "texts": pa.array(["2026-01-02T10:00:00Z"]),
        "seconds": pa.array([1_767_348_000]),
        "floats": pa.array([1_767_348_000.25]),
        "nanoseconds": pa.array([1_767_348_000_000_000_000]),
        "instants": pa.array([1_767_348_000], pa.timestamp("s", "Europe/Berlin")),
        "days": pa.array([date(2026, 1, 2)]),
    }.items():
        yield f"parquet: {name}", read(parquet(**table, listened_at=times), 1, suffix=".parquet")
    for name, times in {"null": pa.nulls(1), "bool": pa.array([True]), "time": pa.array([5], pa.time32("s"))}.items():
        yield f"parquet: {name}", read(parquet(**table, listened_at=times), 0, 1, ".parquet")
    whole = parquet(**table, listened_at=pa.array(["2026-01-02"]))
    for n_bytes in (4, 40, len(whole) - 1):
        yield f"parquet cut at {n_bytes}", refused(whole[:n_bytes], "damaged Parquet", ".parquet")
    yield (
        "parquet: other names",
        refused(parquet(**{SECRET: pa.array([1]), "b": pa.array([1])}), "no header", ".parquet"),
    )


MAKERS = (encodings, line_ends, quotes, headers, values, json_lines, packed)
CORPUS = {name: hostile for maker in MAKERS for name, hostile in maker()}


def test_the_corpus_is_large() -> None:
    """Each maker adds a kind of damage."""
    assert len(CORPUS) >= 150


def shown(report: IngestReport) -> str:
    """Return everything that a report says."""
    return " ".join([*report.warnings, *(message for _, message in report.unreadable), *map(str, report.batches)])


def stored_log(home: Home) -> str:
    """Return the text of the batch log."""
    return "".join(path.read_text() for path in sorted((home.lake / "_ledger").glob("*.json")))


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_file_ends_in_a_clear_message_or_the_right_rows(
    inbox: Inbox, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it is printed, reported or logged."""
    hostile = CORPUS[name]
    report = inbox.take(f"h{hostile.suffix}", hostile.content)

    messages = [message for _, message in report.unreadable]
    printed = capfd.readouterr()
    assert SECRET not in shown(report) + stored_log(inbox.home) + printed.out + printed.err
    if hostile.n_accepted is None:
        assert len(messages) == 1, report.batches
        assert hostile.message in messages[0]
        assert len(messages[0]) < 700
    else:
        assert messages == []
        counts = [(batch.n_accepted, batch.n_quarantined) for batch in report.batches]
        assert counts == [(hostile.n_accepted, hostile.n_refused)]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=200).map(lambda rest: f"{LISTENS}\n{GOOD}\n".encode() + rest),
        st.binary(max_size=200).map(lambda start: start + f",{SECRET}\n{LISTENS}\n{GOOD}\n".encode()),
        st.text(st.sampled_from('",;\t|\r\n#=\0ab1{}[]:é\ufeff'), max_size=80).map(
            lambda text: f"{text}{SECRET}".encode()
        ),
        st.text(max_size=60).map(
            lambda text: f"{LISTENS},x\n{text},{SECRET},{text},{text}\n".encode("utf-8", "replace")
        ),
    ),
    suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".parquet", ".gz", ""]),
)
def test_no_bytes_crash_or_leak(tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str) -> None:
    """Any bytes, also around and inside of a valid file, are refused or become rows that add up."""
    folder = tmp_path_factory.mktemp("any")
    (folder / f"h{suffix}").write_bytes(content)
    home = Home(folder / "home")
    report = ingest(home, [folder / f"h{suffix}"], today=TODAY)

    assert SECRET not in shown(report) + stored_log(home)
    assert len(report.unreadable) == (not report.batches)
    for batch in report.batches:
        assert batch.n_read == batch.n_accepted + batch.n_quarantined + batch.n_duplicate
    assert Lake(home).verify() >= 0


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "", "cem"]),
        st.sampled_from(["t1", "t2", ""]),
        st.integers(0, 40).map(lambda n: f"{date(2026, 1, 1) + timedelta(days=n)}T10:00:00Z"),
        st.sampled_from(["0", "1000", "", "-1", "many"]),
    ),
    max_size=25,
    unique_by=lambda row: row[:3],
)


@settings(max_examples=12, deadline=None)
@given(rows=ROWS, rng=st.randoms(use_true_random=False), n_files=st.integers(1, 4))
def test_shuffling_and_splitting_rows_gives_the_same_lake(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], rng: random.Random, n_files: int
) -> None:
    """Rows, refusals and counts of invalid values do not depend on the files that the rows came in."""
    folder = tmp_path_factory.mktemp("split")
    shuffled = sorted(rows, key=lambda _row: rng.random())
    parts = [shuffled[start::n_files] for start in range(n_files)]

    assert contents(folder / "one", [rows]) == contents(folder / "many", parts)


def contents(folder: Path, parts: list[list[tuple[str, ...]]]) -> tuple[object, ...]:
    """Ingest files of listens, and return what the lake holds, apart from pseudonyms, batches and lines."""
    folder.mkdir()
    paths = [folder / f"{'abcd'[n]}.csv" for n in range(len(parts))]
    for path, rows in zip(paths, parts, strict=True):
        path.write_text("\n".join([f"{LISTENS},ms_played", *map(",".join, rows)]) + "\n")
    home = Home(folder / "home")
    home.path.mkdir()
    home.key_file.write_bytes(bytes(32))
    home.key_file.chmod(0o600)
    report = ingest(home, paths, today=TODAY)
    stored = Lake(home).rows("listens").select(CONTRACTS["listens"].names).collect()
    files = (home.lake / "quarantine").rglob("*.parquet")
    refusals = [
        row for file in files for row in pl.read_parquet(file).select("reason", "column_name", "payload").rows()
    ]
    invalid = [value for batch in report.batches for value in batch.invalid_values]
    counts = {(value["column_name"], value["reason"]): 0 for value in invalid}
    for value in invalid:
        counts[value["column_name"], value["reason"]] += value["n_values"]
    return sorted(stored.rows(), key=str), sorted(refusals, key=str), counts


def test_messages_name_no_line_of_the_file() -> None:
    """The makers plant the secret in nearly every file, so that the test above can find it."""
    planted = [hostile for hostile in CORPUS.values() if re.search(SECRET.encode(), hostile.content)]

    assert len(planted) > 60
