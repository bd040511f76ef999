"""
Training statistics of listeners and tracks, for beyond-accuracy metrics and rerank rules.

Computed once for all recommenders. Each liked track counts once per listener, however often it was played. The feature
value 'unknown' is left out of similarities and genre mixes.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from recsys.arrays import F64, I64, Csr, Rows
from recsys.dataset.feature_vectors import unit_rows
from recsys.dataset.features import UNKNOWN, Features
from recsys.dataset.interactions import Interactions


@dataclass(frozen=True, eq=False)
class TrainingProfile:
    """
    Training statistics of some listeners and of all tracks.

    Attributes:
        liked: The tracks that each listener likes: strength > 0. CSR, shape (n_users, n_tracks), bool.
        seen: All tracks that each listener has any interaction with, including skips. CSR, shape (n_users, n_tracks),
            bool.
        listener_counts: Number of training listeners who like each track. Shape (n_tracks,), int64.
        n_listeners: Number of all training listeners.
        features: Features of each track.
    """

    liked: Csr
    seen: Csr
    listener_counts: I64
    n_listeners: int
    features: Features

    @classmethod
    def of(cls, train: Interactions, users: Rows) -> Self:
        """Compute the statistics of the listeners in these rows of `train`, in this order."""
        return cls(
            liked=train.matrix[users].astype(np.bool_),
            seen=train.seen[users],
            listener_counts=np.bincount(train.matrix.indices, minlength=len(train.tracks)).astype(np.int64),
            n_listeners=len(train.users),
            features=train.track_features,
        )

    @cached_property
    def popularity(self) -> F64:
        """Share of all training listeners who like each track, 0..1. Shape (n_tracks,)."""
        return self.listener_counts / self.n_listeners

    @cached_property
    def liked_popularity(self) -> F64:
        """Mean popularity of each listener's liked tracks; NaN if there are none. Shape (n_users,)."""
        n_liked = np.diff(self.liked.indptr)
        means: F64 = (self.liked @ self.popularity) / np.where(n_liked > 0, n_liked, np.nan)
        return means

    @cached_property
    def popularity_rank(self) -> I64:
        """Popularity rank of each track, 0 for the most popular; ties in row order. Shape (n_tracks,)."""
        return np.argsort(np.argsort(-self.listener_counts, kind="stable"))

    @cached_property
    def vectors(self) -> Csr:
        """Known features of each track, scaled to norm 1; zeros if none is known. CSR, (n_tracks, n_known), float64."""
        return unit_rows(_known(self.features, "")).sorted_indices()

    @cached_property
    def genres(self) -> Csr:
        """
        Share of each genre in each track; zeros if none is known. CSR, shape (n_tracks, n_genres), float64.

        If the catalogue has no feature column 'genre', all features are used instead.
        """
        known = _known(self.features, "genre=")
        known = known if known.shape[1] else _known(self.features, "")
        return unit_rows(known, "l1").sorted_indices()

    @cached_property
    def genre_mix(self) -> Csr:
        """Share of each genre in each listener's liked tracks; zeros if none is known. CSR, (n_users, n_genres)."""
        return genre_mix_of(self.liked, self.genres)


def genre_mix_of(tracks: Csr, genres: Csr) -> Csr:
    """Return the mean genre shares of each row's tracks, without tracks of unknown genre. CSR, (n_rows, n_genres)."""
    return unit_rows(tracks.astype(np.float64) @ genres, "l1").sorted_indices()


def _known(features: Features, prefix: str) -> Csr:
    names = features.names.ids()
    is_known = names.str.starts_with(prefix) & ~names.str.ends_with(f"={UNKNOWN}")
    known = features.matrix[:, np.flatnonzero(is_known.to_numpy())].astype(np.float64)
    known.eliminate_zeros()
    return known
