"""How much recommendations show an artist or a label in each country, on the operator's pages Audience and Exposure."""

import polars as pl

from dashboards import charts, data, maps, parts, sentences

RATIO = "share of the country's exposure / share of its plays, 95 % interval"
N_NAMED = 3  # countries that sentences name in each direction


def by_country(owner: str, owner_id: str, key: str) -> None:
    """
    Show the exposure of an artist or a label by country, with the reason that the catalogue has for a low one.

    Args:
        owner: `artist` or `label`.
        owner_id: Its id.
        key: Key of the figure on its page.
    """
    found = data.run_query("exposure_by_country", owner=owner, id=owner_id)
    if found.is_empty():
        parts.empty_state("In no country do lists show it to ten listeners or more.", "Choose another one.")
        return
    countries = maps.with_names(found)
    parts.figure(
        "How much recommendations show it by country",
        countries.drop("country"),
        charts.intervals(countries, "ratio", "name", unit=RATIO, low="low", high="high"),
        alt_text=f"Lowest is {countries['name'][0]}: {countries['ratio'][0]:.2f} times its share of plays.",
        key=key,
        note="At 1, lists show it as much in a country as it is played there. If an interval does not contain 1, the "
        "difference is unlikely to be chance. Countries are left out where fewer than ten listeners play it or have it "
        "on their list.",
    )
    said = _unusual(countries)
    if not said.is_empty():
        parts.bullets([sentences.exposure_sentence(row) for row in said.iter_rows(named=True)])


def _unusual(countries: pl.DataFrame) -> pl.DataFrame:
    """Return the known countries with the lowest and with the highest ratios, of those whose interval excludes 1."""
    known = countries.drop_nulls("country")
    low, high = known.filter(pl.col("high") < 1), known.filter(pl.col("low") > 1)
    return pl.concat([low.head(N_NAMED), high.reverse().head(N_NAMED)])
