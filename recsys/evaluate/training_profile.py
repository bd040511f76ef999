"""
Training statistics that beyond-accuracy metrics and rerank rules need, of some listeners and of all tracks.

Computed once for all recommenders. Each of a listener's liked tracks counts once, however often it was played. The
feature value 'unknown' carries no information: it makes no tracks similar and is in no genre mix.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp

from recsys.arrays import F64, I64, Csr, Rows
from recsys.dataset.features import UNKNOWN, Features
from recsys.dataset.interactions import Interactions


@dataclass(frozen=True, eq=False)
class TrainingProfile:
    """
    Training statistics of some listeners and of all tracks.

    Attributes:
        liked: The tracks that each listener likes: strength > 0. CSR, shape (n_users, n_tracks), bool.
        seen: All tracks that each listener has touched; they are not recommended. CSR, shape (n_users, n_tracks), bool.
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
        """Compute the statistics for these rows of `train`, in the given order."""
        return cls(
            liked=train.matrix[users].astype(np.bool_),
            seen=train.seen[users],
            listener_counts=np.bincount(train.matrix.indices, minlength=len(train.tracks)).astype(np.int64),
            n_listeners=len(train.users),
            features=train.track_features,
        )

    @cached_property
    def popularity(self) -> F64:
        """Share of all training listeners who like each track, shape (n_tracks,), 0..1."""
        return self.listener_counts / self.n_listeners

    @cached_property
    def liked_popularity(self) -> F64:
        """Mean popularity of each listener's liked tracks, shape (n_users,); NaN without any."""
        n_own = np.diff(self.liked.indptr)
        own: F64 = (self.liked @ self.popularity) / np.where(n_own > 0, n_own, np.nan)
        return own

    @cached_property
    def popularity_rank(self) -> I64:
        """Popularity rank of each track, 0 for the most popular; ties in row order. Shape (n_tracks,)."""
        rank = np.empty(len(self.listener_counts), np.int64)
        rank[np.argsort(-self.listener_counts, kind="stable")] = np.arange(len(rank))
        return rank

    @cached_property
    def vectors(self) -> Csr:
        """Known features of each track, scaled to length 1; zeros without any. CSR, (n_tracks, n_known), float64."""
        known = _known(self.features, "")
        length = np.sqrt(np.asarray(known.multiply(known).sum(axis=1)).ravel())
        return divide_rows(known, length)

    @cached_property
    def genres(self) -> Csr:
        """
        Share of each genre in each track; zeros where none is known. CSR, shape (n_tracks, n_genres), float64.

        If the tracks have no feature column 'genre', all their features are used instead.
        """
        known = _known(self.features, "genre=")
        known = known if known.shape[1] else _known(self.features, "")
        return divide_rows(known, np.asarray(known.sum(axis=1)).ravel())

    @cached_property
    def genre_mix(self) -> Csr:
        """Share of each genre in each listener's liked tracks; zeros without any. CSR, shape (n_users, n_genres)."""
        return genre_mix_of(self.liked, self.genres)


def genre_mix_of(tracks: Csr, genres: Csr) -> Csr:
    """Return each row's mean genre shares over its tracks that have a genre. CSR, shape (n_rows, n_genres)."""
    total = tracks.astype(np.float64) @ genres
    return divide_rows(total, np.asarray(total.sum(axis=1)).ravel())


def divide_rows(rows: Csr, length: F64) -> Csr:
    """Divide each row by its length; rows of length 0 are unchanged. The result has sorted indices."""
    return (sp.diags_array(1 / np.where(length > 0, length, 1)).tocsr() @ rows).sorted_indices()


def _known(features: Features, prefix: str) -> Csr:
    names = features.names.ids()
    is_known = names.str.starts_with(prefix) & ~names.str.ends_with(f"={UNKNOWN}")
    known = features.matrix[:, np.flatnonzero(is_known.to_numpy())].astype(np.float64)
    known.eliminate_zeros()
    return known
