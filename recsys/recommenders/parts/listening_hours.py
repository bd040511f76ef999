"""
Listening-time profiles of users and tracks (time of day, weekday), and how much a user's and a track's overlap.

A profile consists of the share of plays in each three-hour part of the day and on each weekday, in local time. Each
pair of user and track counts once, at the time of its last play. Profiles are smoothed towards the profile of all
plays, so that a single play at night does not make a user a night listener. If no local times are known, every log lift
is 0.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import F32, I16, Csr, Rows
from recsys.dataset.interactions import UNKNOWN_HOUR, History

N_PRIOR = 10  # weight of the profile of all plays in the smoothing, in plays
N_DAYPARTS, N_WEEKDAYS = 8, 7
DAYPART, WEEKDAY = slice(0, N_DAYPARTS), slice(N_DAYPARTS, N_DAYPARTS + N_WEEKDAYS)  # columns of a profile

Hours: TypeAlias = I16


class ListeningTimeProfile(NamedTuple):
    """
    The listening-time profile of all plays, and the profile of each track divided by it.

    Attributes:
        overall: Shares of all plays: in the eight three-hour parts of the day from midnight, which sum to 1, then on
            the seven weekdays from Monday, which sum to 1. Shape (15,), float32.
        lifts: Shares of each track's plays, smoothed, divided by `overall`. Shape (n_tracks, 15), float32.
    """

    overall: F32
    lifts: F32

    @classmethod
    def of(cls, matrix: Csr, hours: Hours) -> "ListeningTimeProfile":
        """Compute profiles from the local hour of the week of each pair in `matrix`, CSR (n_users, n_tracks)."""
        total = _counts(np.zeros(len(hours), np.int64), hours, 1)[0] + 1
        overall = total / np.concatenate([np.full(n, total[part].sum()) for part, n in _PARTS])
        lifts = _shares(matrix.indices, hours, matrix.shape[1], overall) / overall
        return cls(overall.astype(np.float32), lifts.astype(np.float32))

    def log_lift(self, history: History, pairs: tuple[Rows, Rows]) -> F32:
        """
        Return the log lift of overlapping listening times of users and tracks.

        A lift of 2: plays of the track fall into the user's listening times twice as often as plays in general.

        Args:
            history: Histories of the users, with local hours.
            pairs: Row of `history` and track row of each pair. Shape (n_pairs,) each.

        Returns:
            Log lift by time of day and by weekday. Shape (n_pairs, 2), float32.
        """
        users, tracks = pairs
        counts = np.diff(history.matrix.indptr)
        user_shares = _shares(np.repeat(np.arange(len(counts)), counts), history.hours, len(counts), self.overall)
        overlap = user_shares[users] * self.lifts[tracks]  # (n_pairs, 15)
        lift = np.column_stack([overlap[:, part].sum(axis=1) for part, _ in _PARTS])
        log_lift: F32 = np.log(lift).astype(np.float32)
        return log_lift


_PARTS = ((DAYPART, N_DAYPARTS), (WEEKDAY, N_WEEKDAYS))


def _shares(row: Rows, hours: Hours, n_rows: int, overall: F32) -> npt.NDArray[np.float64]:
    """Return the smoothed profile of each row. Shape (n_rows, 15)."""
    counts = _counts(row, hours, n_rows)
    n_known = counts[:, DAYPART].sum(axis=1, keepdims=True)
    shares: npt.NDArray[np.float64] = (counts + N_PRIOR * overall) / (n_known + N_PRIOR)
    return shares


def _counts(row: Rows, hours: Hours, n_rows: int) -> npt.NDArray[np.int64]:
    known = hours != UNKNOWN_HOUR
    row, hour = row[known], hours[known].astype(np.int64)
    bins = (hour % 24 // 3, N_DAYPARTS), (hour // 24, N_WEEKDAYS)
    tables = [np.bincount(row * n + number, minlength=n_rows * n).reshape(n_rows, n) for number, n in bins]
    return np.hstack(tables)
