"""
Exact top-k per user, in blocks of users. All recommenders rank with it.

For each block it computes the scores (one BLAS thread per worker), sets the scores of excluded tracks to minus
infinity, and finds the k largest without sorting or partitioning whole rows: scores are split into groups, and the k-th
largest group maximum is a lower bound of the k-th largest score, which few scores reach. Of equal scores, lower track
rows come first, so the result equals that of a stable sort of all scores.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import F32, I32, I64, Csr
from recsys.errors import InputError
from recsys.recommenders.parts.workers import in_threads, n_cores

Score: TypeAlias = Callable[[slice, F32], Any]  # writes the scores of a slice of users, shape (n_block, n_tracks)

N_BLOCK = 256  # maximum number of users per block: enough for the matrix product, few enough for the cache
N_CELLS = 2**23  # maximum number of scores per block of more than one user: 32 MB in single precision
GROUP = 32  # maximum number of scores per group
LOWEST = np.finfo(np.float32).min  # minimum score of an allowed track; excluded tracks have minus infinity
LOW_BITS = np.int64(0x7FFFFFFF)


@dataclass(frozen=True, eq=False)
class Mask:
    """
    Exclusion mask of some users: a track is excluded if its pair is hidden or it is not allowed for the user's group.

    Attributes:
        hidden: Excluded pairs. CSR, shape (n_users, n_tracks).
        allowed: Tracks available to each group of users. Shape (n_groups, n_tracks), bool.
        group: Group of each user. Shape (n_users,), int64.
    """

    hidden: Csr
    allowed: npt.NDArray[np.bool_]
    group: npt.NDArray[np.int64]

    @classmethod
    def of(cls, hidden: Csr) -> "Mask":
        """Return a mask that excludes only these pairs."""
        n_users, n_tracks = hidden.shape
        return cls(hidden, np.ones((1, n_tracks), np.bool_), np.zeros(n_users, np.int64))

    def of_users(self, users: npt.NDArray[Any]) -> "Mask":
        """Return the mask of a subset of the users, given by rows or by a boolean array."""
        return Mask(self.hidden[users], self.allowed, self.group[users])

    def n_allowed(self) -> I64:
        """Return the number of tracks that are not excluded for each user. Shape (n_users,), int64."""
        pairs = self.hidden.tocoo()
        is_hidden = self.allowed[self.group[pairs.row], pairs.col]  # a track that is not allowed is counted once
        n_hidden = np.bincount(pairs.row[is_hidden], minlength=len(self.group))
        return np.asarray(self.allowed.sum(axis=1)[self.group] - n_hidden)

    def apply(self, users: slice, scores: F32) -> None:
        """Set the scores of excluded tracks to minus infinity, in place. `scores` has one row per user of the slice."""
        indptr = self.hidden.indptr[users.start : users.stop + 1]
        starts = np.repeat(np.arange(len(scores)) * scores.shape[1], np.diff(indptr))
        scores.ravel()[starts + self.hidden.indices[indptr[0] : indptr[-1]]] = -np.inf
        if not self.allowed.all():
            scores[~self.allowed[self.group[users]]] = -np.inf  # (n_groups, n_tracks) -> (n_block, n_tracks)


@dataclass(frozen=True, eq=False)
class TopK:
    """
    The k best tracks of each user, best first.

    Attributes:
        tracks: Track rows. Shape (n_users, k), int32; padded with -1 if a user has fewer than k allowed tracks.
        scores: Scores of these tracks. Shape (n_users, k), float32; minus infinity for padding.
    """

    tracks: I32
    scores: F32


def top_k(score: Score, mask: Mask, k: int, *, n_threads: int = 0) -> TopK:
    """
    Return the k best allowed tracks of each user.

    Args:
        score: Writes the scores of a slice of users into an array of shape (n_block, n_tracks), float32, without NaN.
            Called by several threads at the same time.
        mask: Exclusion mask of the users.
        k: Tracks per user, >= 1.
        n_threads: Number of worker threads. 0: one per core available to this process.
    """
    n_users, n_tracks = mask.hidden.shape
    width = min(k, n_tracks)
    tracks = np.full((n_users, k), -1, np.int32)
    scores = np.full((n_users, k), -np.inf, np.float32)

    blocks = blocks_of_users(n_users, n_tracks)
    n_workers = min(n_threads or n_cores(), len(blocks))

    def work(worker: int) -> None:
        buffer = np.empty((block_size(n_tracks), n_tracks), np.float32)  # reused by all blocks, to save allocations
        for users in blocks[worker::n_workers]:
            block = buffer[: users.stop - users.start]
            score(users, block)
            mask.apply(users, block)
            tracks[users, :width], scores[users, :width] = top_k_of_block(block, width)

    in_threads(work, range(n_workers), n_threads=n_workers)
    return TopK(tracks, scores)


def blocks_of_users(n_users: int, n_tracks: int) -> list[slice]:
    """
    Return consecutive slices that cover `n_users` rows: at most `N_BLOCK`, fewer in a large catalogue (`N_CELLS`).

    >>> blocks_of_users(300, 1_000), blocks_of_users(20, 500_000)
    ([slice(0, 256, None), slice(256, 300, None)], [slice(0, 16, None), slice(16, 20, None)])
    """
    size = block_size(n_tracks)
    return [slice(start, min(start + size, n_users)) for start in range(0, n_users, size)]


def block_size(n_tracks: int) -> int:
    """Return the number of users that are scored at once in a catalogue of this size."""
    return min(N_BLOCK, max(1, N_CELLS // max(n_tracks, 1)))


def top_k_of_block(scores: F32, k: int) -> tuple[I32, F32]:
    """
    Return columns and values of the k largest scores per row, largest first.

    Args:
        scores: Shape (n_rows, n_columns), float32, without NaN. Minus infinity is never returned as a score.
        k: 1 <= k <= n_columns.

    Returns:
        Columns, int32, and scores, float32. Shape (n_rows, k) each, padded as in `TopK`.
    """
    n_rows, n_columns = scores.shape
    bound = np.maximum(kth_bound(scores, k), LOWEST)
    flat = np.flatnonzero(scores >= bound[:, None])
    rows = flat // n_columns
    counts = np.bincount(rows, minlength=n_rows)
    width = max(k, int(counts.max(initial=0)))
    keys = np.full((n_rows, width), sort_key(np.full(1, -np.inf, np.float32), np.full(1, -1)), np.int64)
    keys[np.arange(width) < counts[:, None]] = sort_key(scores.ravel()[flat], flat - rows * n_columns)
    keys.sort(axis=1)
    return from_sort_key(keys[:, : -k - 1 : -1])


def kth_bound(scores: F32, k: int) -> F32:
    """
    Return a lower bound of the k-th largest score of each row. Shape (n_rows,).

    The bound is the k-th largest group maximum. The k largest group maxima are k scores that are not below it.

    Raises:
        InputError: A score is NaN, which has no place in an order.
    """
    n_rows, n_columns = scores.shape
    size = max(1, min(GROUP, n_columns // (4 * k)))
    n_groups = n_columns // size
    n_folded = n_groups * size
    maxima = np.empty((n_rows, n_groups + n_columns - n_folded), np.float32)
    scores[:, :n_folded].reshape(n_rows, size, n_groups).max(axis=1, out=maxima[:, :n_groups])
    maxima[:, n_groups:] = scores[:, n_folded:]
    if n_broken := int(np.isnan(maxima).any(axis=1).sum()):  # a maximum is NaN if one of its scores is
        raise InputError(
            f"scores: found NaN for {n_broken} of {n_rows} listeners, expected numbers. The training of the model "
            "diverged: fit it with a smaller learning rate"
        )
    maxima.partition(-k, axis=1)
    return maxima[:, -k].copy()


def sort_key(scores: F32, columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Encode score and column as one integer; ascending keys have ascending scores, then descending columns."""
    bits = (scores + np.float32(0)).view(np.int32).astype(np.int64)  # + 0 turns -0.0 into 0.0
    return (np.where(bits < 0, bits ^ LOW_BITS, bits) << 32) | (LOW_BITS - columns)


def from_sort_key(keys: npt.NDArray[np.int64]) -> tuple[I32, F32]:
    """Decode keys of `sort_key` into columns and scores."""
    high = keys >> 32
    bits = np.where(high < 0, high ^ LOW_BITS, high).astype(np.int32)
    return (LOW_BITS - (keys & np.int64(0xFFFFFFFF))).astype(np.int32), bits.view(np.float32)
