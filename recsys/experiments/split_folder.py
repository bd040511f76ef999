"""
Read a folder with a published train/validation/test split, and check its tables.

Each table is Parquet, or TSV with a header line. `train`, `validation` and `test` are required, with the columns
user_id, item_id and optionally timestamp and weight. `item_features` and `user_features` are optional, with the columns
item_id or user_id, feature and optionally weight. Ids of any type become strings. Used by `protocols.from_folder`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from recsys.errors import InputError, did_you_mean

LEARNED = ("train", "validation")  # the parts that a model is trained on
PARTS = (*LEARNED, "test")
FORMS = {".parquet": "Parquet", ".tsv": "UTF-8 text, a header line, tabs between fields"}
UNITS = (1.0, 1e3, 1e6, 1e9)  # timestamps may be in s, ms, us or ns
LATEST_S = 1e11  # the year 5138: larger numbers are in a finer unit


@dataclass(frozen=True, eq=False)
class SplitFolder:
    """
    The checked tables of a split folder.

    Attributes:
        parts: The rows of train, validation and test, by name: user_id, track_id, strength (the weight, 1 by default)
            and, if the file has timestamps, time_s (Unix time) [s].
        has_times: Whether train and validation have timestamps.
        has_order: Whether row order may stand in for time if there are no timestamps. False if the rows of every
            listener in train are sorted by item id, since such rows need not be chronological.
        item_features: item_id, name ('column=value'), weight; None if there is no such file.
        user_features: user_id, name ('column=value'), weight; None if there is no such file.
    """

    parts: dict[str, pl.DataFrame]
    has_times: bool
    has_order: bool
    item_features: pl.DataFrame | None
    user_features: pl.DataFrame | None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """
        Read and check every table.

        Raises:
            InputError: A file or column is missing, a file is empty or unreadable, or a value is missing or invalid.
        """
        paths = {name: _required(folder, name) for name in PARTS}
        tables = {name: _table(path, "user_id", "item_id") for name, path in paths.items()}
        has_times = _has_times(paths, tables)
        parts = {name: _plays(paths[name], tables[name], has_times=has_times) for name in PARTS}
        return cls(parts, has_times, _has_order(tables["train"]), _features(folder, "item"), _features(folder, "user"))

    def track_ids(self) -> pl.Series:
        """Return the item ids of all parts and of the item features, including duplicates."""
        ids = [part["track_id"] for part in self.parts.values()]
        return pl.concat(ids if self.item_features is None else [*ids, self.item_features["item_id"]])

    def liked(self, part: str) -> pl.DataFrame:
        """Return the rows of one part with a weight above 0: user_id, track_id."""
        return self.parts[part].filter(pl.col("strength") > 0).select("user_id", "track_id")

    def pairs(self, parts: Iterable[str]) -> pl.DataFrame:
        """
        Return one row per listener and track of these parts, with summed weights: the input of `Interactions.of`.

        age_days is the time since the latest timestamp of these parts [d]. Without timestamps, age_days is the number
        of later rows of the same listener, so only its order is meaningful. If rows are not in chronological order (see
        `has_order`), age_days is 0.
        """
        rows = pl.concat([self.parts[part] for part in parts], how="diagonal")
        rows = rows if self.has_times else rows.with_columns(time_s=pl.int_range(pl.len()))
        pairs = rows.group_by("user_id", "track_id").agg(
            pl.col("strength").sum().round_sig_figs(9),  # threads add in varying order, which changes the last bits
            pl.col("time_s").max(),
        )
        return pairs.select("user_id", "track_id", "strength", age_days=self._age())

    def _age(self) -> pl.Expr:
        if self.has_times:
            return (pl.col("time_s").max() - pl.col("time_s")) / 86400
        n_later = pl.col("time_s").rank("ordinal", descending=True).over("user_id") - 1.0
        return n_later if self.has_order else pl.lit(0.0)


def _required(folder: Path, name: str) -> Path:
    path = _optional(folder, name)
    if path is None:
        names = ", ".join(sorted(file.name for file in folder.glob("*"))) or "no file"
        raise InputError(
            f"{folder}: found {names}, expected {name}.parquet or {name}.tsv with the columns user_id, item_id and "
            "optionally timestamp and weight. Add the file"
        )
    return path


def _optional(folder: Path, name: str) -> Path | None:
    paths = [path for form in FORMS if (path := folder / f"{name}{form}").exists()]
    if len(paths) > 1:
        raise InputError(f"{folder}: found {paths[0].name} and {paths[1].name}, expected one of them. Remove the other")
    return paths[0] if paths else None


def _has_times(paths: dict[str, Path], tables: dict[str, pl.DataFrame]) -> bool:
    """Return whether both train and validation have timestamps; raises InputError if only one of them has."""
    without = [paths[name] for name in LEARNED if "timestamp" not in tables[name].columns]
    if len(without) == 1:
        other = next(paths[name] for name in LEARNED if paths[name] != without[0])
        raise InputError(
            f"{without[0]}: found no column timestamp, but {other} has one. Add it here, or remove it there; without "
            "timestamps, the order of rows is used as the chronological order"
        )
    return not without


def _has_order(table: pl.DataFrame) -> bool:
    """Return False if every listener's items are sorted by id, as text or numbers: then rows are not chronological."""
    as_numbers = table["item_id"].cast(pl.Float64, strict=False)
    keys = [table["item_id"]] if as_numbers.has_nulls() else [table["item_id"], as_numbers]
    return all(_falls(table["user_id"], ids) for ids in keys)


def _falls(users: pl.Series, ids: pl.Series) -> bool:
    """Return whether any id is smaller than the previous id of the same listener."""
    rows = pl.DataFrame({"user": users, "id": ids})
    return bool(rows.select((pl.col("id") < pl.col("id").shift().over("user")).any()).item())


def _table(path: Path, *required: str) -> pl.DataFrame:
    """Read a table and check its required columns, which become text; TSV is read as text, without quoting."""
    table = _read(path)
    for name in required:
        if name not in table.columns:
            raise InputError(
                f"{path}: found the columns {', '.join(table.columns)}, expected {', '.join(required)}. Rename or add "
                f"{name}.{did_you_mean(name, table.columns)}"
            )
        if n_missing := table[name].null_count():
            raise InputError(f"{path}: found no {name} in {n_missing:,} rows, expected one in each. Remove these rows")
    if table.is_empty():
        raise InputError(f"{path}: found no rows, expected at least one. Fill the file, or remove it if it is optional")
    return table.with_columns(pl.col(required).cast(pl.String))


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


def _plays(path: Path, table: pl.DataFrame, *, has_times: bool) -> pl.DataFrame:
    plays = table.select("user_id", track_id="item_id", strength=_weights(path, table))
    if not has_times or "timestamp" not in table.columns:
        return plays
    return plays.with_columns(time_s=_seconds(path, table["timestamp"]))


def _features(folder: Path, kind: str) -> pl.DataFrame | None:
    """Return id, name and weight of each feature; a feature without '=' becomes 'tag=<feature>'."""
    path = _optional(folder, f"{kind}_features")
    if path is None:
        return None
    table = _table(path, f"{kind}_id", "feature")
    weights = _weights(path, table)
    _refuse_unless(weights > 0, path, weights, "more than 0")
    has_column = pl.col("feature").str.contains("=", literal=True)
    name = pl.when(has_column).then("feature").otherwise(pl.format("tag={}", "feature"))
    return table.select(f"{kind}_id", name=name, weight=weights)


def _weights(path: Path, table: pl.DataFrame) -> pl.Series:
    """Return the weights, Float64, all finite; 1 if the table has no column weight."""
    if "weight" not in table.columns:
        return pl.repeat(1.0, table.height, eager=True).alias("weight")
    weights = table["weight"].cast(pl.Float64, strict=False)
    _refuse_unless(weights.is_finite(), path, table["weight"], "a number")
    return weights


def _seconds(path: Path, times: pl.Series) -> pl.Series:
    """Return seconds since 1970, Float64, from numbers in any of UNITS, from dates and times, or from ISO 8601 text."""
    numbers = times.cast(pl.Float64, strict=False)
    is_datetime = isinstance(times.dtype, (pl.Date, pl.Datetime)) or (times.dtype == pl.String and numbers[0] is None)
    if not is_datetime:
        _refuse_unless(numbers.is_finite(), path, times, "a number, such as seconds since 1970")
        latest = np.abs(numbers.to_numpy()).max()
        return numbers / next((unit for unit in UNITS if latest < LATEST_S * unit), UNITS[-1])
    datetimes = times.str.to_datetime(strict=False, time_zone="UTC") if times.dtype == pl.String else times
    _refuse_unless(datetimes.is_not_null(), path, times, "ISO 8601, such as 2026-01-31T12:00:00")
    return datetimes.dt.epoch("us") / 1e6


def _refuse_unless(is_valid: pl.Series, path: Path, values: pl.Series, expected: str) -> None:
    invalid = (~is_valid.fill_null(value=False)).arg_true()
    if len(invalid):
        raise InputError(
            f"{path}: found an invalid {values.name} in {len(invalid):,} rows, first in row {invalid[0] + 1:,}; "
            f"expected {expected}. Correct or remove these rows"
        )
