"""
The same night as `recsys nightly`, as a plain script: the same SQL, models, parameters, number of fits and top-k.

It has none of what the platform adds: pseudonyms, the contract and the quarantine, checks, gate, intervals and metrics
beyond nDCG, model files, manifest and exports, the marts as Parquet, files of labels, the morning report, and the means
to resume. It prints the seconds of each part. `bench.nightly` runs it beside the night on the same files; without
--raw it makes a world of its own. Its first version knew the parts up to the lists alone, chosen without rules.
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
LEDGER = {"raw.quarantine", "raw.batches"}  # what only the platform keeps


class Open:
    """A connection that answers as a warehouse does."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def query(self, sql: str, params: dict[str, object] | None = None) -> pl.DataFrame:
        """Answer one query."""
        return cast("pl.DataFrame", self.connection.sql(sql, params=params).pl())


@contextmanager
def part(name: str) -> Iterator[None]:
    """Print how long a part of the night takes, by the wall's clock and of all cores."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<11} {wall:7.2f} s {cpu:7.2f} CPU-s", flush=True)


def load(connection: duckdb.DuckDBPyConnection, raw: Path, as_of: date) -> None:
    """Read the files as DuckDB reads them, rows that do not parse left out."""
    for table, contract in CONTRACTS.items():
        paths = sorted(raw.glob(f"{table}*"))
        if not paths:
            put(connection, table, pl.DataFrame(schema={**contract.schema, "ds": pl.Date()}))
            continue
        rows = " union all ".join(selection(connection, contract, path) for path in paths)
        required = " and ".join(f"{field.name} is not null" for field in contract.fields if field.required)
        day = f", {contract.instant}::date as ds" if contract.instant else ""
        dated = contract.instant or contract.day
        until = f" and {dated}::date <= date '{as_of}'" if dated else ""
        connection.execute(
            f"create table raw.{table} as select distinct on ({', '.join(contract.key)}) *{day}, 1 as batch_no, "
            f"'' as batch from ({rows}) where {required}{until}"
        )


def put(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Make a raw table of a frame."""
    connection.register("incoming", frame.to_arrow())
    connection.execute(f"create table raw.{name} as select * from incoming")
    connection.unregister("incoming")


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


def tables() -> tuple["list[SqlFile]", "list[SqlFile]"]:
    """List the SQL files that read the logs alone, and those that read what the night makes."""
    from recsys.pipeline.plan import results
    from recsys.warehouse.sqlfile import read_layers

    unknown, later = set(LEDGER), {f"raw.{name}" for name in results()}
    first, second = [], []
    for file in read_layers().values():
        if file.sources & unknown:
            unknown.add(file.name)
        elif file.sources & later:
            later.add(file.name)
            second.append(file)
        else:
            first.append(file)
    return first, second


def make(connection: duckdb.DuckDBPyConnection, files: "list[SqlFile]") -> None:
    """Make tables and views of the files, as a build does."""
    from recsys.warehouse.sqlfile import materializations, read_layers

    kinds = materializations(read_layers())
    for file in files:
        connection.execute(f"create {kinds[file.name]} {file.name} as {file.query}")


def judged(warehouse: "Warehouse", recipe: "Recipe", as_of: date) -> None:
    """Fit each recommender without the last days, and print how well it foresees them."""
    import numpy as np

    from recsys.dataset.splits import split
    from recsys.evaluate.ranking import ndcg_at_k
    from recsys.evaluate.report import evaluated_users, values_per_user
    from recsys.recommenders.parts.filters import Filters

    settings = recipe.evaluation
    cut = split(warehouse, as_of=as_of, test_days=settings.test_days, gap_days=settings.gap_days)
    users = cut.train.users.ids(evaluated_users(cut))
    for name in recipe.names:
        ranking = fitted(name, recipe, cut.train).recommend(users, settings.k, filters=Filters.of(cut.train))
        print(f"{name:<11} nDCG@{settings.k} {np.nanmean(values_per_user(ranking, cut, ndcg_at_k, k=settings.k)):.4f}")


def fitted(name: str, recipe: "Recipe", interactions: "Interactions") -> Any:
    """Fit one model."""
    from recsys.recommenders.base import Recommender

    return Recommender.named(name, recipe.configs[name]).fit(interactions)


def prepared(warehouse: "Warehouse", recipe: "Recipe", as_of: date) -> "ProductInputs":
    """Fit the recipe's model on everything, and read what lists are made from."""
    from recsys.dataset.interactions import Interactions
    from recsys.products.base import ProductInputs
    from recsys.recommenders.parts.filters import Filters
    from recsys.warehouse.internal import internal_sql

    interactions, served_on = Interactions.read(warehouse, until=as_of), as_of + timedelta(days=1)
    model = fitted(recipe.recommender, recipe, interactions)
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
        n_candidates=recipe.export.candidates,
        served_on=served_on,
    )


def chosen(warehouse: "Warehouse", inputs: "ProductInputs", recipe: "Recipe") -> pl.DataFrame:
    """Choose each listener's list among the candidates by the recipe's rules, and give the reason for each track."""
    from recsys.recommenders.parts.reason_text import with_reason_text
    from recsys.rerank.base import RerankContext
    from recsys.rerank.lists import full_lists
    from recsys.warehouse.internal import internal_sql

    about = RerankContext.of_groups(inputs.interactions, warehouse.query(internal_sql("track_groups")))
    ranking, _ = full_lists(inputs.candidates, inputs.recommend, list(recipe.rerank.values()), about, recipe.export.k)
    return with_reason_text(inputs.model.add_reasons(ranking, inputs.interactions), inputs.catalogue)


def best(inputs: "ProductInputs", recipe: "Recipe") -> pl.DataFrame:
    """Take each listener's best tracks, without rules, and give the reason for each."""
    return inputs.model.add_reasons(inputs.recommend(inputs.listeners["user_id"], recipe.export.k), inputs.interactions)


def trends(warehouse: "Warehouse", inputs: "ProductInputs", recipe: "Recipe", as_of: date) -> dict[str, pl.DataFrame]:
    """Group listeners and tracks, forecast artists, rate songs of the charts."""
    from recsys.analytics.chart_breakouts import chart_breakouts
    from recsys.analytics.communities import COMMUNITY_MEMBERS_COLUMNS, communities
    from recsys.analytics.forecast import artist_forecasts
    from recsys.columns import schema
    from recsys.warehouse.internal import internal_sql

    nobody = pl.DataFrame(schema=schema(COMMUNITY_MEMBERS_COLUMNS))
    groups, members = communities(
        inputs.interactions, warehouse.query(internal_sql("artists")), recipe.communities, nobody
    )
    return {
        "communities": groups,
        "community_members": members,
        "forecasts": artist_forecasts(warehouse.query(internal_sql("artist_days")), as_of),
        "chart_breakouts": chart_breakouts(warehouse.query(internal_sql("chart_weeks"))),
    }


def write_products(inputs: "ProductInputs", found: dict[str, pl.DataFrame], out: Path) -> None:
    """Make every product."""
    from recsys.analytics.communities import TRACKS
    from recsys.products.base import product_maker, product_names

    named = (
        found["community_members"].filter(kind=TRACKS).join(found["communities"].filter(kind=TRACKS), on="community")
    )
    with_clusters = replace(inputs, clusters=named.select("community", "name", track_id="member_id"))
    for name in product_names():
        product_maker(name)(with_clusters).write_parquet(out / f"{name}.parquet")


def make_results(connection: duckdb.DuckDBPyConnection, files: "list[SqlFile]", found: dict[str, pl.DataFrame]) -> None:
    """Make the tables that read what the night made; what only the platform makes is empty."""
    from recsys.pipeline.plan import results

    for name, result in results().items():
        shape = pl.DataFrame(schema=result.schema)
        put(connection, name, pl.concat([shape, found.get(name, shape)], how="diagonal").select(shape.columns))
    make(connection, files)


def opened(path: Path, as_of: date) -> duckdb.DuckDBPyConnection:
    """Make the warehouse file, without tables of the logs."""
    connection = duckdb.connect(path)
    connection.execute("set TimeZone = 'UTC'")
    for schema in ("raw", "staging", "intermediate", "marts", "meta"):
        connection.execute(f"create schema {schema}")
    connection.execute("create table meta.build as select $1::date as as_of, 'UTC' as time_zone", [as_of])
    return connection


def night(raw: Path, as_of: date, out: Path, recipe: "Recipe", *, as_at_first: bool) -> None:
    """Run the night part by part."""
    connection = opened(out / "plain.duckdb", as_of)
    warehouse = cast("Warehouse", Open(connection))
    with part("files"):
        load(connection, raw, as_of)
    with part("tables"):
        of_logs, of_results = tables()
        make(connection, of_logs)
    with part("judged"):
        judged(warehouse, recipe, as_of)
    with part("lists"):
        inputs = prepared(warehouse, recipe, as_of)
        recommended = best(inputs, recipe) if as_at_first else chosen(warehouse, inputs, recipe)
        recommended.write_parquet(out / "recommendations.parquet")
    if as_at_first:
        return
    with part("trends"):
        found = trends(warehouse, inputs, recipe, as_of)
    with part("products"):
        write_products(inputs, found, out)
    with part("results"):
        make_results(
            connection, of_results, found | {"recommendations": recommended.with_columns(run_id=pl.lit("plain"))}
        )


@benchmark(headline=r"plain night +(\d+\.\d\d) s")
@click.option("--raw", type=click.Path(path_type=Path, exists=True), help="Files to read. [default: a made-up world]")
@click.option("--date", "as_of", type=click.DateTime(["%Y-%m-%d"]), default=AS_OF, help="Last day that counts.")
@click.option("--recipe", "path", type=click.Path(path_type=Path, exists=True), help="[default: that of bench.nightly]")
@click.option("--out", type=click.Path(path_type=Path), help="Where it writes. [default: a temporary folder]")
@click.option("--as-at-first", is_flag=True, help="Do only what the first version did.")
@size("--scale", default=2.0, smallest=0.05, help="Millions of listens of a made-up world.")
def main(
    raw: Path | None, as_of: datetime, path: Path | None, out: Path | None, as_at_first: bool, scale: float
) -> None:
    """Run the night and print the quality of each model and the seconds of each part."""
    from recsys.recipe import read_recipe

    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "recipe.toml").write_text(RECIPE)
        if raw is None:
            world(folder, scale)
        out = out or folder / "out"
        out.mkdir(parents=True, exist_ok=True)
        recipe = read_recipe(path or folder / "recipe.toml")
        with part("plain night"):
            night(raw or folder / "raw", as_of.date(), out, recipe, as_at_first=as_at_first)


def world(folder: Path, scale: float) -> int:
    """Write a world without recordings; return its number of listens."""
    from recsys.demo import World, write_world

    return write_world(folder, World(scale=scale, n_sounding=0)).rows["listens"]


if __name__ == "__main__":
    main()
