"""
Tables of single artists for the audit: how their plays of a week divide, from lines and from shares with noise.

A share bounds the plays of its cell from both sides (see `crossed`). The cells of a cross table bound each other: those
of an artist add up to its line, and those of a group to the line of the group.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.ledger.audit_table import Table
from recsys.ledger.blocks import OTHERS, Interval, class_of
from recsys.ledger.crossed import LEAST_NOISE, NOISE_LISTENERS, ROUNDING
from recsys.ledger.lines import ARTIST, LISTENERS, PLAYS, RECORDING, SHARE

N_SWEEPS = 3  # of bounds along artists and groups
Intervals = dict[str, dict[str, Interval]]  # artist -> class -> plays


def artist_tables(lines: pl.DataFrame, rows: pl.DataFrame) -> Iterator[Table]:
    """
    Yield the table of each artist with shares.

    Args:
        lines: The lines of a week.
        rows: The rows that they count, as in `Table`, without classes.
    """
    shares = lines.filter(measure=SHARE)
    plays = lines.filter(measure=PLAYS)
    dimensions = [name for name in shares["dimension"].unique().sort() if name in rows.columns]
    within = {name: _within(shares.filter(dimension=name), lines, plays.filter(dimension=name)) for name in dimensions}
    totals = dict(plays.filter(dimension=ARTIST).select("cell", "value").iter_rows())
    for artist in shares["artist_id"].unique().sort():
        of_artist = plays.filter(dimension=RECORDING, artist_id=artist)
        recordings = {cell or OTHERS: (value, value) for cell, value in of_artist.select("cell", "value").iter_rows()}
        values = {"track_id": recordings} | {name: found[artist] for name, found in within.items() if artist in found}
        yield Table(totals[artist], values, _with_classes(rows.filter(artist_id=artist), values))


def _with_classes(rows: pl.DataFrame, values: Mapping[str, Mapping[str, Interval]]) -> pl.DataFrame:
    classes = {
        class_of(axis): pl.when(pl.col(axis).is_in(list(of_axis))).then(axis).otherwise(pl.lit(OTHERS))
        for axis, of_axis in values.items()
    }
    return rows.with_columns(**classes)


def _within(shares: pl.DataFrame, lines: pl.DataFrame, columns: pl.DataFrame) -> Intervals:
    """Return the bounds of each artist's classes along one dimension; `columns`: the label's lines along it."""
    of_artists = lines.filter(dimension=ARTIST).drop_nulls("cell")
    totals, listeners = (
        dict(of_artists.filter(measure=measure).select("cell", "value").iter_rows()) for measure in (PLAYS, LISTENERS)
    )
    stated: Intervals = {}
    for artist, cell, value in shares.select("artist_id", "cell", "value").iter_rows():
        stated.setdefault(artist, {})[cell or OTHERS] = _stated(value, totals[artist], listeners[artist])
    return _narrowed(stated, totals, dict(columns.drop_nulls("cell").select("cell", "value").iter_rows()))


def _stated(value: int, total: int, n_listeners: int) -> Interval:
    """Return the plays that a share in whole per cent leaves possible; 0 and 100 stand for all beyond."""
    error = max(NOISE_LISTENERS / n_listeners, LEAST_NOISE) + ROUNDING
    low = total * (value / 100 - error) if value > 0 else 0.0
    return max(0.0, low), total * (value / 100 + error) if value < 100 else float(total)


def _narrowed(stated: Intervals, totals: Mapping[str, int], columns: Mapping[str, int]) -> Intervals:
    """Narrow the bounds of cells by the sums of artists, and by those of groups, of which others have a part."""
    artists, groups = sorted(stated), sorted({cell for of_artist in stated.values() for cell in of_artist} - {OTHERS})
    of_artist = np.array([[totals[artist]] for artist in artists], float)
    of_group = np.array([columns.get(group, np.inf) for group in groups])
    every = [*groups, OTHERS]
    low, high = (
        np.array([[_bounds(stated[artist], cell)[side] for cell in every] for artist in artists]) for side in (0, 1)
    )
    is_stated = np.array([[cell in stated[artist] for cell in every] for artist in artists])
    for _ in range(N_SWEEPS):
        least, most = (of_artist - _without(np.where(is_stated, table, 0), axis=1) for table in (high, low))
        low, high = np.where(is_stated, np.maximum(low, least), 0), np.where(is_stated, np.minimum(high, most), high)
        high[:, :-1] = np.minimum(high[:, :-1], of_group - _without(low[:, :-1], axis=0))
    return {
        artist: {cell: (low[n, every.index(cell)], high[n, every.index(cell)]) for cell in stated[artist]}
        for n, artist in enumerate(artists)
    }


def _bounds(of_artist: Mapping[str, Interval], cell: str) -> Interval:
    """Return the bounds of a class; one that is not listed is among the others, if there are any."""
    return of_artist.get(cell) or (0.0, of_artist.get(OTHERS, (0.0, 0.0))[1])


def _without(table: F64, axis: int) -> F64:
    """Return the sum of all other cells along an axis, for each cell."""
    others: F64 = table.sum(axis=axis, keepdims=True) - table
    return others
