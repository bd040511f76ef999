"""
The listening log made from the chosen tracks: start and duration of each listen, and whether it was skipped.

A listener plays one recording at a time: a session that overlaps the previous one is moved after it. As in an export at
midnight UTC, no listen is later than the last day, in UTC or in local time.
"""

from dataclasses import dataclass

import numpy as np

from recsys.demo.catalogue import Tracks
from recsys.demo.listeners import Listeners
from recsys.demo.listening import Choices
from recsys.demo.sessions import DAY_S, Sessions
from recsys.demo.world import World

UNKNOWN = -1  # value of ms_played, skipped and source where the player logged none
ACTIVE, ALGORITHMIC = 0, 1
NO_OFFSET = -9_999
PLAY_MS = 30_000
_APART_S = 1 << 32  # longer than any period: separates the listeners on one time axis


@dataclass(frozen=True, slots=True)
class Listens:
    """
    The log in time order. All shapes (n_listens,).

    Attributes:
        listener, track: Rows.
        at_s: Start, seconds after the start of day 0 (UTC).
        day: Local day; the UTC day where the offset is unknown.
        ms_played: Duration [ms], or UNKNOWN.
        skipped: 1, 0 or UNKNOWN.
        offset_min: Local time minus UTC [min], or NO_OFFSET.
        is_new: Whether the listen is a discovery.
        source: ACTIVE, ALGORITHMIC or UNKNOWN; most discoveries and few repeats are algorithmic.
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
    """Simulate the playback of every chosen track, and return the log of the period."""
    ms, skipped = _durations(
        tracks.duration_ms[choices.track], listeners.skip_rate[choices.listener], choices.is_new, rng
    )
    at_s = _starts(sessions, choices, -(-ms // 1000) + rng.integers(1, 9, len(ms)))
    offset = listeners.offset_min[choices.listener].astype(np.int16)
    local_day = (at_s + 60 * offset.astype(np.int64)) // DAY_S
    is_logged = rng.random(len(ms), dtype=np.float32) >= 0.02
    has_clock = (rng.random(len(ms), dtype=np.float32) >= 0.03) | (at_s < 0)
    is_algorithmic = rng.random(len(ms), dtype=np.float32) < np.where(choices.is_new, 0.6, 0.2)
    kept = _in_period(world, tracks.withdrawn_day[choices.track], local_day, at_s // DAY_S)
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
    duration_ms: np.ndarray, skip_rate: np.ndarray, is_new: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the time played [ms] and whether the listen was skipped: skips are short, most other listens complete."""
    n = len(duration_ms)
    limit = np.minimum(PLAY_MS, duration_ms // 2)
    is_skip = rng.random(n, dtype=np.float32) < skip_rate * np.where(is_new, 1.7, 0.7)
    is_partial = rng.random(n, dtype=np.float32) < 0.15
    share = rng.random(n, dtype=np.float32)
    short = 900 + share * (limit - 1_000)
    partial = limit + share * (duration_ms - limit)
    ms = np.where(is_skip, short, np.where(is_partial, partial, duration_ms)).astype(np.int64)
    return ms, is_skip | (is_partial & (share < 0.6))


def _starts(sessions: Sessions, choices: Choices, lasts_s: np.ndarray) -> np.ndarray:
    """Return the start of each listen [s]; a listener's sessions and listens follow one another without overlap."""
    n = len(sessions.length)
    length_s = np.bincount(choices.session, lasts_s, minlength=n).astype(np.int64)
    before = np.cumsum(length_s) - length_s
    planned = sessions.start_s + sessions.listener.astype(np.int64) * _APART_S
    begins = np.maximum.accumulate(planned - before) + before - sessions.listener.astype(np.int64) * _APART_S
    ends = np.cumsum(lasts_s)  # over all listens; sessions are contiguous
    return np.asarray(begins[choices.session] + (ends - lasts_s) - before[choices.session])


def _in_period(world: World, withdrawn_day: np.ndarray, local_day: np.ndarray, utc_day: np.ndarray) -> np.ndarray:
    latest = np.maximum(local_day, utc_day)
    return np.asarray((latest < world.n_days) & (latest < withdrawn_day))
