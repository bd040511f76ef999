"""
The track of every listen: a listen either discovers a track by preference or repeats an earlier listen.

A repeat refers to an earlier listen of the same listener, and so, directly or indirectly, to a discovery; therefore
favourites emerge (a Yule-Simon process) while discoveries continue. Discoveries respect release dates, withdrawals and
territories. In the first weeks after a release, part of the artist's discoveries go to the new release, fewer each day.
"""

from dataclasses import dataclass

import numpy as np

from recsys.demo.catalogue import Catalogue, Tracks
from recsys.demo.geography import is_available
from recsys.demo.listeners import Listeners
from recsys.demo.sessions import Sessions
from recsys.demo.world import World

LISTENERS_PER_BLOCK = 2_500
N_REDRAWS = 6
FRESH_DAYS = 45
FRESH_SHARE = 0.45  # of an artist's discoveries on the first day of a release; halves every nine days
NO_TRACK = -1


@dataclass(frozen=True, slots=True)
class Choices:
    """Listens in order of listener and time: session row, listener row, track row, and whether it is a discovery."""

    session: np.ndarray
    listener: np.ndarray
    track: np.ndarray
    is_new: np.ndarray


def choose_tracks(
    world: World, catalogue: Catalogue, listeners: Listeners, sessions: Sessions, rng: np.random.Generator
) -> Choices:
    """Choose a track for every listen of every session; listens without an allowed track are left out."""
    session = np.repeat(np.arange(len(sessions.length), dtype=np.int32), sessions.length)
    listener = sessions.listener[session]
    root = _roots(listener, listeners.discovery_rate, rng)
    is_new = root == np.arange(len(root))
    track = np.full(len(root), NO_TRACK, dtype=np.int32)
    new = np.flatnonzero(is_new)
    track[new] = _discover(
        world, catalogue, listeners, rng, listener=listener[new], day=sessions.first_day[session[new]]
    )
    track = track[root]
    kept = track != NO_TRACK
    return Choices(session[kept], listener[kept], track[kept], is_new[kept])


def _roots(listener: np.ndarray, discovery_rate: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return for each listen the row of the discovery that it repeats (its own row for a discovery)."""
    n = len(listener)
    rows = np.arange(n, dtype=np.int32)
    nth = rows - np.searchsorted(listener, np.arange(len(discovery_rate)), side="left").astype(np.int32)[listener]
    repeats = (rng.random(n, dtype=np.float32) >= discovery_rate.astype(np.float32)[listener]) & (nth > 0)
    back = 1 + (nth * rng.random(n, dtype=np.float32) ** 2).astype(np.int32)  # recent listens are repeated more often
    root = np.where(repeats, rows - np.minimum(back, nth), rows)
    while not np.array_equal(further := root[root], root):
        root = further
    return root


def _discover(
    world: World,
    catalogue: Catalogue,
    listeners: Listeners,
    rng: np.random.Generator,
    *,
    listener: np.ndarray,
    day: np.ndarray,
) -> np.ndarray:
    """Draw a track for each pair of listener and day, in blocks of listeners; `listener` is sorted."""
    draw = _Draw(world, catalogue)
    track = np.full(len(listener), NO_TRACK, dtype=np.int32)
    for low in range(0, len(listeners.ids), LISTENERS_PER_BLOCK):
        block = slice(low, min(low + LISTENERS_PER_BLOCK, len(listeners.ids)))
        part = slice(*np.searchsorted(listener, [block.start, block.stop]))
        weights = listeners.artist_weights(catalogue.artists, block)
        track[part] = draw(weights, listener[part] - low, day[part], listeners.country[listener[part]], rng)
    return track


class _Draw:
    """Draws an artist, then a track; a track that is not allowed is replaced, after N_REDRAWS attempts by NO_TRACK."""

    def __init__(self, world: World, catalogue: Catalogue) -> None:
        self._tracks = catalogue.tracks
        self._cumulative = _cumulative_within(catalogue.tracks.weight, catalogue.tracks.artist)
        self._fresh = _fresh_tracks(world, catalogue.tracks, len(catalogue.artists.ids))
        self._available = is_available()

    def __call__(
        self, weights: np.ndarray, row: np.ndarray, day: np.ndarray, country: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        cumulative = (weights.cumsum(axis=1) + np.arange(len(weights))[:, None]).ravel()  # (n_rows * n_artists,)
        track = np.full(len(row), NO_TRACK, dtype=np.int32)
        for _ in range(N_REDRAWS):
            open_ = np.flatnonzero(track == NO_TRACK)
            flat = np.searchsorted(cumulative, row[open_] + rng.random(len(open_)) * (1 - 1e-9))
            drawn = self._track_of(flat % weights.shape[1], day[open_], rng)
            allowed = self._is_allowed(drawn, day[open_], country[open_])
            track[open_[allowed]] = drawn[allowed]
        return track

    def _track_of(self, artist: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        usual = np.searchsorted(self._cumulative, artist + rng.random(len(artist)) * (1 - 1e-9))
        fresh = self._fresh[artist, day.clip(min=0)]
        age = day - self._tracks.release_day[fresh]
        takes_fresh = (fresh != NO_TRACK) & (rng.random(len(artist)) < FRESH_SHARE * 0.5 ** (age / 9.0))
        return np.where(takes_fresh, fresh, usual)

    def _is_allowed(self, track: np.ndarray, day: np.ndarray, country: np.ndarray) -> np.ndarray:
        tracks = self._tracks
        is_out = (tracks.release_day[track] <= day) & (day < tracks.withdrawn_day[track])
        return np.asarray(is_out & self._available[tracks.territory[track], country])


def _cumulative_within(weight: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the cumulative share of weight within each group, plus the group's number, so that all values ascend."""
    total = np.bincount(group, weight)[group]
    running = np.cumsum(weight / total)
    before = np.r_[0.0, running][np.searchsorted(group, group)]
    return np.asarray(np.minimum(running - before, 1.0) + group)


def _fresh_tracks(world: World, tracks: Tracks, n_artists: int) -> np.ndarray:
    """Return the first track of each artist's newest release on each day, (n_artists, n_days); NO_TRACK if none."""
    newest = np.full((n_artists, world.n_days + FRESH_DAYS), -1, dtype=np.int64)
    recent = np.flatnonzero((tracks.release_day >= -FRESH_DAYS) & (tracks.release_day < world.n_days))
    moment = tracks.release_day[recent] + FRESH_DAYS
    np.maximum.at(newest, (tracks.artist[recent], moment), moment * len(tracks.ids) + recent)
    newest = np.maximum.accumulate(newest, axis=1)[:, FRESH_DAYS:]
    age = np.arange(world.n_days) + FRESH_DAYS - newest // len(tracks.ids)
    return np.where((newest >= 0) & (age <= FRESH_DAYS), newest % len(tracks.ids), NO_TRACK)
