"""
Listening times of users and of tracks, and how well they match, by time of day and by day of the week.

A profile is the share of each three-hour part of the day, and of each weekday, among the last plays of pairs, in local
time. It is smoothed towards everybody's, so that one play at night makes no night listener. Where the log has no local
time, every match is 0.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import UNKNOWN_HOUR, History

N_PRIOR = 10  # plays of everybody's that a profile is smoothed with
N_DAYPARTS, N_WEEKDAYS = 8, 7
DAYPART, WEEKDAY = slice(0, N_DAYPARTS), slice(N_DAYPARTS, N_DAYPARTS + N_WEEKDAYS)  # columns of a profile

Hours: TypeAlias = npt.NDArray[np.int16]


class ListeningTimeProfile(NamedTuple):
    """
    Listening times of everybody, and of each track.

    Attributes:
        everybody: Share of plays in eight parts of three hours from midnight, then on the weekdays from Monday; the
            parts sum to 1, and so do the weekdays. Shape (15,).
        lifts: A track's shares divided by everybody's. Shape (n_tracks, 15).
    """

    everybody: F32
    lifts: F32

    @classmethod
    def of(cls, matrix: Csr, hours: Hours) -> "ListeningTimeProfile":
        """Count liked pairs, CSR (n_users, n_tracks), by the local hour of the week of their last plays."""
        total = _counts(np.zeros(len(hours), np.int64), hours, 1)[0] + 1
        everybody = total / np.concatenate([np.full(n, total[clock].sum()) for clock, n in _CLOCKS])
        lifts = _shares(matrix.indices, hours, matrix.shape[1], everybody) / everybody
        return cls(everybody.astype(np.float32), lifts.astype(np.float32))

    def log_lift(self, history: History, at: tuple[Rows, Rows]) -> F32:
        """Return the log lift of overlapping times of users and tracks `at`, by day and week: shape (n_pairs, 2)."""
        users, tracks = at
        counts = np.diff(history.matrix.indptr)
        own = _shares(np.repeat(np.arange(len(counts)), counts), history.hours, len(counts), self.everybody)
        overlap = own[users] * self.lifts[tracks]  # (n_pairs, 15)
        lift = np.column_stack([overlap[:, clock].sum(axis=1) for clock, _ in _CLOCKS])
        found: F32 = np.log(lift).astype(np.float32)
        return found


_CLOCKS = ((DAYPART, N_DAYPARTS), (WEEKDAY, N_WEEKDAYS))


def _shares(row: Rows, hours: Hours, n_rows: int, everybody: F32) -> npt.NDArray[np.float64]:
    """Return each row's smoothed profile, shape (n_rows, 15)."""
    counts = _counts(row, hours, n_rows)
    n_known = counts[:, DAYPART].sum(axis=1, keepdims=True)
    shares: npt.NDArray[np.float64] = (counts + N_PRIOR * everybody) / (n_known + N_PRIOR)
    return shares


def _counts(row: Rows, hours: Hours, n_rows: int) -> npt.NDArray[np.int64]:
    known = hours != UNKNOWN_HOUR
    row, hour = row[known], hours[known].astype(np.int64)
    clocks = (hour % 24 // 3, N_DAYPARTS), (hour // 24, N_WEEKDAYS)
    tables = [np.bincount(row * n + part, minlength=n_rows * n).reshape(n_rows, n) for part, n in clocks]
    return np.hstack(tables)
