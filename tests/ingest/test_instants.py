"""Properties of parsing instants."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.ingest.coerce import apply_contract
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


@settings(max_examples=50)
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


def test_invalid_instants_are_null() -> None:
    """Numbers that are too short or too long, impossible days and words are null."""
    wrong = ["20260101", "1767225600000000", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "noon", "-1767225600"]

    assert read(wrong) == [None] * len(wrong)


def test_the_last_instant_of_a_day_is_its_last_microsecond() -> None:
    """The next instant is in the future."""
    after = last_instant(date(2026, 1, 31), UTC_ZONE) + timedelta(microseconds=1)

    assert after == datetime(2026, 2, 1)  # noqa: DTZ001 - naive UTC


def test_a_market_west_of_greenwich_ends_its_day_later() -> None:
    """Midnight in Los Angeles is 08:00 UTC in winter."""
    after = last_instant(date(2026, 1, 31), ZoneInfo("America/Los_Angeles")) + timedelta(microseconds=1)

    assert after == datetime(2026, 2, 1, 8)  # noqa: DTZ001 - naive UTC
