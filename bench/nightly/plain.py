"""
The work of `recsys nightly` as a plain script: the same SQL, models, parameters, number of fits and top-k.

It leaves out what the platform adds: pseudonyms, contracts and quarantine, checks, gate, intervals and metrics beyond
nDCG, model files, manifest and exports, marts as Parquet, label files, the morning report, and resuming. It prints the
seconds of each part. `bench.nightly` runs it beside the nightly run on the same files; without --raw it generates a
world of its own. With --reduced it stops after the recommendation lists, and makes them without rerank rules.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import click
import duckdb
import polars as pl

from bench.options import benchmark, size
from recsys.lake.contract import CONTRACTS, Contract
from recsys.lake.field import Field, Kind

if TYPE_CHECKING:
    from recsys.dataset.interactions import Interactions
    from recsys.products.base import ProductInputs
    from recsys.recipe import Recipe
    from recsys.warehouse.query import Warehouse
    from recsys.warehouse.sqlfile import SqlFile

AS_OF = datetime(2026, 6, 30)  # noqa: DTZ001 - a date, as click reads one
RECIPE = 'recommender = "als"\ncompare = ["lightfm"]\n'
TYPES = {
    Kind.TEXT: "varchar",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "timestamp",
    Kind.DAY: "date",
    Kind.TEXTS: "varchar[]",
    Kind.REAL: "double",
    Kind.REALS: "float[]",
}
PLATFORM_TABLES = {"raw.quarantine", "staging.batches", "raw.invalid_values"}  # the script does not make them
ONE_BATCH = {"batch": [""], "batch_no": [1], "source_sha256": [""], "delivery": [""]}


class OpenWarehouse:
    """A connection with the `query` method of `Warehouse`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def query(self, sql: str, params: dict[str, object] | None = None) -> pl.DataFrame:
        """Run one query and return its rows."""
        return cast("pl.DataFrame", self.connection.sql(sql, params=params).pl())


@contextmanager
def part(name: str) -> Iterator[None]:
    """Print the wall time of a part, and its CPU time on all cores."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<11} {wall:7.2f} s {cpu:7.2f} CPU-s", flush=True)


def load(connection: duckdb.DuckDBPyConnection, raw: Path, as_of: date) -> None:
    """
    Create the raw tables from the files, read by DuckDB; rows that do not parse are left out.

    All rows are of one batch, and a reference table is delivered once, so that all its versions are its rows.
    """
    from recsys.warehouse.versions import versions

    put(connection, "batches", pl.DataFrame(ONE_BATCH))
    for contract in CONTRACTS.values():
        load_table(connection, raw, contract, as_of)
        if not contract.instant:
            connection.execute(f"create view {versions(contract)} as select * from raw.{contract.table}")


def load_table(connection: duckdb.DuckDBPyConnection, raw: Path, contract: Contract, as_of: date) -> None:
    """Create one raw table from its files, the first row of each key; empty where it has none."""
    paths = sorted(raw.glob(f"{contract.table}*"))
    if not paths:
        put(connection, contract.table, pl.DataFrame(schema={**contract.schema, "ds": pl.Date()}))
        return
    rows = " union all ".join(selection(connection, contract, path) for path in paths)
    required = " and ".join(f"{field.name} is not null" for field in contract.fields if field.required)
    day = f", {contract.instant}::date as ds" if contract.instant else ""
    date_column = contract.instant or contract.day
    until = f" and {date_column}::date <= date '{as_of}'" if date_column else ""
    connection.execute(
        f"create table raw.{contract.table} as select distinct on ({', '.join(contract.key)}) *{day}, 1 as batch_no, "
        f"'' as batch from ({rows}) where {required}{until}"
    )


def put(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Create a raw table from a frame."""
    connection.register("incoming", frame.to_arrow())
    connection.execute(f"create table raw.{name} as select * from incoming")
    connection.unregister("incoming")


def selection(connection: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> str:
    """Return the SQL that reads one file in the contract's columns."""
    file_columns = {name for name, *_ in connection.execute(f"describe select * from {reader(path)}").fetchall()}
    values = ", ".join(f"{value(field, path, file_columns)} as {field.name}" for field in contract.fields)
    return f"select {values} from {reader(path)}"


def value(field: Field, path: Path, file_columns: set[str]) -> str:
    """Return the SQL expression of one column: its default or null if the file lacks it; codes without their signs."""
    if field.name not in file_columns:
        return f"{field.default!r}" if field.default is not None else f"null::{TYPES[field.kind]}"
    text = f"{field.name}::varchar"
    if field.normal_code:
        return f"regexp_replace(upper({text}), '[^A-Z0-9]', '', 'g')"
    if field.kind is Kind.INSTANT:
        return f"coalesce(try_cast({text} as timestamp), to_timestamp(try_cast({text} as bigint))::timestamp)"
    if field.kind is Kind.TEXTS:
        return f"string_split({text}, '|')" if ".csv" in path.name else field.name
    read = f"try_cast({text} as {TYPES[field.kind]})"
    return read if field.default is None else f"coalesce({read}, {field.default!r})"


def reader(path: Path) -> str:
    """Return the SQL table function that reads a file."""
    if path.suffix == ".parquet":
        return f"read_parquet('{path}')"
    if ".csv" in path.name:
        return f"read_csv('{path}', all_varchar = true, ignore_errors = true, null_padding = false)"
    return f"read_json('{path}', format = 'newline_delimited', ignore_errors = true)"


def tables() -> tuple["list[SqlFile]", "list[SqlFile]"]:
    """List the SQL files that depend on raw data alone, and those that also depend on results of the models."""
    from recsys.pipeline.plan import results
    from recsys.warehouse.sqlfile import read_layers

    skipped, later = set(PLATFORM_TABLES), {f"raw.{name}" for name in results()}
    first, second = [], []
    for file in read_layers().values():
        if file.name in skipped or file.sources & skipped:
            skipped.add(file.name)
        elif file.sources & later:
            later.add(file.name)
            second.append(file)
        else:
            first.append(file)
    return first, second


def make(connection: duckdb.DuckDBPyConnection, files: "list[SqlFile]") -> None:
    """Create the tables and views of SQL files, as a warehouse build does."""
    from recsys.warehouse.sqlfile import materializations, read_layers

    kinds = materializations(read_layers())
    for file in files:
        connection.execute(f"create {kinds[file.name]} {file.name} as {file.query}")


def evaluate(warehouse: "Warehouse", recipe: "Recipe", as_of: date) -> None:
    """Fit each recommender without the test days and print its nDCG on them."""
    import numpy as np

    from recsys.dataset.splits import split
    from recsys.evaluate.ranking import ndcg_at_k
    from recsys.evaluate.report import evaluated_users, values_per_user
    from recsys.recommenders.parts.filters import Filters

    settings = recipe.evaluation
    held_out = split(warehouse, as_of=as_of, test_days=settings.test_days, gap_days=settings.gap_days)
    users = held_out.train.users.ids(evaluated_users(held_out))
    for name in recipe.names:
        ranking = fit(name, recipe, held_out.train).recommend(users, settings.k, filters=Filters.of(held_out.train))
        values = values_per_user(ranking, held_out, ndcg_at_k, k=settings.k)
        print(f"{name:<11} nDCG@{settings.k} {np.nanmean(values):.4f}")


def fit(name: str, recipe: "Recipe", interactions: "Interactions") -> Any:
    """Fit one recommender with the recipe's settings."""
    from recsys.recommenders.base import Recommender

    return Recommender.named(name, recipe.configs[name]).fit(interactions)


def product_inputs(warehouse: "Warehouse", recipe: "Recipe", as_of: date) -> "ProductInputs":
    """Fit the recipe's recommender on all interactions, and read the other inputs of lists and products."""
    from recsys.dataset.interactions import Interactions
    from recsys.products.base import ProductInputs
    from recsys.recommenders.parts.filters import Filters
    from recsys.warehouse.internal import internal_sql

    interactions, served_on = Interactions.read(warehouse, until=as_of), as_of + timedelta(days=1)
    model = fit(recipe.recommender, recipe, interactions)
    listeners, catalogue = (
        warehouse.query(internal_sql("listeners")),
        warehouse.query(internal_sql("catalogue"), {"served_on": served_on}),
    )
    return ProductInputs(
        model=model,
        interactions=interactions,
        filters=Filters.for_listeners(listeners, catalogue, tracks=model.tracks, as_of=served_on, seen=interactions),
        listeners=listeners,
        catalogue=catalogue,
        playlists=warehouse.query(internal_sql("playlists")),
        clusters=pl.DataFrame(),
        copies=pl.DataFrame(schema={"track_id": pl.String, "copy_id": pl.String}),
        repeats=pl.DataFrame(),
        n_candidates=recipe.export.candidates,
        served_on=served_on,
    )


def reranked_lists(warehouse: "Warehouse", inputs: "ProductInputs", recipe: "Recipe") -> pl.DataFrame:
    """Re-rank each listener's candidates by the recipe's rules and add the reason for each track."""
    from recsys.recommenders.parts.reason_text import with_reason_text
    from recsys.rerank.base import RerankContext
    from recsys.rerank.lists import full_lists
    from recsys.warehouse.internal import internal_sql

    context = RerankContext.of_groups(inputs.interactions, warehouse.query(internal_sql("track_groups")))
    ranking, _ = full_lists(inputs.candidates, inputs.recommend, list(recipe.rerank.values()), context, recipe.export.k)
    return with_reason_text(inputs.model.add_reasons(ranking, inputs.interactions), inputs.catalogue)


def top_k_lists(inputs: "ProductInputs", recipe: "Recipe") -> pl.DataFrame:
    """Return each listener's top-k tracks without rerank rules, with the reason for each track."""
    return inputs.model.add_reasons(inputs.recommend(inputs.listeners["user_id"], recipe.export.k), inputs.interactions)


def trends(warehouse: "Warehouse", inputs: "ProductInputs", recipe: "Recipe", as_of: date) -> dict[str, pl.DataFrame]:
    """Compute communities, artist forecasts and chart breakouts; return the tables by name."""
    from recsys.analytics.chart_breakouts import chart_breakouts
    from recsys.analytics.communities import COMMUNITY_MEMBERS_COLUMNS, communities
    from recsys.analytics.forecast import artist_forecasts
    from recsys.columns import schema
    from recsys.warehouse.internal import internal_sql

    no_members = pl.DataFrame(schema=schema(COMMUNITY_MEMBERS_COLUMNS))
    groups, members = communities(
        inputs.interactions, warehouse.query(internal_sql("artists")), recipe.communities, no_members
    )
    return {
        "communities": groups,
        "community_members": members,
        "forecasts": artist_forecasts(warehouse.query(internal_sql("artist_days")), as_of),
        "chart_breakouts": chart_breakouts(warehouse.query(internal_sql("chart_weeks"))),
    }


def write_products(
    warehouse: "Warehouse", inputs: "ProductInputs", trend_tables: dict[str, pl.DataFrame], out: Path, as_of: date
) -> None:
    """Write every list product as a Parquet file."""
    from recsys.analytics.communities import TRACKS
    from recsys.products.base import product_maker, product_names
    from recsys.recommenders.parts.repeats import hearing_again

    members, groups = (trend_tables[name].filter(kind=TRACKS) for name in ("community_members", "communities"))
    clusters = members.join(groups, on="community").select("community", "name", track_id="member_id")
    complete = replace(inputs, clusters=clusters, repeats=hearing_again(warehouse, as_of))
    for name in product_names():
        product_maker(name)(complete).write_parquet(out / f"{name}.parquet")


def make_results(
    connection: duckdb.DuckDBPyConnection, files: "list[SqlFile]", frames: dict[str, pl.DataFrame]
) -> None:
    """Create the raw tables of results, empty if only the platform makes them, and the tables that depend on them."""
    from recsys.pipeline.plan import results

    for name, result in results().items():
        empty = pl.DataFrame(schema=result.schema)
        put(connection, name, pl.concat([empty, frames.get(name, empty)], how="diagonal").select(empty.columns))
    make(connection, files)


def new_warehouse(path: Path, as_of: date) -> duckdb.DuckDBPyConnection:
    """Create a warehouse file with its schemas and no tables of data."""
    connection = duckdb.connect(path)
    connection.execute("set TimeZone = 'UTC'")
    for schema in ("raw", "staging", "intermediate", "marts", "meta"):
        connection.execute(f"create schema {schema}")
    connection.execute("create table meta.build as select $1::date as as_of, 'UTC' as time_zone", [as_of])
    return connection


def run(raw: Path, as_of: date, out: Path, recipe: "Recipe", *, reduced: bool) -> None:
    """Do the work of a nightly run part by part, timing each."""
    connection = new_warehouse(out / "plain.duckdb", as_of)
    warehouse = cast("Warehouse", OpenWarehouse(connection))
    with part("files"):
        load(connection, raw, as_of)
    with part("tables"):
        files_of_data, files_of_results = tables()
        make(connection, files_of_data)
    with part("evaluation"):
        evaluate(warehouse, recipe, as_of)
    with part("lists"):
        inputs = product_inputs(warehouse, recipe, as_of)
        recommended = top_k_lists(inputs, recipe) if reduced else reranked_lists(warehouse, inputs, recipe)
        recommended.write_parquet(out / "recommendations.parquet")
    if reduced:
        return
    with part("trends"):
        frames = trends(warehouse, inputs, recipe, as_of)
    with part("results"):
        frames["recommendations"] = recommended.with_columns(run_id=pl.lit("plain"))
        make_results(connection, files_of_results, frames)
    with part("products"):
        write_products(warehouse, inputs, frames, out, as_of)


@benchmark(headline=r"plain script +(\d+\.\d\d) s")
@click.option("--raw", type=click.Path(path_type=Path, exists=True), help="Files to read. [default: a generated world]")
@click.option("--date", "as_of", type=click.DateTime(["%Y-%m-%d"]), default=AS_OF, help="The last day of data used.")
@click.option("--recipe", "path", type=click.Path(path_type=Path, exists=True), help="[default: that of bench.nightly]")
@click.option("--out", type=click.Path(path_type=Path), help="Output folder. [default: a temporary folder]")
@click.option("--reduced", is_flag=True, help="Stop after the lists, and make them without rerank rules.")
@size("--scale", default=2.0, smallest=0.05, help="Size of the generated world, in about a million listens.")
def main(raw: Path | None, as_of: datetime, path: Path | None, out: Path | None, reduced: bool, scale: float) -> None:
    """Run the script and print the nDCG of each model and the seconds of each part."""
    from recsys.recipe import read_recipe

    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "recipe.toml").write_text(RECIPE)
        if raw is None:
            write_silent_world(folder, scale)
        out = out or folder / "out"
        out.mkdir(parents=True, exist_ok=True)
        recipe = read_recipe(path or folder / "recipe.toml")
        with part("plain script"):
            run(raw or folder / "raw", as_of.date(), out, recipe, reduced=reduced)


def write_silent_world(folder: Path, scale: float) -> int:
    """Write a synthetic world without audio; return its number of listens."""
    from recsys.demo import World, write_world

    return write_world(folder, World(scale=scale, n_tracks_with_audio=0, n_tracks_with_lyrics=0)).rows["listens"]


if __name__ == "__main__":
    main()
