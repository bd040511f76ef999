"""Tunes of a file compared with those of a home, for `recsys same-tune` and the page of similar tunes."""

from collections import Counter
from collections.abc import Collection, Container
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from recsys.arrays import F32
from recsys.errors import InputError
from recsys.files import printable
from recsys.home import Home
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.library.music_folders import find_recording
from recsys.matching.tunes.reading import ReadTunes, read_file, read_tunes, sorted_out, tune_files
from recsys.matching.tunes.recordings import ReadRecordings, chromagram_or_reason
from recsys.matching.tunes.same import Others
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

TAKEN_DOWN = "taken down: the recording is removed, and no longer compared"


@dataclass(frozen=True, eq=False)
class CatalogueTunes:
    """
    What a home has of tunes.

    Attributes:
        others: The tunes in notes, and the recordings, that files are compared with.
        tracks: One row per recording that is compared: name, track_id, audio_id, file.
    """

    others: Others
    tracks: pl.DataFrame

    def without_copies(self, audio_id: str) -> Others:
        """Return what a file is compared with: all but its own recording, whose bytes it has."""
        copies = self.tracks.filter(audio_id=audio_id)["name"].to_list()
        recordings = self.others.recordings
        left = {name: frames for name, frames in recordings.chromagrams.items() if name not in copies}
        left_out = recordings.left_out | dict.fromkeys(copies, "the file itself is this recording")
        return Others(
            self.others.tunes,
            ReadRecordings(left, left_out, recordings.file, recordings.n_strangers),
            self.others.shown,
        )


def catalogue_tunes(home: Home, own: Collection[str] | None = None, *, without: Path | None = None) -> CatalogueTunes:
    """
    Read the tunes in notes of `<home>/tunes`, and the recordings of the published warehouse.

    A recording that was taken down after the release was made is left out.

    Args:
        home: The home. Without a published warehouse, it has no recordings.
        own: Track ids of the recordings that may be named, and whose works' notes may be; None: all. The others count
            as strangers.
        without: A file of notes that is left out.
    """
    tunes = read_tunes(home.tunes, without=without) if home.tunes.is_dir() else ReadTunes([], {})
    if not home.warehouse.exists():
        return CatalogueTunes(Others(tunes, ReadRecordings({}, {}, lambda _name: None)), _named([]))
    with Warehouse.open(home.published_warehouse()) as warehouse:
        rows = warehouse.query(internal_sql("recordings_with_tunes"))
        works = warehouse.query(internal_sql("works_of_recordings"))
    n_strangers = rows["audio_id"].n_unique()
    if own is not None:
        rows, works = (table.filter(pl.col("track_id").is_in(list(own))) for table in (rows, works))
    tracks = _named(rows.rows(named=True))
    shown = None if own is None else _tunes_of(home.tunes, set(works["work_key"]))
    return CatalogueTunes(Others(tunes, _recordings(home, tracks, n_strangers), shown), tracks)


def _recordings(home: Home, tracks: pl.DataFrame, n_strangers: int) -> ReadRecordings:
    """Return the recordings that can be compared, each file once; a file of a recording taken down is none."""
    gone = set(Lake(home).latest(CONTRACTS["takedowns"]).select("track_id").collect()["track_id"])
    known, left_out = dict[str, F32](), dict[str, str]()
    is_gone = pl.col("track_id").is_in(list(gone))
    left_out |= dict.fromkeys(tracks.filter(is_gone)["name"], TAKEN_DOWN)
    left = tracks.filter(~is_gone, ~pl.col("audio_id").is_in(tracks.filter(is_gone)["audio_id"].implode()))
    for row in left.unique("audio_id", keep="first", maintain_order=True).iter_rows(named=True):
        result = chromagram_or_reason(row["chromagram"])
        if isinstance(result, str):
            left_out[row["name"]] = result
        else:
            known[row["name"]] = result
    places = {row["name"]: (row["file"], row["audio_id"]) for row in tracks.iter_rows(named=True)}
    return ReadRecordings(known, left_out, partial(_file, home, places), n_strangers)


def _file(home: Home, places: dict[str, tuple[str | None, str]], name: str) -> Path | None:
    file, audio_id = places[name]
    return None if file is None else find_recording(home, file, audio_id)


def _named(rows: list[dict[str, str | None]]) -> pl.DataFrame:
    """Add the name of each recording: title and artist, followed by its id where several have the same."""
    names = [f"{row['title'] or row['track_id']} by {row['artist_name'] or 'an unknown artist'}" for row in rows]
    schema = dict.fromkeys(("track_id", "audio_id", "title", "artist_name", "file", "chromagram"), pl.String)
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.with_columns(pl.Series("name", _distinct(names, table["track_id"].to_list()), pl.String))


def _distinct(names: list[str], ids: list[str]) -> list[str]:
    """Add the id to each name that several have, until all differ: an artist may be called like another's id."""
    while repeated := {name for name, n in Counter(names).items() if n > 1}:
        names = [f"{name} ({id_})" if name in repeated else name for name, id_ in zip(names, ids, strict=True)]
    return names


def _tunes_of(folder: Path, work_keys: Container[str]) -> frozenset[str]:
    """Return the names of the tunes in the files that are named after one of these works."""
    if not folder.is_dir():
        return frozenset()
    own = [file for file in tune_files(folder) if file.relative_to(folder).with_suffix("").as_posix() in work_keys]
    return frozenset(name for file in own for name in _names(file, printable(str(file.relative_to(folder)))))


def _names(file: Path, name: str) -> list[str]:
    """Return the names of the tunes of a file; none if it cannot be read."""
    try:
        return [melody.name for melody in sorted_out(read_file(file, name)).melodies]
    except InputError:
        return []
