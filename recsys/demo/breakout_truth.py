"""
The definition of a breakout in the ground truth of a demo world, computed from the listens only.

The weekly listeners of a track on a day are the distinct listeners of that day and the six days before. A track breaks
out on day d if it had at least `floor` weekly listeners on day d - 1 and at least three times as many on one of the 14
days from d on.
"""

import numpy as np

WEEK = 7
WITHIN_DAYS = 14
GROWTH = 3.0


def weekly_listeners(
    track: np.ndarray, listener: np.ndarray, day: np.ndarray, *, n_tracks: int, n_days: int
) -> np.ndarray:
    """
    Count the distinct listeners of each track in the seven days that end with each day.

    Args:
        track: Track row of each listen, (n_listens,).
        listener: Listener row of each listen, (n_listens,).
        day: Day of each listen, 0 <= day < n_days, (n_listens,).
        n_tracks: Number of track rows.
        n_days: Number of days.

    Returns:
        Listeners, (n_tracks, n_days), int32; the weeks that end on the first six days are incomplete.

    >>> weekly_listeners(np.array([0, 0]), np.array([5, 5]), np.array([1, 3]), n_tracks=1, n_days=5).tolist()
    [[0, 1, 1, 1, 1]]
    """
    pair = track.astype(np.int64) * (int(listener.max(initial=0)) + 1) + listener
    key = np.sort(pair * n_days + day)  # like `np.unique`, but without hashing
    key = key[np.diff(key, prepend=-1) > 0]
    pair, day = np.divmod(key, n_days)
    next_day = np.r_[
        np.where(pair[1:] == pair[:-1], day[1:], n_days), n_days
    ]  # next day of the same track and listener
    until = np.minimum(np.minimum(day + WEEK, next_day), n_days)
    of_track = pair // (int(listener.max(initial=0)) + 1)
    width = n_days + 1
    steps = np.bincount(of_track * width + day, minlength=n_tracks * width)
    steps = steps - np.bincount(of_track * width + until, minlength=n_tracks * width)
    return np.asarray(steps.reshape(n_tracks, width).cumsum(axis=1)[:, :n_days].astype(np.int32))


def peaks(weekly: np.ndarray) -> np.ndarray:
    """Return, for each day, the maximum of weekly listeners on that day and the 13 days after, (n_tracks, n_days)."""
    padded = np.pad(weekly, ((0, 0), (0, WITHIN_DAYS - 1)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, WITHIN_DAYS, axis=1).max(axis=2))


def breakout_days(weekly: np.ndarray, floor: int) -> np.ndarray:
    """Return a mask of the days on which each track breaks out, (n_tracks, n_days); False in the first seven days."""
    base = np.pad(weekly, ((0, 0), (1, 0)))[:, :-1]
    is_whole = np.arange(weekly.shape[1]) >= WEEK
    return np.asarray(is_whole & (base >= max(floor, 1)) & (peaks(weekly) >= GROWTH * base))
