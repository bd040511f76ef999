"""The tables of the ledger: its lines, the labels of recordings, closings, voids, and statements of owners of works."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Self

import polars as pl

from recsys.columns import Column, schema

DAY, WEEK, LATE = "day", "week", "late"  # dimensions of a label's total
SHOWN = "shown"  # dimension of what the lists show of a label, in the week that a closing closes
ARTIST, RECORDING, SOURCE, LOYALTY = "artist", "recording", "source", "loyalty"
OVERLAP = "overlap"  # dimension of what else an artist's listeners play, by calendar month (see `overlap`)
AUDIENCES = ("country", "age_band", "gender")  # dimensions that group listeners
PLAYS, LISTENERS = "n_plays", "n_listeners"
SHOWN_TO, SLOTS = "n_shown", "exposure"  # listeners whose list has a recording of the label; positions, by weight
SHARE = "play_share"  # of an artist's plays, in whole per cent and with noise (see `crossed`)
LISTENER_SHARE = "listener_share"  # of an artist's listeners who play another artist, likewise (see `overlap`)
ADDS = "n_playlist_adds"
TABLE_OF_MEASURE = {  # the raw table whose rows each measure counts; these measures add up over cells and periods
    PLAYS: "listens",
    "n_skips": "listens",
    "n_saves": "events",
    "n_likes": "events",
    ADDS: "events",
    "ms_played": "listens",
}
MEASURES = tuple(TABLE_OF_MEASURE)

FIGURES_COLUMNS = (
    Column("label_id", pl.String()),
    Column("measure", pl.String()),
    Column("from_day", pl.Date()),
    Column("to_day", pl.Date()),
    Column("dimension", pl.String()),
    Column("artist_id", pl.String()),  # of a recording or a share, the artist of whose plays or listeners it is a part
    Column("cell", pl.String()),  # null: all others, or the label's total
    Column("value", pl.Int64()),
    Column("is_late", pl.Boolean()),
    Column("closing_no", pl.Int64()),
    Column("closed_by_run", pl.String()),
    Column("closed_on", pl.Date()),
)
TRACKS_COLUMNS = (  # a recording's label from a closing on; null: none
    Column("track_id", pl.String()),
    Column("label_id", pl.String()),
    Column("since_no", pl.Int64()),
)
CLOSINGS_COLUMNS = (  # rows of batches up to last_batch and days up to last_day may be counted by the closing
    Column("closing_no", pl.Int64()),
    Column("run_id", pl.String()),
    Column("as_of", pl.Date()),
    Column("last_day", pl.Date()),
    Column("last_batch", pl.Int64()),
    Column("min_listeners", pl.Int64()),  # the test that its lines passed
    Column("is_restart", pl.Boolean()),
)
VOIDS_COLUMNS = (
    Column("label_id", pl.String()),
    Column("from_day", pl.Date()),
    Column("to_day", pl.Date()),
)
PUBLISHED_COLUMNS = (*FIGURES_COLUMNS, Column("min_listeners", pl.Int64()), Column("is_withheld", pl.Boolean()))
STATEMENTS_COLUMNS = (  # of an owner and month; a statement is written once (see recsys.rights.statements)
    Column("owner", pl.String()),
    Column("month", pl.Date()),
    Column("right_type", pl.String()),
    Column("model", pl.String()),
    Column("pot", pl.Int64()),
    Column("currency", pl.String()),
    Column("work_key", pl.String()),  # null: other works
    Column("n_plays", pl.Int64()),  # null where too few listeners are behind all of the owner's works
    Column("amount", pl.Int64()),  # minor units of the currency
    Column("closed_on", pl.Date()),
)
TABLES = {
    "label_figures": FIGURES_COLUMNS,
    "label_tracks": TRACKS_COLUMNS,
    "label_closings": CLOSINGS_COLUMNS,
    "label_voids": VOIDS_COLUMNS,
    "owner_statements": STATEMENTS_COLUMNS,
}


@dataclass(frozen=True, eq=False)
class Lines:
    """
    The tables of the ledger, or what one closing adds to them.

    Attributes:
        figures: The lines, with FIGURES_COLUMNS.
        tracks: The labels of recordings, with TRACKS_COLUMNS; only changes.
        closings: One row per closing, with CLOSINGS_COLUMNS.
        voids: Voided periods, with VOIDS_COLUMNS.
        statements: Statements of owners of works, with STATEMENTS_COLUMNS.
    """

    figures: pl.DataFrame
    tracks: pl.DataFrame
    closings: pl.DataFrame
    voids: pl.DataFrame
    statements: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=schema(STATEMENTS_COLUMNS)))

    @classmethod
    def of(cls, tables: dict[str, pl.DataFrame]) -> Self:
        """Return the lines in tables by name; missing tables are empty, columns that older versions lack null."""
        empty = {name: pl.DataFrame(schema=schema(columns)) for name, columns in TABLES.items()}
        given = {name: [table, tables[name]] if name in tables else [table] for name, table in empty.items()}
        return cls(*(pl.concat(both, how="diagonal").select(empty[name].columns) for name, both in given.items()))

    @classmethod
    def sum(cls, parts: Iterable["Lines"]) -> Self:
        """Return the rows of all parts."""
        tables = [cls.of({}).tables, *(part.tables for part in parts)]
        return cls(*(pl.concat([table[name] for table in tables]) for name in TABLES))

    def __add__(self, other: "Lines") -> "Lines":
        """Return the rows of both."""
        return Lines.sum([self, other])

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables by name."""
        return dict(zip(TABLES, (self.figures, self.tracks, self.closings, self.voids, self.statements), strict=True))

    @property
    def next_no(self) -> int:
        """The number of the next closing, from 1."""
        return int(self.closings["closing_no"].max() or 0) + 1  # type: ignore[arg-type]

    @property
    def as_of(self) -> date | None:
        """The date of the last closing; None before the first."""
        day: date | None = self.closings["as_of"].max()  # type: ignore[assignment]
        return day


def published(lines: Lines) -> pl.DataFrame:
    """Return the lines as labels may see them, with PUBLISHED_COLUMNS: those of voided periods have no value."""
    tests = lines.closings.select("closing_no", "min_listeners")
    figures = lines.figures.join(tests, on="closing_no", how="left", maintain_order="left").with_row_index("line")
    voided = figures.join(lines.voids, on="label_id", suffix="_void").filter(
        (pl.col("from_day") <= pl.col("to_day_void")) & (pl.col("to_day") >= pl.col("from_day_void"))
    )
    is_withheld = pl.col("line").is_in(voided["line"].implode())
    marked = figures.with_columns(is_withheld=is_withheld, value=pl.when(~is_withheld).then("value"))
    return marked.select(schema(PUBLISHED_COLUMNS).names())
