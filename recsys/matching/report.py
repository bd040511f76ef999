"""
The matching report for rights managers, as a table, CSV, JSON or HTML page, all with the same fields.

One row per use and track: if two tracks have the same recording, a use of it gives two rows.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from math import isnan
from pathlib import Path
from typing import Any, Self

import polars as pl

from recsys import files
from recsys.matching.alignment import MAX_TEMPO_CHANGE, Calibration
from recsys.matching.audio_tasks import require_decoded
from recsys.matching.cue_sheets import Cue, CueSheet
from recsys.warehouse.spreadsheet import csv_text

DISCLAIMER = (
    "A match shows that recordings sound alike, not that a right was infringed. Licences, quotations, samples that "
    "both recordings have cleared and works in the public domain are for people to judge."
)
LOOKED_FOR = (
    f"Looked for are uses at {1 - MAX_TEMPO_CHANGE:.0%} to {1 + MAX_TEMPO_CHANGE:.0%} of the recording's tempo, at 85% "
    "to 115% of its speed, and up to three semitones higher or lower (in uses of less than ten seconds, a tenth and "
    "two semitones). Other uses are outside what is looked for."
)
INDEX_DISCLOSURE = (
    "The index holds 128 bytes for every half second of a recording, made by a network that was trained to ignore "
    "level, pitch and tempo. No sound can be reconstructed from it. A person who has the index and a recording can "
    "find out whether the recording is in it. The vectors also show where a recording repeats itself."
)
COLUMNS = {
    "file": pl.String,
    "duration_s": pl.Float64,
    "starts_s": pl.Float64,
    "ends_s": pl.Float64,
    "track_id": pl.String,
    "title": pl.String,
    "artist_name": pl.String,
    "label_name": pl.String,
    "isrc": pl.String,
    "reference_starts_s": pl.Float64,
    "reference_ends_s": pl.Float64,
    "transformation": pl.String,
    "tempo_ratio": pl.Float64,
    "pitch_semitones": pl.Float64,
    "probability": pl.Float64,
    "false_positives": pl.String,
    "n_places": pl.Int64,
    "audio_id": pl.String,
}
OWNER_COLUMNS = ("track_id", "title", "artist_name", "label_name", "isrc")


@dataclass(frozen=True, eq=False)
class MatchReport:
    """
    The uses found in the searched files.

    Attributes:
        sheets: The cue sheet of each searched file.
        owners: The owners of the recordings (see `catalogue_index.owners`).
        calibration: The match classifiers that were used.
        not_indexed: Why files of the folder that was compared with could not be decoded, by path.
    """

    sheets: list[CueSheet]
    owners: pl.DataFrame
    calibration: Calibration
    not_indexed: dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> pl.DataFrame:
        """All uses, sorted by file and start, with the columns of `COLUMNS`."""
        rows = [_row(sheet, cue) for sheet in self.sheets for cue in sheet.cues]
        uses = pl.DataFrame(rows, schema={name: kind for name, kind in COLUMNS.items() if name not in OWNER_COLUMNS})
        owners = self.owners.select("audio_id", *OWNER_COLUMNS)
        return uses.join(owners, on="audio_id", how="left", maintain_order="left").select(list(COLUMNS))

    @property
    def failures(self) -> dict[str, str]:
        """The reason for each searched file that could not be decoded, by path."""
        return {sheet.file: sheet.failure.message for sheet in self.sheets if sheet.failure is not None}

    @property
    def operating_points(self) -> list[dict[str, Any]]:
        """The probability thresholds for 1 % and 0.1 % false positives, per query length [s]."""
        return [
            {
                "length_s": classifier.length_s,
                "at_1_percent": classifier.threshold_1_percent,
                "at_01_percent": classifier.threshold_01_percent,
            }
            for classifier in self.calibration.classifiers
        ]

    def require_complete(self) -> None:
        """Raise InputError if files could not be decoded; the message lists them."""
        require_decoded(
            {f"not searched: {file}": message for file, message in self.failures.items()}
            | {f"not looked for: {file}": message for file, message in self.not_indexed.items()}
        )

    def restricted_to(self, track_ids: Collection[str]) -> Self:
        """Return the report with only the uses and owners of these tracks, for their rights holder."""
        owners = self.owners.filter(pl.col("track_id").is_in(list(track_ids)))
        known = set(owners["audio_id"])
        kept = {n: [cue for cue in sheet.cues if cue.use.audio_id in known] for n, sheet in enumerate(self.sheets)}
        return replace(self, sheets=[replace(self.sheets[n], cues=cues) for n, cues in kept.items()], owners=owners)

    def with_file_names_only(self) -> Self:
        """Return the report with file names instead of paths, for uploads that were searched in a temporary folder."""
        return replace(self, sheets=[replace(sheet, path=Path(sheet.path.name)) for sheet in self.sheets])

    def as_json(self) -> str:
        """Return the report as JSON text."""
        uses = self.table
        report = {
            "about": DISCLAIMER,
            "looked_for": LOOKED_FOR,
            "index": INDEX_DISCLOSURE,
            "operating_points": self.operating_points,
            "not_indexed": self.not_indexed,
            "files": [
                {
                    "file": sheet.file,
                    "duration_s": round(sheet.duration_s, 3),
                    "failure": None if sheet.failure is None else sheet.failure.message,
                    "searched": None if sheet.failure else sheet.searched,
                    "uses": uses.filter(file=sheet.file).drop("file", "duration_s").to_dicts(),
                }
                for sheet in self.sheets
            ],
        }
        return json.dumps(report, indent=2, ensure_ascii=False)


def _row(sheet: CueSheet, cue: Cue) -> dict[str, Any]:
    use = cue.use
    return {
        "file": sheet.file,
        "duration_s": round(sheet.duration_s, 3),
        "starts_s": round(use.starts_s, 2),
        "ends_s": round(use.ends_s, 2),
        "reference_starts_s": round(use.reference_starts_s, 2),
        "reference_ends_s": round(use.reference_ends_s, 2),
        "transformation": cue.transformation,
        "tempo_ratio": round(use.tempo_ratio, 4),
        "pitch_semitones": None if isnan(cue.pitch_semitones) else round(cue.pitch_semitones, 2),
        "probability": round(use.probability, 4),
        "false_positives": "0.1 %" if use.is_strict else "1 %",
        "n_places": use.n_places,
        "audio_id": use.audio_id,
    }


def write(report: MatchReport, form: str, path: Path) -> None:
    """Write the report to a file as `csv` or `json`."""
    files.write_text(path, report.as_json() + "\n" if form == "json" else csv_text(report.table))
