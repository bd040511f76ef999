"""The exported products of the current release, for `recsys product`."""

from pathlib import Path

import polars as pl

from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.installation.plugins import plugin
from recsys.pipeline.export import checked_file
from recsys.products.base import PACKAGE, product_maker, product_names
from recsys.releases import registry
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


def products() -> pl.DataFrame:
    """List all products: product (name), description."""
    names = product_names()
    descriptions = [" ".join(str(plugin(PACKAGE, name).__doc__).partition(": ")[2].split()) for name in names]
    return pl.DataFrame({"product": names, "description": descriptions})


def product(home: Home, name: str, key: str) -> pl.DataFrame:
    """
    Return one list of a product, with titles and names beside the ids.

    Args:
        home: A home with a published release.
        name: The product (see `product_names`).
        key: Id of the listener, track, artist or playlist to which the list belongs (the product's first column).

    Returns:
        rank, title and artist_name (for artists only the name), the product's other columns, and the id of the listed
        track or artist.

    Raises:
        UnknownIds: There is no such product.
        InputError: The product has no list for this key.
        SetupError: The current release has no export of the product.
    """
    product_maker(name)  # raises UnknownIds
    release = registry.current(home)
    path = None if release is None or release.export is None else checked_file(release.export, f"{name}.parquet")
    if release is None or path is None:
        raise SetupError(f"{home.path} has no published {name} yet. Run: recsys nightly")
    with Warehouse.open(release.warehouse) as warehouse:
        rows = list_of(path, key, warehouse)
    if rows.is_empty():
        of = next(iter(pl.read_parquet_schema(path)))
        raise InputError(f"{name} has no list for {of} {key!r}. Find ids by name: recsys find WORDS")
    return rows


def list_of(path: Path, key: str, warehouse: Warehouse) -> pl.DataFrame:
    """
    Return one list of a product's file, with titles and names beside the ids; no rows if there is none.

    Args:
        path: The product's file in an export.
        key: As in `product`.
        warehouse: The warehouse of the same release.
    """
    table = pl.scan_parquet(path)
    columns = table.collect_schema().names()
    rows = table.filter(pl.col(columns[0]) == key).sort("rank").collect()
    listed = next(column for column in columns[1:] if column.endswith("_id"))
    is_artist = listed.endswith("artist_id")
    id_column, names_query = ("artist_id", "names_of_artists") if is_artist else ("track_id", "names_of_tracks")
    names = warehouse.query(internal_sql(names_query)).rename({id_column: listed})
    rest = pl.exclude(columns[0], "rank", listed, *names.columns)
    named = rows.join(names, on=listed, how="left", maintain_order="left")
    return named.select("rank", *names.columns[1:], rest, listed)
