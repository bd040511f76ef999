"""
Planted duplicates: the same recording under a second track id, played by some of the listeners of the original.

Every second duplicate shares the ISRC of its original (an album version of slightly different length); the others share
title, artist and duration, and have no ISRC.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl

from recsys.demo import names
from recsys.demo.catalogue import NEVER_WITHDRAWN, with_copies
from recsys.demo.planted_breakouts import PlantingState
from recsys.demo.world import Truth, World

MOVED_SHARE = 0.35  # of an original's listeners, who play the duplicate instead


def plant_duplicates(world: World, state: PlantingState, rng: np.random.Generator) -> tuple[PlantingState, list[Truth]]:
    """Add duplicates to the catalogue and move listeners to them; return the new state and one truth per duplicate."""
    originals = _originals(world, state, rng)
    table = _copied_rows(state.catalogue.track_table, originals, rng)
    n_old = len(state.unused)
    choices = replace(state.choices, track=_reassigned(state, originals, n_old, rng))
    unused = np.r_[state.unused, np.zeros(len(originals), dtype=bool)]
    unused[originals] = False
    catalogue = with_copies(state.catalogue, originals, table)
    truths = [
        Truth("duplicate", copy, None, {"of": original, "same": "isrc" if nth % 2 == 0 else "title, artist, duration"})
        for nth, (copy, original) in enumerate(zip(table["track_id"], catalogue.tracks.ids[originals], strict=True))
    ]
    return replace(state, catalogue=catalogue, choices=choices, unused=unused), truths


def _originals(world: World, state: PlantingState, rng: np.random.Generator) -> np.ndarray:
    """Draw originals: unused back catalogue tracks with an ISRC and clearly more plays than the median."""
    tracks = state.catalogue.tracks
    heard = np.bincount(state.choices.track, minlength=len(state.unused))
    has_isrc = state.catalogue.track_table["isrc"].is_not_null().to_numpy()
    eligible = state.unused & has_isrc & (tracks.release_day < -200) & (tracks.withdrawn_day == NEVER_WITHDRAWN)
    eligible &= (heard > np.quantile(heard, 0.7)) & (heard < np.quantile(heard, 0.97))
    return np.sort(rng.choice(np.flatnonzero(eligible), world.n_duplicates, replace=False))


def _copied_rows(table: pl.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    by_isrc = pl.int_range(pl.len()) % 2 == 0
    taken = set(table["track_id"])
    fresh = [name for name in names.ids("trk", 2 * len(table), 6, rng).tolist() if name not in taken][: len(rows)]
    return table[rows].with_columns(
        pl.Series("track_id", fresh),
        pl.when(by_isrc).then(pl.col("title") + " (Album Version)").otherwise("title").alias("title"),
        release_title=pl.col("release_title").str.replace(" - Single", "") + " (Anniversary Edition)",
        release_date=pl.col("release_date") + timedelta(days=150),
        duration_ms=pl.col("duration_ms") + pl.when(by_isrc).then(740).otherwise(0),
        isrc=pl.when(by_isrc).then("isrc"),
    )


def _reassigned(state: PlantingState, originals: np.ndarray, n_old: int, rng: np.random.Generator) -> np.ndarray:
    """Return the track of each listen, after a share of each original's listeners has moved to its duplicate."""
    copy_of = np.full(n_old, -1)
    copy_of[originals] = np.arange(n_old, n_old + len(originals))
    moves = rng.random((len(state.listeners.ids), len(originals))) < MOVED_SHARE
    rows = np.flatnonzero(copy_of[state.choices.track] >= 0)
    copies = copy_of[state.choices.track[rows]]
    chosen = moves[state.choices.listener[rows], copies - n_old]
    track = state.choices.track.copy()
    track[rows[chosen]] = copies[chosen]
    return track
