"""
Blocks of the ledger's plays, and the class of each row within its block, for the audit.

A block is the set of rows that one period counts: those of a week's days that were closed on time, a second set of a
week, a line 'late', or the line of days whose week is open. A class is a named cell of the block's lines, or a cell of
others.
"""

from collections.abc import Iterator

import polars as pl

from recsys.ledger.dimensions import SOURCES, by_source
from recsys.ledger.lines import ARTIST, DAY, LOYALTY, PLAYS, RECORDING, SOURCE, WEEK

BLOCK = ("label_id", "from_day", "to_day", "closing_no", "is_late")
GROUP = ("track_id", "country", "age_band")
AXES = {  # column of rows -> dimension of lines that partitions them
    "artist_id": ARTIST,
    "track_id": RECORDING,
    "country": "country",
    "age_band": "age_band",
    "gender": "gender",
    "source": SOURCE,
    "loyalty": LOYALTY,
}
OTHERS = "\0others"  # a class; no id contains this character
Interval = tuple[float, float]


def class_of(column: str) -> str:
    """Return the column with the class of each row along an axis."""
    return f"in_{column}"


def blocks(figures: pl.DataFrame, measure: str = PLAYS) -> Iterator[tuple[tuple[object, ...], pl.DataFrame]]:
    """Yield BLOCK and a measure's lines of each block, without the days of weeks: their total is the week's."""
    plays = figures.filter(pl.col("measure") == measure, pl.col("value").is_not_null())
    weeks = plays.filter(pl.col("dimension") == WEEK, ~pl.col("is_late")).select(
        "label_id", first="from_day", last="to_day"
    )
    days = plays.filter(pl.col("dimension") == DAY)
    of_weeks = days.join(weeks, on="label_id").filter(pl.col("to_day").is_between("first", "last"))
    open_days = days.join(of_weeks, on=["label_id", "to_day"], how="anti")
    every = pl.concat([plays.filter(pl.col("dimension") != DAY), open_days])
    yield from every.group_by(BLOCK, maintain_order=True)


def rows_by_day(figures: pl.DataFrame, rows: pl.DataFrame, measure: str = PLAYS) -> pl.DataFrame:
    """Add to rows with label_id and listen_date the BLOCK of each period that may count them: those with their day."""
    schema = {name: figures.schema[name] for name in BLOCK}
    periods = pl.DataFrame([key for key, _ in blocks(figures, measure)], schema, orient="row")
    return rows.join_where(
        periods.rename({"label_id": "of_label"}),
        pl.col("label_id") == pl.col("of_label"),
        pl.col("listen_date") >= pl.col("from_day"),
        pl.col("listen_date") <= pl.col("to_day"),
    ).drop("of_label")


def measured(rows: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Return the rows with a measure, as value; plays by who chose the recording (source), if the rows tell."""
    if measure == PLAYS and set(SOURCES) <= set(rows.columns):
        return by_source(rows).rename({"cell": SOURCE})
    without_source = rows.drop(SOURCE, LOYALTY, strict=False) if measure != PLAYS else rows
    return without_source.with_columns(value=pl.col(measure).cast(pl.Int64)).filter(pl.col("value") > 0)


def with_classes(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add the class of each row along those of AXES that it has; a recording may be among the others of its artist."""
    named = {name: lines.filter(pl.col("dimension") == name)["cell"].drop_nulls().implode() for name in AXES.values()}
    others = pl.lit(OTHERS)
    of_artist = pl.when(pl.col("artist_id").is_in(named[ARTIST])).then(pl.format("{} of {}", others, "artist_id"))
    classes = {
        column: pl.when(pl.col(column).is_in(named[dimension]))
        .then(column)
        .otherwise(of_artist.otherwise(others) if dimension == RECORDING else others)
        for column, dimension in AXES.items()
        if column in rows.columns
    }
    return rows.with_columns(**{class_of(column): of_class for column, of_class in classes.items()})


def class_values(lines: pl.DataFrame) -> dict[str, dict[str, Interval]]:
    """Return the value of each class, for each of AXES; nothing for a dimension without lines."""
    of_dimension = {
        name: lines.filter(pl.col("dimension") == name).select("artist_id", "cell", "value") for name in AXES.values()
    }
    recordings = {cell or f"{OTHERS} of {artist}": value for artist, cell, value in of_dimension[RECORDING].iter_rows()}
    other_artists = of_dimension[ARTIST].filter(pl.col("cell").is_null())["value"].to_list()
    recordings |= dict.fromkeys([OTHERS] * len(other_artists), sum(other_artists))
    values = {
        column: {cell or OTHERS: value for _, cell, value in of_dimension[dimension].iter_rows()}
        for column, dimension in AXES.items()
    }
    return {
        column: {name: (value, value) for name, value in of_axis.items()}
        for column, of_axis in (values | {"track_id": recordings}).items()
    }
