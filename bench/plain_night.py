"""
The same night as `recsys nightly`, written as a script: the same SQL, models, parameters, number of fits and top-k.

What it leaves out is what the platform adds: pseudonyms, the contract and the quarantine, checks, gate, intervals,
model files, manifest, CSV and JSON Lines, the marts as Parquet. Called by bench/nightly.py as
plain_night.py RAW AS_OF OUT RECIPE.
"""

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import duckdb
import numpy as np
import polars as pl

from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import judged_users, values_per_user
from recsys.ingest.contract import CONTRACTS, Contract, Field, Kind
from recsys.interactions import Interactions, split
from recsys.recipe import read_recipe
from recsys.recommenders.base import recommender_class
from recsys.recommenders.filters import Filters
from recsys.steps import CATALOGUE_SQL, LISTENERS_SQL
from recsys.warehouse.sqlfile import read_layers

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse

TYPES = {
    Kind.TEXT: "varchar",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "timestamp",
    Kind.DAY: "date",
    Kind.TEXTS: "varchar[]",
}
# What only the platform has: its ledger, its quarantine, and the lists and metrics of runs.
UNKNOWN_HERE = {
    "raw.quarantine",
    "raw.batches",
    "staging.quarantine",
    "staging.batches",
    "raw.recommendations",
    "raw.run_metrics",
}


class Open:
    """A connection that answers as a warehouse does."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def frame(self, sql: str, params: dict[str, object] | None = None) -> pl.DataFrame:
        """Answer one query."""
        return cast("pl.DataFrame", self.connection.sql(sql, params=params).pl())


def load(connection: duckdb.DuckDBPyConnection, raw: Path, as_of: date) -> None:
    """Read the files as DuckDB reads them, rows that do not parse left out."""
    for table, contract in CONTRACTS.items():
        paths = sorted(raw.glob(f"{table}*"))
        rows = " union all ".join(selection(connection, contract, path) for path in paths)
        required = " and ".join(f"{field.name} is not null" for field in contract.fields if field.required)
        day = f", {contract.instant}::date as ds" if contract.instant else ""
        until = f" and {contract.instant}::date <= date '{as_of}'" if contract.instant else ""
        connection.execute(
            f"create table raw.{table} as select distinct on ({', '.join(contract.key)}) *{day}, 1 as batch_no "
            f"from ({rows}) where {required}{until}"
        )


def selection(connection: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> str:
    """Write the reading of one file."""
    there = {name for name, *_ in connection.execute(f"describe select * from {reader(path)}").fetchall()}
    values = ", ".join(f"{value(field, path, there)} as {field.name}" for field in contract.fields)
    return f"select {values} from {reader(path)}"


def value(field: Field, path: Path, there: set[str]) -> str:
    """Write the reading of one column, a default or null where the file lacks it."""
    if field.name not in there:
        return f"{field.default!r}" if field.default is not None else f"null::{TYPES[field.kind]}"
    text = f"{field.name}::varchar"
    if field.kind is Kind.INSTANT:
        return f"coalesce(try_cast({text} as timestamp), to_timestamp(try_cast({text} as bigint))::timestamp)"
    if field.kind is Kind.TEXTS:
        return f"string_split({text}, '|')" if ".csv" in path.name else field.name
    read = f"try_cast({text} as {TYPES[field.kind]})"
    return read if field.default is None else f"coalesce({read}, {field.default!r})"


def reader(path: Path) -> str:
    """Name the function that reads a file."""
    if path.suffix == ".parquet":
        return f"read_parquet('{path}')"
    if ".csv" in path.name:
        return f"read_csv('{path}', all_varchar = true, ignore_errors = true, null_padding = false)"
    return f"read_json('{path}', format = 'newline_delimited', ignore_errors = true)"


def main(raw: Path, as_of: date, out: Path, recipe_path: Path) -> None:
    """Run the night and print the quality of each model."""
    recipe = read_recipe(recipe_path)
    connection = duckdb.connect(out / "plain.duckdb")
    for schema in ("raw", "staging", "intermediate", "marts"):
        connection.execute(f"create schema {schema}")
    load(connection, raw, as_of)
    for name, file in read_layers().items():
        if not file.sources & UNKNOWN_HERE:
            connection.execute(f"create {'table' if file.layer == 'marts' else 'view'} {name} as {file.query}")
    warehouse = cast("Warehouse", Open(connection))
    settings = recipe.evaluation
    cut = split(warehouse, as_of=as_of, test_days=settings.test_days, gap_days=settings.gap_days)
    judged = cut.train.users.ids(judged_users(cut))
    for name in recipe.names:
        model = fitted(name, recipe.configs[name], cut.train)
        ranking = model.recommend(judged, settings.k, filters=Filters.of(cut.train))
        print(name, np.nanmean(values_per_user(ranking, cut, ndcg_at_k, k=settings.k)))
    taste = Interactions.read(warehouse, until=as_of)
    model = fitted(recipe.recommender, recipe.configs[recipe.recommender], taste)
    served_on = as_of + timedelta(days=1)
    listeners, catalogue = warehouse.frame(LISTENERS_SQL), warehouse.frame(CATALOGUE_SQL, {"served_on": served_on})
    filters = Filters.for_listeners(listeners, catalogue, tracks=model.tracks, as_of=served_on, seen=taste)
    ranking = model.recommend(listeners["user_id"], recipe.export.k, filters=filters, profiles=listeners)
    model.because(ranking, taste).write_parquet(out / "recommendations.parquet")


def fitted(name: str, config: object, taste: Interactions) -> Any:
    """Fit one model."""
    return recommender_class(name)(config).fit(taste)


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
