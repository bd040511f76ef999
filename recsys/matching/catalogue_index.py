"""
The fingerprint index of a catalogue: which recordings it holds, who owns them, and how it is kept up to date.

The index identifies a recording by the hash of its bytes (`audio_id`); the warehouse says which tracks have these bytes
and who owns them. A folder of music can be indexed without a warehouse.
"""

from pathlib import Path

import polars as pl

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, Fingerprinter, from_text
from recsys.lake.store import Lake
from recsys.library.files import recordings
from recsys.library.settings import AudioSettings
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.hear_files import Fingerprinted, fingerprint_files
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

BATCH_SIZE = 2_000  # recordings whose fingerprints are read at a time


def owners(warehouse: Warehouse) -> pl.DataFrame:
    """
    List the owners of recordings, one row per recording and track that has it.

    Returns:
        audio_id, track_id, title, artist_name, label_name, isrc, duration_ms, file.
    """
    return warehouse.query(internal_sql("audio_owners"))


def up_to_date(warehouse: Warehouse, lake: Lake, last: FingerprintIndex | None) -> FingerprintIndex:
    """
    Bring the index of the last release up to date with a warehouse.

    Args:
        warehouse: Lists the recordings; those that were taken down are not among them.
        lake: Holds the fingerprints of the recordings.
        last: The index of the last release. It is changed and returned if its network has today's version; a new one
            is built otherwise, or if it is None.
    """
    version = Fingerprinter.load().version
    index = last if last is not None and last.version == version else FingerprintIndex.build([], [], version=version)
    audio_ids = set(owners(warehouse)["audio_id"])
    index.remove([name for name in index.ids if name not in audio_ids])
    missing = sorted(audio_ids - set(index.ids))
    for first in range(0, len(missing), BATCH_SIZE):
        rows = _fingerprints(lake, missing[first : first + BATCH_SIZE], version)
        index.add(rows["audio_id"].to_list(), [from_text(text) for text in rows["prints"]])
    return index


def _fingerprints(lake: Lake, audio_ids: list[str], version: str) -> pl.DataFrame:
    rows = lake.rows("audio_prints").filter(pl.col("audio_id").is_in(audio_ids), fingerprinter=version)
    return rows.select("audio_id", "prints").unique("audio_id").sort("audio_id").collect()


def index_folder(folder: Path, settings: AudioSettings) -> tuple[FingerprintIndex, pl.DataFrame]:
    """
    Index a folder of music without a warehouse: a recording has the name of its file, and its owner is unknown.

    Args:
        folder: The folder, with its subfolders. Files with the same bytes are one recording; files that cannot be
            decoded are left out.
        settings: Limits of the worker processes.

    Returns:
        The index, and its recordings in the columns of `owners`, without duration_ms.
    """
    found = {recording.audio_id: recording for recording in recordings(folder)}
    results = dict(fingerprint_files([recording.path for recording in found.values()], settings))
    indexed = {
        recording: result
        for recording in found.values()
        if isinstance(result := results[recording.path], Fingerprinted)
    }
    index = FingerprintIndex.build(
        [recording.audio_id for recording in indexed],
        [result.vectors[::INDEX_STEP] for result in indexed.values()],
        version=Fingerprinter.load().version,
    )
    rows = [(one.audio_id, one.name, one.file, str(one.path.absolute())) for one in indexed]
    named = pl.DataFrame(rows, schema=["audio_id", "track_id", "title", "file"], orient="row")
    unknown = (pl.lit(None, dtype=pl.String).alias(name) for name in ("artist_name", "label_name", "isrc"))
    return index, named.with_columns(*unknown)


def load(folder: Path) -> FingerprintIndex:
    """Read the index of a release; raises StaleIndex or SetupError if it cannot be used."""
    return FingerprintIndex.load(folder, version=Fingerprinter.load().version)
