"""Rows of a Parquet file that name a listener, in any column of texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

_TEXTS = (pl.String, pl.Categorical, pl.Enum)


def rows(path: Path, user_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows that name one of the listeners."""
    return _scan(path).filter(_names(_scan(path).collect_schema(), user_ids)).collect().to_dicts()


def without(table: pl.DataFrame, user_ids: Sequence[str]) -> pl.DataFrame:
    """Return the rows that name none of the listeners."""
    return table.filter(~_names(table.schema, user_ids))


def copy_without(path: Path, target: Path, user_ids: Sequence[str]) -> None:
    """Write a copy without the rows that name one of the listeners."""
    without(_scan(path).collect(), user_ids).write_parquet(target, compression="zstd", statistics=True)


def listeners(path: Path) -> set[str]:
    """Return all listeners in the column user_id, or in the refused rows of a quarantine file."""
    names = _scan(path).collect_schema().names()
    if "user_id" in names:
        return _distinct(path, pl.col("user_id"))
    return _distinct(path, pl.col("payload").str.json_path_match("$.user_id")) if "payload" in names else set()


def _distinct(path: Path, values: pl.Expr) -> set[str]:
    return set(_scan(path).select(values.unique().drop_nulls()).collect().to_series())


def _scan(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False, hive_partitioning=False)


def _names(schema: pl.Schema, user_ids: Sequence[str]) -> pl.Expr:
    found = [_contains(pl.col(name), kind, user_ids) for name, kind in schema.items() if _has_texts(kind)]
    return (
        pl.any_horizontal(expression.fill_null(value=False) for expression in found) if found else pl.lit(value=False)
    )


def _has_texts(kind: pl.DataType) -> bool:
    if isinstance(kind, pl.List | pl.Array):
        return _has_texts(kind.inner)  # type: ignore[arg-type]
    if isinstance(kind, pl.Struct):
        return any(_has_texts(field.dtype) for field in kind.fields)  # type: ignore[arg-type]
    return kind in _TEXTS


def _contains(column: pl.Expr, kind: pl.DataType, user_ids: Sequence[str]) -> pl.Expr:
    """Return whether a value contains an id: a text, the JSON of a refused row, a list or a record of texts."""
    if isinstance(kind, pl.List | pl.Array):
        element = _contains(pl.element(), kind.inner, user_ids)  # type: ignore[arg-type]
        return column.cast(pl.List(kind.inner)).list.eval(element).list.any()
    if isinstance(kind, pl.Struct):
        texts = [field for field in kind.fields if _has_texts(field.dtype)]  # type: ignore[arg-type]
        return pl.any_horizontal(
            _contains(column.struct.field(field.name), field.dtype, user_ids)  # type: ignore[arg-type]
            for field in texts
        )
    return column.cast(pl.String).str.contains_any(list(user_ids))
