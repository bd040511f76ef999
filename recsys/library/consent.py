"""Training consent of the recordings in a folder, as recorded in the catalogue."""

from pathlib import Path

from recsys.audio.training.train import TrainingTrack
from recsys.library.files import recordings
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

UNKNOWN = "unknown"


def training_tracks(warehouse: Warehouse, folder: Path) -> list[TrainingTrack]:
    """List the recordings of a folder with their consent; it is 'unknown' for recordings outside the catalogue."""
    consent = dict(warehouse.query(internal_sql("training_consent")).iter_rows())
    return [TrainingTrack(recording.path, consent.get(recording.name, UNKNOWN)) for recording in recordings(folder)]
