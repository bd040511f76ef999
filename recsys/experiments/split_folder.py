"""
A folder with a split that somebody else cut: which files it holds, what their columns mean, and what is refused.

Each table is Parquet, or TSV with a header line. Required are `train`, `validation` and `test` (user_id, item_id and,
where known, timestamp and weight); `item_features` and `user_features` (an id, feature and, where known, weight) may be
left out. Ids may be of any type and become strings. See `protocols.fixed`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from recsys.errors import InputError, did_you_mean

LEARNED = ("train", "validation")
PARTS = (*LEARNED, "test")
FORMS = {".parquet": "Parquet", ".tsv": "UTF-8 text, a header line, tabs between fields"}
UNITS = (1.0, 1e3, 1e6, 1e9)  # timestamps are counted in s, ms, us or ns
LATEST_S = 1e11  # the year 5138: a larger number counts a finer unit


@dataclass(frozen=True, eq=False)
class SplitFolder:
    """
    The tables of a split folder, checked.

    Attributes:
        parts: The rows of train, validation and test, by name: user_id, track_id, strength (the weight; 1 where none is
            given) and, where `has_times`, at: seconds since 1970 [s].
        has_times: Whether train and validation have timestamps.
        has_order: Whether the rows of each listener may stand in order of time: not where items stand in order of id.
        item_features: item_id, name ('column=value'), weight; None where the folder has none.
        user_features: user_id, name, weight; None where the folder has none.
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
            InputError: A file or column is missing, a file is empty or unreadable, or a value is missing or no number.
        """
        paths = {name: _required(folder, name) for name in PARTS}
        tables = {name: _table(path, "user_id", "item_id") for name, path in paths.items()}
        has_times = _has_times(paths, tables)
        parts = {name: _plays(paths[name], tables[name], has_times=has_times) for name in PARTS}
        return cls(parts, has_times, _has_order(tables["train"]), _features(folder, "item"), _features(folder, "user"))

    def track_ids(self) -> pl.Series:
        """Every id that any part or item feature names."""
        ids = [part["track_id"] for part in self.parts.values()]
        return pl.concat(ids if self.item_features is None else [*ids, self.item_features["item_id"]])

    def liked(self, part: str) -> pl.DataFrame:
        """Return the rows of one part that have a weight above 0: user_id, track_id."""
        return self.parts[part].filter(pl.col("strength") > 0).select("user_id", "track_id")

    def pairs(self, parts: Iterable[str]) -> pl.DataFrame:
        """
        Return what Interactions.of takes: the rows of these parts, one a pair, weights summed, the latest time kept.

        Age counts from the latest row of these parts [d]. Without timestamps it is the number of pairs that the same
        listener has later on [pairs]: no days, but the last is 0 and older ones are larger, so that recency keeps a
        meaning. Where the order of rows tells nothing either, every age is 0.
        """
        rows = pl.concat([self.parts[part] for part in parts], how="diagonal")
        rows = rows if self.has_times else rows.with_columns(at=pl.int_range(pl.len()))
        pairs = rows.group_by("user_id", "track_id").agg(
            pl.col("strength").sum().round_sig_figs(9),  # threads add up in any order: the last bit is luck
            pl.col("at").max(),
        )
        return pairs.select("user_id", "track_id", "strength", age_days=self._age())

    def _age(self) -> pl.Expr:
        if self.has_times:
            return (pl.col("at").max() - pl.col("at")) / 86400
        n_later = pl.col("at").rank("ordinal", descending=True).over("user_id") - 1.0
        return n_later if self.has_order else pl.lit(0.0)


def _required(folder: Path, name: str) -> Path:
    path = _found(folder, name)
    if path is None:
        held = ", ".join(sorted(file.name for file in folder.glob("*"))) or "nothing"
        raise InputError(
            f"{folder} holds {held}; expected {name}.parquet or {name}.tsv with user_id, item_id and, where known, "
            "timestamp and weight. Write it there"
        )
    return path


def _found(folder: Path, name: str) -> Path | None:
    paths = [path for form in FORMS if (path := folder / f"{name}{form}").exists()]
    if len(paths) > 1:
        raise InputError(f"{folder} holds {paths[0].name} and {paths[1].name}; expected one of them: remove the other")
    return paths[0] if paths else None


def _has_times(paths: dict[str, Path], tables: dict[str, pl.DataFrame]) -> bool:
    """Whether the parts that are learned from have timestamps: one alone cannot be put in order with the other."""
    without = [paths[name] for name in LEARNED if "timestamp" not in tables[name].columns]
    if len(without) == 1:
        raise InputError(
            f"{without[0]} has no timestamp and the other learned part has; expected it in {' and '.join(LEARNED)} or "
            "in neither. Add the column, or drop the other: then the order of rows is time"
        )
    return not without


def _has_order(table: pl.DataFrame) -> bool:
    """Whether any listener's items stand out of order of their ids, as numbers or as text: if none, a sort put them."""
    as_numbers = table["item_id"].cast(pl.Float64, strict=False)
    ways = [table["item_id"]] if as_numbers.has_nulls() else [table["item_id"], as_numbers]
    return all(_falls(table["user_id"], ids) for ids in ways)


def _falls(users: pl.Series, ids: pl.Series) -> bool:
    """Whether any listener's id is below the one before it."""
    rows = pl.DataFrame({"user": users, "id": ids})
    return bool(rows.select((pl.col("id") < pl.col("id").shift().over("user")).any()).item())


def _table(path: Path, *needed: str) -> pl.DataFrame:
    """Return a table as it is (TSV: as text, without quoting) with the needed columns as text, none of it missing."""
    table = _read(path)
    for name in needed:
        if name not in table.columns:
            raise InputError(
                f"{path} has the columns {', '.join(table.columns)}; expected {', '.join(needed)}. Rename or add "
                f"{name}.{did_you_mean(name, table.columns)}"
            )
        if n_missing := table[name].null_count():
            raise InputError(f"{path}: {name} is missing in {n_missing:,} rows; every row needs one: drop such rows")
    if table.is_empty():
        raise InputError(f"{path} has no rows; expected at least one. Fill it, or remove it where it may be left out")
    return table.with_columns(pl.col(needed).cast(pl.String))


def _read(path: Path) -> pl.DataFrame:
    try:
        if path.suffix == ".tsv":
            return pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
        return pl.read_parquet(path)
    except pl.exceptions.NoDataError as empty:
        raise InputError(f"{path} is empty; expected {FORMS[path.suffix]}, and rows. Write it again") from empty
    except pl.exceptions.PolarsError as broken:
        reason = str(broken).partition("\n")[0]
        raise InputError(f"{path}: {reason}; expected {FORMS[path.suffix]}. Write it again") from broken


def _plays(path: Path, table: pl.DataFrame, *, has_times: bool) -> pl.DataFrame:
    plays = table.select("user_id", track_id="item_id", strength=_weights(path, table))
    if not has_times or "timestamp" not in table.columns:
        return plays
    return plays.with_columns(at=_seconds(path, table["timestamp"]))


def _features(folder: Path, kind: str) -> pl.DataFrame | None:
    """Return id, name and weight of each feature; 'tag=' goes before one that names no column."""
    path = _found(folder, f"{kind}_features")
    if path is None:
        return None
    table = _table(path, f"{kind}_id", "feature")
    weights = _weights(path, table)
    _refuse_unless(weights > 0, path, weights, "more than 0")
    has_column = pl.col("feature").str.contains("=", literal=True)
    name = pl.when(has_column).then("feature").otherwise(pl.format("tag={}", "feature"))
    return table.select(f"{kind}_id", name=name, weight=weights)


def _weights(path: Path, table: pl.DataFrame) -> pl.Series:
    """Return the weights, finite, Float64; 1 where the table has none."""
    if "weight" not in table.columns:
        return pl.repeat(1.0, table.height, eager=True).alias("weight")
    weights = table["weight"].cast(pl.Float64, strict=False)
    _refuse_unless(weights.is_finite(), path, table["weight"], "a number")
    return weights


def _seconds(path: Path, times: pl.Series) -> pl.Series:
    """Return seconds since 1970, Float64, of numbers in whichever unit, of dates and times, or of ISO 8601 text."""
    numbers = times.cast(pl.Float64, strict=False)
    is_moment = isinstance(times.dtype, (pl.Date, pl.Datetime)) or (times.dtype == pl.String and numbers[0] is None)
    if not is_moment:
        _refuse_unless(numbers.is_finite(), path, times, "a number, such as seconds since 1970")
        latest = np.abs(numbers.to_numpy()).max()
        return numbers / next((unit for unit in UNITS if latest < LATEST_S * unit), UNITS[-1])
    moments = times.str.to_datetime(strict=False, time_zone="UTC") if times.dtype == pl.String else times
    _refuse_unless(moments.is_not_null(), path, times, "ISO 8601, such as 2026-01-31T12:00:00")
    return moments.dt.epoch("us") / 1e6


def _refuse_unless(good: pl.Series, path: Path, values: pl.Series, expected: str) -> None:
    bad = (~good.fill_null(value=False)).arg_true()
    if len(bad):
        raise InputError(
            f"{path}: {values.name} is wrong in {len(bad):,} rows, first in row {bad[0] + 1:,}; expected {expected}. "
            "Mend or drop such rows"
        )
