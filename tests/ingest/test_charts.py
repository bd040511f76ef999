"""Charts with the contract's columns, and in the layouts in which the Hot 100 and the Billboard 200 are shared."""

import os
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from .conftest import Inbox
from .test_parquet import packed

OWN = """chart,chart_date,rank,title,artist,track_id,isrc,value
House,2026-01-10,1,One,Ada,t1,USRC17600001,1200.5
House,2026-01-10,2,Two,Bix,,,
House,2026-01-10,2,Three,Cyd,,,
House,2026-01-10,0,Four,Dot,,,
House,2026-01-10,4,,Eve,,,
House,someday,5,Six,Fay,,,
"""
HOT = {
    "date": [date(2026, 1, 10), date(2026, 1, 10)],
    "rank": [1, 2],
    "song": ["One", "Two"],
    "artist": ["Ada", "Bix Featuring Ada"],
    "last_week": [None, 1],
}
OTHER = b"""chart_week\tcurrent_week\ttitle\tperformer\tpeak_pos
2026-01-10\t1\tOne\tAda\t1
2026-01-10\t2\tTwo\tBix Featuring Ada\t1
"""


def test_a_chart_is_ingested_by_the_contracts_columns(inbox: Inbox) -> None:
    """Of two songs at one rank the first is kept; ranks, titles and days are checked as in every table."""
    inbox.take("chart.csv", OWN)

    kept = inbox.rows("charts").select("chart", "chart_date", "rank", "title", "artist", "track_id", "value").rows()
    assert kept == [
        ("House", date(2026, 1, 10), 1, "One", "Ada", "t1", 1200.5),
        ("House", date(2026, 1, 10), 2, "Two", "Bix", None, None),
    ]
    assert inbox.refused() == [
        ("conflicting_row", None, "chart.csv", 4),
        ("out_of_range", "rank", "chart.csv", 5),
        ("missing_value", "title", "chart.csv", 6),
        ("bad_type", "chart_date", "chart.csv", 7),
    ]


def test_a_corrected_chart_replaces_the_rank(inbox: Inbox) -> None:
    """Charts are a reference table: the newest row of a rank wins, and an unchanged row is a duplicate."""
    header, first, *_ = OWN.splitlines(keepends=True)
    inbox.take("first.csv", header + first)
    report = inbox.take("again.csv", header + first + first.replace("10,1,One", "10,2,Two"))

    assert [batch.n_accepted for batch in report.batches] == [1]
    assert inbox.rows("charts")["title"].to_list() == ["One", "Two"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("hot100_weekly.parquet", packed(pl.DataFrame(HOT))),
        ("hot100.csv", pl.DataFrame(HOT).write_csv().encode()),
        ("hot100.tsv", OTHER),
    ],
    ids=["parquet", "csv", "other names"],
)
def test_a_published_chart_needs_no_conversion(inbox: Inbox, name: str, content: bytes) -> None:
    """The chart is named after the file, whichever of the known layouts it has."""
    inbox.take(name, content)

    assert inbox.rows("charts").select("chart", "chart_date", "rank", "title", "artist").rows() == [
        ("hot100", date(2026, 1, 10), 1, "One", "Ada"),
        ("hot100", date(2026, 1, 10), 2, "Two", "Bix Featuring Ada"),
    ]


def test_a_damaged_chart_file_is_refused_as_any_other(inbox: Inbox) -> None:
    """The message is the same whichever format is tried first."""
    assert "is damaged Parquet" in inbox.complaint("hot100_weekly.parquet", packed(pl.DataFrame(HOT))[:-20])


@pytest.mark.slow
@pytest.mark.skipif("RECSYS_DATA" not in os.environ, reason="RECSYS_DATA is unset: no real charts")
def test_the_real_charts_are_ingested_completely(inbox: Inbox) -> None:
    """All rows of the Hot 100; of the Billboard 200, all but untitled albums and second albums at one rank."""
    reports = []
    for name in ("hot100_weekly.parquet", "billboard200_weekly.parquet"):
        content = (Path(os.environ["RECSYS_DATA"]) / "billboard" / name).read_bytes()
        reports += inbox.take(name, content).batches

    counts = dict(inbox.rows("charts").group_by("chart").len().rows())
    reasons = Counter((reason, column) for reason, column, *_ in inbox.refused())
    assert counts == {"hot100": 354_887, "billboard200": 619_649 - 57 - 33}
    assert reasons == {("missing_value", "title"): 57, ("conflicting_row", None): 9}
    assert [batch.n_duplicate for batch in reports] == [0, 24]
