"""
Planted duplicates: the same recording under a second track id, with a part of the listeners of the first.

Every other pair shares its ISRC (on a remaster with a slightly different length); the rest share title, artist and
duration, and the copy has no ISRC.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl

from recsys.demo import names
from recsys.demo.catalogue import NEVER, with_copies
from recsys.demo.planted_breakouts import Field
from recsys.demo.world import Truth, World

COPY_SHARE = 0.35  # of an original's listeners, who listen to the copy instead


def plant_copies(world: World, field: Field, rng: np.random.Generator) -> tuple[Field, list[Truth]]:
    """Add the duplicates to the catalogue and move listeners over; return the new field and what was planted."""
    originals = _originals(world, field, rng)
    table = _copied_rows(field.catalogue.track_table, originals, rng)
    n_old = len(field.free)
    choices = replace(field.choices, track=_moved(field, originals, n_old, rng))
    free = np.r_[field.free, np.zeros(len(originals), dtype=bool)]
    free[originals] = False
    catalogue = with_copies(field.catalogue, originals, table)
    truths = [
        Truth("duplicate", copy, None, {"of": original, "same": "isrc" if nth % 2 == 0 else "title, artist, duration"})
        for nth, (copy, original) in enumerate(zip(table["track_id"], catalogue.tracks.ids[originals], strict=True))
    ]
    return replace(field, catalogue=catalogue, choices=choices, free=free), truths


def _originals(world: World, field: Field, rng: np.random.Generator) -> np.ndarray:
    """Back catalogue that is heard well above the median, carries an ISRC and is used by no other plant."""
    tracks = field.catalogue.tracks
    heard = np.bincount(field.choices.track, minlength=len(field.free))
    has_isrc = field.catalogue.track_table["isrc"].is_not_null().to_numpy()
    may = field.free & has_isrc & (tracks.release_day < -200) & (tracks.withdrawn_day == NEVER)
    may &= (heard > np.quantile(heard, 0.7)) & (heard < np.quantile(heard, 0.97))
    return np.sort(rng.choice(np.flatnonzero(may), world.n_duplicates, replace=False))


def _copied_rows(table: pl.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    by_isrc = pl.int_range(pl.len()) % 2 == 0
    taken = set(table["track_id"])
    fresh = [name for name in names.ids("trk", 2 * len(table), 6, rng).tolist() if name not in taken][: len(rows)]
    return table[rows].with_columns(
        pl.Series("track_id", fresh),
        pl.when(by_isrc).then(pl.col("title") + " (Remastered)").otherwise("title").alias("title"),
        release_title=pl.col("release_title").str.replace(" - Single", "") + " (Anniversary Edition)",
        release_date=pl.col("release_date") + timedelta(days=150),
        duration_ms=pl.col("duration_ms") + pl.when(by_isrc).then(740).otherwise(0),
        isrc=pl.when(by_isrc).then("isrc"),
    )


def _moved(field: Field, originals: np.ndarray, n_old: int, rng: np.random.Generator) -> np.ndarray:
    """The track of each listen, where a share of the listeners of each original hears its copy."""
    copy_of = np.full(n_old, -1)
    copy_of[originals] = np.arange(n_old, n_old + len(originals))
    moves = rng.random((len(field.listeners.ids), len(originals))) < COPY_SHARE
    rows = np.flatnonzero(copy_of[field.choices.track] >= 0)
    copies = copy_of[field.choices.track[rows]]
    chosen = moves[field.choices.listener[rows], copies - n_old]
    track = field.choices.track.copy()
    track[rows[chosen]] = copies[chosen]
    return track
