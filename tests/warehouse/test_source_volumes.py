"""Volume and freshness of sources: bounds by weekday and trend, and sources that are due."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.files import short_hash
from recsys.ingest.undo import undo
from recsys.lake.contract import QUARANTINE
from recsys.lake.store import Batch, Lake, StagedBatch
from recsys.reports.morning.findings import source_findings
from recsys.reports.morning.settings import MorningSettings
from recsys.warehouse.query import Warehouse, run_query

from .conftest import Place, rows

START = date(2026, 1, 5)  # a Monday


def deliver(place: Place, day: date, n_rows: int, name: str = "") -> None:
    """Record a file of one day whose rows are all duplicates, so that nothing but the batch log has to be written."""
    lake, file = Lake(place.home), name or f"listens-{day}.csv"
    batch = short_hash(file)
    no = lake.next_batch_no()
    entry = Batch(batch, no, "listens", file, short_hash(file, "bytes"), str(day), n_rows, 0, 0, n_rows)
    lake.commit(entry.source_sha256, [StagedBatch(entry, {}, pl.DataFrame(schema=QUARANTINE))])


def delivered(place: Place, sizes: Iterable[int]) -> date:
    """Deliver one file per day, from START; return the last day."""
    day = START
    for number, n_rows in enumerate(sizes):
        day = START + timedelta(days=number)
        deliver(place, day, n_rows)
    return day


def alerts(place: Place, as_of: date, name: str = "w") -> list[tuple[object, ...]]:
    """Return source, problem and rows of each alert."""
    path: Path = place.build(name, as_of=as_of, only=["marts.source_volumes"])
    with Warehouse.open(path) as warehouse:
        return run_query(warehouse, "source_alerts", {}).select("source", "problem", "n_read").rows()


def by_weekday(number: int) -> int:
    """Return the rows of a day: few on Sundays, with small differences from week to week."""
    return (10 if number % 7 == 6 else 100) + number // 7 % 2


@pytest.mark.parametrize(
    ("last", "problem"), [(100, []), (10, [("listens---.csv", "small", 10)]), (300, [("listens---.csv", "large", 300)])]
)
def test_a_day_is_compared_with_its_weekday(place: Place, last: int, problem: list[tuple[object, ...]]) -> None:
    """Ten rows are few for a Monday, though Sundays have no more."""
    day = delivered(place, [*map(by_weekday, range(42)), last])

    assert alerts(place, day - timedelta(days=1)) == problem


def test_a_small_sunday_is_usual(place: Place) -> None:
    """Its own weekday has as few rows."""
    day = delivered(place, map(by_weekday, range(42)))

    assert alerts(place, day - timedelta(days=1)) == []


def test_growth_is_expected_to_go_on(place: Place) -> None:
    """Rows that grow by a tenth per week: the expected value is the next one, computed here in closed form."""
    sizes = [round(100 * 1.1 ** (number / 7)) for number in range(50)]
    day = delivered(place, sizes)
    path = place.build("w", as_of=day, only=["marts.source_volumes"])
    query = f"select n_expected, n_low, n_high, is_unusual from marts.source_volumes where ingested_on = '{day}'"
    ((expected, low, high, is_unusual),) = rows(path, query)

    assert expected == pytest.approx(100 * 1.1**7, rel=0.02)
    assert (low, high) == (pytest.approx(195 * 0.67, rel=0.02), pytest.approx(195 * 1.49, rel=0.02))
    assert not is_unusual


def test_without_a_history_there_are_no_bounds(place: Place) -> None:
    """Three weeks are too few; a source of one file is never due."""
    day = delivered(place, [100] * 21 + [1])

    assert alerts(place, day - timedelta(days=1)) == []
    deliver(place, day, 1, "other.csv")
    assert alerts(place, day + timedelta(days=99), "later") == [("listens---.csv", "due", 1)]


@pytest.mark.parametrize(("days_later", "is_due"), [(-1, False), (0, True), (1, True)])
def test_a_daily_source_is_due_on_the_next_day(place: Place, days_later: int, is_due: bool) -> None:
    """The run for a day ingests on the day after; without a file then, it is due."""
    day = delivered(place, [100] * 10)

    assert bool(alerts(place, day + timedelta(days=days_later))) is is_due


@pytest.mark.parametrize(("days_later", "is_due"), [(1, False), (2, True)])
def test_a_source_that_rests_at_weekends_is_due_after_its_longest_gap(
    place: Place, days_later: int, is_due: bool
) -> None:
    """From Friday to Monday are three days."""
    for number in range(12):
        if number % 7 < 5:
            deliver(place, START + timedelta(days=number), 100)

    assert bool(alerts(place, START + timedelta(days=11 + days_later))) is is_due


def test_files_that_were_taken_back_do_not_count(place: Place) -> None:
    """Nor do files that could not be read; refused rows are counted."""
    place.take("listens-1.csv", "user_id,track_id,listened_at\nann,t1,2026-01-01\n")
    place.take("listens-2.csv", "user_id,track_id,listened_at\nann,,2026-01-01\nbob,t1,2026-01-01\n")
    place.take("bad.csv", "a,b\n1,2\n")
    undo(place.home, Lake(place.home).batches()[0].batch, today=START)
    path = place.build("w", only=["marts.source_volumes"])

    assert rows(path, "select source, n_files, n_read, n_accepted, n_refused from marts.source_volumes") == [
        ("listens-.csv", 1, 2, 1, 1)
    ]


def test_the_morning_report_names_late_and_small_sources(place: Place) -> None:
    """Days, rows and bounds in a sentence each, the late source first."""
    place.take("one.csv", "user_id,track_id,listened_at\nann,t1,2026-01-01\n")
    day = delivered(place, [100] * 42 + [10])
    for number in range(6):
        deliver(place, START + timedelta(days=number), 100, f"users{number}.csv")
    path = place.build("w", as_of=day - timedelta(days=1), only=["marts.source_volumes", "marts.column_drift"])
    with Warehouse.open(path) as warehouse:
        late, small = (finding.text for finding in source_findings(warehouse, MorningSettings()))

    assert late == "users.csv (listens): no file since 10 January; its longest gap was 1 day."
    assert small == "listens---.csv (listens): 10 rows on 16 February; 67 to 150 were expected."
