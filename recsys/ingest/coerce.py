"""
Parse raw texts into the types of a contract, and find the reason why a row is refused, with polars expressions.

Every source format delivers texts, so that instants, numbers and lists are parsed by the same rules in all formats.
"""

from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from recsys.ingest.pseudonym import redacted
from recsys.lake.contract import EARLIEST_INSTANT, Contract, last_instant
from recsys.lake.field import Field, Kind

_TRUE, _FALSE = ["true", "t", "1", "yes", "y"], ["false", "f", "0", "no", "n"]
_ISO_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


def _instant(text: pl.Expr) -> pl.Expr:
    """Parse ISO 8601 (UTC if it has no offset), or integer seconds or milliseconds since 1970."""
    number = text.str.extract(r"^(\d{9,13})(?:\.0+)?$").cast(pl.Int64)
    epoch_us = pl.when(number < 100_000_000_000).then(number * 1_000_000).otherwise(number * 1_000)
    with_offset = (
        text.str.replace(" ", "T")
        .str.replace(r"( ?UTC|Z)$", "+00:00")
        .str.replace(r"(T[\d:.]+)$", "${1}+00:00")
        .str.replace(r"^(\d{4}-\d\d-\d\d)$", "${1}T00:00:00+00:00")
        .str.replace(r"(T\d\d:\d\d)([+-])", "${1}:00${2}")
        .str.replace(r"(T[\d:.]+[+-]\d\d)$", "${1}:00")
    )
    iso = with_offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)
    return pl.coalesce(iso, epoch_us.cast(pl.Datetime("us", "UTC")))


def _fast_instant(text: pl.Expr) -> pl.Expr:
    return text.str.to_datetime(_ISO_SECONDS, time_unit="us", time_zone="UTC", strict=False)


def _day(text: pl.Expr) -> pl.Expr:
    """Parse an ISO 8601 day, ignoring a time after it; a year or month alone becomes its first day."""
    whole = text.str.replace(r"^(\d{4})$", "${1}-01").str.replace(r"^(\d{4}-\d\d)$", "${1}-01")
    return whole.str.extract(r"^(\d{4}-\d\d-\d\d)(?:[T ].*)?$").str.to_date("%Y-%m-%d", strict=False)


def _boolean(text: pl.Expr) -> pl.Expr:
    lower = text.str.to_lowercase()
    return pl.when(lower.is_in(_TRUE)).then(pl.lit(value=True)).when(lower.is_in(_FALSE)).then(pl.lit(value=False))


def _integer(text: pl.Expr) -> pl.Expr:
    return text.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)


def _real(text: pl.Expr) -> pl.Expr:
    return _finite(text.cast(pl.Float64, strict=False))


def _finite(numbers: pl.Expr) -> pl.Expr:
    return pl.when(numbers.is_finite()).then(numbers)


def _texts(text: pl.Expr) -> pl.Expr:
    words = text.str.split("|").list.eval(pl.element().str.strip_chars().replace("", None).drop_nulls())
    return pl.when(words.list.len() > 0).then(words)


def _reals(text: pl.Expr) -> pl.Expr:
    """Parse a list of numbers; the list is null if any element is not a finite number."""
    numbers = _texts(text).list.eval(_finite(pl.element().cast(pl.Float32, strict=False)))
    return pl.when(~numbers.list.eval(pl.element().is_null()).list.any()).then(numbers)


_READERS = {
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.INSTANT: _instant,
    Kind.DAY: _day,
    Kind.TEXTS: _texts,
    Kind.REAL: _real,
    Kind.REALS: _reals,
}


def _typed(text: pl.Expr, field: Field) -> pl.Expr:
    if field.kind is not Kind.TEXT:
        return _READERS[field.kind](text)
    return redacted(text) if field.is_personal else text.str.to_lowercase() if field.allowed else text


def _typed_column(raw: pl.DataFrame, field: Field) -> pl.Series:
    text = raw[field.name].str.strip_chars().replace("", None)
    if field.kind is Kind.INSTANT:
        fast = text.to_frame().select(_fast_instant(pl.col(field.name))).to_series()
        if fast.null_count() == text.null_count():
            return fast
    return text.to_frame().select(_typed(pl.col(field.name), field).alias(field.name)).to_series()


def _refusals(field: Field, today: date, zone: ZoneInfo) -> list[tuple[str, pl.Expr]]:
    """List the reason codes that can apply to a column, each with an expression for the rows it refuses."""
    value, text = pl.col(field.name), pl.col(f"{field.name}:raw")
    refusals = [("missing_value", text.is_null())] if field.required else []
    if field.kind not in (Kind.TEXT, Kind.TEXTS):
        refusals.append(("bad_type", value.is_null() & text.is_not_null()))
    if field.kind in (Kind.INTEGER, Kind.REAL):
        refusals.append(("out_of_range", ~value.is_between(field.low, field.high)))
    if field.kind is Kind.REALS and field.low is not None:
        inside = pl.element().is_between(field.low, field.high)
        refusals.append(("out_of_range", ~value.list.eval(inside).list.all()))
    if field.kind is Kind.INSTANT:
        refusals.append(("out_of_range", value.dt.replace_time_zone(None) < EARLIEST_INSTANT))
    if not field.may_be_future and field.kind is Kind.INSTANT:
        refusals.append(("in_future", value.dt.replace_time_zone(None) > last_instant(today, zone)))
    if not field.may_be_future and field.kind is Kind.DAY:
        refusals.append(("in_future", value > today))
    if field.allowed:
        refusals.append(("not_allowed", ~value.is_in(field.allowed)))
    if field.pattern and field.kind is Kind.TEXTS:
        refusals.append(("not_allowed", ~value.list.eval(pl.element().str.contains(field.pattern)).list.all()))
    elif field.pattern:
        refusals.append(("not_allowed", ~value.str.contains(field.pattern)))
    return refusals


def apply_contract(raw: pl.DataFrame, contract: Contract, today: date, zone: ZoneInfo) -> pl.DataFrame:
    """
    Parse texts into the contract's types and find the first violation in each row.

    Args:
        raw: The contract's columns as texts (String; null = missing), one row per record.
        contract: The contract of the rows' table.
        today: The day of ingest; later days and instants are in the future.
        zone: The time zone of that day.

    Returns:
        The typed columns with defaults filled in, and `reason` and `column_name` of the first violation (both null for
        a valid row), in the row order of `raw`.
    """
    columns = [_typed_column(raw, field) for field in contract.fields]
    texts = [raw[name].str.strip_chars().replace("", None).alias(f"{name}:raw") for name in contract.names]
    refusals = [(code, field.name, rows) for field in contract.fields for code, rows in _refusals(field, today, zone)]
    first = pl.coalesce(pl.when(rows).then(pl.lit(n, dtype=pl.UInt8)) for n, (_, _, rows) in enumerate(refusals))
    reasons = pl.Series([code for code, _, _ in refusals], dtype=pl.String)
    names = pl.Series([name for _, name, _ in refusals], dtype=pl.String)
    checked = pl.DataFrame([*columns, *texts]).with_columns(first.alias("refusal"))
    defaults = [pl.col(field.name).fill_null(field.default) for field in contract.fields if field.default is not None]
    return checked.with_columns(defaults).select(
        *contract.names,
        reason=pl.lit(reasons).gather(pl.col("refusal")),
        column_name=pl.lit(names).gather(pl.col("refusal")),
    )
