"""
The same night as `recsys nightly`, written as a script: the same SQL, models, parameters, number of fits and top-k.

What it leaves out is what the platform adds: pseudonyms, the contract and the quarantine, checks, gate, intervals, model
files, manifest, CSV and JSON Lines, the marts as Parquet. Called by bench/nightly.py: plain_night.py RAW AS_OF OUT RECIPE
"""

import sys
from datetime import date
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import polars as pl

from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import judged_users, values_per_user
from recsys.ingest.contract import CONTRACTS, Kind
from recsys.interactions import Interactions, split
from recsys.recipe import read_recipe
from recsys.recommenders.base import recommender_class
from recsys.recommenders.filters import Filters
from recsys.steps import CATALOGUE_SQL, LISTENERS_SQL
from recsys.warehouse.query import Warehouse
from recsys.warehouse.sqlfile import read_layers

TYPES = {
    Kind.TEXT: "varchar",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "timestamp",
    Kind.DAY: "date",
    Kind.TEXTS: "varchar[]",
}


class Open:
    """A connection that answers as a warehouse does."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def frame(self, sql: str, params: dict[str, object] | None = None) -> pl.DataFrame:
        """Answer one query."""
        return self.connection.sql(sql, params=params).pl()


def load(connection: duckdb.DuckDBPyConnection, raw: Path) -> None:
    """Read the files as DuckDB reads them, rows that do not parse left out."""
    for table, contract in CONTRACTS.items():
        parts = [source for path in sorted(raw.glob(f"{table}*")) if (source := reader(path))]
        day = f"{contract.instant}::date as ds," if contract.instant else ""
        values = ", ".join(
            f"string_split({field.name}::varchar, '|') as {field.name}"
            if field.kind is Kind.TEXTS and parts[0].startswith("read_csv")
            else f"try_cast({field.name} as {TYPES[field.kind]}) as {field.name}"
            for field in contract.fields
        )
        rows = " union all by name ".join(f"select * from {part}" for part in parts)
        required = " and ".join(f"{field.name} is not null" for field in contract.fields if field.required)
        connection.execute(
            f"create table raw.{table} as select *, {day} 1 as batch_no, '' as batch "
            f"from (select distinct on ({', '.join(contract.key)}) {values} from ({rows})) where {required}"
        )
    connection.execute("create table raw.quarantine as select null::varchar as source_table where false")


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
    load(connection, raw)
    for name, file in read_layers().items():
        if "raw.quarantine" not in file.sources and not file.sources & {"staging.quarantine", "raw.batches"}:
            build(connection, name, file.query)
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
    listeners, catalogue = warehouse.frame(LISTENERS_SQL), warehouse.frame(CATALOGUE_SQL)
    filters = Filters.for_listeners(listeners, catalogue, tracks=model.tracks, as_of=as_of, seen=taste)
    lists = model.because(model.recommend(listeners["user_id"], recipe.export.k, filters=filters), taste)
    lists.write_parquet(out / "recommendations.parquet")


def build(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Make a mart a table and everything else a view."""
    if name in ("marts.recommendations", "marts.run_metrics"):
        return
    connection.execute(f"create {'table' if name.startswith('marts.') else 'view'} {name} as {query}")


def fitted(name: str, config: object, taste: Interactions) -> Any:
    """Fit one model."""
    return recommender_class(name)(config).fit(taste)


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
