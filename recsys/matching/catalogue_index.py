"""
The fingerprint index of a catalogue: its recordings, their owners, and its update to a new warehouse.

The index identifies a recording by the hash of its file (`audio_id`); the warehouse lists the tracks with this file and
their owners. A folder of music can be indexed without a warehouse.
"""

from pathlib import Path

import polars as pl

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, Fingerprinter, from_text
from recsys.files import printable
from recsys.lake.store import Lake
from recsys.library.files import recordings
from recsys.library.settings import AudioSettings
from recsys.matching.audio_tasks import Fingerprinted, fingerprint_files
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

BATCH_SIZE = 2_000  # recordings whose fingerprints are read at once


def owners(warehouse: Warehouse) -> pl.DataFrame:
    """
    List the owners of recordings, one row per recording and track.

    Returns:
        audio_id, track_id, title, artist_name, label_name, isrc, duration_ms, file.
    """
    return warehouse.query(internal_sql("audio_owners"))


def up_to_date(warehouse: Warehouse, lake: Lake, last: FingerprintIndex | None) -> FingerprintIndex:
    """
    Update the fingerprint index of the last release to the recordings of a warehouse.

    Args:
        warehouse: Lists the recordings, without those that were taken down.
        lake: Contains the fingerprints of the recordings.
        last: The index of the last release. It is changed and returned if its vectors come from the current version of
            the network. If not, or if it is None, a new index is built.
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
    Index a folder of music without a warehouse; recordings are named after their files, and owners are unknown.

    Args:
        folder: The folder, including its subfolders. Byte-identical files are one recording; files that cannot be
            decoded are omitted.
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
    rows = [(one.audio_id, one.name, one.file, printable(str(one.path.absolute()))) for one in indexed]
    named = pl.DataFrame(rows, schema=["audio_id", "track_id", "title", "file"], orient="row")
    unknown = (pl.lit(None, dtype=pl.String).alias(name) for name in ("artist_name", "label_name", "isrc"))
    return index, named.with_columns(*unknown)


def load(folder: Path) -> FingerprintIndex:
    """
    Load the fingerprint index of a release.

    Raises:
        StaleIndex: The vectors were computed by another version of the network.
        SetupError: The index is missing or damaged.
    """
    return FingerprintIndex.load(folder, version=Fingerprinter.load().version)
