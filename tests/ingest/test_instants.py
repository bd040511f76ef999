"""Laws of reading a moment in time."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.ingest.coerce import apply_contract
from recsys.lake.contract import CONTRACTS, last_instant

TODAY = date(2030, 12, 31)
UTC_CLOCK = ZoneInfo("UTC")
MOMENTS = st.datetimes(datetime(1995, 1, 1), datetime(2030, 12, 30)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001 - hypothesis wants naive bounds
OFFSETS_MIN = st.integers(-12 * 4, 14 * 4).map(lambda quarters: quarters * 15)


def read(texts: list[str]) -> list[datetime | None]:
    """Read texts as the instants of a listens file."""
    rows = pl.DataFrame({"user_id": "ann", "track_id": "t1", "listened_at": texts})
    empty = [pl.lit(None, dtype=pl.String).alias(name) for name in CONTRACTS["listens"].names[3:]]
    return apply_contract(rows.with_columns(empty), CONTRACTS["listens"], TODAY, UTC_CLOCK)["listened_at"].to_list()


def spellings(at: datetime, offset_min: int) -> list[str]:
    """Every accepted way to write a moment given in whole seconds of UTC."""
    local = at.astimezone(timezone(timedelta(minutes=offset_min)))
    ways = [
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        at.strftime("%Y-%m-%d %H:%M:%S"),
        at.strftime("%Y-%m-%dT%H:%M:%S"),
        at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        at.strftime("%Y-%m-%d %H:%M:%S.000000+00"),
        local.isoformat(),
        local.isoformat(sep=" "),
        local.strftime("%Y-%m-%dT%H:%M:%S%z"),
        str(int(at.timestamp())),
        f"{int(at.timestamp())}.0",
        str(int(at.timestamp()) * 1000),
    ]
    if at.second == 0:
        ways += [at.strftime("%Y-%m-%dT%H:%MZ"), at.strftime("%Y-%m-%d %H:%M"), local.isoformat(timespec="minutes")]
    return ways


@settings(max_examples=50)
@given(MOMENTS, OFFSETS_MIN, st.booleans())
def test_every_spelling_of_a_moment_is_the_same_moment(naive: datetime, offset_min: int, whole_minute: bool) -> None:
    """Zones, blanks, fractions, epochs: one moment, alone or beside others in one column."""
    at = naive.replace(tzinfo=UTC, second=0 if whole_minute else naive.second)
    ways = spellings(at, offset_min)

    assert read(ways) == [at] * len(ways)
    assert [read([way])[0] for way in ways[:3]] == [at] * 3


@given(st.dates(date(1995, 1, 1), TODAY))
def test_a_day_without_a_time_is_its_first_moment(day: date) -> None:
    """Counts that were dated by the day lie at midnight UTC."""
    assert read([day.isoformat()]) == [datetime(day.year, day.month, day.day, tzinfo=UTC)]


@given(MOMENTS, st.integers(1, 999_999))
def test_fractions_of_a_second_are_kept(naive: datetime, microsecond: int) -> None:
    """Two listens in one second are two listens."""
    at = naive.replace(tzinfo=UTC, microsecond=microsecond)

    assert read([at.isoformat(), at.strftime("%Y-%m-%d %H:%M:%S.%fZ")]) == [at, at]


def test_what_is_no_moment_stays_unread() -> None:
    """Numbers too short or too long, impossible days, and words."""
    wrong = ["20260101", "1767225600000000", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "noon", "-1767225600"]

    assert read(wrong) == [None] * len(wrong)


def test_the_last_instant_of_a_day_is_its_last_microsecond() -> None:
    """What comes after is the future."""
    after = last_instant(date(2026, 1, 31), UTC_CLOCK) + timedelta(microseconds=1)

    assert after == datetime(2026, 2, 1)  # noqa: DTZ001 - naive UTC


def test_a_market_west_of_greenwich_ends_its_day_later() -> None:
    """At midnight of its own winter clock."""
    after = last_instant(date(2026, 1, 31), ZoneInfo("America/Los_Angeles")) + timedelta(microseconds=1)

    assert after == datetime(2026, 2, 1, 8)  # noqa: DTZ001 - naive UTC
