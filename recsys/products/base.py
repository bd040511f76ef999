"""
What the products of a night are made from, and how one is found.

A product is one file in this folder with a function `make(inputs)` that returns its table: a key (whose list it is),
rank, what is listed, and for tracks score and reason. The night makes and exports them all; `recsys product` shows one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.errors import UnknownIds
from recsys.installation.plugins import plugin, plugin_names
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.segments import EVERYBODY, in_words

PACKAGE, HELPERS = "recsys.products", ("base",)
K = 20  # length of a list
UNKNOWN_ARTIST = "an unknown artist"


@dataclass(frozen=True, eq=False)
class ProductInputs:
    """
    A night's model and everything that lists are made from.

    Attributes:
        model: Fitted on everything.
        interactions: What it was fitted on.
        filters: What each listener may not get.
        listeners: user_id, country, age_band.
        catalogue: What may be shown at all: track_id, title, artist_id, artist_name, release_date, available_in,
            withdrawn_at, tempo_bpm, energy.
        playlists: playlist_id, position, track_id.
        clusters: track_id, community, name: a track's cluster (see `analytics.communities`).
        n_candidates: How many of each listener's best tracks are worth a look.
        served_on: The day on which the lists are shown.
    """

    model: Recommender[Any]
    interactions: Interactions
    filters: Filters
    listeners: pl.DataFrame
    catalogue: pl.DataFrame
    playlists: pl.DataFrame
    clusters: pl.DataFrame
    n_candidates: int
    served_on: date

    @cached_property
    def candidates(self) -> pl.DataFrame:
        """Each listener's best tracks: user_id, rank, track_id, score, is_fallback, segment."""
        return self.best(self.listeners["user_id"], self.n_candidates)

    def best(self, user_ids: pl.Series, n: int) -> pl.DataFrame:
        """Return some listeners' n best tracks, as `candidates`."""
        return self.model.recommend(user_ids, n, filters=self.filters, profiles=self.listeners)

    @cached_property
    def heard_artists(self) -> pl.DataFrame:
        """user_id, artist_id: every artist of whom a listener has touched a track."""
        seen = self.interactions.seen.tocoo()
        pairs = pl.DataFrame(
            {"user_id": self.interactions.users.ids(seen.row), "track_id": self.interactions.tracks.ids(seen.col)}
        )
        artists = self.catalogue.select("track_id", "artist_id").drop_nulls()
        return pairs.join(artists, on="track_id").select("user_id", "artist_id").unique()

    @cached_property
    def for_everybody(self) -> Filters:
        """Filters for lists that belong to no listener: only what is available everywhere, and not withdrawn."""
        nobody = pl.DataFrame(schema={"user_id": pl.String, "country": pl.String})
        return Filters.for_listeners(nobody, self.catalogue, tracks=self.model.tracks, as_of=self.served_on)

    @cached_property
    def open_catalogue(self) -> pl.DataFrame:
        """The part of the catalogue that lists which belong to nobody may name, of tracks that the model knows."""
        allowed = self.for_everybody.allowed[-1]
        return self.catalogue.filter(pl.col("track_id").is_in(self.model.tracks.ids(np.flatnonzero(allowed)).implode()))

    @cached_property
    def listeners_of(self) -> pl.DataFrame:
        """track_id, n_listeners: how many like each track."""
        n_listeners = np.bincount(self.interactions.matrix.indices, minlength=len(self.interactions.tracks))
        return pl.DataFrame({"track_id": self.interactions.tracks.ids(), "n_listeners": n_listeners})

    def continued(self, seeds: pl.DataFrame, n: int = K) -> pl.DataFrame:
        """
        Continue lists of tracks as the model would if each were all that somebody ever played.

        Args:
            seeds: key, track_id.
            n: Length of the lists.

        Returns:
            key, rank, track_id, score; none of its own seeds. Keys none of whose tracks the model knows are left out.
        """
        plays = seeds.unique(maintain_order=True).select("track_id", user_id="key", strength=pl.lit(1.0))
        found = self.model.fold_in(plays, n, filters=self.for_everybody).filter(~pl.col("is_fallback"))
        return found.select(pl.col("user_id").alias("key"), "rank", "track_id", "score")


def product_names() -> list[str]:
    """Return the names of all products: every file of this folder that is no helper."""
    return plugin_names(PACKAGE, exclude=HELPERS)


def product_maker(name: str) -> Callable[[ProductInputs], pl.DataFrame]:
    """
    Return how a product is made.

    Raises:
        UnknownIds: There is none of that name.
    """
    if name not in product_names():
        raise UnknownIds.of("product", [name], product_names(), "recsys/products")
    make: Callable[[ProductInputs], pl.DataFrame] = plugin(PACKAGE, name).make
    return make


def with_reason_text(ranking: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """
    Put reasons into words.

    Args:
        ranking: With reason_track_id and segment, as `Recommender.add_reasons` gives.
        catalogue: track_id, title, artist_name.

    Returns:
        The ranking with `reason`: 'because you played ...' or 'popular with ...'.
    """
    artist = pl.col("artist_name").fill_null(UNKNOWN_ARTIST)
    anchors = catalogue.select(
        reason_track_id="track_id", anchor=pl.format("{} by {}", pl.col("title").fill_null("a track"), artist)
    )
    played = pl.format("because you played {}", pl.col("anchor").fill_null(pl.col("reason_track_id")))
    popular = pl.format("popular with {}", in_words(pl.col("segment").fill_null(EVERYBODY)))
    return (
        ranking.join(anchors, on="reason_track_id", how="left", maintain_order="left")
        .with_columns(reason=pl.when(pl.col("reason_track_id").is_null()).then(popular).otherwise(played))
        .drop("anchor")
    )


def ranked_anew(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the places of each listener's rows again, in their order, and keep the first K."""
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("user_id")
    return rows.with_columns(rank=place).filter(pl.col("rank") <= K)
