"""
Maps of countries with what cannot be drawn on them: unknown countries, and those that the outline does not have.

The same figures stand in a table below each map, for people who cannot see it.
"""

from collections.abc import Mapping

import polars as pl

from dashboards import charts, outlines, parts
from recsys.ingest.countries import country_name

UNKNOWN = "unknown"  # country in the marts
LEAST_LISTENERS, N_NAMED = 10, 3  # of a country, to compare it; countries that are named
CODE, NAME = "country", "name"  # columns of the rows of a map


def with_names(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the column name to rows with a column country of codes; the code of an unknown one becomes null."""
    names = pl.col(CODE).map_elements(country_name, return_dtype=pl.String)
    return rows.select(names.alias(NAME), pl.col(CODE).replace(UNKNOWN, None), pl.exclude(CODE))


def with_enough_listeners(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of countries whose listeners are enough to compare them with other countries."""
    return rows.filter(pl.col("n_listeners") >= LEAST_LISTENERS)


def without_small(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out the ratios of countries whose listeners are too few to compare them."""
    return rows.with_columns(ratio=pl.when(pl.col("n_listeners") >= LEAST_LISTENERS).then("ratio"))


def standing_out(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the N_NAMED known countries with the greatest ratios, of those whose interval is above 1."""
    found = rows.filter(pl.col("low") > 1, pl.col(CODE).is_not_null())
    return found.sort("ratio", descending=True, maintain_order=True).head(N_NAMED)


def figure(
    title: str, rows: pl.DataFrame, value: str, *, share: str, key: str, note: str, alt_text: str, unit: str = "%"
) -> None:
    """
    Show a map, and below it the rows that it cannot draw.

    Args:
        title: Title of the figure.
        rows: One row per country, with CODE (null where there is none) and NAME.
        value: Column that colours the countries.
        share: Column of shares of plays, which is stated for countries that are not on the map.
        key: Key of the figure on its page.
        note: How to read the map.
        alt_text: Description of the map for people who cannot see it.
        unit: '%' for a map of shares, otherwise the unit of ratios.
    """
    chart = charts.world(rows, CODE, value, NAME, unit=unit)
    parts.figure(title, rows, chart, alt_text=alt_text, key=key, note=note)
    elsewhere = rows.filter(~pl.col(CODE).is_in(list(outlines.drawn_codes())).fill_null(value=False))
    texts = [_with_share(row, share) for row in elsewhere.iter_rows(named=True)]
    if texts:
        parts.caption(f"Not on the map: {', '.join(texts)}.")


def _with_share(row: Mapping[str, object], share: str) -> str:
    return f"{row[NAME]} ({row[share]:.1%} of plays)"
