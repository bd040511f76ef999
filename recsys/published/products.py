"""The products as the current release exported them, for `recsys product`."""

import polars as pl

from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.installation.plugins import plugin
from recsys.products.base import PACKAGE, product_maker, product_names
from recsys.releases import registry
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


def products() -> pl.DataFrame:
    """Return name and meaning of each product."""
    names = product_names()
    meanings = [str(plugin(PACKAGE, name).__doc__).partition(": ")[2].strip() for name in names]
    return pl.DataFrame({"product": names, "holds": meanings})


def product(home: Home, name: str, key: str) -> pl.DataFrame:
    """
    Return one list of a product, titles and names beside the ids.

    Args:
        home: With a published release.
        name: See `product_names`.
        key: Whose list: a listener, track, artist or playlist, whatever the product's first column is.

    Raises:
        InputError: There is no such product, or no list for that key.
        SetupError: No release has exported it yet.
    """
    product_maker(name)  # refuses what is no product
    release = registry.current(home)
    path = None if release is None or release.export is None else release.export / f"{name}.parquet"
    if release is None or path is None or not path.exists():
        raise SetupError(f"{home.path} has no published {name} yet. Run: recsys nightly")
    table = pl.read_parquet(path)
    rows = table.filter(table.to_series() == key).sort("rank")
    if rows.is_empty():
        raise InputError(f"{name} has no list for {table.columns[0]} {key!r}; recsys find WORDS finds ids by name")
    listed = next(column for column in table.columns[1:] if column.endswith("_id"))
    is_artist = listed.endswith("artist_id")
    kind, names_of = ("artist_id", "names_of_artists") if is_artist else ("track_id", "names_of_tracks")
    with Warehouse.open(release.warehouse) as warehouse:
        names = warehouse.query(internal_sql(names_of)).rename({kind: listed})
    rest = pl.exclude(table.columns[0], "rank", listed, *names.columns)
    named = rows.join(names, on=listed, how="left", maintain_order="left")
    return named.select("rank", *names.columns[1:], rest, listed)
