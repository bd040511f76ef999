"""CSV: quotes, line breaks, rows with too few or too many fields, invalid UTF-8, block borders, compression."""

import gzip
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.ingest.dialect import Dialect
from recsys.ingest.formats import csv as csv_format
from recsys.ingest.source import Source

from .conftest import Inbox, zstd

SIXTEEN_MB = 16 * 1024 * 1024
HEADER = "track_id,title,artist_id\n"
VALUES = st.sampled_from(["", "plain", "ünï", "a,b", 'say "hi"', "two\nlines", "crlf\r\ninside", "\n", "\n\n\n"])
BAD_TEXT = [b"x,\xff\xfe,z", b'x,"\xff\n\xfe\n",z']


@dataclass
class Written:
    """A CSV text and the expected result: valid rows with their lines, and the lines of malformed rows."""

    text: bytes
    good: list[tuple[int, list[str | None]]] = field(default_factory=list)
    malformed: list[int] = field(default_factory=list)


def quoted(value: str) -> str:
    """Quote a value if necessary."""
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"\r\n') else value


@st.composite
def written(draw: st.DrawFn) -> Written:
    """Generate valid, ragged, blank and undecodable records with either line ending, with or without a final one."""
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    made, lines = Written(b""), [b"a,b,c"]
    for kind in draw(st.lists(st.sampled_from(["good", "good", "ragged", "blank", "broken"]), max_size=25)):
        line_no = 1 + len(lines) + sum(line.count(b"\n") for line in lines)
        if kind == "good":
            values = draw(st.lists(VALUES, min_size=3, max_size=3).filter(any))
            lines.append(",".join(map(quoted, values)).encode())
            made.good.append((line_no, [value or None for value in values]))
        elif kind == "ragged":
            values = draw(st.lists(VALUES.filter(bool), min_size=1, max_size=6).filter(lambda some: len(some) != 3))
            lines.append(",".join(map(quoted, values)).encode())
            made.malformed.append(line_no)
        elif kind == "broken":
            lines.append(draw(st.sampled_from(BAD_TEXT)))
            made.malformed.append(line_no)
        else:
            lines.append(b"")
    last = end if len(lines) == 1 or draw(st.booleans()) else b""
    made.text = end.join(lines) + last
    return made


def read(path: Path, *, block_bytes: int) -> Written:
    """Read a file in blocks of a given size."""
    made = Written(path.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_format, "_BLOCK_BYTES", block_bytes)
        source = Source(path, dialect=Dialect(encoding="utf-8"))  # stated, so that no file is refused for its encoding
        for rows, malformed in csv_format.delimited(source, ["a", "b", "c"], ",", skip_rows=1):
            made.good += [(row[-1], list(row[:-1])) for row in rows.rows()]
            made.malformed += malformed
    made.malformed.sort()
    return made


@settings(max_examples=150, deadline=None)
@given(made=written(), block_bytes=st.sampled_from([100, 150, 1 << 20]))
def test_every_record_keeps_its_values_and_its_line(
    tmp_path_factory: pytest.TempPathFactory, made: Written, block_bytes: int
) -> None:
    """Wherever the border of two blocks falls; blank lines are skipped but counted."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(made.text)

    assert read(path, block_bytes=block_bytes) == made


@pytest.mark.parametrize("block_bytes", range(64, 84))
def test_a_quoted_line_break_may_lie_on_the_border_of_two_blocks(tmp_path: Path, block_bytes: int) -> None:
    """The border may fall before, between or after CR and LF."""
    records = [f'{n},"first\r\nsecond\r\nthird",end' for n in range(20)]
    (tmp_path / "t.csv").write_bytes("\r\n".join(["a,b,c", *records]).encode())

    made = read(tmp_path / "t.csv", block_bytes=block_bytes)
    assert made.good == [(2 + 3 * n, [str(n), "first\r\nsecond\r\nthird", "end"]) for n in range(20)]
    assert made.malformed == []


def test_line_numbers_are_correct_across_full_size_blocks(tmp_path: Path) -> None:
    """Line numbers are correct in three full-size blocks with malformed rows throughout and at the end."""
    rng, lines, malformed = random.Random(7), ["a,b,c"], []
    for line in range(2, 100_002):
        is_bad = rng.random() < 0.001 or line == 100_001
        lines.append("only,two" if is_bad else f"{line:0200d},{line:0100d},{line:0100d}")
        malformed += [line] * is_bad
    (tmp_path / "big.csv").write_text("\n".join(lines))

    made = read(tmp_path / "big.csv", block_bytes=SIXTEEN_MB)

    assert len(made.text) > 2 * SIXTEEN_MB
    assert made.malformed == malformed
    assert all(int(row[0] or 0) == line for line, row in made.good)
    assert len(made.good) == 100_000 - len(malformed)


def test_a_title_may_hold_quotes_commas_and_line_breaks(inbox: Inbox) -> None:
    """The next row is reported with its line in the file, not its record number."""
    inbox.take("t.csv", HEADER + 't1,"Say ""yes"",\nor no",ar1\nt2,,ar1\n')

    assert inbox.rows("tracks")["title"].to_list() == ['Say "yes",\nor no']
    assert inbox.refused() == [("missing_value", "title", "t.csv", 4)]


def test_ragged_rows_are_malformed_and_keep_no_payload(inbox: Inbox) -> None:
    """A record that cannot be parsed cannot be pseudonymised, so its content is not stored."""
    inbox.take("t.csv", HEADER + "t1,One\nt2,Two,ar1,more\nt3,Three,ar1\n")

    assert inbox.refused() == [("malformed_row", None, "t.csv", 2), ("malformed_row", None, "t.csv", 3)]
    assert inbox.payloads() == [None, None]


def test_invalid_utf8_makes_only_its_row_malformed(inbox: Inbox) -> None:
    """A Latin-1 title does not affect other rows."""
    inbox.take("t.csv", HEADER.encode() + b"t1,Ol\xe9,ar1\nt2,Ol\xc3\xa9,ar1\n")

    assert inbox.refused() == [("malformed_row", None, "t.csv", 2)]
    assert inbox.rows("tracks")["title"].to_list() == ["Olé"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_read_from_the_header(inbox: Inbox, delimiter: str) -> None:
    """Comma, semicolon or tab; upper case, quotes, blanks and a byte order mark in the header are ignored."""
    header = delimiter.join(["Track_ID", '"title"', " artist_id "])
    inbox.take("t.csv", "\ufeff" + header + "\r\n" + delimiter.join(["t1", "One", "ar1"]) + "\r\n")

    assert inbox.rows("tracks").select("track_id", "title", "artist_id").rows() == [("t1", "One", "ar1")]


def test_a_file_of_malformed_rows_is_refused_line_by_line(inbox: Inbox) -> None:
    """No row is accepted, and every row is in the quarantine."""
    (batch,) = inbox.take("t.csv", HEADER + "a\nb\nc,d,e,f\n").batches

    assert [line for *_, line in inbox.refused()] == [2, 3, 4]
    assert (batch.n_read, batch.n_quarantined) == (3, 3)


def test_a_header_without_rows_is_a_known_empty_source(inbox: Inbox) -> None:
    """It enters the batch log with no rows, so the next run skips it."""
    (batch,) = inbox.take("t.csv", HEADER).batches
    again = inbox.take("t.csv", HEADER)

    assert (batch.table, batch.n_read, batch.days) == ("tracks", 0, [])
    assert [path.name for path in again.known_files] == ["t.csv"]


def test_gzip_of_several_members_is_read_to_its_end(inbox: Inbox) -> None:
    """Compressed logs are often concatenated."""
    packed = gzip.compress(HEADER.encode() + b"t1,One,ar1\n") + gzip.compress(b"t2,Two,ar1\n")
    inbox.take("t.csv.gz", packed)

    assert inbox.rows("tracks")["track_id"].to_list() == ["t1", "t2"]


def test_zstd_of_several_frames_is_read_to_its_end(inbox: Inbox) -> None:
    """The name of the file does not matter."""
    inbox.take("packed", zstd(HEADER + "t1,One,ar1\n") + zstd("t2,Two,ar1\nt3,Three,ar1\n"))

    assert inbox.rows("tracks")["track_id"].to_list() == ["t1", "t2", "t3"]


def test_zstd_is_decompressed_completely(tmp_path: Path) -> None:
    """Frames may be larger than one read, and reads may have any size."""
    text = random.Random(7).randbytes(300_000) * 2
    (tmp_path / "z").write_bytes(b"".join(zstd(part) for part in (text, b"", text)))

    with Source(tmp_path / "z").open() as stream:
        assert stream.read(7) + stream.read(100_000) + stream.read() == text * 2


def test_a_column_named_twice_is_refused(inbox: Inbox) -> None:
    """It is ambiguous which of the two is meant."""
    twice = "track_id,title,artist_id,Title\nt1,One,ar1,Uno\n"

    assert "names a column twice" in inbox.complaint("t.csv", twice)
