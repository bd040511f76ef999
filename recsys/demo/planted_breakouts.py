"""
Planted breakouts and their decoys: listens of chosen listeners are turned over to a chosen track.

Nobody listens more because of a plant, so clocks and totals stay as they were. A breakout is taken up by listeners to
whom its artist appeals, more each day, and they stay with it. The decoys: one listener looping a track, a release day
from zero; the market-wide day is made with the timeline (`sessions.market_days`).
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from recsys.demo.breakout_truth import weekly_listeners
from recsys.demo.catalogue import NEVER, Catalogue
from recsys.demo.geography import EVERYWHERE
from recsys.demo.listeners import Listeners
from recsys.demo.listening import Choices
from recsys.demo.world import World

BASE = (28, 44)  # weekly listeners of a track that is chosen to break out
TAKEN_UP = (5.0, 6.4)  # new listeners of a breakout for each weekly listener it had
RAMP_DAYS = 9
LISTENS_A_WEEK = 2.6  # of the planted track, by a listener who took it up
LOOP_DAYS = 8
NO_DAY = -99
SPIKE_SHARES = (0.66, 0.24, 0.10)  # of the listeners of a release spike, on its first three days


class Plant(NamedTuple):
    """One planted rise: its kind, track row, first day, and the listener row of a loop (else -1)."""

    kind: str
    track: int
    day: int
    listener: int = -1


@dataclass(frozen=True, slots=True)
class Field:
    """What plants are set in: the choices so far with their days, and which tracks no other plant uses."""

    catalogue: Catalogue
    listeners: Listeners
    choices: Choices
    day: np.ndarray
    free: np.ndarray
    plants: tuple[Plant, ...] = ()

    def turned(self, plant: Plant, rows: np.ndarray) -> "Field":
        """Return the field with the listens in `rows` (a mask or row numbers) turned over to the plant's track."""
        track, is_new, free = self.choices.track.copy(), self.choices.is_new.copy(), self.free.copy()
        track[rows], is_new[rows], free[plant.track] = plant.track, False, False
        choices = replace(self.choices, track=track, is_new=is_new)
        return replace(self, choices=choices, free=free, plants=(*self.plants, plant))

    def weekly(self, n_days: int) -> np.ndarray:
        """Return the weekly listeners as they are now: (n_tracks, n_days)."""
        chosen, n_tracks = self.choices, len(self.free)
        return weekly_listeners(chosen.track, chosen.listener, self.day.clip(min=0), n_tracks=n_tracks, n_days=n_days)


def plant_rises(world: World, field: Field, rng: np.random.Generator) -> Field:
    """Plant every breakout, loop and release spike of a world."""
    tracks = field.catalogue.tracks
    steady = (tracks.territory == EVERYWHERE) & (tracks.withdrawn_day == NEVER)
    weekly = field.weekly(world.n_days)
    for day in _spread(world.n_breakouts, 24, world.n_days - 19, rng):
        field = _plant_breakout(world, field, weekly, rng, may=steady & (tracks.release_day < -30), day=int(day))
    for day in _spread(world.n_loops, 15, world.n_days - 22, rng):
        field = _plant_loop(field, weekly, steady & (tracks.release_day < -30), int(day), rng)
    for track in _spike_tracks(world, field, steady, rng):
        field = _plant_spike(field, int(track), rng)
    return field


def _spread(n: int, low: int, high: int, rng: np.random.Generator) -> np.ndarray:
    """Days spread over low <= day < high: one in each of `n` equal parts."""
    corners = np.linspace(low, high, n + 1)
    return rng.uniform(corners[:-1], corners[1:]).astype(np.int64)


def _plant_breakout(
    world: World, field: Field, weekly: np.ndarray, rng: np.random.Generator, *, may: np.ndarray, day: int
) -> Field:
    track = _steady_track(world, weekly, may & field.free, day, rng)
    artist = int(field.catalogue.tracks.artist[track])
    n_weeks = (world.n_days - day) / 7.0
    a_week = np.bincount(field.choices.listener[field.day >= day], minlength=len(field.listeners.ids)) / n_weeks
    n_taken_up = int(weekly[track, day - 1] * rng.uniform(*TAKEN_UP))
    appeal = np.where(a_week >= 8, field.listeners.affinity(field.catalogue.artists, artist), 0.0)
    adopters = _weighted(appeal, n_taken_up, rng)
    from_day = np.full(len(a_week), world.n_days)
    from_day[adopters] = day + (RAMP_DAYS * rng.random(len(adopters)) ** 0.7).astype(np.int64)
    chance = np.minimum(LISTENS_A_WEEK / np.maximum(a_week, 1.0), 0.5)
    rows = np.flatnonzero(field.day >= from_day[field.choices.listener])
    rows = rows[rng.random(len(rows)) < chance[field.choices.listener[rows]]]
    return field.turned(Plant("breakout", track, day), rows)


def _steady_track(world: World, weekly: np.ndarray, may: np.ndarray, day: int, rng: np.random.Generator) -> int:
    """A track with the right base on the day before, that would not grow by itself; the nearest base where none has."""
    base, later = weekly[:, day - 1], weekly[:, day + 12]
    high = min(BASE[1], world.n_listeners // 17)
    may = may & (later <= 1.6 * base + 3) & (base <= high)
    fitting = np.flatnonzero(may & (base >= BASE[0]))
    return int(rng.choice(fitting)) if len(fitting) else int(np.argmax(np.where(may, base, -1)))


def _weighted(weight: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw up to `n` distinct rows by weight; rows of weight 0 are never drawn (Gumbel's top n)."""
    n = min(n, int((weight > 0).sum()))
    keys = np.log(np.maximum(weight, 1e-300)) + rng.gumbel(size=len(weight))
    return np.argsort(np.where(weight > 0, -keys, np.inf), kind="stable")[:n]


def _plant_loop(field: Field, weekly: np.ndarray, may: np.ndarray, day: int, rng: np.random.Generator) -> Field:
    during = (field.day >= day) & (field.day < day + LOOP_DAYS)
    busy = np.bincount(field.choices.listener[during], minlength=len(field.listeners.ids))
    taken = [plant.listener for plant in field.plants if plant.kind == "loop"]
    busy[taken] = 0
    listener = int(np.argmax(busy))
    heard = weekly[:, day - 1]
    track = int(rng.choice(np.flatnonzero(may & field.free & (heard >= 3) & (heard <= 25))))
    rows = np.flatnonzero(during & (field.choices.listener == listener))
    return field.turned(Plant("loop", track, day, listener), rows[rng.random(len(rows)) < 0.9])


def _spike_tracks(world: World, field: Field, may: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """New releases, each on another day, early enough that the weeks after are seen.

    Their artists are well known, but not so well that the release would stay by itself.
    """
    tracks = field.catalogue.tracks
    may = may & field.free & (tracks.release_day >= 14) & (tracks.release_day < world.n_days - 20)
    known = field.catalogue.artists.weight
    may &= known[tracks.artist] < np.quantile(known, 0.75)
    fame = np.where(may, known[tracks.artist] * rng.uniform(0.5, 1.0, len(may)), 0.0)
    best = np.argsort(-fame, kind="stable")[: int(may.sum())]
    _, first = np.unique(tracks.release_day[best], return_index=True)
    return best[np.sort(first)][: world.n_release_spikes]


def _plant_spike(field: Field, track: int, rng: np.random.Generator) -> Field:
    tracks = field.catalogue.tracks
    day, artist = int(tracks.release_day[track]), int(tracks.artist[track])
    fans = _weighted(field.listeners.affinity(field.catalogue.artists, artist), len(field.listeners.ids) // 5, rng)
    fan_day = np.full(len(field.listeners.ids), NO_DAY)
    fan_day[fans] = day + rng.choice(len(SPIKE_SHARES), len(fans), p=SPIKE_SHARES)
    rows = np.flatnonzero(field.day == fan_day[field.choices.listener])
    return field.turned(Plant("release_spike", track, day), rows[rng.random(len(rows)) < 0.4])
