"""
Read one table of a split folder: its file, its ids, weights and timestamps, each checked.

A table is Parquet, or TSV with a header line, which is read as text without quoting. Every message names the file, what
was found, what was expected and what to do next. Used by `split_folder`.
"""

from pathlib import Path

import numpy as np
import polars as pl

from recsys.errors import InputError, did_you_mean

FORMS = {".parquet": "Parquet", ".tsv": "UTF-8 text, a header line, tabs between fields"}
UNITS = (1.0, 1e3, 1e6, 1e9)  # timestamps may be in s, ms, us or ns
LATEST_S = 1e11  # the year 5138: larger numbers are in a finer unit
LARGEST_WEIGHT = 1e9  # its square and sums of it are exact enough in single precision; its inverse is the smallest
LARGEST_WHOLE = 2.0**53  # larger whole numbers are not exact as floating-point numbers

_TEXT = (pl.String, pl.Categorical, pl.Enum)


def file_of(folder: Path, name: str) -> Path | None:
    """Return the file of a table, None if there is none; raises InputError if there are two."""
    paths = [path for form in FORMS if (path := folder / f"{name}{form}").exists()]
    if len(paths) > 1:
        raise InputError(f"{folder}: found {paths[0].name} and {paths[1].name}, expected one of them. Remove the other")
    return paths[0] if paths else None


def required_file(folder: Path, name: str) -> Path:
    """Return the file of a table; raises InputError if there is none, or two."""
    path = file_of(folder, name)
    if path is None:
        names = ", ".join(sorted(file.name for file in folder.glob("*"))) or "no file"
        raise InputError(
            f"{folder}: found {names}, expected {name}.parquet or {name}.tsv with the columns user_id, item_id and "
            "optionally timestamp and weight. Add the file"
        )
    return path


def read_table(path: Path, *required: str) -> pl.DataFrame:
    """
    Read a table with at least one row, whose required columns become text.

    Raises:
        InputError: The file is unreadable or empty, a required column is missing, of another type than text or whole
            numbers, or has missing values.
    """
    table = _read(path)
    for name in required:
        if name not in table.columns:
            raise InputError(
                f"{path}: found the columns {', '.join(table.columns)}, expected {', '.join(required)}. Rename or add "
                f"{name}.{did_you_mean(name, table.columns)}"
            )
        if n_missing := _n_missing(table[name]):
            raise InputError(f"{path}: found no {name} in {n_missing:,} rows, expected one in each. Remove these rows")
    if table.is_empty():
        raise InputError(f"{path}: found no rows, expected at least one. Fill the file, or remove it if it is optional")
    return table.with_columns(_texts(path, table[name]) for name in required)


def weights(path: Path, table: pl.DataFrame) -> pl.Series:
    """
    Return the weights of a table, Float64; 1 if it has no column weight.

    Raises:
        InputError: A weight is not a number, or neither 0 nor of a size from 1 / LARGEST_WEIGHT to LARGEST_WEIGHT.
    """
    if "weight" not in table.columns:
        return pl.repeat(1.0, table.height, eager=True).alias("weight")
    given = _numbers(path, table["weight"], "numbers")
    sizes = given.abs()
    is_usable = (sizes == 0) | sizes.is_between(1 / LARGEST_WEIGHT, LARGEST_WEIGHT)
    refuse_unless(given.is_finite() & is_usable, path, given, "a number from 1e-9 to 1e9, its negative, or 0")
    return given


def seconds(path: Path, times: pl.Series) -> pl.Series:
    """
    Return seconds since 1970, Float64, from numbers in any of UNITS, from dates and times, or from ISO 8601 text.

    Raises:
        InputError: A value is missing or of another form, or the column is of another type.
    """
    if isinstance(times.dtype, (pl.Date, pl.Datetime)):
        return _since_1970(path, times, times)
    numbers = _numbers(path, times, "numbers, dates, times or ISO 8601 text")
    if times.dtype == pl.String and numbers[0] is None:
        return _since_1970(path, times, times.str.to_datetime(strict=False, time_zone="UTC"))
    refuse_unless(numbers.is_finite(), path, times, "a number, such as seconds since 1970")
    latest = np.abs(numbers.to_numpy()).max()
    return numbers / next((unit for unit in UNITS if latest < LATEST_S * unit), UNITS[-1])


def refuse_unless(is_valid: pl.Series, path: Path, values: pl.Series, expected: str) -> None:
    """Raise InputError with the number of rows that are not valid, and the first of them."""
    invalid = (~is_valid.fill_null(value=False)).arg_true()
    if len(invalid):
        raise InputError(
            f"{path}: found an invalid {values.name} in {len(invalid):,} rows, first in row {invalid[0] + 1:,}; "
            f"expected {expected}. Correct or remove these rows"
        )


def _n_missing(ids: pl.Series) -> int:
    """Return the number of ids that are null, or text without any character but spaces."""
    is_blank = ids.cast(pl.String).str.strip_chars() == "" if isinstance(ids.dtype, _TEXT) else ids.is_null()
    return int(is_blank.fill_null(value=True).sum())


def _read(path: Path) -> pl.DataFrame:
    try:
        if path.suffix == ".tsv":
            return pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
        return pl.read_parquet(path)
    except pl.exceptions.NoDataError as empty:
        raise InputError(f"{path}: found an empty file, expected {FORMS[path.suffix]}. Write it again") from empty
    except pl.exceptions.PolarsError as broken:
        reason = str(broken).partition("\n")[0]
        raise InputError(f"{path}: {reason}; expected {FORMS[path.suffix]}. Write it again") from broken


def _texts(path: Path, ids: pl.Series) -> pl.Series:
    """Return ids as text; whole numbers in a column of floating-point numbers are written without a point."""
    if ids.dtype.is_float():
        refuse_unless((ids == ids.floor()) & (ids.abs() < LARGEST_WHOLE), path, ids, "whole numbers or text")
        return ids.cast(pl.Int64).cast(pl.String)
    if not (ids.dtype.is_integer() or isinstance(ids.dtype, _TEXT)):
        raise _wrong_type(path, ids, "text or whole numbers")
    return ids.cast(pl.String)


def _numbers(path: Path, values: pl.Series, expected: str) -> pl.Series:
    """Return numbers, Float64, null where a text is none; raises InputError if the column is of another type."""
    if not (values.dtype.is_numeric() or isinstance(values.dtype, (pl.String, pl.Null))):
        raise _wrong_type(path, values, expected)
    return values.cast(pl.Float64, strict=False)


def _wrong_type(path: Path, values: pl.Series, expected: str) -> InputError:
    found = str(values.dtype.base_type())
    return InputError(
        f"{path}: the column {values.name} is of type {found}, expected {expected}. Write the column as such"
    )


def _since_1970(path: Path, times: pl.Series, datetimes: pl.Series) -> pl.Series:
    refuse_unless(datetimes.is_not_null(), path, times, "ISO 8601, such as 2026-01-31T12:00:00")
    return datetimes.dt.epoch("us") / 1e6
