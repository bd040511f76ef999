"""
What training knew, of the judged listeners and of all tracks: what lists are laid against beyond the truth.

Made once for all recommenders. A listener's own tracks count once each, however often they were played. A feature
value 'unknown' tells nothing about a track: it makes no two tracks alike, and belongs to no mix.
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
    The training window, as far as lists are laid against it.

    Attributes:
        heard: Each judged listener's own tracks: those of strength > 0. CSR, shape (n_users, n_tracks), bool.
        seen: All that each judged listener ever touched: what is not recommended. CSR, shape (n_users, n_tracks), bool.
        listeners: Training listeners of each track. Shape (n_tracks,), int64.
        n_listeners: All training listeners.
        features: Features of each track.
    """

    heard: Csr
    seen: Csr
    listeners: I64
    n_listeners: int
    features: Features

    @classmethod
    def of(cls, train: Interactions, users: Rows) -> Self:
        """Take what concerns these listeners, in this order."""
        return cls(
            heard=train.matrix[users].astype(np.bool_),
            seen=train.seen[users],
            listeners=np.bincount(train.matrix.indices, minlength=len(train.tracks)).astype(np.int64),
            n_listeners=len(train.users),
            features=train.track_features,
        )

    @cached_property
    def popularity(self) -> F64:
        """Share of all training listeners who know each track, shape (n_tracks,), 0..1."""
        return self.listeners / self.n_listeners

    @cached_property
    def own_popularity(self) -> F64:
        """Mean popularity of each listener's own tracks, shape (n_users,); NaN without one."""
        n_own = np.diff(self.heard.indptr)
        own: F64 = (self.heard @ self.popularity) / np.where(n_own > 0, n_own, np.nan)
        return own

    @cached_property
    def popularity_place(self) -> I64:
        """Place of each track from the most to the least popular, from 0; of equals, the lower row first."""
        place = np.empty(len(self.listeners), np.int64)
        place[np.argsort(-self.listeners, kind="stable")] = np.arange(len(place))
        return place

    @cached_property
    def vectors(self) -> Csr:
        """Known features of each track at length 1, a row of zeros without any. CSR, (n_tracks, n_known), float64."""
        known = _known(self.features, "")
        length = np.sqrt(np.asarray(known.multiply(known).sum(axis=1)).ravel())
        return scaled(known, length)

    @cached_property
    def genres(self) -> Csr:
        """
        Share of each genre in each track, a row of zeros where none is known. CSR, (n_tracks, n_genres), float64.

        Where no column is called 'genre', all features stand in for it.
        """
        known = _known(self.features, "genre=")
        known = known if known.shape[1] else _known(self.features, "")
        return scaled(known, np.asarray(known.sum(axis=1)).ravel())

    @cached_property
    def mix(self) -> Csr:
        """Share of each genre in each listener's own tracks. CSR, shape (n_users, n_genres); zeros without any."""
        return mix_of(self.heard, self.genres)


def mix_of(tracks: Csr, genres: Csr) -> Csr:
    """Share of each genre in each row's tracks, each track counting alike; tracks without a genre do not count."""
    total = tracks.astype(np.float64) @ genres
    return scaled(total, np.asarray(total.sum(axis=1)).ravel())


def scaled(rows: Csr, length: F64) -> Csr:
    """Divide each row by its length; a row of length 0 stays. Indices are sorted."""
    return (sp.diags_array(1 / np.where(length > 0, length, 1)).tocsr() @ rows).sorted_indices()


def _known(features: Features, prefix: str) -> Csr:
    names = features.names.ids()
    wanted = names.str.starts_with(prefix) & ~names.str.ends_with(f"={UNKNOWN}")
    known = features.matrix[:, np.flatnonzero(wanted.to_numpy())].astype(np.float64)
    known.eliminate_zeros()
    return known
