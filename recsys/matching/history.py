"""The history of matching: the searched files and the uses found, as tables that each nightly run extends."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from recsys.columns import Column

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex

SOURCE_KIND = Column("source_kind", pl.String())
SOURCE_FILE = Column("source_file", pl.String())
SOURCE_AUDIO_ID = Column("source_audio_id", pl.String())
MATCH_CANDIDATES_COLUMNS = (
    *(SOURCE_KIND, SOURCE_FILE, SOURCE_AUDIO_ID),
    Column("audio_id", pl.String()),
    Column("starts_s", pl.Float64(), "s"),
    Column("ends_s", pl.Float64(), "s"),
    Column("reference_starts_s", pl.Float64(), "s"),
    Column("reference_ends_s", pl.Float64(), "s"),
    Column("tempo_ratio", pl.Float64()),
    Column("pitch_semitones", pl.Float64()),
    Column("probability", pl.Float64()),
    Column("is_strict", pl.Boolean()),
    Column("n_places", pl.Int64()),
    Column("found_on", pl.Date()),
)
MATCH_CHECKS_COLUMNS = (
    *(SOURCE_KIND, SOURCE_FILE, SOURCE_AUDIO_ID),
    Column("source_duration_s", pl.Float64(), "s"),
    Column("n_uses", pl.Int64()),
    Column("failure", pl.String()),
    Column("checked_on", pl.Date()),
)


@dataclass(frozen=True, eq=False)
class MatchHistory:
    """
    The searches and results of all runs so far.

    Attributes:
        candidates: One row per use found (MATCH_CANDIDATES_COLUMNS).
        checks: One row per searched upload or catalogue recording (MATCH_CHECKS_COLUMNS).
        fingerprints: The fingerprints of the uploads; None before the first, or if another version's network made them.
    """

    candidates: pl.DataFrame
    checks: pl.DataFrame
    fingerprints: "FingerprintIndex | None" = None
