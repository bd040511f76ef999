"""The history of the nightly comparison of tunes, as tables that each run extends: what was searched and found."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from recsys.columns import Column

SOUND, NOTES = "sound", "notes"
TUNE_CANDIDATES_COLUMNS = (
    Column("source_kind", pl.String()),
    Column("source_id", pl.String()),
    Column("source_name", pl.String()),
    Column("audio_id", pl.String()),
    Column("score", pl.Float64()),
    Column("expected", pl.Float64()),
    Column("transposition", pl.Int64(), "semitones"),
    Column("tempo_ratio", pl.Float64()),
    Column("starts_s", pl.Float64(), "s"),
    Column("ends_s", pl.Float64(), "s"),
    Column("other_starts_s", pl.Float64(), "s"),
    Column("other_ends_s", pl.Float64(), "s"),
    Column("found_on", pl.Date()),
)
TUNE_CHECKS_COLUMNS = (
    Column("source_kind", pl.String()),
    Column("source_id", pl.String()),
    Column("source_name", pl.String()),
    Column("n_found", pl.Int64()),
    Column("checked_on", pl.Date()),
)


@dataclass(frozen=True, eq=False)
class TuneHistory:
    """
    The searches and results of all runs so far.

    Attributes:
        candidates: One row per source and recording with the same tune (TUNE_CANDIDATES_COLUMNS).
        checks: One row per searched recording or file (TUNE_CHECKS_COLUMNS).
    """

    candidates: pl.DataFrame
    checks: pl.DataFrame

    def without_gone(self, audio_ids: Iterable[str], file_ids: Iterable[str]) -> "TuneHistory":
        """Return the history of what is still there: recordings that are not taken down, and files."""
        recordings, files = list(audio_ids), list(file_ids)
        is_left = ((pl.col("source_kind") == SOUND) & pl.col("source_id").is_in(recordings)) | (
            (pl.col("source_kind") == NOTES) & pl.col("source_id").is_in(files)
        )
        candidates = self.candidates.filter(is_left & pl.col("audio_id").is_in(recordings))
        return TuneHistory(candidates, self.checks.filter(is_left))

    def checked(self, kind: str) -> set[str]:
        """Return the ids of the recordings, or of the files, that were searched."""
        return set(self.checks.filter(source_kind=kind)["source_id"])
