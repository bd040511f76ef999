"""Properties of parsing instants."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.ingest.coerce import apply_contract
from recsys.ingest.instants import DateOrder, days, instants
from recsys.lake.contract import CONTRACTS, last_instant

TODAY = date(2030, 12, 31)
UTC_ZONE = ZoneInfo("UTC")
FIRST, LAST = datetime(1995, 1, 1), datetime(2030, 12, 30)  # noqa: DTZ001 - hypothesis takes naive bounds
INSTANTS = st.datetimes(FIRST, LAST).map(lambda instant: instant.replace(microsecond=0))
OFFSETS_MIN = st.integers(-12 * 4, 14 * 4).map(lambda quarters: quarters * 15)


def read(texts: list[str]) -> list[datetime | None]:
    """Parse texts as the instants of a listens file."""
    rows = pl.DataFrame({"user_id": "ann", "track_id": "t1", "listened_at": texts})
    empty = [pl.lit(None, dtype=pl.String).alias(name) for name in CONTRACTS["listens"].names[3:]]
    return apply_contract(rows.with_columns(empty), CONTRACTS["listens"], TODAY, UTC_ZONE)["listened_at"].to_list()


def spellings(instant: datetime, offset_min: int) -> list[str]:
    """Return every accepted spelling of an instant in whole seconds of UTC."""
    local = instant.astimezone(timezone(timedelta(minutes=offset_min)))
    spelled = [
        instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
        instant.strftime("%Y-%m-%d %H:%M:%S"),
        instant.strftime("%Y-%m-%dT%H:%M:%S"),
        instant.strftime("%Y-%m-%d %H:%M:%S UTC"),
        instant.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        instant.strftime("%Y-%m-%d %H:%M:%S.000000+00"),
        local.isoformat(),
        local.isoformat(sep=" "),
        local.strftime("%Y-%m-%dT%H:%M:%S%z"),
        str(int(instant.timestamp())),
        f"{int(instant.timestamp())}.0",
        str(int(instant.timestamp()) * 1000),
    ]
    if instant.second == 0:
        spelled += [
            instant.strftime("%Y-%m-%dT%H:%MZ"),
            instant.strftime("%Y-%m-%d %H:%M"),
            local.isoformat(timespec="minutes"),
        ]
    return spelled


@settings(max_examples=50, deadline=None)
@given(INSTANTS, OFFSETS_MIN, st.booleans())
def test_every_spelling_of_an_instant_is_the_same_instant(naive: datetime, offset_min: int, whole_minute: bool) -> None:
    """Offsets, blanks, fractions and epochs give the same instant, alone or mixed in one column."""
    instant = naive.replace(tzinfo=UTC, second=0 if whole_minute else naive.second)
    spelled = spellings(instant, offset_min)

    assert read(spelled) == [instant] * len(spelled)
    assert [read([spelling])[0] for spelling in spelled[:3]] == [instant] * 3


@given(st.dates(date(1995, 1, 1), TODAY))
def test_a_day_without_a_time_is_its_first_instant(day: date) -> None:
    """A date without time is midnight UTC."""
    assert read([day.isoformat()]) == [datetime(day.year, day.month, day.day, tzinfo=UTC)]


@given(INSTANTS, st.integers(1, 999_999))
def test_fractions_of_a_second_are_kept(naive: datetime, microsecond: int) -> None:
    """Two listens in the same second stay distinct."""
    instant = naive.replace(tzinfo=UTC, microsecond=microsecond)

    assert read([instant.isoformat(), instant.strftime("%Y-%m-%d %H:%M:%S.%fZ")]) == [instant, instant]


NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
FORMS = {
    "20260501T120000Z": NOON,
    "20260501120000": NOON,
    "2026/05/01 12:00": NOON,
    "2026.5.1 12:00:00": NOON,
    "2026-05-01t12:00:00z": NOON,
    "2026-05-01T12:00:00,5": NOON.replace(microsecond=500_000),
    "2026-05-01T12:00:00.123456789Z": NOON.replace(microsecond=123_456),
    "2026-05-01T14:00:00+02:00[Europe/Berlin]": NOON,
    "2026-05-01T12:00:00[UTC]": NOON,
    "01 May 2026, 12:00": NOON,
    "1 May 2026 12:00:00": NOON,
    "01-May-2026 12:00": NOON,
    "May 1, 2026, 12:00:00 PM UTC": NOON,
    "May 1, 2026 11:59 am": NOON.replace(hour=11, minute=59),
    "2026-05-01 12:00 AM": NOON.replace(hour=0),
    "2026-05-01 02:00:00 p.m.": NOON.replace(hour=14),
    "Fri, 01 May 2026 12:00:00 +0000": NOON,
    "Fri, 1 May 2026 14:00:00 +0200 (CEST)": NOON,
    "Fri, 01 May 2026 12:00:00 GMT": NOON,
    "Fri May  1 12:00:00 2026": NOON,
    "Fri May 1 12:00:00 UTC 2026": NOON,
    "Fri May 01 2026 14:00:00 GMT+0200 (Central European Summer Time)": NOON,
    "01/May/2026:14:00:00 +0200": NOON,
    "20260501": NOON.replace(hour=0),
    "1777636800": NOON,
    "1777636800.25": NOON.replace(microsecond=250_000),
    "1777636800000.5": NOON.replace(microsecond=500),
    "1777636800000000": NOON,
    "1777636800000000000": NOON,
    "1.7776368e9": NOON,
    "1.7776368E+12": NOON,
    "0": datetime(1970, 1, 1, tzinfo=UTC),
    "59007": datetime(1970, 1, 1, 16, 23, 27, tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "instant"), FORMS.items())
def test_every_usual_form_of_a_time_is_read(text: str, instant: datetime) -> None:
    """Those of logs, spreadsheets, mail, web servers and databases, alone and in a column with others."""
    assert read([text]) == [instant]
    assert read(["2026-05-01T12:00:00Z", text, "never"]) == [NOON, instant, None]


def test_invalid_instants_are_null() -> None:
    """Impossible days and times, words, named zones, two-digit years and other calendars are null."""
    wrong = [
        *(
            "2026-13-01T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-02-30 10:00",
            "30 Feb 2026, 10:00",
            "2026-05-01 13:00 PM",
        ),
        *(
            "noon",
            "-1767225600",
            "99999999999999999999",
            "nan",
            "inf",
            "",
            "2026-W18-5",
            "10:00",
            "01 Mai 2026",
            "1 May 26",
        ),
        *("2026-05-01 10:00 EST", "2026-05-01T10:00:00 Europe/Berlin", "2026-05-01T10:00:00+00:00Z", "01/05/2026"),
    ]

    assert read(wrong) == [None] * len(wrong)


@pytest.mark.parametrize(
    ("order", "day"), [(DateOrder.DAY_FIRST, date(2026, 5, 1)), (DateOrder.MONTH_FIRST, date(2026, 1, 5))]
)
@pytest.mark.parametrize("text", ["01/05/2026", "1.5.2026", "01-05-2026"])
def test_a_date_of_digits_is_read_in_the_stated_order(order: DateOrder, day: date, text: str) -> None:
    """With and without a time; never without a stated order, and never in the other one."""
    texts = pl.Series([text, f"{text} 10:30", f"{text} 10:30 PM", "13/13/2026"])
    hours = [read_at.hour if read_at else None for read_at in instants(texts, order)]

    assert days(texts, order).to_list() == [day, day, day, None]
    assert hours == [0, 10, 22, None]
    assert instants(texts).to_list() == [None] * 4


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1965", date(1965, 1, 1)),
        ("1965-3", date(1965, 3, 1)),
        ("1965-00-00", date(1965, 1, 1)),
        ("1965-03-00", date(1965, 3, 1)),
        ("19650304", date(1965, 3, 4)),
        ("1965-03-04T23:59:59-08:00", date(1965, 3, 4)),
        ("Aug 13, 2006", date(2006, 8, 13)),
        ("13 August 2006", date(2006, 8, 13)),
        ("1777636800", date(2026, 5, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        ("2001-13", None),
        ("2001-02-03nonsense", None),
        ("65", date(1970, 1, 1)),
    ],
)
def test_days_are_read_in_the_usual_forms(text: str, day: date | None) -> None:
    """A year or a month alone is its first day; the day is that of the text, whatever its offset."""
    assert days(pl.Series([text])).to_list() == [day]


def test_the_last_instant_of_a_day_is_its_last_microsecond() -> None:
    """The next instant is in the future."""
    after = last_instant(date(2026, 1, 31), UTC_ZONE) + timedelta(microseconds=1)

    assert after == datetime(2026, 2, 1)  # noqa: DTZ001 - naive UTC


def test_a_market_west_of_greenwich_ends_its_day_later() -> None:
    """Midnight in Los Angeles is 08:00 UTC in winter."""
    after = last_instant(date(2026, 1, 31), ZoneInfo("America/Los_Angeles")) + timedelta(microseconds=1)

    assert after == datetime(2026, 2, 1, 8)  # noqa: DTZ001 - naive UTC
