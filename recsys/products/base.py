"""
Products: their common inputs, and the look-up of a product by its name.

A product is a module of this folder with a function `make(inputs)` and a constant KEY, which says whose its lists are.
The function returns a table of lists: the key of a list (such as user_id), rank, the id of the listed track or artist,
and for tracks score and reason. The module's docstring has the form 'Name: description' and is shown to users. The
nightly run makes and exports all products; `recsys product` shows one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl

from recsys.arrays import Csr
from recsys.dataset.interactions import Interactions
from recsys.errors import UnknownIds
from recsys.installation.plugins import plugin, plugin_names
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters

PACKAGE, HELPERS = "recsys.products", ("base",)
LIST_LENGTH = 20  # tracks or artists per list, at most
Key = Literal["listener", "part", "catalogue"]
LISTENER: Key = "listener"  # a list of the listener whose pseudonym is its key
PART: Key = "part"  # one of several lists of a listener: <pseudonym>/<part>
CATALOGUE: Key = "catalogue"  # the list of a track, artist or playlist, and of no listener


@dataclass(frozen=True, eq=False)
class ProductInputs:
    """
    The recommender of a run, and the tables from which products are made.

    Attributes:
        model: The recommender, trained on all interactions.
        interactions: The interactions that it was trained on.
        filters: Which tracks may be recommended to each listener.
        listeners: All listeners who receive lists: user_id, country, age_band.
        catalogue: All tracks that may be listed: track_id, title, artist_id, artist_name, release_date, available_in,
            withdrawn_at, tempo_bpm, energy. A copy of a recording is withdrawn wherever another is listed.
        playlists: playlist_id, position, track_id.
        clusters: The cluster of each track: track_id, community, name (see `analytics.communities`).
        copies: The listed copies of each recording that has some: track_id, copy_id (see `cleaning.listing`).
        repeats: Odds of each pair of listener and recording of being heard again (see `parts.repeats.hearing_again`);
            a recording is named by its representative.
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
    copies: pl.DataFrame
    repeats: pl.DataFrame
    n_candidates: int
    served_on: date

    @cached_property
    def candidates(self) -> pl.DataFrame:
        """The candidates of all listeners: user_id, rank, track_id, score, is_fallback, segment."""
        return self.recommend(self.listeners["user_id"], self.n_candidates)

    def recommend(self, user_ids: pl.Series, n: int) -> pl.DataFrame:
        """Recommend n tracks to each of these listeners; the columns are those of `candidates`."""
        return self.model.recommend(user_ids, n, filters=self.filters, profiles=self.listeners)

    @cached_property
    def seen_artists(self) -> pl.DataFrame:
        """The artists in each listener's history, including skipped tracks: user_id, artist_id."""
        artists = self.catalogue.select("track_id", "artist_id").drop_nulls()
        return self._pairs(self.interactions.seen).join(artists, on="track_id").select("user_id", "artist_id").unique()

    @property
    def liked(self) -> pl.DataFrame:
        """The positive interactions of all listeners: user_id, track_id."""
        return self._pairs(self.interactions.matrix)

    def _pairs(self, matrix: Csr) -> pl.DataFrame:
        """Return the pairs that a matrix in the rows and columns of `interactions` has: user_id, track_id."""
        pairs = matrix.tocoo()
        return pl.DataFrame(
            {"user_id": self.interactions.users.ids(pairs.row), "track_id": self.interactions.tracks.ids(pairs.col)}
        )

    @cached_property
    def public_filters(self) -> Filters:
        """Filters for lists that belong to no listener: only tracks that are available everywhere and not withdrawn."""
        return Filters.public(self.catalogue, tracks=self.model.tracks, as_of=self.served_on)

    @cached_property
    def public_catalogue(self) -> pl.DataFrame:
        """The rows of `catalogue` that `public_filters` allows and that the model was trained on."""
        allowed = self.public_filters.allowed[-1]
        return self.catalogue.filter(pl.col("track_id").is_in(self.model.tracks.ids(np.flatnonzero(allowed)).implode()))

    @cached_property
    def listener_counts(self) -> pl.DataFrame:
        """The number of listeners who like each track: track_id, n_listeners."""
        n_listeners = np.bincount(self.interactions.matrix.indices, minlength=len(self.interactions.tracks))
        return pl.DataFrame({"track_id": self.interactions.tracks.ids(), "n_listeners": n_listeners})

    def continuations(self, seeds: pl.DataFrame, n: int = LIST_LENGTH) -> pl.DataFrame:
        """
        Continue lists of tracks, by fold-in of a hypothetical listener per list who has played exactly its tracks.

        Args:
            seeds: The lists to continue: key (the id of a list), track_id.
            n: Length of the continuations.

        Returns:
            key, rank, track_id, score, without the tracks of the list itself and their copies. There are no rows for a
            list if the model was trained on none of its tracks.
        """
        plays = seeds.unique(maintain_order=True).select("track_id", user_id="key", age_days=pl.lit(0.0))
        history = with_hidden_copies(plays, self.copies)
        ranking = self.model.recommend_by_history(history, n, filters=self.public_filters)
        return ranking.filter(~pl.col("is_fallback")).select(
            pl.col("user_id").alias("key"), "rank", "track_id", "score"
        )


def with_hidden_copies(plays: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """
    Make the histories of hypothetical listeners, in which copies of what they played are known but count for nothing.

    Args:
        plays: user_id, track_id, age_days: what each has played, once each.
        copies: See `ProductInputs`.

    Returns:
        user_id, track_id, age_days, strength: 1, or 0 for copies.
    """
    played = plays.select("user_id", "track_id", "age_days", strength=pl.lit(1.0))
    hidden = played.join(copies, on="track_id").select("user_id", "age_days", track_id="copy_id", strength=pl.lit(0.0))
    return pl.concat([played, hidden.select(played.columns)]).unique(["user_id", "track_id"], keep="first")


def product_names() -> list[str]:
    """Return the names of all products: the modules of this folder except helpers."""
    return plugin_names(PACKAGE, exclude=HELPERS)


def key_of(name: str) -> Key | None:
    """Return whose the lists of a product are; None if it does not say so, and then they are for nobody's request."""
    key: Key | None = getattr(plugin(PACKAGE, name), "KEY", None)
    return key


def product_maker(name: str) -> Callable[[ProductInputs], pl.DataFrame]:
    """
    Return the function that makes a product.

    Raises:
        UnknownIds: There is no product with this name.
    """
    if name not in product_names():
        raise UnknownIds.of("product", [name], product_names(), "recsys/products")
    make: Callable[[ProductInputs], pl.DataFrame] = plugin(PACKAGE, name).make
    return make


def rank_and_truncate(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the ranks of each listener's rows from 1, in the given order, and keep the first LIST_LENGTH rows."""
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("user_id")
    return rows.with_columns(rank=rank).filter(pl.col("rank") <= LIST_LENGTH)
