"""
Events besides listening (likes, unlikes, saves, playlist adds and shares), and the playlists that result.

An event follows a listen that was not skipped, most likely the listener's first listen of the recording. A playlist
contains the recordings that its owner added, in that order; editorial playlists have no owner.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.demo import names
from recsys.demo.catalogue import Catalogue
from recsys.demo.geography import SCENES
from recsys.demo.playing import Listens
from recsys.demo.sessions import DAY_S
from recsys.demo.world import World

KINDS = ("like", "unlike", "save", "playlist_add", "share")
LIKE, UNLIKE, SAVE, PLAYLIST_ADD, SHARE = range(5)
EVENT_PROBABILITIES = {
    LIKE: (0.060, 0.012),
    SAVE: (0.024, 0.004),
    PLAYLIST_ADD: (0.030, 0.006),
    SHARE: (0.008, 0.002),
}  # kind -> probability after a discovery and after a repeat
UNLIKE_SHARE = 0.07
PLAYLISTS_PER_LISTENER = 3
EDITORIAL_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Events:
    """Events in time order: listener row, track row, seconds after day 0 (UTC), kind (a row of KINDS)."""

    listener: np.ndarray
    track: np.ndarray
    at_s: np.ndarray
    kind: np.ndarray


def make_events(world: World, listens: Listens, rng: np.random.Generator) -> Events:
    """Draw the events of a log: at most one of each kind per listener and track."""
    parts = [_of_kind(listens, kind, rng) for kind in EVENT_PROBABILITIES]
    parts.append(_unlikes(parts[0], rng))
    listener, track, at_s, kind = (np.concatenate([getattr(part, name) for part in parts]) for name in Events.__slots__)
    order = np.lexsort((kind, track, listener, at_s))
    order = order[at_s[order] < world.n_days * DAY_S]  # the log ends at midnight UTC, even during a listen
    return Events(listener[order], track[order], at_s[order], kind[order])


def _of_kind(listens: Listens, kind: int, rng: np.random.Generator) -> Events:
    when_new, when_repeated = EVENT_PROBABILITIES[kind]
    chance = np.where(listens.is_new, when_new, when_repeated)
    rows = np.flatnonzero((rng.random(len(chance), dtype=np.float32) < chance) & (listens.skipped != 1))
    pair = listens.listener[rows].astype(np.int64) << 32 | listens.track[rows]
    rows = rows[np.sort(np.unique(pair, return_index=True)[1])]
    during = (rng.random(len(rows)) * listens.ms_played[rows].clip(min=1_000) / 1_000).astype(np.int64)
    return Events(listens.listener[rows], listens.track[rows], listens.at_s[rows] + during, np.full(len(rows), kind))


def _unlikes(likes: Events, rng: np.random.Generator) -> Events:
    """Draw the likes that are withdrawn within three weeks."""
    at_s = likes.at_s + (rng.uniform(0.01, 21, len(likes.at_s)) * DAY_S).astype(np.int64)
    rows = np.flatnonzero(rng.random(len(at_s)) < UNLIKE_SHARE)
    return Events(likes.listener[rows], likes.track[rows], at_s[rows], np.full(len(rows), UNLIKE))


def playlist_table(
    world: World, catalogue: Catalogue, ids: np.ndarray, events: Events, rng: np.random.Generator
) -> pl.DataFrame:
    """Return the playlists with the columns of their file; `ids` are the listeners' ids."""
    own = _own_playlists(world, catalogue, ids, events, rng)
    table = pl.concat([own, _editorial_playlists(world, catalogue, rng)])
    lists = table["playlist_id"].unique(maintain_order=True)
    renamed = pl.Series(names.ids("pl", len(lists), 7, rng))
    return table.with_columns(pl.col("playlist_id").replace_strict(lists, renamed))


def _own_playlists(
    world: World, catalogue: Catalogue, ids: np.ndarray, events: Events, rng: np.random.Generator
) -> pl.DataFrame:
    added = np.flatnonzero(events.kind == PLAYLIST_ADD)
    owner = events.listener[added].astype(np.int64)
    nth = (rng.random(len(added)) ** 2 * PLAYLISTS_PER_LISTENER).astype(np.int64)  # mostly the first of three
    number = owner * PLAYLISTS_PER_LISTENER + nth
    title = names.playlists(len(ids) * PLAYLISTS_PER_LISTENER, rng)[number]
    return pl.DataFrame(
        {
            "playlist_id": number.astype(str),
            "position": pl.Series(number).to_frame("n").select(pl.int_range(1, pl.len() + 1).over("n")).to_series(),
            "track_id": catalogue.tracks.ids[events.track[added]],
            "user_id": ids[owner],
            "title": title,
            "added_at": iso(world, events.at_s[added]),
        }
    )


def _editorial_playlists(world: World, catalogue: Catalogue, rng: np.random.Generator) -> pl.DataFrame:
    """Return one playlist per scene: older tracks drawn by weight, added on the first morning of the period."""
    tracks, scene = catalogue.tracks, catalogue.artists.scene[catalogue.tracks.artist]
    key = np.where(tracks.release_day < 0, tracks.weight * rng.uniform(0.3, 1.0, len(scene)), -1.0)
    best = np.lexsort((-key, scene))
    position = np.arange(len(best)) - np.searchsorted(scene[best], scene[best]) + 1
    best, position = best[position <= EDITORIAL_LENGTH], position[position <= EDITORIAL_LENGTH]
    of_scene = scene[best]
    titles = np.array([f"The {s.second_genre.title()} Room" for s in SCENES])
    return pl.DataFrame(
        {
            "playlist_id": np.char.add("e", of_scene.astype(str)),
            "position": position,
            "track_id": tracks.ids[best],
            "user_id": pl.Series([None] * len(best), dtype=pl.String),
            "title": titles[of_scene],
            "added_at": iso(world, np.full(len(best), 6 * 3_600)),
        }
    )


def iso(world: World, at_s: np.ndarray) -> pl.Series:
    """Return seconds after the start of day 0 as ISO 8601 strings in UTC."""
    moments = pl.Series(at_s.astype(np.int64) + world.first_second)
    return pl.from_epoch(moments, time_unit="s").dt.to_string("%Y-%m-%dT%H:%M:%SZ")
