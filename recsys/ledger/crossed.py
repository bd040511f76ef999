"""
The cross table of a week: an artist's plays by country, age, gender and source, in whole per cent, with noise.

Columns are the cells that the label's own lines name, so that the sum of each column is known exactly; rows are the
artists with enough listeners, and all other plays of the label. A cell is listed if it passes the test. What a row or a
column does not list is empty or passes it with twice as many listeners, since a group that is not listed is a part of
both; otherwise the smallest listed cells are left out until it does. So are cells of an artist that reveal an
intersection of too few listeners, with each other or with the artist's recordings (see `intersections`).

The noise of a share is bounded, and a keyed hash of the listeners behind it. Equal groups of listeners get equal noise,
however often and wherever they are listed, so that no repetition averages it away.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from recsys.ledger.cells import does_pass, partition, summed, summed_listeners
from recsys.ledger.dimensions import PERIOD, by_source
from recsys.ledger.intersections import merge_intersections
from recsys.ledger.lines import AUDIENCES, RECORDING, SOURCE
from recsys.ledger.settings import LabelSettings

ARTIST_FACTOR = 3  # times the test's listeners, that an artist has whose shares are written
REST_FACTOR = 2  # times the test's listeners, that are behind what a row or a column does not list
NOISE_LISTENERS = 5  # the noise is at most what so many average listeners of the artist play
LEAST_NOISE = 0.01  # of an artist's plays, that the greatest noise is at least
ROUNDING = 0.005  # of whole per cent
_HASH_BYTES = 8
_GREATEST_HASH = (1 << 8 * _HASH_BYTES) - 1
_ARTIST = [*PERIOD, "artist_id"]
_ROW = [*PERIOD, "row"]
_COLUMN = [*PERIOD, "column"]
_CELL = [*PERIOD, "row", "column"]


def noise_key(listener_key: bytes) -> bytes:
    """Return the secret of the noise, from which the key of listeners cannot be computed."""
    return hashlib.blake2b(b"shares of artists", key=listener_key, digest_size=32).digest()


def noise_of(listeners: Sequence[str], key: bytes) -> float:
    """Return the noise of a group, -1..1 and uniform over groups: the same for the same listeners, in any order."""
    digest = hashlib.blake2b("\n".join(sorted(listeners)).encode(), key=key, digest_size=_HASH_BYTES).digest()
    return 2 * int.from_bytes(digest) / _GREATEST_HASH - 1


def shares_of_artists(rows: pl.DataFrame, settings: LabelSettings, key: bytes) -> dict[str, pl.DataFrame]:
    """
    Return the cross table of each period, by dimension.

    Args:
        rows: The plays of periods that are being closed: PERIOD, artist_id, track_id, user_id, AUDIENCES,
            `dimensions.SOURCES`, and value > 0. The total of each period passes the test.
        settings: The test.
        key: Secret of the noise.

    Returns:
        Dimension -> PERIOD, artist_id, cell (null: all others of the artist), and value (per cent, 0..100).
    """
    artists = partition(rows.with_columns(cell="artist_id"), PERIOD, settings).drop_nulls("cell")
    large = artists.filter(pl.col("n_listeners") >= ARTIST_FACTOR * settings.min_listeners)
    known = large.select(*PERIOD, row="cell", n_artist="n_listeners", total="value")
    by_dimension = {name: rows.with_columns(cell=name) for name in AUDIENCES} | {SOURCE: by_source(rows)}
    cells = {name: _in_cells(of_dimension, known, settings) for name, of_dimension in by_dimension.items()}
    listed = {
        name: _listed(of_dimension, _passing(of_dimension, settings), settings) for name, of_dimension in cells.items()
    }
    safe = _without_intersections(listed, rows.join(known, left_on=[*PERIOD, "artist_id"], right_on=_ROW), settings)
    return {
        name: _shares(of_dimension, _listed(of_dimension, safe[name], settings), known, key)
        for name, of_dimension in cells.items()
    }


def _without_intersections(
    listed: dict[str, pl.DataFrame], rows: pl.DataFrame, settings: LabelSettings
) -> dict[str, pl.DataFrame]:
    """Leave out cells of an artist that, with others or with its recordings, would reveal too few listeners."""
    detailed = by_source(rows).rename({"cell": SOURCE})
    partitions = {name: _partition(cells, detailed.with_columns(cell=name)) for name, cells in listed.items()}
    partitions[RECORDING] = partition(detailed.with_columns(cell="track_id"), _ARTIST, settings)
    merged = merge_intersections(partitions, detailed, settings, _ARTIST)
    return {name: merged[name].drop_nulls("cell").select(*PERIOD, row="artist_id", column="cell") for name in listed}


def _partition(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the partition of each artist into the cells that are listed, and all others."""
    cells = listed.select(*PERIOD, artist_id="row", cell="column", named="column")
    named = rows.join(cells, on=[*_ARTIST, "cell"], how="left").with_columns(cell="named")
    return summed(named, [*_ARTIST, "cell"])


def _in_cells(rows: pl.DataFrame, known: pl.DataFrame, settings: LabelSettings) -> pl.DataFrame:
    """Return listeners and value of each cell: row (null: not among the artists), column (null: the label's others)."""
    named = partition(rows, PERIOD, settings).select(*PERIOD, "cell", column="cell").drop_nulls()
    artists = known.select(*PERIOD, "row", artist_id="row")
    found = rows.join(named, on=[*PERIOD, "cell"], how="left").join(artists, on=[*PERIOD, "artist_id"], how="left")
    return found.group_by(*_CELL, "user_id").agg(pl.col("value").sum())


def _shares(rows: pl.DataFrame, listed: pl.DataFrame, known: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Return the noisy shares of the cells of each artist that has any."""
    marked = rows.join(listed.with_columns(cell="column"), on=_CELL, how="left")
    cells = (
        marked.join(listed.select(_ROW).unique(), on=_ROW, how="semi")
        .group_by(*_ROW, "cell")
        .agg(pl.col("value").sum(), pl.col("user_id").unique())
        .join(known, on=_ROW)
    )
    noise = pl.Series([noise_of(listeners, key) for listeners in cells["user_id"]], dtype=pl.Float64)
    most = pl.max_horizontal(NOISE_LISTENERS / pl.col("n_artist"), pl.lit(LEAST_NOISE))
    share = (100 * (pl.col("value") / pl.col("total") + most * noise)).round().clip(0, 100).cast(pl.Int64)
    return cells.select(*PERIOD, "cell", artist_id="row", value=share)


def _passing(rows: pl.DataFrame, settings: LabelSettings) -> pl.DataFrame:
    """Return the cells that pass the test."""
    return summed_listeners(rows, _CELL).filter(does_pass(settings)).drop_nulls(["row", "column"]).select(_CELL)


def _listed(rows: pl.DataFrame, cells: pl.DataFrame, settings: LabelSettings) -> pl.DataFrame:
    """Return the cells that can be listed together, out of some that pass the test."""
    of_rest = replace(settings, min_listeners=REST_FACTOR * settings.min_listeners)
    smallest_first = summed_listeners(rows, _CELL).sort("n_listeners", "value", *_CELL)
    listed = smallest_first.join(cells, on=_CELL, how="semi", maintain_order="left").select(_CELL)
    parts = []
    while True:  # in each turn, only the periods of which cells were left out in the last one
        rest = rows.join(listed, on=_CELL, how="anti")
        left_out = pl.concat(_smallest(listed, rest, axis, of_rest) for axis in (_ROW, _COLUMN))
        parts.append(listed.join(left_out, on=PERIOD, how="anti"))
        if left_out.is_empty():
            return pl.concat(parts)
        listed = listed.join(left_out, on=_CELL, how="anti", maintain_order="left")
        listed, rows = (table.join(left_out, on=PERIOD, how="semi", maintain_order="left") for table in (listed, rows))


def _smallest(listed: pl.DataFrame, rest: pl.DataFrame, axis: list[str], settings: LabelSettings) -> pl.DataFrame:
    """Return the first of the listed cells of each row or column whose other cells fail together."""
    failing = summed(rest.drop_nulls(axis), axis).filter(~does_pass(settings))
    candidates = listed.join(failing, on=axis, how="semi", maintain_order="left")
    return candidates.unique(axis, keep="first", maintain_order=True)
