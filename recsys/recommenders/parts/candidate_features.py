"""
Candidates of a blend and their features: member scores and ranks, popularity, and similarity to the user's history.

A candidate is a pair of user and track; features have one row per candidate. Scores of different models are not
comparable, so a member's score is used as its z-score among the user's scores, and as its rank. Used by
`recommenders.blend`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recsys.arrays import F32, I32, Csr, Rows
from recsys.dataset.feature_vectors import artists_of, tfidf_features, unit_rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.sparse import entries, with_data
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.listening_hours import ListeningTimeProfile
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.parts.topk import top_k_of_block

MAX_RANK = 500  # larger ranks are set to this value
TREND_DAYS = 28.0
OWN_DECAY = 0.5  # exponent of the decays of a candidate's own strength
N_TRACK_FEATURES = 12  # columns of `TrackStatistics.features`


@dataclass(frozen=True, eq=False)
class TrackStatistics:
    """
    Statistics of tracks from which candidate features are computed.

    Attributes:
        popularity: log(1 + n_listeners). Shape (n_tracks,), float32.
        trend: log(1 + n_listeners in the last 28 days). Shape (n_tracks,), float32.
        artists: 1 if the track is by the artist. CSR, shape (n_tracks, n_artists).
        tags: tf-idf vectors of norm 1 (see `dataset.feature_vectors`). CSR, shape (n_tracks, n_features).
        times: Listening-time profiles of the tracks.
    """

    popularity: F32
    trend: F32
    artists: Csr
    tags: Csr
    times: ListeningTimeProfile

    @classmethod
    def of(cls, interactions: Interactions) -> Self:
        """Compute the statistics of a window of interactions."""
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
        """Return the statistics as plain numpy arrays by name, for saving."""
        times = {"everybody": self.times.overall, "lifts": self.times.lifts}
        plain = {"popularity": self.popularity, "trend": self.trend, **times}
        return plain | arrays_of("artists", self.artists) | arrays_of("tags", self.tags)

    @classmethod
    def restore(cls, arrays: Mapping[str, Any]) -> Self:
        """Rebuild the statistics from what `arrays` returned."""
        sparse = matrix_of("artists", arrays), matrix_of("tags", arrays)
        times = ListeningTimeProfile(arrays["everybody"], arrays["lifts"])
        return cls(arrays["popularity"], arrays["trend"], *sparse, times)

    def features(self, history: History, pairs: tuple[Rows, Rows]) -> F32:
        """
        Return the features of candidates.

        Args:
            history: Histories of the users.
            pairs: Row of `history` and track row of each candidate. Shape (n_candidates,) each.

        Returns:
            Shape (n_candidates, N_TRACK_FEATURES), float32. Columns: popularity; trend; log of the number of tracks in
            the history; popularity minus the mean popularity of the history; log(1 + tracks by the artist in the
            history), unweighted and weighted by recency; cosine of the track's tags and those of the recency-weighted
            history; log lift of listening times by time of day and by weekday; the track's own strength in the history,
            whole and decayed by days and by later tracks (see `own_plays`).
        """
        users, tracks = pairs
        unweighted, recent = (confidence(history, exponent=0, recency=recency) for recency in (0, 1))
        n_liked = np.maximum(np.diff(history.matrix.indptr), 1)
        mean_popularity = (unweighted @ self.popularity) / n_liked
        profile = unit_rows(recent @ self.tags)
        columns = [
            self.popularity[tracks],
            self.trend[tracks],
            np.log(n_liked)[users],
            self.popularity[tracks] - mean_popularity[users],
            np.log1p(product_entries(unweighted @ self.artists, self.artists, pairs)),
            np.log1p(product_entries(recent @ self.artists, self.artists, pairs)),
            product_entries(profile, self.tags, pairs),
            self.times.log_lift(history, pairs),
            own_plays(history, pairs),
        ]
        return np.column_stack(columns).astype(np.float32)


def own_plays(history: History, pairs: tuple[Rows, Rows]) -> F32:
    """
    Return log(1 + strength) of each candidate in the user's own history, 0 if it lacks the track. Shape (n_pairs, 3).

    Columns: the strength; decayed by days; decayed by later tracks. Only lists with known tracks have values above 0.
    """
    decays = ((0.0, 0.0), (OWN_DECAY, 0.0), (0.0, OWN_DECAY))
    strengths = [confidence(history, exponent=1, recency=days, rank_recency=rank) for days, rank in decays]
    columns = [entries(with_data(matrix, np.log1p(matrix.data)), pairs) for matrix in strengths]
    return np.column_stack(columns)


def product_entries(left: Csr, right: Csr, pairs: tuple[Rows, Rows]) -> F32:
    """Return the entries of left @ right.T (both CSR) at these pairs of row and column. Shape (n_pairs,), float32."""
    rows, columns = pairs
    factors = right[columns]  # only of the pairs: most entries of the whole product are never read
    pair = np.repeat(np.arange(len(columns)), np.diff(factors.indptr))
    products = left.toarray()[rows[pair], factors.indices] * factors.data
    return np.bincount(pair, products, minlength=len(columns)).astype(np.float32)


def candidates(scores: list[F32], n: int) -> tuple[tuple[Rows, Rows], list[F32]]:
    """
    Return the candidates: for each user, the tracks that are among the `n` best of at least one member.

    Args:
        scores: The scores of each member. Shape (n_users, n_tracks) each; minus infinity for excluded tracks.
        n: Tracks per member and user.

    Returns:
        User rows and track rows of the candidates, sorted by user. And, for each member, the 0-based rank of each
        candidate, at most `MAX_RANK`.
    """
    n_users, n_tracks = scores[0].shape
    is_candidate = np.zeros((n_users, n_tracks), np.bool_)
    ranks = []
    for member in scores:
        best, _ = top_k_of_block(member, min(MAX_RANK, n_tracks))
        rank = np.full((n_users, n_tracks + 1), MAX_RANK, np.float32)  # the last column receives padding
        np.put_along_axis(rank, best.astype(np.int64) % (n_tracks + 1), _positions(best), axis=1)
        ranks.append(rank[:, :-1])
        is_candidate |= rank[:, :-1] < n
    is_candidate &= np.isfinite(scores[0])
    users, tracks = np.nonzero(is_candidate)
    pairs = users.astype(np.int64), tracks.astype(np.int64)
    return pairs, [rank[pairs] for rank in ranks]


def _positions(best: I32) -> F32:
    return np.broadcast_to(np.arange(best.shape[1], dtype=np.float32), best.shape)


def zscores(scores: F32, pairs: tuple[Rows, Rows]) -> F32:
    """Return each candidate's score as z-score over the same user's finite scores. Shape (n_candidates,)."""
    allowed = np.isfinite(scores)
    counts = np.maximum(allowed.sum(axis=1), 1)
    finite = np.where(allowed, scores, 0)
    mean = finite.sum(axis=1) / counts
    std = np.sqrt(np.maximum((finite * finite).sum(axis=1) / counts - mean * mean, 1e-12))
    standardised: F32 = (scores[pairs] - mean[pairs[0]]) / std[pairs[0]]
    return standardised
