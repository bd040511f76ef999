"""
What speaks for a candidate: how a blend's members rank it, how known it is, how near it is to what is played lately.

One row a candidate. Scores of different models are not comparable, so each enters as its distance from the listener's
mean score and as its rank.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recsys.arrays import F32, I32, Csr, Rows
from recsys.dataset.feature_vectors import artists_of, tag_vectors, unit_rows
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.parts.confidence import weighed
from recsys.recommenders.parts.listening_hours import Habits
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.parts.topk import best_of

N_RANKED = 500  # ranks beyond are all the same
TREND_DAYS = 28.0
N_FACTS = 9  # columns of `Catalogue.evidence`


@dataclass(frozen=True, eq=False)
class Catalogue:
    """
    What is known of tracks, whoever listens.

    Attributes:
        popularity: log(1 + listeners), shape (n_tracks,), float32.
        trend: log(1 + listeners of the last 28 days), shape (n_tracks,), float32.
        artists: Who made it. CSR, shape (n_tracks, n_artists).
        tags: Features as vectors of length 1 (see `tags.tag_vectors`). CSR, shape (n_tracks, n_features).
        habits: When they are played.
    """

    popularity: F32
    trend: F32
    artists: Csr
    tags: Csr
    habits: Habits

    @classmethod
    def of(cls, taste: Interactions) -> Self:
        """Read it off a window."""
        played, n_tracks = taste.matrix.indices, len(taste.tracks)
        lately = played[taste.age_days < TREND_DAYS]
        popularity, trend = (np.log1p(np.bincount(rows, minlength=n_tracks)) for rows in (played, lately))
        return cls(
            popularity.astype(np.float32),
            trend.astype(np.float32),
            artists_of(taste.track_features),
            tag_vectors(taste.track_features),
            Habits.of(taste.matrix, taste.hours),
        )

    def arrays(self) -> dict[str, Any]:
        """Return plain arrays, by name."""
        plain = {"popularity": self.popularity, "trend": self.trend, **self.habits._asdict()}
        return plain | arrays_of("artists", self.artists) | arrays_of("tags", self.tags)

    @classmethod
    def restore(cls, arrays: Mapping[str, Any]) -> Self:
        """Take over what `arrays` gave."""
        sparse = matrix_of("artists", arrays), matrix_of("tags", arrays)
        habits = Habits(arrays["everybody"], arrays["lifts"])
        return cls(arrays["popularity"], arrays["trend"], *sparse, habits)

    def evidence(self, history: History, at: tuple[Rows, Rows]) -> F32:
        """
        Describe candidates `at` (rows of `history`, tracks) beside what their listeners like, (n_candidates, N_FACTS).

        Popularity, trend, how many tracks the listener likes, popularity beyond the listener's usual, plays of the
        artist ever and lately, likeness of the tags to those played lately, and of when they are played: by time of day
        and by weekday.
        """
        users, tracks = at
        ever, lately = (weighed(history, exponent=0, recency=recency) for recency in (0, 1))
        n_liked = np.maximum(np.diff(history.matrix.indptr), 1)
        usual = (ever @ self.popularity) / n_liked
        profile = unit_rows(lately @ self.tags)
        columns = [
            self.popularity[tracks],
            self.trend[tracks],
            np.log(n_liked)[users],
            self.popularity[tracks] - usual[users],
            np.log1p(product_at(ever @ self.artists, self.artists, at)),
            np.log1p(product_at(lately @ self.artists, self.artists, at)),
            product_at(profile, self.tags, at),
            self.habits.likeness(history, at),
        ]
        return np.column_stack(columns).astype(np.float32)


def product_at(left: Csr, right: Csr, at: tuple[Rows, Rows]) -> F32:
    """Return the entries `at` of left @ right.T, both CSR."""
    whole: F32 = (left @ right.T).toarray()
    return whole[at]


def candidates(scores: list[F32], n: int) -> tuple[tuple[Rows, Rows], list[F32]]:
    """
    Choose what is worth a closer look: each member's `n` best.

    Args:
        scores: Of each member, shape (n_users, n_tracks); minus infinity where a track may not be recommended.
        n: How many of each member.

    Returns:
        User and track of each candidate, users in order; and of each member the ranks from 0, at most `N_RANKED`, of
        the candidates.
    """
    n_users, n_tracks = scores[0].shape
    is_candidate = np.zeros((n_users, n_tracks), np.bool_)
    ranks = []
    for member in scores:
        best, _ = best_of(member, min(N_RANKED, n_tracks))
        rank = np.full((n_users, n_tracks + 1), N_RANKED, np.float32)  # one column more takes what pads a short row
        np.put_along_axis(rank, best.astype(np.int64) % (n_tracks + 1), _places(best), axis=1)
        ranks.append(rank[:, :-1])
        is_candidate |= rank[:, :-1] < n
    is_candidate &= np.isfinite(scores[0])
    users, tracks = np.nonzero(is_candidate)
    at = users.astype(np.int64), tracks.astype(np.int64)
    return at, [rank[at] for rank in ranks]


def _places(best: I32) -> F32:
    return np.broadcast_to(np.arange(best.shape[1], dtype=np.float32), best.shape)


def standing(scores: F32, at: tuple[Rows, Rows]) -> F32:
    """Return how many standard deviations above the listener's mean score each candidate stands."""
    allowed = np.isfinite(scores)
    counts = np.maximum(allowed.sum(axis=1), 1)
    finite = np.where(allowed, scores, 0)
    mean = finite.sum(axis=1) / counts
    spread = np.sqrt(np.maximum((finite * finite).sum(axis=1) / counts - mean * mean, 1e-12))
    above: F32 = (scores[at] - mean[at[0]]) / spread[at[0]]
    return above
