"""
Parse instants and days as logs, spreadsheets and old tools write them.

Read: ISO 8601 with `-`, `/` or `.` between year, month and day, also without separators; seconds, milliseconds,
microseconds or nanoseconds since 1970; English month names (`01 May 2026, 10:00`, `May 1, 2026 10:00 PM`, RFC 2822,
ctime, logs of web servers); numeric offsets, `Z`, `UTC` and `GMT`. Without an offset, a time is UTC. A date of digits
that ends with the year (`01/05/2026`) is read only in a stated order; a named zone (`EST`, `Europe/Berlin`) never.
"""

from collections.abc import Callable
from enum import StrEnum

import polars as pl

_FAST = "%Y-%m-%dT%H:%M:%SZ"
_OFFSET = r"(?:(?P<offset>z|(?:utc|gmt|ut)?[+-]\d\d(?::?\d\d)?|utc|gmt|ut|\[utc\])(?:\s*(?:\[[\w/+-]+\]|\([\w ]+\)))?)?"
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,6})\d*)?)?"
    r"\s*(?:(?P<half>[ap])\.?m\.?)?"
)
_CLOCK = rf"(?:(?:t|,\s*|:|\s+){_TIME}\s*{_OFFSET})?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_MONTH = r"(?P<month>[a-z]{3,9})"
_YEAR_FIRST = rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}}){_CLOCK}"
_COMPACT = (
    r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)(?:t?(?P<hour>\d\d)(?P<minute>\d\d)"
    rf"(?:(?P<second>\d\d)(?:[.,](?P<fraction>\d{{1,6}})\d*)?)?(?P<half>[ap])?{_OFFSET})?"
)
_NAMED_MONTH = (
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s/-]+{_MONTH}\.?,?[\s/-]+(?P<year>\d{{4}}){_CLOCK}",
    rf"{_WEEKDAY}{_MONTH}\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_CLOCK}",
    rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_TIME}\s*{_OFFSET}\s+(?P<year>\d{{4}})",
)
_NO_ORDER = r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(\D|$)"
_NAMED_ZONE = r"(?i)\d:\d\d.*?[a-z]{3,}|\d:\d\d.*\b(?:et|ct|mt|pt)$"
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october")
_MONTH_NUMBERS = {
    name: f"{n:02d}" for n, month in enumerate((*_MONTHS, "november", "december"), 1) for name in (month, month[:3])
} | {"sept": "09"}
_UNIX_S, _UNIX_MS, _UNIX_US = 10**11, 10**14, 10**17  # from here on, a number counts the next smaller unit


class DateOrder(StrEnum):
    """The order of day and month in dates of digits that end with the year."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


_STATED = {
    DateOrder.DAY_FIRST: rf"(?P<day>\d{{1,2}})[-/.](?P<month>\d{{1,2}})[-/.](?P<year>\d{{4}}){_CLOCK}",
    DateOrder.MONTH_FIRST: rf"(?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})[-/.](?P<year>\d{{4}}){_CLOCK}",
}


def instants(texts: pl.Series, order: DateOrder | None = None) -> pl.Series:
    """Parse instants (microseconds, UTC; null where a text is none); `order` is that of `01/05/2026`, if stated."""
    fast = texts.str.to_datetime(_FAST, time_unit="us", time_zone="UTC", strict=False)
    return _fill(fast, texts, [*(_reader(pattern, _instant) for pattern in _patterns(order)), _unix])


def days(texts: pl.Series, order: DateOrder | None = None) -> pl.Series:
    """Parse days, without regard to a time after them; a year or month alone, and `1965-00-00`, is its first day."""
    whole = texts.str.replace(r"^(\d{4})$", "${1}-01").str.replace(r"^(\d{4}-\d{1,2})$", "${1}-01")
    known = whole.str.replace(r"^(\d{4})-00-00$", "${1}-01-01").str.replace(r"^(\d{4}-\d\d)-00$", "${1}-01")
    readers = [*(_reader(pattern, _day) for pattern in _patterns(order)), lambda rest: _unix(rest).dt.date()]
    return _fill(known.str.to_date("%Y-%m-%d", strict=False), known, readers)


def is_without_order(text: pl.Expr) -> pl.Expr:
    """Return whether a text is a date of digits that ends with the year, so that its order must be stated."""
    return text.str.contains(_NO_ORDER)


def has_named_zone(text: pl.Expr) -> pl.Expr:
    """Return whether words follow a time of the day, such as the name of a time zone."""
    return text.str.contains(_NAMED_ZONE)


def _patterns(order: DateOrder | None) -> list[str]:
    return [_YEAR_FIRST, _COMPACT, *_NAMED_MONTH, *([_STATED[order]] if order else [])]


def _fill(found: pl.Series, texts: pl.Series, readers: list[Callable[[pl.Series], pl.Series]]) -> pl.Series:
    """Read the texts that have no value yet, by one reader after the other."""
    for reader in readers:
        rest = (found.is_null() & texts.is_not_null()).arg_true()
        if not rest.len():
            break
        found = found.scatter(rest, reader(texts.gather(rest)))
    return found


def _reader(pattern: str, combine: Callable[[pl.DataFrame], pl.Series]) -> Callable[[pl.Series], pl.Series]:
    return lambda texts: combine(texts.str.extract_groups(f"(?i)^{pattern}$").struct.unnest())


def _date() -> pl.Expr:
    month = pl.col("month").str.to_lowercase().replace(_MONTH_NUMBERS).str.zfill(2)
    return pl.concat_str("year", month, pl.col("day").str.zfill(2), separator="-")


def _day(parts: pl.DataFrame) -> pl.Series:
    return parts.select(_date().str.to_date("%Y-%m-%d", strict=False)).to_series()


def _instant(parts: pl.DataFrame) -> pl.Series:
    hour, half = pl.col("hour").fill_null("0").cast(pl.Int64), pl.col("half").str.to_lowercase()
    hour_24 = pl.when(half.is_null()).then(hour).when(hour.is_between(1, 12)).then(hour % 12 + 12 * (half == "p"))
    digits = pl.col("offset").str.extract(r"([+-]\d\d)"), pl.col("offset").str.extract(r"[+-]\d\d:?(\d\d)")
    text = pl.format(
        "{}T{}:{}:{}.{}{}:{}",
        _date(),
        hour_24.cast(pl.String).str.zfill(2),
        pl.col("minute").fill_null("00"),
        pl.col("second").fill_null("00"),
        pl.col("fraction").fill_null("0"),
        digits[0].fill_null("+00"),
        digits[1].fill_null("00"),
    )
    form = "%Y-%m-%dT%H:%M:%S%.f%:z"
    return parts.select(text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)).to_series()


def _unix(texts: pl.Series) -> pl.Series:
    """Parse the time since 1970; its unit follows from its size, so that every unit reaches from 1973 to 5138."""
    parts = pl.DataFrame({"text": texts}).select(
        number=pl.col("text").str.extract(r"^(\d{1,19})(?:\.\d*)?$").cast(pl.Int64, strict=False),
        decimals=pl.col("text").str.extract(r"^\d+\.(\d*)$").fill_null(""),
        power=pl.col("text").str.extract(r"(?i)^(\d(?:\.\d+)?e\+?\d{1,2})$").cast(pl.Float64, strict=False),
    )
    number, decimals = pl.col("number"), pl.col("decimals").str.pad_end(6, "0")
    us = (
        pl.when(number < _UNIX_S)
        .then(number * 1_000_000 + decimals.str.slice(0, 6).cast(pl.Int64))
        .when(number < _UNIX_MS)
        .then(number * 1_000 + decimals.str.slice(0, 3).cast(pl.Int64))
        .when(number < _UNIX_US)
        .then(number)
        .otherwise(number // 1_000)
    )
    power = pl.col("power")
    per_us = pl.when(power < _UNIX_S).then(1e6).when(power < _UNIX_MS).then(1e3).when(power < _UNIX_US).then(1)
    whole = pl.coalesce(us, (power * per_us.otherwise(1e-3)).round().cast(pl.Int64, strict=False))
    return parts.select(whole.cast(pl.Datetime("us", "UTC"))).to_series()
