"""Works, shares and links: CWR files, publishers' tables and lists of territories."""

import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from recsys.demo.rights import ipi, iswc
from recsys.ingest.cwr import CwrRecords, _later, _share
from recsys.ingest.dialect import Dialect
from recsys.ingest.run import ingest
from recsys.ingest.territories import by_territory, countries_of, steps_of

from .conftest import TODAY, Inbox

FIXTURES = Path(os.environ.get("RECSYS_DATA", "/nowhere")) / "industry_fixtures"
CODE = iswc(123_456_789)
IPI = ipi(1_234)


def record(kind: str, number: int, *fields: tuple[int, str]) -> str:
    """Return a record of the first transaction with texts at positions."""
    line = f"{kind}{0:08d}{number:08d}"
    for position, text in sorted(fields):
        line = f"{line:<{position}}{text}"
    return line


def work(code: str = CODE) -> str:
    """Return the registration of a work."""
    return record("NWR", 0, (19, "THE SONG"), (81, "W1"), (95, code), (106, "00000000"))


def writer(number: int, party: str, shares: str, own_ipi: str = IPI) -> str:
    """Return a writer with 15 digits of shares: performing, mechanical, synchronisation."""
    parts = [(126 + 8 * n, f"   {shares[5 * n : 5 * n + 5]}") for n in range(3)]
    return record("SWR", number, (19, party), (28, "DOE"), (73, "JANE"), (104, "CA"), (115, own_ipi), *parts)


def territory(number: int, party: str, sign: str, code: str, share: str = "05000") -> str:
    """Return a territory of a writer."""
    return record("SWT", number, (19, party), (28, f"{share}0000000000"), (43, f"{sign}{code}"))


def file_of(*records: str, sender: str = "PB000000001", time: str = "120000") -> str:
    """Return a file with one group and right totals."""
    head = f"{f'HDR{sender}THE SENDER':<59}01.1020260105{time}20260105"
    totals = f"{'1':0>8}{len(records) + 2:08d}", f"{'1':0>8}{len(records) + 4:08d}"
    lines = [head, "GRHNWR0000102.100000000000", *records, f"GRT00001{totals[0]}", f"TRL00001{totals[1]}"]
    return "\r\n".join(lines) + "\r\n"


def test_a_work_with_its_owners_and_collectors_is_read(inbox: Inbox) -> None:
    """Shares of 0 are no claims; a collector has the world but for an excluded country."""
    rec = record("REC", 4, (19, "20260101"), (249, "USRC17600001"))
    rows = (
        work(),
        writer(1, "A", "050001000000000"),
        territory(2, "A", "I", "2136"),
        territory(3, "A", "E", "0826"),
        rec,
    )

    report = inbox.take("one.v21", file_of(*rows))

    assert {batch.table: batch.n_accepted for batch in report.batches} == {
        "works": 1,
        "work_shares": 6,
        "work_recordings": 1,
    }
    assert inbox.refused() == []
    assert inbox.rows("works").select("source", "work_id", "title", "iswc").rows() == [
        ("cwr:PB000000001", "W1", "THE SONG", CODE)
    ]
    shares = inbox.rows("work_shares").select("kind", "right_type", "territory", "share", "party_name", "ipi")
    assert sorted(shares.rows()) == sorted(
        [
            ("ownership", "performing", "WW", 50.0, "JANE DOE", IPI),
            ("ownership", "mechanical", "WW", 100.0, "JANE DOE", IPI),
            ("collection", "performing", "WW", 50.0, "JANE DOE", IPI),
            *(
                ("collection", right, "GB", 0.0, "JANE DOE", IPI)
                for right in ("performing", "mechanical", "synchronisation")
            ),
        ]
    )
    assert inbox.rows("work_recordings").select("work_id", "isrc").rows() == [("W1", "USRC17600001")]


def test_a_bad_record_is_refused_by_field_and_the_rest_of_the_work_kept(inbox: Inbox) -> None:
    """A share without digits alone, an IPI and an ISWC without the form of one; a wrong check digit is kept."""
    rows = (
        work("T12345"),
        writer(1, "A", "0X0000500000000"),
        writer(2, "B", "050000000000000", "99X"),
        writer(3, "C", "050000000000000", f"{IPI[:-1]}{(int(IPI[-1]) + 1) % 10}"),
        "XYZ000000000000009",
    )

    inbox.take("bad.v21", file_of(*rows))

    assert [(reason, column, line) for reason, column, _, line in inbox.refused()] == [
        ("wrong_code", "iswc", 3),
        ("bad_type", "share", 4),
        ("wrong_code", "ipi", 5),
        ("malformed_row", None, 7),
    ]
    assert inbox.rows("work_shares").select("party_id", "right_type").rows() == [
        ("A", "mechanical"),
        ("C", "performing"),
    ]


def test_totals_that_disagree_are_reported_and_a_cut_file_is_refused(inbox: Inbox) -> None:
    """The trailers of a file with a lost record are malformed; without a trailer nothing is read."""
    whole = file_of(work(), writer(1, "A", "050000000000000"))
    lost = "\r\n".join(line for line in whole.splitlines() if not line.startswith("SWR"))

    inbox.take("lost.v21", lost)

    assert [(reason, line) for reason, _, _, line in inbox.refused()] == [("malformed_row", 4), ("malformed_row", 5)]
    assert "without its last record" in inbox.complaint("cut.v21", whole[: whole.index("TRL")])


def test_a_later_transaction_of_a_file_is_newer() -> None:
    """Two registrations of one work in a file have different times."""
    records = CwrRecords()
    for line, text in enumerate(file_of(work(), work()).splitlines(), start=1):
        records.take(line, text)

    (works,) = [chunk.rows for chunk in records.chunks() if chunk.table == "works"]

    assert works["registered_at"].to_list() == ["2026-01-05T12:00:00.000001Z", "2026-01-05T12:00:00.000002Z"]


def test_transactions_beyond_a_million_are_newer_still() -> None:
    """A second has a million microseconds, and a file may have more transactions."""
    assert _later("2026-01-05T12:00:00", 1_000_001) == "2026-01-05T12:00:01.000001Z"
    assert _later("20X6-01-05T12:00:00", 1) == "20X6-01-05T12:00:00"


@pytest.mark.parametrize(
    ("written", "share"),
    [("05000", "050.00"), ("00000", None), ("0500", "0500 is not a share"), ("²0000", "²0000 is not a share")],
)
def test_a_share_has_five_digits(written: str, share: str | None) -> None:
    """A shorter or shifted field is no other share."""
    assert _share(f"SPU{written}", 3, 8) == share


def test_a_second_file_without_its_end_is_not_complete() -> None:
    """Two files in one, of which the second was cut."""
    records, whole = CwrRecords(), file_of(work())
    for line, text in enumerate((whole + whole[: whole.index("TRL")]).splitlines(), start=1):
        records.take(line, text)

    assert not records.is_complete


CLAIMS = """source,work_id,registered_at,claim_no,party_id,right_type,share,territories
pub,w1,2026-01-01,1,a,performing,50,2136|-US
pub,w1,2026-01-01,2,b,performing,40,2131;GB
pub,w1,2026-01-01,3,c,performing,10,Atlantis
"""


def test_lists_of_territories_become_rows(inbox: Inbox) -> None:
    """An excluded country of the world has the share 0; an unknown territory is refused."""
    inbox.take("claims.csv", CLAIMS)

    rows = inbox.rows("work_shares").select("party_id", "territory", "share").sort("party_id", "territory").rows()
    assert rows == [("a", "US", 0.0), ("a", "WW", 50.0), *(("b", where, 40.0) for where in ("DK", "GB", "NO", "SE"))]
    assert [(reason, column, line) for reason, column, _, line in inbox.refused()] == [("not_allowed", "territory", 4)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("World", {"WW": 1}),
        ("2136|-GB|-IE", {"WW": 1, "GB": 0, "IE": 0}),
        ("2120|-2111|GB", {**dict.fromkeys(countries_of("2120"), 1)} | {"IE": None}),
        ("DE|2136|-2136", {}),
        ("2136|-Atlantis", {"atlantis is no territory": 1}),
        ("|", {"an empty list is no territory": 1}),
        (None, {"WW": 1}),
    ],
)
def test_later_steps_override_earlier_ones(text: str | None, expected: dict[str, int | None]) -> None:
    """Including and excluding countries, groups and the world, in order."""
    found = by_territory(((*step, 1) for step in steps_of(text)), nothing=0)

    assert found == {name: share for name, share in expected.items() if share is not None}


def test_a_publishers_table_of_works_is_read(inbox: Inbox) -> None:
    """Shares in per cent or as fractions, for all rights or per right; the day must be stated."""
    text = (
        "Work ID,Work Title,ISWC,Writer 1 Last,Writer 1 First,Writer 1 IPI,Writer 1 Share,Writer 2 Last,"
        "Writer 2 PR Share,Writer 2 Publisher Name,Writer 2 Publisher PR Share,Recording 1 ISRC,Notes\n"
        f"W1,One,{CODE},Doe,Jane,{IPI},0.5,Roe,25%,House,25%,US-RC1-76-00001\n"
    )
    path = inbox.put("works.csv", text)

    undated = ingest(inbox.home, [path], today=TODAY)
    ingest(inbox.home, [path], today=TODAY, dialect=Dialect(day=date(2026, 1, 2)))

    assert "--day" in undated.unreadable[0][1]
    shares = inbox.rows("work_shares").select("right_type", "party_name", "role", "share", "ipi")
    assert shares.filter(pl.col("right_type") == "performing").drop("right_type").rows() == [
        ("Jane Doe", "writer", 50.0, IPI),
        ("Roe", "writer", 25.0, None),
        ("House", "publisher", 25.0, None),
    ]
    assert shares.filter(pl.col("right_type") == "mechanical")["party_name"].to_list() == ["Jane Doe"]
    assert inbox.rows("work_recordings")["isrc"].to_list() == ["USRC17600001"]


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="RECSYS_DATA does not name the folder of real research data")
def test_samples_of_the_trade_are_read_whole(inbox: Inbox) -> None:
    """One work claims 125 % of two rights; all others add up within the tolerance; only wrong totals are refused."""
    files = sorted([*FIXTURES.glob("cwr_*.[Vv]*"), *FIXTURES.glob("dmp_CW*")])

    report = ingest(inbox.home, files, today=date(2026, 11, 1), user="DMP")

    assert report.unreadable == []
    assert {reason for reason, *_ in inbox.refused()} == {"malformed_row"}
    assert len(inbox.refused()) == 6
    owned = inbox.rows("work_shares").filter(kind="ownership")
    sums = owned.group_by("source", "work_id", "right_type").agg(pl.col("share").sum().round(2))
    outside = sums.filter(~pl.col("share").is_between(99.94, 100.06)).sort("right_type")
    assert outside.select("right_type", "share").rows() == [("mechanical", 125.0), ("synchronisation", 125.0)]
    assert inbox.rows("work_acknowledgements").height == 23


def test_a_file_without_line_ends_is_refused(inbox: Inbox) -> None:
    """It would be one line that is a header."""
    assert "without line ends" in inbox.complaint("one.v21", file_of(work()).replace("\r\n", ""))


def test_malformed_lines_are_handed_over_with_the_rows() -> None:
    """A file of nothing else is held in memory as little as one of records."""
    records = CwrRecords()
    for line in range(1, 8):
        records.take(line, "XYZ")

    (chunk,) = records.chunks(at_least=5)

    assert (chunk.table, chunk.rows.height, chunk.malformed) == ("works", 0, [1, 2, 3, 4, 5, 6, 7])
    assert records.malformed == []
    assert list(records.chunks(at_least=1)) == []


def test_a_line_without_end_is_not_read_into_memory(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is refused at its longest line, of any format that is read by lines."""
    monkeypatch.setattr("recsys.ingest.encoding.MAX_LINE_BYTES", 500)

    assert "500 bytes in line 3" in inbox.complaint("long.v21", file_of("NWR" + "A" * 600))


def test_a_society_s_works_are_told_apart_by_their_submitters(inbox: Inbox) -> None:
    """The receiver in the file's name, else the account that was given; without either the file is refused."""
    text = file_of(work(), sender="SO000000052")

    assert "--user" in inbox.complaint("answers.v21", text)
    inbox.take("CW260001052_DMP.V21", text)
    ingest(inbox.home, [inbox.put("more.v21", text.replace("THE SONG", "ANOTHER "))], today=TODAY, user="ABC")

    assert inbox.rows("works").select("source", "work_id", "title").rows() == [
        ("cwr:SO000000052/DMP", "W1", "THE SONG"),
        ("cwr:SO000000052/ABC", "W1", "ANOTHER"),
    ]


def test_a_term_that_ends_before_it_starts_is_refused(inbox: Inbox) -> None:
    """It would hold on no day, and vanish from every sum; a term of one day is one."""
    head = "source,work_id,registered_at,claim_no,party_id,right_type,share,valid_from,valid_until\n"
    rows = ["1,a,performing,50,2026-02-01,2026-01-31", "2,b,performing,50,2026-02-01,2026-02-01"]

    inbox.take("claims.csv", head + "".join(f"pub,w1,2026-01-01,{row}\n" for row in rows))

    assert inbox.refused() == [("ends_before_start", "valid_until", "claims.csv", 2)]
    assert inbox.rows("work_shares")["party_id"].to_list() == ["b"]
