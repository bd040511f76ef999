"""
The inputs of all products, and how a product is found by its name.

A product is a module of this folder with a function `make(inputs)`. It returns a table of lists: the key of a list
(such as user_id), rank, the id of what is listed, and for tracks score and reason. The module's docstring is 'Name:
description'. The nightly run makes and exports all products; `recsys product` shows one.
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

PACKAGE, HELPERS = "recsys.products", ("base",)
K = 20  # length of a list


@dataclass(frozen=True, eq=False)
class ProductInputs:
    """
    A run's recommender and the tables that lists are made from.

    Attributes:
        model: The recommender, trained on all interactions.
        interactions: The interactions that it was trained on.
        filters: The exclusion mask of each listener.
        listeners: All listeners who get lists: user_id, country, age_band.
        catalogue: All tracks that may be shown: track_id, title, artist_id, artist_name, release_date, available_in,
            withdrawn_at, tempo_bpm, energy.
        playlists: playlist_id, position, track_id.
        clusters: The cluster of each track: track_id, community, name (see `analytics.communities`).
        n_candidates: Number of candidates per listener.
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
        """The candidates of all listeners: user_id, rank, track_id, score, is_fallback, segment."""
        return self.best(self.listeners["user_id"], self.n_candidates)

    def best(self, user_ids: pl.Series, n: int) -> pl.DataFrame:
        """Return the n best tracks of some listeners, in the columns of `candidates`."""
        return self.model.recommend(user_ids, n, filters=self.filters, profiles=self.listeners)

    @cached_property
    def known_artists(self) -> pl.DataFrame:
        """The artists in each listener's history, including skipped tracks: user_id, artist_id."""
        seen = self.interactions.seen.tocoo()
        pairs = pl.DataFrame(
            {"user_id": self.interactions.users.ids(seen.row), "track_id": self.interactions.tracks.ids(seen.col)}
        )
        artists = self.catalogue.select("track_id", "artist_id").drop_nulls()
        return pairs.join(artists, on="track_id").select("user_id", "artist_id").unique()

    @cached_property
    def public_filters(self) -> Filters:
        """Filters for lists without a listener: tracks that are available everywhere and not withdrawn."""
        nobody = pl.DataFrame(schema={"user_id": pl.String, "country": pl.String})
        return Filters.for_listeners(nobody, self.catalogue, tracks=self.model.tracks, as_of=self.served_on)

    @cached_property
    def public_catalogue(self) -> pl.DataFrame:
        """The tracks of the catalogue that `public_filters` allows and the model knows."""
        allowed = self.public_filters.allowed[-1]
        return self.catalogue.filter(pl.col("track_id").is_in(self.model.tracks.ids(np.flatnonzero(allowed)).implode()))

    @cached_property
    def listener_counts(self) -> pl.DataFrame:
        """The number of listeners who like each track: track_id, n_listeners."""
        n_listeners = np.bincount(self.interactions.matrix.indices, minlength=len(self.interactions.tracks))
        return pl.DataFrame({"track_id": self.interactions.tracks.ids(), "n_listeners": n_listeners})

    def continued(self, seeds: pl.DataFrame, n: int = K) -> pl.DataFrame:
        """
        Continue lists of tracks: recommend, by fold-in, to an imaginary listener who played nothing but one list.

        Args:
            seeds: The lists to continue: key (the id of a list), track_id.
            n: Length of the continuations.

        Returns:
            key, rank, track_id, score, without a list's own tracks. A list is left out if the model knows none of its
            tracks.
        """
        plays = seeds.unique(maintain_order=True).select("track_id", user_id="key", strength=pl.lit(1.0))
        ranking = self.model.recommend_by_history(plays, n, filters=self.public_filters).filter(~pl.col("is_fallback"))
        return ranking.select(pl.col("user_id").alias("key"), "rank", "track_id", "score")


def product_names() -> list[str]:
    """Return the names of all products: the modules of this folder, apart from helpers."""
    return plugin_names(PACKAGE, exclude=HELPERS)


def product_maker(name: str) -> Callable[[ProductInputs], pl.DataFrame]:
    """
    Return the function that makes a product.

    Raises:
        UnknownIds: There is no product of that name.
    """
    if name not in product_names():
        raise UnknownIds.of("product", [name], product_names(), "recsys/products")
    make: Callable[[ProductInputs], pl.DataFrame] = plugin(PACKAGE, name).make
    return make


def with_new_ranks(rows: pl.DataFrame) -> pl.DataFrame:
    """Rank each listener's rows from 1 in the given order, and keep the first K."""
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("user_id")
    return rows.with_columns(rank=rank).filter(pl.col("rank") <= K)
