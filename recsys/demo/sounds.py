"""
Planted sound: some tracks sound of something, and who hears which of them follows the sound, in part.

A track's sound has four sides: fast or slow, dense or sparse, bright or dark, minor or major. It leans to its scene's
and is mostly its own. A listener prefers some sounds, whatever the scene. Which of the sounding tracks a discovery goes
to is then drawn anew, by sound more than by artist and scene: so whoever knows the sound of a new track can tell who
will like it better than by artist, genre and label alone, and nobody can tell it all.
"""

from dataclasses import dataclass, replace

import numpy as np

from recsys.demo.catalogue import NEVER
from recsys.demo.geography import EVERYWHERE, SCENES
from recsys.demo.planted_breakouts import Field
from recsys.demo.world import World

SIDES = 4  # tempo, density, brightness, minor
OF_SCENE = 0.4  # weight of the scene in a track's sound
STRENGTH = 4.5  # how much a listener's preference of sounds counts
OTHER_STRENGTH = 0.1  # how much scene and artist count beside it
NEW_DAYS = 35  # what came out in the last days of the period sounds first of all: nobody has played it yet
NEW_SHARE = 0.5  # of the sounding tracks, at most


@dataclass(frozen=True, slots=True)
class Sounds:
    """Rows of the tracks that sound, ascending, shape (n,); and how, shape (n, SIDES), about standard normal."""

    rows: np.ndarray
    sides: np.ndarray


def plant_sounds(world: World, field: Field, rng: np.random.Generator) -> tuple[Field, Sounds]:
    """Choose which tracks sound, and draw anew who hears which of them; the tracks are used by no other plant."""
    rows = _chosen(world, field, rng)
    artists, tracks = field.catalogue.artists, field.catalogue.tracks
    scene = artists.scene[tracks.artist[rows]]
    of_scene = rng.normal(0, 1, (len(SCENES), SIDES))
    sides = OF_SCENE * of_scene[scene] + np.sqrt(1 - OF_SCENE**2) * rng.normal(0, 1, (len(rows), SIDES))
    likes = rng.normal(0, 1, (len(field.listeners.ids), SIDES)) / np.sqrt(SIDES)
    sounds = Sounds(rows, sides)
    track = _drawn_anew(field, rows, STRENGTH * likes @ sides.T, rng) if len(rows) else field.choices.track
    free = field.free.copy()
    free[rows] = False
    return replace(field, choices=replace(field.choices, track=track), free=free), sounds


def _chosen(world: World, field: Field, rng: np.random.Generator) -> np.ndarray:
    """Choose new tracks, and old ones that are heard a lot: of a sound that few have met nobody could learn."""
    tracks = field.catalogue.tracks
    may = field.free & (tracks.territory == EVERYWHERE) & (tracks.withdrawn_day == NEVER)
    is_new = tracks.release_day >= world.n_days - NEW_DAYS
    heard = np.bincount(field.choices.track, minlength=len(may))
    new = rng.permutation(np.flatnonzero(may & is_new & (heard > 0)))[: int(NEW_SHARE * world.n_sounding)]
    old = np.flatnonzero(may & ~is_new)
    n_others = min(world.n_sounding - len(new), len(old))
    well_heard = old[np.argsort(-heard[old], kind="stable")][: 2 * n_others]
    others = rng.choice(well_heard, n_others, replace=False)
    return np.sort(np.concatenate([new, others]))


def _drawn_anew(field: Field, rows: np.ndarray, pull: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """
    Return the track of every listen, each pair of a listener and a sounding track drawn anew among these.

    `pull` is what every listener thinks of their sound, shape (n_listeners, n_rows).
    """
    tracks, artists, track = field.catalogue.tracks, field.catalogue.artists, field.choices.track.copy()
    heard = np.flatnonzero(np.isin(track, rows))
    pairs, first, pair = np.unique(
        np.stack([field.choices.listener[heard], track[heard]]), axis=1, return_index=True, return_inverse=True
    )
    listener, day = pairs[0], field.day[heard[first]]  # the log is in order: the first listen is the earliest
    artist = tracks.artist[rows]
    leaning = np.log(field.listeners.mix[listener][:, artists.scene[artist]])  # (n_pairs, n_rows)
    leaning = leaning + field.listeners.direction[listener] @ artists.place[artist].T
    appeal = 0.5 * np.log(tracks.weight[rows]) + OTHER_STRENGTH * leaning + pull[listener]
    appeal[tracks.release_day[rows][None, :] > day[:, None]] = -np.inf
    track[heard] = rows[(appeal + rng.gumbel(size=appeal.shape)).argmax(axis=1)[pair.ravel()]]
    return track
