"""
When listeners play, and when tracks are played: how well two habits meet, by the day's clock and by the week's.

A habit is the share of each part of a clock among the last plays of pairs, in local time. It begins with a few plays of
everybody's, so that one play at night makes nobody a night listener. Where the log has no local time, every likeness
is 0.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import UNKNOWN_HOUR, History

N_BEFORE = 10  # plays of everybody's that a habit begins with
N_DAYPARTS, N_WEEKDAYS = 8, 7
DAYPART, WEEKDAY = slice(0, N_DAYPARTS), slice(N_DAYPARTS, N_DAYPARTS + N_WEEKDAYS)  # columns of a habit

Hours: TypeAlias = npt.NDArray[np.int16]


class Habits(NamedTuple):
    """
    When everybody plays, and when each track is played.

    Attributes:
        everybody: Shares of the parts: eight of three hours from midnight, then the weekdays from Monday; each clock
            sums to 1. Shape (15,).
        lifts: Share of each part among a track's plays, over everybody's. Shape (n_tracks, 15).
    """

    everybody: F32
    lifts: F32

    @classmethod
    def of(cls, matrix: Csr, hours: Hours) -> "Habits":
        """Read them off liked pairs, CSR (n_users, n_tracks), and the local hours of the week of their last plays."""
        total = _counts(np.zeros(len(hours), np.int64), hours, 1)[0] + 1
        everybody = total / np.concatenate([np.full(n, total[clock].sum()) for clock, n in _CLOCKS])
        lifts = _shares(matrix.indices, hours, matrix.shape[1], everybody) / everybody
        return cls(everybody.astype(np.float32), lifts.astype(np.float32))

    def likeness(self, history: History, at: tuple[Rows, Rows]) -> F32:
        """Return, for pairs `at` of listeners and tracks, log of how much likelier they meet than any two, by clock."""
        users, tracks = at
        counts = np.diff(history.matrix.indptr)
        own = _shares(np.repeat(np.arange(len(counts)), counts), history.hours, len(counts), self.everybody)
        met = own[users] * self.lifts[tracks]  # (n_pairs, 15)
        likelier: F32 = np.log(np.column_stack([met[:, clock].sum(axis=1) for clock, _ in _CLOCKS])).astype(np.float32)
        return likelier


_CLOCKS = ((DAYPART, N_DAYPARTS), (WEEKDAY, N_WEEKDAYS))


def _shares(row: Rows, hours: Hours, n_rows: int, everybody: F32) -> npt.NDArray[np.float64]:
    """Return each row's habit, shape (n_rows, 15)."""
    counts = _counts(row, hours, n_rows)
    n_known = counts[:, DAYPART].sum(axis=1, keepdims=True)
    shares: npt.NDArray[np.float64] = (counts + N_BEFORE * everybody) / (n_known + N_BEFORE)
    return shares


def _counts(row: Rows, hours: Hours, n_rows: int) -> npt.NDArray[np.int64]:
    known = hours != UNKNOWN_HOUR
    row, hour = row[known], hours[known].astype(np.int64)
    clocks = (hour % 24 // 3, N_DAYPARTS), (hour // 24, N_WEEKDAYS)
    tables = [np.bincount(row * n + part, minlength=n_rows * n).reshape(n_rows, n) for part, n in clocks]
    return np.hstack(tables)
