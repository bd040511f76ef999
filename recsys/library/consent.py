"""Which recordings of a folder may be learned from: what the catalogue says of each."""

from pathlib import Path

from recsys.audio.training.train import TrainingTrack
from recsys.library.files import recordings
from recsys.warehouse.query import Warehouse

CONSENT_SQL = """
select track_id as name, training_consent from marts.track_features
union all
select isrc, min(training_consent) from marts.track_features
where isrc is not null group by isrc having count(distinct training_consent) = 1
"""
UNKNOWN = "unknown"


def training_tracks(warehouse: Warehouse, folder: Path) -> list[TrainingTrack]:
    """List the recordings of a folder with their consent; what the catalogue does not know is unknown."""
    consent = dict(warehouse.frame(CONSENT_SQL).iter_rows())
    return [TrainingTrack(each.path, consent.get(each.name, UNKNOWN)) for each in recordings(folder)]
