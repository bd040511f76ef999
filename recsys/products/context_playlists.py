"""
Context playlists: recommended tracks per listener for a workout, for focus and for sleep.

A context has a range of tempo, a range of energy and times of day. A track fits a context if its measured tempo and
energy are within the ranges; tracks whose audio was not analysed fit none. The tracks that fit are ranked by the
recommender's score plus a bonus for tracks that are played more at these times of day than other tracks are.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.products.base import LIST_LENGTH, PART, Key, ProductInputs
from recsys.recommenders.parts.listening_hours import DAYPART, ListeningTimeProfile
from recsys.recommenders.parts.reason_text import with_reason_text

KEY: Key = PART
MIN_LENGTH = 5  # shorter lists are omitted
N_POOL = 60  # recommended tracks per listener and context, from which the list is chosen
HOURS_WEIGHT = 0.2  # weight of the log lift at these times of day; the recommender's score, scaled to 0..1, has 1


class Context(NamedTuple):
    """Ranges of tempo [1/min] and energy 0..1, and dayparts: 0 is 0:00 to 3:00, 7 is 21:00 to 24:00."""

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
    Make a list per listener and context.

    Returns:
        playlist_id (user_id/context), context, rank, track_id, score, reason. Lists with fewer than five tracks are
        omitted.
    """
    lists = pl.concat([_of_context(inputs, name, context) for name, context in CONTEXTS.items()])
    playlists = with_reason_text(inputs.model.add_reasons(lists, inputs.interactions), inputs.catalogue)
    return playlists.sort("user_id", "context", "rank").select(
        "playlist_id", "context", "rank", "track_id", "score", "reason"
    )


def fitting_tracks(catalogue: pl.DataFrame, context: Context) -> pl.Series:
    """Return the ids of the tracks whose tempo and energy are within the ranges of a context, limits included."""
    fits = pl.col("tempo_bpm").is_between(*context.tempo_bpm) & pl.col("energy").is_between(*context.energy)
    return catalogue.filter(fits)["track_id"]


def _of_context(inputs: ProductInputs, name: str, context: Context) -> pl.DataFrame:
    allowed = inputs.filters.restricted_to(fitting_tracks(inputs.catalogue, context))
    pool = inputs.model.recommend(inputs.listeners["user_id"], N_POOL, filters=allowed, profiles=inputs.listeners)
    lowest, highest = pl.col("score").min().over("user_id"), pl.col("score").max().over("user_id")
    relevance = ((pl.col("score") - lowest) / (highest - lowest)).fill_nan(0.0)
    return (
        pool.join(_hour_lifts(inputs, context), on="track_id", how="left", maintain_order="left")
        .with_columns(fit=relevance + HOURS_WEIGHT * pl.col("log_lift").fill_null(0.0))
        .sort("user_id", "fit", "rank", descending=[False, True, False])
        .with_columns(
            rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("user_id"),
            context=pl.lit(name),
            playlist_id=pl.format("{}/{}", "user_id", pl.lit(name)),
        )
        .filter(pl.col("rank") <= LIST_LENGTH, pl.len().over("user_id") >= MIN_LENGTH)
    )


def _hour_lifts(inputs: ProductInputs, context: Context) -> pl.DataFrame:
    """Return track_id, log_lift: log of the share of a track's plays in the dayparts over that share of all plays."""
    profile = ListeningTimeProfile.of(inputs.interactions.matrix, inputs.interactions.hours)
    usual = profile.overall[DAYPART][list(context.dayparts)]
    share = profile.lifts[:, DAYPART][:, list(context.dayparts)] @ usual / usual.sum()
    return pl.DataFrame({"track_id": inputs.interactions.tracks.ids(), "log_lift": np.log(share)})
