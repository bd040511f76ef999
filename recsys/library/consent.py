"""Which recordings of a folder may be learned from: what the catalogue says of each."""

from pathlib import Path

from recsys.audio.training.train import TrainingTrack
from recsys.library.files import recordings
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

UNKNOWN = "unknown"


def training_tracks(warehouse: Warehouse, folder: Path) -> list[TrainingTrack]:
    """List the recordings of a folder with their consent; what the catalogue does not know is unknown."""
    consent = dict(warehouse.query(internal_sql("training_consent")).iter_rows())
    return [TrainingTrack(each.path, consent.get(each.name, UNKNOWN)) for each in recordings(folder)]
