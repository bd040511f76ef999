"""
From choices to the log: how long each listen lasted, who ended it, and when it began to the second.

A listener does one thing at a time: a session that would begin before the last one is over begins after it. The log
ends with the last day on both clocks (UTC and local), as an export at midnight UTC would.
"""

from dataclasses import dataclass

import numpy as np

from recsys.demo.catalogue import Tracks
from recsys.demo.listeners import Listeners
from recsys.demo.listening import Choices
from recsys.demo.sessions import DAY_S, Sessions
from recsys.demo.world import World

UNKNOWN = -1  # of ms_played, skipped and source, where the player logs none
ACTIVE, ALGORITHMIC = 0, 1
NO_OFFSET = -9_999
PLAY_MS = 30_000
_APART_S = 1 << 32  # longer than any period: keeps the listeners' queues apart


@dataclass(frozen=True, slots=True)
class Listens:
    """
    The log in time order; all shapes (n_listens,).

    `at_s` [s after day 0, UTC], `ms_played` [ms, UNKNOWN], `skipped` (1, 0, UNKNOWN), `offset_min` (or NO_OFFSET),
    `day` the local day (the UTC day where the offset is unknown), `is_new` True for discoveries, `source` who chose
    (ACTIVE, ALGORITHMIC, UNKNOWN): a recommender brings most discoveries and few of the returns.
    """

    listener: np.ndarray
    track: np.ndarray
    at_s: np.ndarray
    day: np.ndarray
    ms_played: np.ndarray
    skipped: np.ndarray
    offset_min: np.ndarray
    is_new: np.ndarray
    source: np.ndarray

    def take(self, rows: np.ndarray) -> "Listens":
        """Return the listens in `rows` (row numbers or a mask)."""
        return Listens(**{name: getattr(self, name)[rows] for name in self.__slots__})


def play(
    world: World,
    tracks: Tracks,
    listeners: Listeners,
    rng: np.random.Generator,
    *,
    sessions: Sessions,
    choices: Choices,
) -> Listens:
    """Play every choice and return the log of the period."""
    ms, skipped = _durations(tracks.duration_ms[choices.track], listeners.skips[choices.listener], choices.is_new, rng)
    at_s = _starts(sessions, choices, -(-ms // 1000) + rng.integers(1, 9, len(ms)))
    offset = listeners.offset_min[choices.listener].astype(np.int16)
    local_day = (at_s + 60 * offset.astype(np.int64)) // DAY_S
    is_logged = rng.random(len(ms), dtype=np.float32) >= 0.02
    has_clock = (rng.random(len(ms), dtype=np.float32) >= 0.03) | (at_s < 0)
    is_algorithmic = rng.random(len(ms), dtype=np.float32) < np.where(choices.is_new, 0.6, 0.2)
    kept = _within(world, tracks.withdrawn_day[choices.track], local_day, at_s // DAY_S)
    log = Listens(
        listener=choices.listener,
        track=choices.track,
        at_s=at_s.astype(np.int32),
        day=np.where(has_clock, local_day, at_s // DAY_S).astype(np.int16),
        ms_played=np.where(is_logged, ms, UNKNOWN).astype(np.int32),
        skipped=np.where(is_logged, skipped, UNKNOWN).astype(np.int8),
        offset_min=np.where(has_clock, offset, NO_OFFSET).astype(np.int16),
        is_new=choices.is_new,
        source=np.where(is_logged, np.where(is_algorithmic, ALGORITHMIC, ACTIVE), UNKNOWN).astype(np.int8),
    ).take(kept)
    return log.take(np.argsort(log.at_s, kind="stable"))


def _durations(
    duration_ms: np.ndarray, skips: np.ndarray, is_new: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds played, and whether the listener ended it: skips are short, the rest is mostly whole."""
    n = len(duration_ms)
    limit = np.minimum(PLAY_MS, duration_ms // 2)
    is_skip = rng.random(n, dtype=np.float32) < skips * np.where(is_new, 1.7, 0.7)
    is_partial = rng.random(n, dtype=np.float32) < 0.15
    share = rng.random(n, dtype=np.float32)
    short = 900 + share * (limit - 1_000)
    partial = limit + share * (duration_ms - limit)
    ms = np.where(is_skip, short, np.where(is_partial, partial, duration_ms)).astype(np.int64)
    return ms, is_skip | (is_partial & (share < 0.6))


def _starts(sessions: Sessions, choices: Choices, lasts_s: np.ndarray) -> np.ndarray:
    """When each listen begins [s]: session after session, listen after listen, never two at a time."""
    n = len(sessions.length)
    length_s = np.bincount(choices.session, lasts_s, minlength=n).astype(np.int64)
    before = np.cumsum(length_s) - length_s
    planned = sessions.start_s + sessions.listener.astype(np.int64) * _APART_S
    begins = np.maximum.accumulate(planned - before) + before - sessions.listener.astype(np.int64) * _APART_S
    ends = np.cumsum(lasts_s)  # over all listens; sessions are contiguous
    return np.asarray(begins[choices.session] + (ends - lasts_s) - before[choices.session])


def _within(world: World, withdrawn_day: np.ndarray, local_day: np.ndarray, utc_day: np.ndarray) -> np.ndarray:
    latest = np.maximum(local_day, utc_day)
    return np.asarray((latest < world.n_days) & (latest < withdrawn_day))
