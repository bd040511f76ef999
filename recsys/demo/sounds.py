"""
Planted preferences for sound: some tracks have audio, and who plays them depends partly on how they sound.

The sound of a track has four qualities (tempo, density, brightness, minor), which depend partly on its scene, but
mostly not. A listener prefers certain sounds in every scene. Listens of tracks with audio are redrawn among these
tracks, by sound more than by artist and scene. So audio features predict who will like a new track, better than artist,
genre and label do, but not perfectly.
"""

from dataclasses import dataclass, replace

import numpy as np

from recsys.demo.catalogue import NEVER_WITHDRAWN
from recsys.demo.geography import EVERYWHERE, SCENES
from recsys.demo.planted_breakouts import PlantingState
from recsys.demo.world import World

N_QUALITIES = 4  # tempo, density, brightness, minor
SCENE_WEIGHT = 0.4  # correlation of a track's sound with its scene's
PREFERENCE_WEIGHT = 4.5  # weight of the listener's preference for the sound
ARTIST_WEIGHT = 0.1  # weight of scene and artist
NEW_DAYS = 35  # releases of the last days of the period are chosen first: they have few plays
NEW_SHARE = 0.5  # of the tracks with audio, at most


@dataclass(frozen=True, slots=True)
class Sounds:
    """Tracks with audio: ascending rows, shape (n,), and their qualities, (n, N_QUALITIES), about standard normal."""

    rows: np.ndarray
    qualities: np.ndarray


def plant_sounds(world: World, state: PlantingState, rng: np.random.Generator) -> tuple[PlantingState, Sounds]:
    """Choose tracks with audio among the unused ones, and redraw who plays which of them."""
    rows = _chosen(world, state, rng)
    artists, tracks = state.catalogue.artists, state.catalogue.tracks
    scene = artists.scene[tracks.artist[rows]]
    of_scene = rng.normal(0, 1, (len(SCENES), N_QUALITIES))
    qualities = SCENE_WEIGHT * of_scene[scene] + np.sqrt(1 - SCENE_WEIGHT**2) * rng.normal(
        0, 1, (len(rows), N_QUALITIES)
    )
    likes = rng.normal(0, 1, (len(state.listeners.ids), N_QUALITIES)) / np.sqrt(N_QUALITIES)
    sounds = Sounds(rows, qualities)
    track = (
        redrawn_tracks(state, rows, PREFERENCE_WEIGHT * likes @ qualities.T, rng) if len(rows) else state.choices.track
    )
    unused = state.unused.copy()
    unused[rows] = False
    return replace(state, choices=replace(state.choices, track=track), unused=unused), sounds


def _chosen(world: World, state: PlantingState, rng: np.random.Generator) -> np.ndarray:
    """Choose new tracks, and old tracks with many plays: nothing could be learned from rarely played tracks."""
    tracks = state.catalogue.tracks
    eligible = state.unused & (tracks.territory == EVERYWHERE) & (tracks.withdrawn_day == NEVER_WITHDRAWN)
    is_new = tracks.release_day >= world.n_days - NEW_DAYS
    heard = np.bincount(state.choices.track, minlength=len(eligible))
    new = rng.permutation(np.flatnonzero(eligible & is_new & (heard > 0)))[: int(NEW_SHARE * world.n_tracks_with_audio)]
    old = np.flatnonzero(eligible & ~is_new)
    n_others = min(world.n_tracks_with_audio - len(new), len(old))
    well_heard = old[np.argsort(-heard[old], kind="stable")][: 2 * n_others]
    others = rng.choice(well_heard, n_others, replace=False)
    return np.sort(np.concatenate([new, others]))


def redrawn_tracks(state: PlantingState, rows: np.ndarray, pull: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """
    Return the track of every listen, after each pair of a listener and one of some tracks got a new one of them.

    Args:
        state: The world so far.
        rows: Ascending rows of the tracks that are redrawn among themselves, shape (n_rows,).
        pull: Every listener's preference for these tracks, shape (n_listeners, n_rows).
        rng: Random generator.
    """
    tracks, artists, track = state.catalogue.tracks, state.catalogue.artists, state.choices.track.copy()
    heard = np.flatnonzero(np.isin(track, rows))
    pairs, first, pair = np.unique(
        np.stack([state.choices.listener[heard], track[heard]]), axis=1, return_index=True, return_inverse=True
    )
    listener, day = pairs[0], state.day[heard[first]]  # the log is in order: the first listen is the earliest
    artist = tracks.artist[rows]
    artist_preference = np.log(state.listeners.scene_shares[listener][:, artists.scene[artist]])  # (n_pairs, n_rows)
    artist_preference = artist_preference + state.listeners.preference[listener] @ artists.position[artist].T
    appeal = 0.5 * np.log(tracks.weight[rows]) + ARTIST_WEIGHT * artist_preference + pull[listener]
    appeal[tracks.release_day[rows][None, :] > day[:, None]] = -np.inf
    track[heard] = rows[(appeal + rng.gumbel(size=appeal.shape)).argmax(axis=1)[pair.ravel()]]
    return track
