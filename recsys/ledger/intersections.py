"""
Intersections of named cells: plays that lines reveal although no line counts them alone.

If a recording, a country and an age band have 90 % of a period's plays each, at least 70 % have all three. Each of the
three lines has enough listeners, but the 70 % may come from a few. So where three named cells reveal that their
intersection has plays, it must have enough listeners as well; where it has not, its age is merged with others, or its
country if all have one age. Others have more than one member, of which any may have no plays, so that three cells with
others among them reveal nothing. Accounts that a label owns are left out of what is revealed, whichever these are.
"""

import polars as pl

from recsys.ledger.cells import summed
from recsys.ledger.lines import RECORDING
from recsys.ledger.settings import LabelSettings

PERIOD = ["label_id", "from_day", "to_day"]
AXES = {RECORDING: "track_id", "country": "country", "age_band": "age_band"}  # dimension -> column of its cells


def merge_intersections(
    cells: dict[str, pl.DataFrame], rows: pl.DataFrame, settings: LabelSettings
) -> dict[str, pl.DataFrame]:
    """
    Merge cells until no three named ones reveal anything of too few listeners.

    Args:
        cells: Partitions of periods by dimension (see `cells.partition`), those of AXES among them.
        rows: The rows of these periods: PERIOD, artist_id, the columns of AXES, user_id and value > 0.
        settings: The test; half of its listeners may be accounts of the label.

    Returns:
        The same partitions, some with fewer named countries and ages. All cells still pass the test: two
        listeners make no larger share of several cells together than of each.
    """
    partitions = dict(cells)
    while not (narrow := _narrow(partitions, rows, settings.min_listeners)).is_empty():
        for (name,), found in narrow.group_by("dimension"):
            partitions[str(name)] = _merged(partitions[str(name)], found.unique(), rows.with_columns(cell=name))
    return partitions


def _narrow(partitions: dict[str, pl.DataFrame], rows: pl.DataFrame, min_listeners: int) -> pl.DataFrame:
    """Return PERIOD, dimension and cell to merge of each intersection that reveals too few listeners."""
    of_period = rows.partition_by(PERIOD, as_dict=True)
    found = [
        (*period, *(("age_band", age) if inside["age_band"].n_unique() > 1 else ("country", country)))
        for *period, track, country, age in _candidates(partitions, rows, min_listeners // 2).iter_rows()
        if _is_narrow(inside := of_period[tuple(period)], (track, country, age), min_listeners)
    ]
    schema = {name: rows.schema[name] for name in PERIOD} | {"dimension": pl.String(), "cell": pl.String()}
    return pl.DataFrame(found, schema, orient="row")


def _candidates(partitions: dict[str, pl.DataFrame], rows: pl.DataFrame, n_known: int) -> pl.DataFrame:
    """
    Return the named cells, PERIOD and one of each of AXES, that may reveal their intersection.

    A recording without an artist counts as named, since it may be the only one among the others. The least that an
    intersection can have is the sum of its three cells less twice the total; known accounts raise it by twice their
    plays at most.
    """
    by_listener = rows.group_by(*PERIOD, "user_id").agg(pl.col("value").sum())
    found = by_listener.group_by(PERIOD).agg(missing=2 * (pl.col("value").sum() - pl.col("value").top_k(n_known).sum()))
    revealed = pl.sum_horizontal(f"in_{name}" for name in AXES)
    named = {
        name: partitions[name].filter(pl.col("cell").is_not_null()).select(*PERIOD, "cell", "value") for name in AXES
    }
    without_artist = rows.filter(pl.col("artist_id").is_null()).with_columns(cell="track_id")
    named[RECORDING].vstack(summed(without_artist, [*PERIOD, "cell"]).select(named[RECORDING].columns), in_place=True)
    for name, of_axis in named.items():  # start with the greatest cell of each, so that few are combined
        found = found.join(of_axis.group_by(PERIOD).agg(pl.col("value").max().alias(f"in_{name}")), on=PERIOD)
    for name, column in AXES.items():
        of_axis = named[name].select(*PERIOD, pl.col("cell").alias(column), pl.col("value").alias(f"in_{name}"))
        found = found.drop(f"in_{name}").join(of_axis, on=PERIOD).filter(revealed > pl.col("missing"))
    return found.select(*PERIOD, *AXES.values()).sort(pl.all())


def _is_narrow(rows: pl.DataFrame, cells: tuple[str, ...], min_listeners: int) -> bool:
    """
    Return whether three cells reveal plays of too few listeners to a label that knows half as many of the others.

    Of the sum of the three less twice the total, a row in all of them makes its plays; a row outside of one, nothing; a
    row outside of two or three makes it smaller by once or twice its plays.
    """
    n_outside = pl.sum_horizontal(
        [pl.col(name).ne_missing(cell).cast(pl.Int64) for name, cell in zip(AXES.values(), cells, strict=True)]
    )
    by_listener = rows.group_by("user_id").agg(
        revealed=(pl.col("value") * (1 - n_outside)).sum(), is_inside=(n_outside == 0).any()
    )
    known = by_listener.filter(~pl.col("is_inside"))["revealed"].bottom_k(min_listeners // 2)
    return bool(
        by_listener["is_inside"].sum() < min_listeners and by_listener["revealed"].sum() > known.filter(known < 0).sum()
    )


def _merged(partition: pl.DataFrame, narrow: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Merge cells of some periods with the others of their period, or with its smallest cell if it has no others."""
    named = partition.filter(pl.col("cell").is_not_null()).join(narrow, on=[*PERIOD, "cell"], how="anti")
    has_others = partition.filter(pl.col("cell").is_null())
    without_others = narrow.filter(pl.len().over(PERIOD) == 1).join(has_others, on=PERIOD, how="anti")
    smallest = named.join(without_others, on=PERIOD, how="semi").sort("n_listeners", "value", "cell")
    named = named.join(smallest.unique(PERIOD, keep="first", maintain_order=True), on=[*PERIOD, "cell"], how="anti")
    in_others = rows.join(named, on=[*PERIOD, "cell"], how="anti")
    others = summed(in_others, PERIOD).with_columns(cell=pl.lit(None, pl.String))
    return pl.concat([named, others.select(named.columns)]).sort(*PERIOD, "cell", nulls_last=True)
