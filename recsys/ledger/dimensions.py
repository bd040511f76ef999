"""The lines of a period by dimension: its total partitioned into cells along each, and the listeners behind them."""

import polars as pl

from recsys.ledger.cells import partition, summed
from recsys.ledger.intersections import merge_intersections
from recsys.ledger.lines import ARTIST, AUDIENCES, LOYALTY, PLAYS, RECORDING, SOURCE, WEEK
from recsys.ledger.settings import LabelSettings

PERIOD = ("label_id", "from_day", "to_day")
SOURCES = {"n_active_plays": "active", "n_algorithmic_plays": "algorithmic"}  # all other plays: unknown


def lines_of_cells(
    rows: pl.DataFrame, measure: str, settings: LabelSettings, *, is_late: bool = False
) -> list[pl.DataFrame]:
    """Partition the periods of these rows along each dimension, so that no cells together reveal too few listeners."""
    artists = partition(rows.with_columns(cell="artist_id"), PERIOD, settings)
    named = artists.select(*PERIOD, artist_id="cell").filter(pl.col("artist_id").is_not_null())
    tracks = rows.join(named, on=[*PERIOD, "artist_id"], how="semi").with_columns(cell="track_id")
    cells = {ARTIST: artists, RECORDING: partition(tracks, [*PERIOD, "artist_id"], settings)}
    groups = (*AUDIENCES, LOYALTY) if measure == PLAYS else AUDIENCES
    cells |= {name: partition(rows.with_columns(cell=name), PERIOD, settings) for name in groups}
    detailed = by_source(rows).rename({"cell": SOURCE}) if measure == PLAYS else rows
    cells |= {SOURCE: partition(by_source(rows), PERIOD, settings)} if measure == PLAYS else {}
    cells = merge_intersections(cells, detailed, settings)
    return [as_lines(of_dimension, name, is_late=is_late) for name, of_dimension in cells.items()]


def by_source(rows: pl.DataFrame) -> pl.DataFrame:
    """Split the plays of each row by who chose the recording."""
    unknown = pl.col(PLAYS) - pl.sum_horizontal(*SOURCES)
    split = [rows.with_columns(cell=pl.lit(source), value=pl.col(column)) for column, source in SOURCES.items()]
    return pl.concat([*split, rows.with_columns(cell=pl.lit("unknown"), value=unknown)]).filter(pl.col("value") > 0)


def lines_of_listeners(rows: pl.DataFrame, settings: LabelSettings) -> list[pl.DataFrame]:
    """Count the listeners of each period, of its named artists, which are never added up, and by loyalty."""
    artists = partition(rows.with_columns(cell="artist_id"), PERIOD, settings).filter(pl.col("cell").is_not_null())
    by_loyalty = partition(rows.with_columns(cell=LOYALTY), PERIOD, settings)
    counts = {WEEK: summed(rows, PERIOD), ARTIST: artists, LOYALTY: by_loyalty}
    return [as_lines(counted.with_columns(value="n_listeners"), name) for name, counted in counts.items()]


def as_lines(figures: pl.DataFrame, dimension: str, *, is_late: bool = False) -> pl.DataFrame:
    """Return figures (PERIOD, value; artist_id and cell where they have any) as lines of a dimension, sorted."""
    missing = [pl.lit(None, pl.String).alias(name) for name in ("artist_id", "cell") if name not in figures.columns]
    return (
        figures.with_columns(*missing, dimension=pl.lit(dimension), is_late=is_late)
        .select(*PERIOD, "dimension", "artist_id", "cell", "value", "is_late")
        .sort(*PERIOD, "artist_id", "cell", nulls_last=True)
    )
