"""
A seeded generator of homes that are as small or as lopsided as a home can be.

`write_inbox` writes the delivered files of one kind of home; `KINDS` lists the kinds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl

LAST_DAY = date(2026, 6, 30)
HEARD_MS, SKIPPED_MS = 180_000, 1_000


@dataclass(frozen=True)
class Shape:
    """
    The shape of a home's data.

    Attributes:
        n_listeners, n_tracks, n_artists, n_labels: Sizes; without artists, no metadata is delivered at all.
        heard: Share of the catalogue that each listener has heard, 0..1; at least one track.
        n_plays: Plays of each pair of listener and track.
        first_listener: Factor by which the first listener has more plays.
        days: Days before LAST_DAY on which plays may be.
        ms_played: Duration of every play [ms].
        extra: Further tables by name, each made from the ids of the tracks.
    """

    n_listeners: int = 12
    n_tracks: int = 40
    n_artists: int = 8
    n_labels: int = 3
    heard: float = 0.4
    n_plays: int = 2
    first_listener: int = 1
    days: tuple[int, ...] = tuple(range(90))
    ms_played: int = HEARD_MS
    extra: Mapping[str, Callable[[list[str]], pl.DataFrame]] | None = None


def _one_vector(tracks: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"track_id": tracks[:1], "encoder": "delivered", "vector": [[0.6, 0.8, 0.0]]})


NORMAL = Shape()
KINDS = {
    "one listener": replace(NORMAL, n_listeners=1),
    "one listener who has heard everything": replace(NORMAL, n_listeners=1, heard=1),
    "one artist": replace(NORMAL, n_artists=1),
    "one artist, and everybody has heard everything": replace(NORMAL, n_artists=1, heard=1),
    "one track": replace(NORMAL, n_tracks=1, n_artists=1, n_labels=1),
    "one track, one listener, one play": Shape(1, 1, 1, 1, n_plays=1, days=(3,)),
    "nobody has two tracks": replace(NORMAL, heard=0),
    "everybody has heard everything": replace(NORMAL, heard=1),
    "one listener has 99 % of plays": replace(NORMAL, heard=0.1, n_plays=1, first_listener=1_000),
    "a log of one day": replace(NORMAL, days=(0,)),
    "a log of one day, long ago": replace(NORMAL, days=(200,)),
    "a gap of a year": replace(NORMAL, days=(*range(3), *range(368, 380))),
    "no metadata": replace(NORMAL, n_artists=0),
    "no labels": replace(NORMAL, n_labels=0),
    "one label": replace(NORMAL, n_labels=1),
    "only skips": replace(NORMAL, ms_played=SKIPPED_MS),
    "one track has a vector": replace(NORMAL, extra={"audio_vectors": _one_vector}),
    "a catalogue without a listen": replace(NORMAL, n_listeners=0),
    "nothing": replace(NORMAL, n_listeners=0, n_tracks=0, n_artists=0),
}


def write_inbox(folder: Path, kind: str, seed: int = 7) -> Path:
    """Write the files of a kind of home to a new folder; the same seed gives the same files."""
    shape, rng = KINDS[kind], np.random.default_rng(seed)
    folder.mkdir(parents=True)
    tracks = [f"trk_{n:03}" for n in range(shape.n_tracks)]
    for name, table in {"listens": _listens(shape, tracks, rng), **_metadata(shape, tracks)}.items():
        if len(table):
            table.write_csv(folder / f"{name}.csv")
    for name, make in (shape.extra or {}).items():
        make(tracks).write_parquet(folder / f"{name}.parquet")
    return folder


def _listens(shape: Shape, tracks: list[str], rng: np.random.Generator) -> pl.DataFrame:
    rows = [
        (f"account {listener}", track, _instant(shape, rng), shape.ms_played)
        for listener in range(shape.n_listeners)
        for track in rng.permutation(tracks)[: max(1, round(shape.heard * len(tracks)))]
        for _ in range(shape.n_plays * (shape.first_listener if listener == 0 else 1))
    ]
    columns = {"user_id": pl.String, "track_id": pl.String, "listened_at": pl.Datetime, "ms_played": pl.Int64}
    return pl.DataFrame(rows, columns, orient="row").unique(maintain_order=True)


def _instant(shape: Shape, rng: np.random.Generator) -> datetime:
    day = LAST_DAY - timedelta(days=int(rng.choice(shape.days)))
    return datetime.combine(day, time()) + timedelta(seconds=int(rng.integers(86_400)))


def _metadata(shape: Shape, tracks: list[str]) -> dict[str, pl.DataFrame]:
    if not shape.n_artists:
        return {}
    artists = [f"art_{n}" for n in range(min(shape.n_artists, len(tracks)))]
    labels = [f"lbl_{n}" for n in range(shape.n_labels)]
    of_tracks = {
        "track_id": tracks,
        "title": [f"Song {n}" for n in range(len(tracks))],
        "artist_id": [artists[n % len(artists)] for n in range(len(tracks))],
        "label_id": [labels[n % len(labels)] if labels else None for n in range(len(tracks))],
        "release_date": [date(2024, 1, 1)] * len(tracks),
        "genres": [("rock", "pop", "jazz")[n % 3] for n in range(len(tracks))],
    }
    return {
        "tracks": pl.DataFrame(of_tracks),
        "artists": pl.DataFrame({"artist_id": artists, "name": [f"Artist {name}" for name in artists]}),
        "labels": pl.DataFrame({"label_id": labels, "name": [f"Label {name}" for name in labels]}),
    }
