"""
The listening sessions: when each listener listens and to how many tracks, before any track is chosen.

Their density follows local time of day and weekday; on a market day all listeners listen more. Sessions are sorted by
listener and time.
"""

from dataclasses import dataclass

import numpy as np

from recsys.demo.listeners import Listeners
from recsys.demo.world import World

MEAN_LENGTH = 8.0
DAY_S = 86_400
WEEKDAY_WEIGHTS = np.array([0.95, 0.95, 1.0, 1.0, 1.15, 1.1, 0.9])  # Monday first
DAYPART_HOURS = np.array([7.8, 12.7, 18.4, 22.0])  # morning, noon, evening, night
MARKET_DAY_LIFT = 3.0


@dataclass(frozen=True, slots=True)
class Sessions:
    """
    Sessions by row: listener row, planned start [s after the start of day 0, UTC], number of listens.

    `first_day` is the earlier of a session's UTC day and local day: a track released by then is released on both days.
    """

    listener: np.ndarray
    start_s: np.ndarray
    length: np.ndarray
    first_day: np.ndarray


def market_days(world: World, rng: np.random.Generator) -> np.ndarray:
    """Draw the days on which all listeners play more, far from one another and from the ends of the period."""
    corners = np.linspace(18, world.n_days - 25, world.n_market_days + 1)
    return np.asarray(rng.uniform(corners[:-1], corners[1:] - 8).astype(np.int64))


def make_sessions(world: World, listeners: Listeners, lifted_days: np.ndarray, rng: np.random.Generator) -> Sessions:
    """Draw every session of the period; `lifted_days` are the market days."""
    n_sessions = rng.poisson(listeners.n_listens / MEAN_LENGTH)
    listener = np.repeat(np.arange(len(n_sessions), dtype=np.int32), n_sessions)
    day = _days(world, listeners, listener, lifted_days, rng)
    offset_s = 60 * listeners.offset_min[listener]
    start_s = day * DAY_S + _seconds_of_day(listeners.daypart_shares[listener], rng) - offset_s
    order = np.lexsort((start_s, listener))
    return Sessions(
        listener=listener[order],
        start_s=start_s[order],
        length=rng.geometric(1.0 / MEAN_LENGTH, len(order)),
        first_day=np.minimum(day, start_s // DAY_S)[order].astype(np.int16),
    )


def _days(
    world: World, listeners: Listeners, listener: np.ndarray, lifted_days: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw local days by inverse transform sampling of the day weights, between each listener's first and last day."""
    weights = WEEKDAY_WEIGHTS[(np.arange(world.n_days) + world.first_date.weekday()) % 7].copy()
    weights[lifted_days] *= MARKET_DAY_LIFT
    cumulative = np.r_[0.0, np.cumsum(weights)]
    low = cumulative[listeners.join_day[listener]]
    high = cumulative[listeners.leave_day[listener]]
    drawn = low + rng.random(len(listener)) * (high - low)
    return np.asarray(np.searchsorted(cumulative, drawn, side="right").clip(max=world.n_days) - 1)


def _seconds_of_day(daypart_shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a time of day, in seconds after local midnight, near one of four times drawn by the listener's shares."""
    part = (rng.random(len(daypart_shares))[:, None] > daypart_shares.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return np.asarray((rng.normal(DAYPART_HOURS[part], 1.4) * 3_600).astype(np.int64) % DAY_S)
