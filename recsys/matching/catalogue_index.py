"""
The fingerprint index of a catalogue: its recordings, their owners, and its update to a new warehouse.

The index identifies a recording by the hash of its file (`audio_id`); the warehouse lists the tracks with this file and
their owners. A folder of music can be indexed without a warehouse.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, Fingerprinter, from_text
from recsys.audio.sandbox import Failure
from recsys.audio.signal import UnreadableAudio, require_regular_file
from recsys.errors import InputError
from recsys.files import printable
from recsys.lake.store import Lake
from recsys.library.files import named_recordings, possible_audio
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


@dataclass(frozen=True, eq=False)
class IndexedMusic:
    """
    The fingerprint index of a catalogue or of a folder of music.

    Attributes:
        index: The index; ids are the hashes of the files.
        owners: Its recordings in the columns of `owners`, without duration_ms.
        failures: Why files could not be decoded, by printable path.
    """

    index: FingerprintIndex
    owners: pl.DataFrame
    failures: dict[str, str]


def index_folder(folder: Path, settings: AudioSettings) -> IndexedMusic:
    """
    Index a folder of music without a warehouse; recordings are named after their files, and owners are unknown.

    Args:
        folder: The folder, including its subfolders. Byte-identical files are one recording. All files are read but
            those that commonly lie beside music (`COMPANION_SUFFIXES`).
        settings: Limits of the worker processes.

    Raises:
        InputError: The path is not a folder, or none of its files can be decoded.
    """
    paths, failures = _readable(possible_audio(folder))
    named = named_recordings(folder, paths)
    found = {recording.audio_id: recording for recording in named}
    results = dict(fingerprint_files([recording.path for recording in found.values()], settings))
    indexed = {
        recording: result
        for recording in found.values()
        if isinstance(result := results[recording.path], Fingerprinted)
    }
    for recording in named:
        if isinstance(result := results[found[recording.audio_id].path], Failure):
            failures[printable(str(recording.path))] = result.message
    if not indexed:
        raise InputError(f"{folder} contains no file that can be decoded. Give a folder of music")
    index = FingerprintIndex.build(
        [recording.audio_id for recording in indexed],
        [result.vectors[::INDEX_STEP] for result in indexed.values()],
        version=Fingerprinter.load().version,
    )
    rows = [(one.audio_id, one.name, one.file, printable(str(one.path.absolute()))) for one in indexed]
    titles = pl.DataFrame(rows, schema=["audio_id", "track_id", "title", "file"], orient="row")
    unknown = (pl.lit(None, dtype=pl.String).alias(name) for name in ("artist_name", "label_name", "isrc"))
    return IndexedMusic(index, titles.with_columns(*unknown), dict(sorted(failures.items())))


def _readable(paths: list[Path]) -> tuple[list[Path], dict[str, str]]:
    """Return the files that can be opened, and why others cannot, by printable path."""
    failures = {}
    for path in paths:
        try:
            require_regular_file(path)
        except UnreadableAudio as unreadable:
            failures[printable(str(path))] = unreadable.message
    return [path for path in paths if printable(str(path)) not in failures], failures


def load(folder: Path) -> FingerprintIndex:
    """
    Load the fingerprint index of a release.

    Raises:
        StaleIndex: The vectors were computed by another version of the network.
        SetupError: The index is missing or damaged.
    """
    return FingerprintIndex.load(folder, version=Fingerprinter.load().version)
