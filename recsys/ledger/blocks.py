"""
Blocks of the ledger's plays, and the class of each row within its block, for the audit.

A block is the set of rows that one period counts: those of a week's days that were closed on time, a second set of a
week, a line 'late', or the line of days whose week is open. A class is a named cell of the block's lines, or a cell of
others.
"""

from collections.abc import Iterator

import polars as pl

from recsys.ledger.lines import ARTIST, DAY, PLAYS, RECORDING, WEEK

BLOCK = ("label_id", "from_day", "to_day", "closing_no", "is_late")
GROUP = ("track_id", "country", "age_band")
CLASSES = ("in_recording", "in_country", "in_age_band")  # of each column of GROUP
OTHERS = "\0others"  # of a class; no id contains this character
_DIMENSIONS = (ARTIST, RECORDING, *GROUP[1:])


def blocks(figures: pl.DataFrame) -> Iterator[tuple[tuple[object, ...], pl.DataFrame]]:
    """Yield BLOCK and the lines of plays of each block, without the days of weeks: their total is the week's."""
    plays = figures.filter(pl.col("measure") == PLAYS, pl.col("value").is_not_null())
    weeks = plays.filter(pl.col("dimension") == WEEK, ~pl.col("is_late")).select(
        "label_id", first="from_day", last="to_day"
    )
    days = plays.filter(pl.col("dimension") == DAY)
    of_weeks = days.join(weeks, on="label_id").filter(pl.col("to_day").is_between("first", "last"))
    open_days = days.join(of_weeks, on=["label_id", "to_day"], how="anti")
    every = pl.concat([plays.filter(pl.col("dimension") != DAY), open_days])
    yield from every.group_by(BLOCK, maintain_order=True)


def rows_by_day(figures: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Add to rows with label_id and listen_date the BLOCK of each period that may count them: those with their day."""
    schema = {name: figures.schema[name] for name in BLOCK}
    periods = pl.DataFrame([key for key, _ in blocks(figures)], schema, orient="row")
    return rows.join_where(
        periods.rename({"label_id": "of_label"}),
        pl.col("label_id") == pl.col("of_label"),
        pl.col("listen_date") >= pl.col("from_day"),
        pl.col("listen_date") <= pl.col("to_day"),
    ).drop("of_label")


def with_classes(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add CLASSES of each row; a recording without a line is among the others of its artist, or of all artists."""
    named = {name: lines.filter(pl.col("dimension") == name)["cell"].drop_nulls().implode() for name in _DIMENSIONS}
    others = pl.lit(OTHERS)
    of_artist = pl.when(pl.col("artist_id").is_in(named[ARTIST])).then(pl.format("{} of {}", others, "artist_id"))
    recording = (
        pl.when(pl.col("track_id").is_in(named[RECORDING])).then("track_id").otherwise(of_artist.otherwise(others))
    )
    country, age = (pl.when(pl.col(name).is_in(named[name])).then(name).otherwise(others) for name in GROUP[1:])
    return rows.with_columns(in_recording=recording, in_country=country, in_age_band=age)


def class_values(lines: pl.DataFrame) -> list[dict[str, int]]:
    """Return the value of each class, for each of CLASSES; nothing for a dimension without lines."""
    of_dimension = {
        name: lines.filter(pl.col("dimension") == name).select("artist_id", "cell", "value") for name in _DIMENSIONS
    }
    recordings = {cell or f"{OTHERS} of {artist}": value for artist, cell, value in of_dimension[RECORDING].iter_rows()}
    other_artists = of_dimension[ARTIST].filter(pl.col("cell").is_null())["value"].to_list()
    recordings |= dict.fromkeys([OTHERS] * len(other_artists), sum(other_artists))
    audiences = [{cell or OTHERS: value for _, cell, value in of_dimension[name].iter_rows()} for name in GROUP[1:]]
    return [recordings, *audiences]
