"""To check attacks: which line counts each row of a world, and one linear programme over all lines of all labels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from recsys.arrays import Bool
from recsys.ledger.blocks import BLOCK
from recsys.ledger.value_range import Sums

from .worlds import Memory, World, catalogue, frame, listeners

BLOCK_SCHEMA = dict(zip(BLOCK, (pl.String, pl.Date, pl.Date, pl.Int64, pl.Boolean), strict=True))
CELL = {  # a column for each dimension of lines
    "day": "in_day",
    "artist": "in_artist",
    "recording": "in_recording",
    "country": "in_country",
    "age_band": "in_age_band",
    "gender": "in_gender",
    "source": "in_source",
}
MEMBER = ("track_id", "country", "age_band", "gender", "source", "in_day")


def truth(world: World, memory: Memory) -> pl.DataFrame:
    """Return the plays that are counted, with the BLOCK that counts them, by the second way, artist and groups."""
    keys = ("user_id", "track_id", "listen_date", "batch_no")
    rows = [
        (row.user, row.track, row.day, row.batch, *memory.counted[n])
        for n, row in enumerate(world.rows)
        if n in memory.counted
    ]
    every = frame(world.rows)
    schema = {name: every.schema[name] for name in keys} | BLOCK_SCHEMA
    counted = pl.DataFrame(rows, schema, orient="row").unique(keys)
    artists = catalogue(world.labels).select("track_id", "artist_id")
    return every.join(counted, on=keys).join(artists, on="track_id").join(listeners(world.n_users), on="user_id")


def matches(figures: pl.DataFrame, cells: pl.DataFrame) -> Bool:
    """Return which cells each figure sums: those with its values in their common columns; null stands for any."""
    found = np.ones((figures.height, cells.height), bool)
    for name in figures.columns:
        if name in cells.columns:
            values = figures[name].to_numpy()[:, None]
            found &= figures[name].is_null().to_numpy()[:, None] | (values == cells[name].to_numpy())
    return found


def sums_of(figures: pl.DataFrame, cells: pl.DataFrame) -> Sums:
    """Return figures with the columns low and high as sums of unknown cells."""
    return Sums(
        csr_matrix(matches(figures, cells), dtype=float),
        figures["low"].cast(pl.Float64).to_numpy(),
        figures["high"].cast(pl.Float64).to_numpy(),
    )


@dataclass
class Programme:
    """
    All lines of all labels as one linear programme, over every combination of the values that rows of a block have.

    Attributes:
        cells: The unknowns: block, MEMBER, and a column of CELL with the cell of each dimension's lines.
        sums: The lines, less known accounts.
    """

    cells: pl.DataFrame
    sums: Sums

    def range_of(self, groups: Sequence[tuple[tuple[str, object], ...]]) -> tuple[float, float]:
        """Return the range of the plays of some groups together, each pairs of a column and a value."""
        schema = ["block", "artist_id", *MEMBER]
        of_groups = pl.DataFrame(list(map(dict, groups)), dict.fromkeys(schema, pl.String))
        return self.sums.range_of(matches(of_groups, self.cells.select(schema)).any(axis=0).astype(float))


def programme(figures: pl.DataFrame, rows: pl.DataFrame, known: Collection[str]) -> Programme:
    """Return the linear programme of all lines of plays; `rows` as from `truth`."""
    split = _by_source(rows)
    all_cells, all_figures = [], []
    for key, of_block in split.group_by(BLOCK, maintain_order=True):
        lines = _lines_of(figures, key)
        days = lines.filter(pl.col("dimension") == "day").select(
            "from_day", "to_day", in_day=pl.col("to_day").cast(str)
        )
        inside = _with_days(of_block, days)
        cells = inside.select("track_id", "artist_id").unique()
        for name in MEMBER[1:]:
            cells = cells.join(inside.select(name).unique(), how="cross")
        constraints = _constraints(lines, name_of(key))
        less = matches(constraints, _with_cells(inside, lines, key)) @ np.where(
            inside["user_id"].is_in(list(known)), inside["n_plays"], 0
        )
        values = constraints["value"] - pl.Series(less)
        all_figures.append(constraints.with_columns(low=values, high=values))
        all_cells.append(_with_cells(cells, lines, key))
    cells = pl.concat(all_cells)
    return Programme(cells, sums_of(pl.concat(all_figures), cells))


def name_of(key: tuple[object, ...]) -> str:
    """Return a name of a block."""
    return " ".join(map(str, key))


def _by_source(rows: pl.DataFrame) -> pl.DataFrame:
    active = rows.with_columns(source=pl.lit("active"), n_plays="n_active_plays")
    unknown = rows.with_columns(source=pl.lit("unknown"), n_plays=pl.col("n_plays") - pl.col("n_active_plays"))
    return pl.concat([active, unknown]).filter(pl.col("n_plays") > 0)


def _lines_of(figures: pl.DataFrame, key: tuple[object, ...]) -> pl.DataFrame:
    """Return the lines of plays of a block: those of its period, and of the days in it."""
    label_id, first, last, no, is_late = map(pl.lit, key)
    plays = figures.filter(pl.col("label_id") == label_id, pl.col("is_late") == is_late, measure="n_plays")
    of_period = plays.filter(pl.col("dimension") != "day").filter(
        pl.col("from_day") == first, pl.col("to_day") == last, pl.col("closing_no") == no
    )
    days = plays.filter((pl.col("dimension") == "day") & pl.col("to_day").is_between(first, last))
    return pl.concat([of_period, days])


def _with_days(rows: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Add the line of days that contains each row's day; late rows have none."""
    if days.is_empty():
        return rows.with_columns(in_day=pl.lit("none"))
    return rows.sort("listen_date").join_asof(
        days.sort("to_day").select("to_day", "in_day"), left_on="listen_date", right_on="to_day", strategy="forward"
    )


def _with_cells(rows: pl.DataFrame, lines: pl.DataFrame, key: tuple[object, ...]) -> pl.DataFrame:
    """Add the name of the block, and the cell of each dimension that sums a row."""
    named = {name: lines.filter(dimension=name)["cell"].drop_nulls().to_list() for name in CELL}
    cells = [
        {
            "in_artist": _cell(row["artist_id"], named["artist"]),
            "in_recording": _cell(row["track_id"], named["recording"], row["artist_id"]),
            "in_country": _cell(row["country"], named["country"]),
            "in_age_band": _cell(row["age_band"], named["age_band"]),
            "in_gender": _cell(row["gender"], named["gender"]),
            "in_source": _cell(row["source"], named["source"]),
        }
        for row in rows.iter_rows(named=True)
    ]
    return pl.concat([rows.with_columns(block=pl.lit(name_of(key))), pl.DataFrame(cells)], how="horizontal")


def _cell(value: str, named: list[str], artist: str = "") -> str:
    return value if value in named else f"others of {artist}"


def _constraints(lines: pl.DataFrame, block: str) -> pl.DataFrame:
    """Return a block's lines as figures: its name, a column of CELL each, and the value."""
    of_artist = pl.when(dimension="recording").then("artist_id").otherwise(pl.lit(""))
    cell = pl.coalesce("cell", pl.format("others of {}", of_artist))
    columns = {
        column: pl.when(dimension=name).then(cell if name != "day" else pl.col("to_day").cast(str))
        for name, column in CELL.items()
    }
    return lines.select("value", block=pl.lit(block), **columns)
