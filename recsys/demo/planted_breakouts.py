"""
Planted breakouts and their decoys: some listens of chosen listeners are reassigned to a chosen track.

A planted rise replaces the tracks of existing listens, so times and totals do not change. More listeners adopt a
breakout each day; they prefer its artist and continue to play it. A decoy is a rise that must not be reported as a
breakout: here a single listener who loops a
track, and a release that is played for a few days only. Market days, on which all listeners play
more, are decoys too and are made with the sessions (`sessions.market_days`).
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from recsys.demo.breakout_truth import weekly_listeners
from recsys.demo.catalogue import NEVER_WITHDRAWN, Catalogue
from recsys.demo.geography import EVERYWHERE
from recsys.demo.listeners import Listeners
from recsys.demo.listening import Choices
from recsys.demo.world import World

BASE_LISTENERS = (28, 44)  # weekly listeners that a track has before it breaks out
ADOPTERS_PER_LISTENER = (5.0, 6.4)  # new listeners of a breakout per weekly listener before it
RAMP_DAYS = 9
LISTENS_PER_WEEK = 2.6  # of a breakout, by a listener who adopted it
LOOP_DAYS = 8
NO_DAY = -99
SPIKE_SHARES = (0.66, 0.24, 0.10)  # of the listeners of a release spike, on its first three days


class PlantedRise(NamedTuple):
    """One planted rise: kind, track row, first day, and the listener row of a loop (else -1)."""

    kind: str
    track: int
    day: int
    listener: int = -1


@dataclass(frozen=True, slots=True)
class PlantingState:
    """A world while facts are planted in it: choices with their days, mask of unused tracks, rises planted so far."""

    catalogue: Catalogue
    listeners: Listeners
    choices: Choices
    day: np.ndarray
    unused: np.ndarray
    planted: tuple[PlantedRise, ...] = ()

    def with_rise(self, rise: PlantedRise, rows: np.ndarray) -> "PlantingState":
        """Return the state with the listens in `rows` (a mask or row numbers) reassigned to the track of a rise."""
        track, is_new, unused = self.choices.track.copy(), self.choices.is_new.copy(), self.unused.copy()
        track[rows], is_new[rows], unused[rise.track] = rise.track, False, False
        choices = replace(self.choices, track=track, is_new=is_new)
        return replace(self, choices=choices, unused=unused, planted=(*self.planted, rise))

    def weekly(self, n_days: int) -> np.ndarray:
        """Return the weekly listeners of each track in this state, (n_tracks, n_days)."""
        chosen, n_tracks = self.choices, len(self.unused)
        return weekly_listeners(chosen.track, chosen.listener, self.day.clip(min=0), n_tracks=n_tracks, n_days=n_days)


def plant_breakouts(world: World, state: PlantingState, rng: np.random.Generator) -> PlantingState:
    """Plant every breakout, loop and release spike of a world."""
    tracks = state.catalogue.tracks
    steady = (tracks.territory == EVERYWHERE) & (tracks.withdrawn_day == NEVER_WITHDRAWN)
    weekly = state.weekly(world.n_days)
    for day in _spread_days(world.n_breakouts, 24, world.n_days - 19, rng):
        state = _plant_breakout(world, state, weekly, rng, eligible=steady & (tracks.release_day < -30), day=int(day))
    for day in _spread_days(world.n_loops, 15, world.n_days - 22, rng):
        state = _plant_loop(state, weekly, steady & (tracks.release_day < -30), int(day), rng)
    for track in _spike_tracks(world, state, steady, rng):
        state = _plant_spike(state, int(track), rng)
    return state


def _spread_days(n: int, low: int, high: int, rng: np.random.Generator) -> np.ndarray:
    """Divide the days between low and high into `n` equal parts, and draw one day of each."""
    corners = np.linspace(low, high, n + 1)
    return rng.uniform(corners[:-1], corners[1:]).astype(np.int64)


def _plant_breakout(
    world: World, state: PlantingState, weekly: np.ndarray, rng: np.random.Generator, *, eligible: np.ndarray, day: int
) -> PlantingState:
    track = _steady_track(world, weekly, eligible & state.unused, day, rng)
    artist = int(state.catalogue.tracks.artist[track])
    n_weeks = (world.n_days - day) / 7.0
    per_week = np.bincount(state.choices.listener[state.day >= day], minlength=len(state.listeners.ids)) / n_weeks
    n_adopters = int(weekly[track, day - 1] * rng.uniform(*ADOPTERS_PER_LISTENER))
    artist_preference = np.where(per_week >= 8, state.listeners.affinity(state.catalogue.artists, artist), 0.0)
    adopters = _weighted(artist_preference, n_adopters, rng)
    from_day = np.full(len(per_week), world.n_days)
    from_day[adopters] = day + (RAMP_DAYS * rng.random(len(adopters)) ** 0.7).astype(np.int64)
    chance = np.minimum(LISTENS_PER_WEEK / np.maximum(per_week, 1.0), 0.5)
    rows = np.flatnonzero(state.day >= from_day[state.choices.listener])
    rows = rows[rng.random(len(rows)) < chance[state.choices.listener[rows]]]
    return state.with_rise(PlantedRise("breakout", track, day), rows)


def _steady_track(world: World, weekly: np.ndarray, eligible: np.ndarray, day: int, rng: np.random.Generator) -> int:
    """Draw a track without growth whose weekly listeners are in the range; if there is none, the nearest to it."""
    base, later = weekly[:, day - 1], weekly[:, day + 12]
    high = min(BASE_LISTENERS[1], world.n_listeners // 17)
    eligible = eligible & (later <= 1.6 * base + 3) & (base <= high)
    fitting = np.flatnonzero(eligible & (base >= BASE_LISTENERS[0]))
    return int(rng.choice(fitting)) if len(fitting) else int(np.argmax(np.where(eligible, base, -1)))


def _weighted(weight: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw up to `n` distinct rows with probability proportional to weight (Gumbel top-k trick); 0 is never drawn."""
    n = min(n, int((weight > 0).sum()))
    keys = np.log(np.maximum(weight, 1e-300)) + rng.gumbel(size=len(weight))
    return np.argsort(np.where(weight > 0, -keys, np.inf), kind="stable")[:n]


def _plant_loop(
    state: PlantingState, weekly: np.ndarray, eligible: np.ndarray, day: int, rng: np.random.Generator
) -> PlantingState:
    during = (state.day >= day) & (state.day < day + LOOP_DAYS)
    n_listens = np.bincount(state.choices.listener[during], minlength=len(state.listeners.ids))
    used = [rise.listener for rise in state.planted if rise.kind == "loop"]
    n_listens[used] = 0
    listener = int(np.argmax(n_listens))
    heard = weekly[:, day - 1]
    track = int(rng.choice(np.flatnonzero(eligible & state.unused & (heard >= 3) & (heard <= 25))))
    rows = np.flatnonzero(during & (state.choices.listener == listener))
    return state.with_rise(PlantedRise("loop", track, day, listener), rows[rng.random(len(rows)) < 0.9])


def _spike_tracks(world: World, state: PlantingState, eligible: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """
    Choose new releases on different days, so early that the weeks after them are in the period too.

    Their artists are popular, but not so popular that the releases would keep their listeners.
    """
    tracks = state.catalogue.tracks
    eligible = eligible & state.unused & (tracks.release_day >= 14) & (tracks.release_day < world.n_days - 20)
    known = state.catalogue.artists.weight
    eligible &= known[tracks.artist] < np.quantile(known, 0.75)
    fame = np.where(eligible, known[tracks.artist] * rng.uniform(0.5, 1.0, len(eligible)), 0.0)
    best = np.argsort(-fame, kind="stable")[: int(eligible.sum())]
    _, first = np.unique(tracks.release_day[best], return_index=True)
    return best[np.sort(first)][: world.n_release_spikes]


def _plant_spike(state: PlantingState, track: int, rng: np.random.Generator) -> PlantingState:
    tracks = state.catalogue.tracks
    day, artist = int(tracks.release_day[track]), int(tracks.artist[track])
    fans = _weighted(state.listeners.affinity(state.catalogue.artists, artist), len(state.listeners.ids) // 5, rng)
    fan_day = np.full(len(state.listeners.ids), NO_DAY)
    fan_day[fans] = day + rng.choice(len(SPIKE_SHARES), len(fans), p=SPIKE_SHARES)
    rows = np.flatnonzero(state.day == fan_day[state.choices.listener])
    return state.with_rise(PlantedRise("release_spike", track, day), rows[rng.random(len(rows)) < 0.4])
