"""
The index of fingerprints as part of a release: which recordings stand in it, whose they are, how it is kept up to date.

A recording is known by its bytes (`audio_id`); which tracks have it, and whose these are, the tables say. A folder of
music can be asked without any.
"""

from pathlib import Path

import polars as pl

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, Fingerprinter, from_text
from recsys.lake.store import Lake
from recsys.library.files import recordings
from recsys.library.settings import AudioSettings
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.hear_files import Fingerprinted, listened
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

SOME = 2_000  # recordings whose fingerprints are read at a time


def owners(warehouse: Warehouse) -> pl.DataFrame:
    """Tell whose each recording is: audio_id, track_id, title, artist_name, label_name, isrc, duration_ms, file."""
    return warehouse.query(internal_sql("audio_owners"))


def up_to_date(warehouse: Warehouse, lake: Lake, last: FingerprintIndex | None) -> FingerprintIndex:
    """
    Bring an index up to date with the recordings that the tables have.

    Args:
        warehouse: Tells which recordings there are; those that were taken down count as gone.
        lake: Holds their fingerprints.
        last: The index of the last release, changed and returned where its network is the same; None starts anew.
    """
    version = Fingerprinter.load().version
    index = last if last is not None and last.version == version else FingerprintIndex.build([], [], version=version)
    wanted = set(owners(warehouse)["audio_id"])
    index.remove([name for name in index.ids if name not in wanted])
    missing = sorted(wanted - set(index.ids))
    for first in range(0, len(missing), SOME):
        rows = _fingerprints(lake, missing[first : first + SOME], version)
        index.add(rows["audio_id"].to_list(), [from_text(text) for text in rows["prints"]])
    return index


def _fingerprints(lake: Lake, audio_ids: list[str], version: str) -> pl.DataFrame:
    rows = lake.rows("audio_prints").filter(pl.col("audio_id").is_in(audio_ids), fingerprinter=version)
    return rows.select("audio_id", "prints").unique("audio_id").sort("audio_id").collect()


def of_folder(folder: Path, settings: AudioSettings) -> tuple[FingerprintIndex, pl.DataFrame]:
    """
    Index a folder of music without a catalogue: a recording is called by its file, and nobody is known to own it.

    Args:
        folder: Searched through; files of the same bytes are one recording, files that cannot be heard are none.
        settings: Limits of the processes that listen.

    Returns:
        The index, and what `owners` tells of its recordings.
    """
    by_id = {each.audio_id: each for each in recordings(folder)}
    heard = dict(listened([each.path for each in by_id.values()], settings))
    known = {each: sound for each in by_id.values() if isinstance(sound := heard[each.path], Fingerprinted)}
    prints = FingerprintIndex.build(
        [each.audio_id for each in known],
        [sound.vectors[::INDEX_STEP] for sound in known.values()],
        version=Fingerprinter.load().version,
    )
    rows = [(each.audio_id, each.name, each.file, str(each.path.absolute())) for each in known]
    named = pl.DataFrame(rows, schema=["audio_id", "track_id", "title", "file"], orient="row")
    unknown = (pl.lit(None, dtype=pl.String).alias(name) for name in ("artist_name", "label_name", "isrc"))
    return prints, named.with_columns(*unknown)


def load(folder: Path) -> FingerprintIndex:
    """Read the index of a release; raises StaleIndex or SetupError where it cannot be used."""
    return FingerprintIndex.load(folder, version=Fingerprinter.load().version)
