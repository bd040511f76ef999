"""
Features of a blend's candidates: z-scores and ranks of its members, popularity, and similarity to recent plays.

One row per candidate. Scores of different models are not comparable, so each enters as its z-score within the user's
scores and as its rank.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recsys.arrays import F32, I32, Csr, Rows
from recsys.dataset.feature_vectors import artists_of, tfidf_features, unit_rows
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.listening_hours import ListeningTimeProfile
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.parts.topk import best_of

N_RANKED = 500  # ranks are capped here
TREND_DAYS = 28.0
N_TRACK_FEATURES = 9  # columns of `Catalogue.features`


@dataclass(frozen=True, eq=False)
class Catalogue:
    """
    What candidate features need to know of tracks.

    Attributes:
        popularity: log(1 + listeners), shape (n_tracks,), float32.
        trend: log(1 + listeners of the last 28 days), shape (n_tracks,), float32.
        artists: Of each track. CSR, shape (n_tracks, n_artists).
        tags: tf-idf vectors of length 1 (see `dataset.feature_vectors`). CSR, shape (n_tracks, n_features).
        times: When they are played.
    """

    popularity: F32
    trend: F32
    artists: Csr
    tags: Csr
    times: ListeningTimeProfile

    @classmethod
    def of(cls, interactions: Interactions) -> Self:
        """Count in a window of interactions."""
        played, n_tracks = interactions.matrix.indices, len(interactions.tracks)
        recent = played[interactions.age_days < TREND_DAYS]
        popularity, trend = (np.log1p(np.bincount(rows, minlength=n_tracks)) for rows in (played, recent))
        return cls(
            popularity.astype(np.float32),
            trend.astype(np.float32),
            artists_of(interactions.track_features),
            tfidf_features(interactions.track_features),
            ListeningTimeProfile.of(interactions.matrix, interactions.hours),
        )

    def arrays(self) -> dict[str, Any]:
        """Return plain arrays, by name."""
        plain = {"popularity": self.popularity, "trend": self.trend, **self.times._asdict()}
        return plain | arrays_of("artists", self.artists) | arrays_of("tags", self.tags)

    @classmethod
    def restore(cls, arrays: Mapping[str, Any]) -> Self:
        """Return the catalogue whose `arrays` these are."""
        sparse = matrix_of("artists", arrays), matrix_of("tags", arrays)
        times = ListeningTimeProfile(arrays["everybody"], arrays["lifts"])
        return cls(arrays["popularity"], arrays["trend"], *sparse, times)

    def features(self, history: History, at: tuple[Rows, Rows]) -> F32:
        """
        Return features of candidates `at` (rows of `history`, tracks), shape (n_candidates, N_TRACK_FEATURES).

        Popularity; trend; log of how many tracks the user likes; popularity beyond the mean of the user's tracks; the
        user's likes of the artist, ever and weighted by recency; cosine of the tags to those of recent likes; match of
        listening times, by time of day and by weekday.
        """
        users, tracks = at
        ever, recent = (confidence(history, exponent=0, recency=recency) for recency in (0, 1))
        n_liked = np.maximum(np.diff(history.matrix.indptr), 1)
        usual = (ever @ self.popularity) / n_liked
        profile = unit_rows(recent @ self.tags)
        columns = [
            self.popularity[tracks],
            self.trend[tracks],
            np.log(n_liked)[users],
            self.popularity[tracks] - usual[users],
            np.log1p(product_at(ever @ self.artists, self.artists, at)),
            np.log1p(product_at(recent @ self.artists, self.artists, at)),
            product_at(profile, self.tags, at),
            self.times.log_lift(history, at),
        ]
        return np.column_stack(columns).astype(np.float32)


def product_at(left: Csr, right: Csr, at: tuple[Rows, Rows]) -> F32:
    """Return the entries `at` of left @ right.T, both CSR."""
    whole: F32 = (left @ right.T).toarray()
    return whole[at]


def candidates(scores: list[F32], n: int) -> tuple[tuple[Rows, Rows], list[F32]]:
    """
    Return the union of each member's `n` best tracks, for each user.

    Args:
        scores: Of each member, shape (n_users, n_tracks); minus infinity where a track may not be recommended.
        n: Tracks per member and user.

    Returns:
        User and track of each candidate, in order of users; and for each member the candidates' ranks, from 0 to
        `N_RANKED`.
    """
    n_users, n_tracks = scores[0].shape
    is_candidate = np.zeros((n_users, n_tracks), np.bool_)
    ranks = []
    for member in scores:
        best, _ = best_of(member, min(N_RANKED, n_tracks))
        rank = np.full((n_users, n_tracks + 1), N_RANKED, np.float32)  # the last column takes the padding of short rows
        np.put_along_axis(rank, best.astype(np.int64) % (n_tracks + 1), _places(best), axis=1)
        ranks.append(rank[:, :-1])
        is_candidate |= rank[:, :-1] < n
    is_candidate &= np.isfinite(scores[0])
    users, tracks = np.nonzero(is_candidate)
    at = users.astype(np.int64), tracks.astype(np.int64)
    return at, [rank[at] for rank in ranks]


def _places(best: I32) -> F32:
    return np.broadcast_to(np.arange(best.shape[1], dtype=np.float32), best.shape)


def zscores(scores: F32, at: tuple[Rows, Rows]) -> F32:
    """Return the z-score of each candidate among the finite scores of its user, shape (n_candidates,)."""
    allowed = np.isfinite(scores)
    counts = np.maximum(allowed.sum(axis=1), 1)
    finite = np.where(allowed, scores, 0)
    mean = finite.sum(axis=1) / counts
    std = np.sqrt(np.maximum((finite * finite).sum(axis=1) / counts - mean * mean, 1e-12))
    found: F32 = (scores[at] - mean[at[0]]) / std[at[0]]
    return found
