"""
Read a folder with a published train/validation/test split, and check its tables.

Each table is Parquet, or TSV with a header line (see `split_tables`). `train` and `test` are required, with the columns
user_id, item_id and optionally timestamp and weight; without `validation`, a validation part is carved from train.
`item_features` and `user_features` are optional, with the columns item_id or user_id, feature and optionally weight.
Ids of any type become strings. Used by `protocols.from_folder`.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, TypeAlias, get_args

import numpy as np
import polars as pl

from recsys.errors import InputError
from recsys.experiments.split_checks import (
    inside_training,
    refuse_other_spellings,
    unknown_ids,
    without_evidence,
)
from recsys.experiments.split_tables import FORMS, file_of, read_table, refuse_unless, required_file, seconds, weights

Order: TypeAlias = Literal["time", "rows", "none"]  # what tells which of a listener's rows are later

LEARNED = ("train", "validation")  # the parts that a model is trained on
TABLES = (*LEARNED, "test", "item_features", "user_features", "candidates")  # the last is read by a comparison
CARVED_SHARE = 0.2  # of each listener's liked items, for validation
CARVED_SEED = 7  # of the order of items where none is known
CARVED = (
    "there is no validation file: the latest fifth of each listener's liked items in train is held out for tuning, or "
    "any fifth if there is no order"
)
_IDS = {"item": "track_id", "user": "user_id"}


@dataclass(frozen=True, eq=False)
class SplitFolder:
    """
    The checked tables of a split folder.

    Attributes:
        parts: The rows of train, validation and test, by name: user_id, track_id, strength (the weight, 1 by default)
            and, in the learned parts, position: Unix time [s] if `order` is 'time', otherwise the number of the row,
            counted through train and validation.
        order: What tells which of a listener's rows are later: timestamps, the order of rows, or nothing.
        is_carved: Whether the folder has no validation part, so that it was carved from train.
        warnings: What is doubtful about the tables, a sentence each.
        item_features: item_id, name ('column=value'), weight; None if there is no such file.
        user_features: user_id, name ('column=value'), weight; None if there is no such file.
    """

    parts: dict[str, pl.DataFrame]
    order: Order
    is_carved: bool
    warnings: tuple[str, ...]
    item_features: pl.DataFrame | None
    user_features: pl.DataFrame | None

    @classmethod
    def read(cls, folder: Path, *, order: Order | None = None, hidden: Collection[str] = LEARNED) -> Self:
        """
        Read and check every table.

        Args:
            folder: The folder.
            order: See the attribute. None: timestamps if train and validation have them, otherwise the order of rows,
                unless the rows of every listener in train are sorted by item id.
            hidden: Parts whose pairs lists leave out.

        Raises:
            InputError: A file or column is missing, a file is empty or unreadable, a value is missing or invalid, ids
                are spelled in two ways, no row of a part is liked, all pairs of the test are in the training parts, or
                no listener of the test is.
        """
        paths = {name: required_file(folder, name) for name in ("train", "test")}
        if validation := file_of(folder, "validation"):
            paths = {"train": paths["train"], "validation": validation, "test": paths["test"]}
        tables = {name: read_table(path, "user_id", "item_id") for name, path in paths.items()}
        found = _order(paths, tables, order)
        parts = {name: _plays(path, tables[name]) for name, path in paths.items()}
        parts |= _with_positions(paths, tables, parts, found)
        features = {kind: _features(folder, kind) for kind in _IDS}
        _refuse_other_spellings(paths, parts, features)
        warnings = [without_evidence(paths[name].name, part) for name, part in parts.items()]
        warnings += _doubts_about_test(paths["test"].name, parts, hidden)
        warnings.append(_unread(folder))
        if validation is None:
            parts |= _carved(parts["train"], found)
            warnings.append(CARVED)
        return cls(parts, found, validation is None, tuple(filter(None, warnings)), features["item"], features["user"])

    def track_ids(self) -> pl.Series:
        """Return the item ids of all parts and of the item features, including duplicates."""
        ids = [part["track_id"] for part in self.parts.values()]
        return pl.concat(ids if self.item_features is None else [*ids, self.item_features["item_id"]])

    def liked(self, part: str) -> pl.DataFrame:
        """Return the rows of one part with a weight above 0: user_id, track_id."""
        return _liked(self.parts[part])

    def pairs(self, parts: Iterable[str]) -> pl.DataFrame:
        """
        Return one row per listener and track of these parts, with summed weights: the input of `Interactions.of`.

        age_days is the time since the latest timestamp of these parts [d]. If the order is that of rows, it is the
        number of later rows of the same listener, so only its order is meaningful. Without an order, it is 0.
        """
        pairs = _pairs(pl.concat([self.parts[part] for part in parts]))
        return pairs.select("user_id", "track_id", "strength", age_days=self._age())

    def _age(self) -> pl.Expr:
        if self.order == "time":
            return (pl.col("last").max() - pl.col("last")) / 86400
        n_later = pl.col("last").rank("ordinal", descending=True).over("user_id") - 1.0
        return n_later if self.order == "rows" else pl.lit(0.0)


def _pairs(rows: pl.DataFrame) -> pl.DataFrame:
    """Return user_id, track_id, strength and the last position of each pair."""
    return rows.group_by("user_id", "track_id").agg(
        pl.col("strength").sum().round_sig_figs(9),  # threads add in varying order, which changes the last bits
        last=pl.col("position").max(),
    )


def _liked(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("strength") > 0).select("user_id", "track_id")


def _carved(train: pl.DataFrame, order: Order) -> dict[str, pl.DataFrame]:
    """
    Return train without the rows of each listener's latest liked items, and these rows as validation.

    The number of items is `CARVED_SHARE` of those that a listener likes, rounded up; a listener's only one stays in
    train. Without an order, the items are drawn at random.
    """
    pairs = _pairs(train).filter(pl.col("strength") > 0).sort("user_id", "track_id")
    if order == "none":
        pairs = pairs.with_columns(last=np.random.default_rng(CARVED_SEED).permutation(len(pairs)))
    n_later = pl.col("last").rank("ordinal", descending=True).over("user_id") - 1
    n_liked = pl.len().over("user_id")
    held = pairs.filter((n_liked > 1) & (n_later < (n_liked * CARVED_SHARE).ceil())).select("user_id", "track_id")
    if held.is_empty():
        raise InputError(
            "train: no listener likes two items, so that none can be held out for validation. Add a file validation"
        )
    kept, carved = (
        train.join(held, on=["user_id", "track_id"], how=how, maintain_order="left") for how in ("anti", "semi")
    )
    return {"train": kept, "validation": carved}


def _order(paths: dict[str, Path], tables: dict[str, pl.DataFrame], order: Order | None) -> Order:
    """Return the order that was asked for, or else that of the tables; raises InputError if it cannot be had."""
    if order not in (None, *get_args(Order)):
        raise InputError(f"order: found {order!r}, expected one of {', '.join(get_args(Order))}")
    if order in ("rows", "none"):
        return order
    learned = [name for name in LEARNED if name in tables]
    without = [paths[name] for name in learned if "timestamp" not in tables[name].columns]
    if without and order == "time":
        raise InputError(f"{without[0]}: found no column timestamp, which the order by time needs. Add it")
    if 0 < len(without) < len(learned):
        other = next(paths[name] for name in learned if paths[name] != without[0])
        raise InputError(
            f"{without[0]}: found no column timestamp, but {other} has one. Add it here, or remove it there; without "
            "timestamps, the order of rows is used as the chronological order"
        )
    if not without:
        return "time"
    return "rows" if _has_order(tables["train"]) else "none"


def _has_order(table: pl.DataFrame) -> bool:
    """Return False if every listener's items are sorted by id, as text or numbers: then rows are not chronological."""
    as_numbers = table["item_id"].cast(pl.Float64, strict=False)
    keys = [table["item_id"]] if as_numbers.has_nulls() else [table["item_id"], as_numbers]
    return all(_falls(table["user_id"], ids) for ids in keys)


def _falls(users: pl.Series, ids: pl.Series) -> bool:
    """Return whether any id is smaller than the previous id of the same listener."""
    rows = pl.DataFrame({"user": users, "id": ids})
    return bool(rows.select((pl.col("id") < pl.col("id").shift().over("user")).any()).item())


def _refuse_other_spellings(
    paths: dict[str, Path], parts: dict[str, pl.DataFrame], features: dict[str, pl.DataFrame | None]
) -> None:
    """Raise InputError if ids of any table are those of train in another spelling."""
    for kind, column in _IDS.items():
        known = parts["train"][column]
        for name, part in parts.items():
            refuse_other_spellings(paths[name].name, kind, part[column], known)
        table = features[kind]
        if table is not None:
            refuse_other_spellings(f"{kind}_features", kind, table[f"{kind}_id"], known)


def _doubts_about_test(file: str, parts: dict[str, pl.DataFrame], hidden: Collection[str]) -> Iterator[str]:
    """Yield warnings about pairs of the test that are in the training parts, and ids that are in none of them."""
    test = _liked(parts["test"])
    learned = {name: parts[name].select("user_id", "track_id") for name in LEARNED if name in parts}
    yield from inside_training(file, test, learned.values(), [learned[name] for name in learned if name in hidden])
    known = pl.concat(learned.values())
    yield from (unknown_ids(file, kind, test[column], known[column]) for kind, column in _IDS.items())


def _unread(folder: Path) -> str:
    """Return a warning about tables that are not part of a split, such as a part under another name; else ''."""
    others = [path.name for path in sorted(folder.glob("*")) if path.suffix in FORMS and path.stem not in TABLES]
    return f"{', '.join(others)}: not read; the tables of a split are {', '.join(TABLES)}" * bool(others)


def _plays(path: Path, table: pl.DataFrame) -> pl.DataFrame:
    return table.select("user_id", track_id="item_id", strength=weights(path, table))


def _with_positions(
    paths: dict[str, Path], tables: dict[str, pl.DataFrame], parts: dict[str, pl.DataFrame], order: Order
) -> dict[str, pl.DataFrame]:
    """Return the learned parts with the position of each row in time, or in the rows of both."""
    learned, n_before = {name: parts[name] for name in LEARNED if name in parts}, 0
    for name, part in learned.items():
        by_row = pl.Series(np.arange(n_before, n_before + len(part)), dtype=pl.Float64)
        position = seconds(paths[name], tables[name]["timestamp"]) if order == "time" else by_row
        learned[name] = part.with_columns(position.alias("position"))
        n_before += len(part)
    return learned


def _features(folder: Path, kind: str) -> pl.DataFrame | None:
    """Return id, name and weight of each feature; a feature without '=' becomes 'tag=<feature>'."""
    path = file_of(folder, f"{kind}_features")
    if path is None:
        return None
    table = read_table(path, f"{kind}_id", "feature")
    given = weights(path, table)
    refuse_unless(given > 0, path, given, "more than 0")
    has_column = pl.col("feature").str.contains("=", literal=True)
    name = pl.when(has_column).then("feature").otherwise(pl.format("tag={}", "feature"))
    return table.select(f"{kind}_id", name=name, weight=given)
