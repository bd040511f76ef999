"""
Planted sound: some tracks sound of something, and who hears which of them follows the sound, in part.

A track's sound has four sides: fast or slow, dense or sparse, bright or dark, minor or major. It leans to its scene's
and is half its own. A listener prefers some sounds, whatever the scene. Which of a scene's sounding tracks a discovery
goes to is then drawn anew, by the artist's appeal and by sound: so whoever knows the sound of a new track can tell who
will like it better than by artist, genre and label alone, and nobody can tell it all.
"""

from dataclasses import dataclass, replace

import numpy as np

from recsys.demo.catalogue import NEVER
from recsys.demo.places import EVERYWHERE, SCENES
from recsys.demo.plants import Field
from recsys.demo.world import World

SIDES = 4  # tempo, density, brightness, minor
OF_SCENE = 0.6  # weight of the scene in a track's sound
STRENGTH = 1.3  # how much a listener's preference counts beside the artist's appeal
NEW_DAYS = 35  # what came out in the last days of the period sounds first of all: nobody has played it yet
NEW_SHARE = 0.6  # of the sounding tracks, at most


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
    track = field.choices.track.copy()
    for each in np.unique(scene):
        members = np.flatnonzero(scene == each)
        _draw_anew(field, rows[members], STRENGTH * likes @ sides[members].T, track, rng)
    free = field.free.copy()
    free[rows] = False
    return replace(field, choices=replace(field.choices, track=track), free=free), sounds


def _chosen(world: World, field: Field, rng: np.random.Generator) -> np.ndarray:
    tracks = field.catalogue.tracks
    may = field.free & (tracks.territory == EVERYWHERE) & (tracks.withdrawn_day == NEVER)
    is_new = tracks.release_day >= world.n_days - NEW_DAYS
    heard = np.bincount(field.choices.track, minlength=len(may))
    new = rng.permutation(np.flatnonzero(may & is_new & (heard > 0)))[: int(NEW_SHARE * world.n_sounding)]
    old = np.flatnonzero(may & ~is_new & (heard > np.quantile(heard, 0.3)))
    others = rng.choice(old, world.n_sounding - len(new), replace=False)
    return np.sort(np.concatenate([new, others]))


def _draw_anew(field: Field, rows: np.ndarray, pull: np.ndarray, track: np.ndarray, rng: np.random.Generator) -> None:
    """
    Draw which of a scene's sounding tracks each of its pairs of listener and track becomes, in place.

    `pull` is what every listener thinks of their sound, shape (n_listeners, n_rows).
    """
    tracks = field.catalogue.tracks
    heard = np.flatnonzero(np.isin(track, rows))
    pairs, first, pair = np.unique(
        np.stack([field.choices.listener[heard], track[heard]]), axis=1, return_index=True, return_inverse=True
    )
    listener, day = pairs[0], field.day[heard[first]]  # the log is in order: the first listen is the earliest
    place = field.catalogue.artists.place[tracks.artist[rows]]  # (n_rows, TASTE_DIMENSIONS)
    appeal = np.log(tracks.weight[rows]) + field.listeners.direction[listener] @ place.T + pull[listener]
    appeal[tracks.release_day[rows][None, :] > day[:, None]] = -np.inf  # (n_pairs, n_rows)
    drawn = (appeal + rng.gumbel(size=appeal.shape)).argmax(axis=1)
    track[heard] = rows[drawn[pair.ravel()]]
