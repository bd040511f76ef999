"""
Parse raw texts into the types of a contract, and find what breaks it, with polars expressions.

Every source format delivers texts, so that instants, numbers and lists are parsed by the same rules in all formats.
"""

from collections.abc import Callable
from datetime import date
from typing import TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from recsys.ingest.countries import country_codes, territories
from recsys.ingest.instants import DateOrder, days, has_named_zone, instants, is_without_order
from recsys.ingest.pseudonym import redacted
from recsys.lake.contract import (
    EARLIEST_DAY,
    EARLIEST_INSTANT,
    INVALID_VALUES,
    LATEST_DAY,
    REASONS,
    Contract,
    last_instant,
)
from recsys.lake.field import MAX_CHARS, Field, Kind

INVALID = "invalid_values"
_TRUE, _FALSE = ["true", "t", "1", "1.0", "yes", "y"], ["false", "f", "0", "0.0", "no", "n"]
_REASON = pl.Enum(REASONS)
_DATED = (Kind.INSTANT, Kind.DAY)
_Violations: TypeAlias = list[tuple[str, pl.Expr]]  # reason, and whether each row has it


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


_READERS: dict[Kind, Callable[[pl.Expr], pl.Expr]] = {
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.TEXTS: _texts,
    Kind.REAL: _real,
    Kind.REALS: _reals,
}


def _typed(text: pl.Expr, field: Field) -> pl.Expr:
    if field.kind is not Kind.TEXT:
        return _READERS[field.kind](text)
    if field.is_name:
        text = text.str.normalize("NFC")
    return redacted(text) if field.is_personal else text.str.to_lowercase() if field.allowed else text


def _column(text: pl.Series, field: Field, order: DateOrder | None) -> pl.Series:
    if text.null_count() == text.len():
        return text.cast(field.kind.value)
    if field.kind in _DATED:
        return (instants if field.kind is Kind.INSTANT else days)(text, order)
    if field.kind is Kind.INTEGER:
        whole = text.cast(pl.Int64, strict=False)
        if whole.null_count() == text.null_count():
            return whole
    codes = _codes(text, field) if field.kind is Kind.TEXT else text
    return codes.to_frame(field.name).select(_typed(pl.col(field.name), field).alias(field.name)).to_series()


def _codes(text: pl.Series, field: Field) -> pl.Series:
    """Return the normal form of the codes in a column of codes, null where a text is none; any other as it is."""
    if field.is_country:
        return country_codes(text)
    if field.normal_code is None:
        return text
    distinct = text.drop_nulls().unique()
    codes = pl.Series([field.normal_code(code) for code in distinct], dtype=pl.String)
    return text.replace_strict(distinct, codes, return_dtype=pl.String)


def _text(raw: pl.Series, field: Field) -> pl.Series:
    """Return the texts of a column without blanks around them; null where there is none."""
    text = raw.str.strip_chars().replace("", None)
    return territories(text) if field.is_country and field.kind is Kind.TEXTS else text


def _violations(field: Field, order: DateOrder | None, *, is_unread: bool) -> _Violations:
    """List the reasons for which a text is not read as a value; `is_unread` says whether any text of the column was."""
    value, text = pl.col(field.name), pl.col(f"{field.name}:raw")
    violations = [("missing_value", text.is_null())] if field.required else []
    violations.append(("too_long", text.str.len_chars() > field.max_chars))
    unread = value.is_null() & text.is_not_null()
    if is_unread and field.kind in _DATED:
        violations += [("date_order", unread & is_without_order(text))] if order is None else []
        violations.append(("named_zone", unread & has_named_zone(text)))
    if field.kind is Kind.TEXT:
        violations += [("wrong_code", unread)] if field.normal_code else []
        return [*violations, *([("not_allowed", unread)] if field.is_country else [])]
    return [*violations, *([("bad_type", unread)] if field.kind is not Kind.TEXTS else [])]


def _limits(field: Field, today: date, zone: ZoneInfo) -> _Violations:
    """List the limits of a column's values, each with an expression for the rows that exceed it."""
    value, element = pl.col(field.name), pl.element()
    match field.kind:
        case Kind.INTEGER | Kind.REAL:
            return [("out_of_range", ~value.is_between(field.low, field.high))]
        case Kind.REALS if field.low is not None:
            return [("out_of_range", ~value.list.eval(element.is_between(field.low, field.high)).list.all())]
        case Kind.INSTANT:
            naive = value.dt.replace_time_zone(None)
            past = [("out_of_range", naive < EARLIEST_INSTANT)]
            return [*past, ("in_future", naive > last_instant(today, zone))]
        case Kind.DAY:
            past = [("out_of_range", ~value.is_between(EARLIEST_DAY, LATEST_DAY))]
            past += [("ends_before_start", value < pl.col(field.not_before))] if field.not_before else []
            return past if field.may_be_future else [*past, ("in_future", value > today)]
        case Kind.TEXTS:
            too_long = ("too_long", (value.list.eval(element.str.len_chars() > MAX_CHARS)).list.any())
            unmatched = ~value.list.eval(element.str.contains(field.pattern)).list.all()
            return [too_long, *([("not_allowed", unmatched)] if field.pattern else [])]
    unlisted = [("not_allowed", ~value.is_in(field.allowed))] if field.allowed else []
    return [*unlisted, *([("not_allowed", ~value.str.contains(field.pattern))] if field.pattern else [])]


def apply_contract(
    raw: pl.DataFrame, contract: Contract, today: date, zone: ZoneInfo, order: DateOrder | None = None
) -> pl.DataFrame:
    """
    Parse texts into the contract's types, and find the first violation in each row and column.

    Args:
        raw: The contract's columns as texts (String; null = missing), one row per record.
        contract: The contract of the rows' table.
        today: The day of ingest; later days and instants are in the future.
        zone: The time zone of that day.
        order: The order of day and month in dates such as `01/05/2026`; None if it is not stated.

    Returns:
        The typed columns with defaults filled in; `reason` and `column_name` of the first violation that refuses the
        row (both null for a valid row); and `invalid_values`, a struct with the reason, or null, for each column whose
        invalid values become unknown. Rows in the order of `raw`.
    """
    texts = [_text(raw[field.name], field) for field in contract.fields]
    columns = [_column(text, field, order) for text, field in zip(texts, contract.fields, strict=True)]
    named = [text.alias(f"{text.name}:raw") for text in texts]
    is_unread = [column.null_count() > text.null_count() for text, column in zip(texts, columns, strict=True)]
    typed = pl.DataFrame([*columns, *named])
    found = _found(
        typed,
        {
            field.name: [*_violations(field, order, is_unread=unread), *_limits(field, today, zone)]
            for field, unread in zip(contract.fields, is_unread, strict=True)
        },
    )
    reasons = [
        _first([pl.when(rows).then(_code(reason)) for reason, rows in violations]).alias(_of(field))
        for field, violations in zip(contract.fields, found.values(), strict=True)
    ]
    checked = typed.with_columns(reasons)
    return checked.select(*map(_accepted, contract.fields), *_refusal(contract), _invalid_values(contract))


def _found(typed: pl.DataFrame, possible: dict[str, _Violations]) -> dict[str, _Violations]:
    """Leave out the violations that no row has, which are nearly all: what is left is then found row by row."""
    occurs = typed.select(
        rows.any().alias(f"{column} {n}") for column, rules in possible.items() for n, (_, rows) in enumerate(rules)
    ).row(0, named=True)
    return {
        column: [rule for n, rule in enumerate(rules) if occurs[f"{column} {n}"]] for column, rules in possible.items()
    }


def _accepted(field: Field) -> pl.Expr:
    value = pl.col(field.name)
    kept = value if field.refuses_row else pl.when(pl.col(_of(field)).is_null()).then(value)
    return (kept if field.default is None else kept.fill_null(field.default)).alias(field.name)


def _refusal(contract: Contract) -> list[pl.Expr]:
    refusing = [field for field in contract.fields if field.refuses_row]
    names = [pl.when(pl.col(_of(field)).is_not_null()).then(pl.lit(field.name)) for field in refusing]
    return [
        _first([pl.col(_of(field)) for field in refusing]).cast(pl.String).alias("reason"),
        pl.coalesce(names).alias("column_name"),
    ]


def _invalid_values(contract: Contract) -> pl.Expr:
    optional = [pl.col(_of(field)).alias(field.name) for field in contract.fields if not field.refuses_row]
    return pl.struct(optional).alias(INVALID) if optional else pl.lit(None).alias(INVALID)


def _first(reasons: list[pl.Expr]) -> pl.Expr:
    return pl.coalesce(reasons) if reasons else pl.lit(None, dtype=_REASON)


def _of(field: Field) -> str:
    return f"{field.name}:reason"


def _code(reason: str) -> pl.Expr:
    return pl.lit(reason, dtype=_REASON)


def count_invalid(checked: pl.DataFrame, line: str) -> pl.DataFrame:
    """
    Count the invalid values of optional columns.

    Args:
        checked: Rows of the result of `apply_contract`.
        line: The column of their line numbers.

    Returns:
        Rows of `INVALID_VALUES`: one per column and reason.
    """
    counts = [
        checked.select(pl.col(line), reason=reasons.cast(pl.String))
        .drop_nulls()
        .group_by("reason")
        .agg(n_values=pl.len(), first_line=pl.col(line).min())
        .with_columns(column_name=pl.lit(reasons.name))
        for reasons in (checked[INVALID].struct.unnest() if checked[INVALID].dtype == pl.Struct else [])
        if reasons.null_count() < reasons.len()
    ]
    return add_counts(counts)


def add_counts(counts: list[pl.DataFrame]) -> pl.DataFrame:
    """Add up counts by column and reason."""
    typed = [count.select(INVALID_VALUES.names()).cast(INVALID_VALUES) for count in counts]
    rows = pl.concat([pl.DataFrame(schema=INVALID_VALUES), *typed])
    summed = rows.group_by("column_name", "reason").agg(pl.sum("n_values"), pl.min("first_line"))
    return summed.sort("column_name", "reason").select(INVALID_VALUES.names())
