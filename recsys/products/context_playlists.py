"""
Context playlists: what a listener would like for a workout, for focus and for sleep.

A context is a range of tempo and energy, and the hours that people seek it in. Tracks that nobody heard (no tempo, no
energy) fit no context. Among those that fit, a listener's own taste decides, and how much more a track is played at
those hours than at others.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.products.base import K, ProductInputs
from recsys.recommenders.parts.listening_hours import DAYPART, ListeningTimeProfile
from recsys.recommenders.parts.reason_text import with_reason_text

MIN_LENGTH = 5  # a shorter list is no playlist
N_POOL = 60  # of the listener's best tracks that fit, so many are looked at
HOURS_WEIGHT = 0.2  # what e times as many plays at those hours weigh beside taste, which is 0..1 in the pool


class Context(NamedTuple):
    """A purpose: tempo [1/min] and energy (0..1) from, to; and its hours, in parts of three from midnight (0..7)."""

    tempo_bpm: tuple[float, float]
    energy: tuple[float, float]
    dayparts: tuple[int, ...]


CONTEXTS = {
    "workout": Context((115, 185), (0.6, 1.0), (2, 5, 6)),
    "focus": Context((60, 130), (0.15, 0.55), (3, 4, 5)),
    "sleep": Context((30, 105), (0.0, 0.35), (0, 1, 7)),
}


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Give every listener a list for each context.

    Returns:
        playlist_id (user_id/context), context, rank, track_id, score, reason. A list of fewer than five tracks is left
        out.
    """
    lists = pl.concat([_of_context(inputs, name, context) for name, context in CONTEXTS.items()])
    told = with_reason_text(inputs.model.add_reasons(lists, inputs.interactions), inputs.catalogue)
    return told.sort("user_id", "context", "rank").select(
        "playlist_id", "context", "rank", "track_id", "score", "reason"
    )


def fitting(catalogue: pl.DataFrame, context: Context) -> pl.Series:
    """Return the ids of the tracks whose tempo and energy fit, both ends included."""
    fits = pl.col("tempo_bpm").is_between(*context.tempo_bpm) & pl.col("energy").is_between(*context.energy)
    return catalogue.filter(fits)["track_id"]


def _of_context(inputs: ProductInputs, name: str, context: Context) -> pl.DataFrame:
    only = inputs.filters.only(fitting(inputs.catalogue, context))
    pool = inputs.model.recommend(inputs.listeners["user_id"], N_POOL, filters=only, profiles=inputs.listeners)
    lowest, highest = pl.col("score").min().over("user_id"), pl.col("score").max().over("user_id")
    relevance = ((pl.col("score") - lowest) / (highest - lowest)).fill_nan(0.0)
    return (
        pool.join(_at_hours(inputs, context), on="track_id", how="left", maintain_order="left")
        .with_columns(fit=relevance + HOURS_WEIGHT * pl.col("log_lift").fill_null(0.0))
        .sort("user_id", "fit", "rank", descending=[False, True, False])
        .with_columns(
            rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("user_id"),
            context=pl.lit(name),
            playlist_id=pl.format("{}/{}", "user_id", pl.lit(name)),
        )
        .filter(pl.col("rank") <= K, pl.len().over("user_id") >= MIN_LENGTH)
    )


def _at_hours(inputs: ProductInputs, context: Context) -> pl.DataFrame:
    """Return track_id, log_lift: how much likelier a track's plays fall into the hours than plays of all tracks do."""
    profile = ListeningTimeProfile.of(inputs.interactions.matrix, inputs.interactions.hours)
    everybody = profile.everybody[DAYPART][list(context.dayparts)]
    share = profile.lifts[:, DAYPART][:, list(context.dayparts)] @ everybody / everybody.sum()
    return pl.DataFrame({"track_id": inputs.interactions.tracks.ids(), "log_lift": np.log(share)})
