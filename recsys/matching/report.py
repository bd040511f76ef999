"""
What matching found, for a rights manager: a table, CSV, JSON and a page, all of the same fields.

A row is a use of a recording by a file and a track that has this recording: two tracks of the same bytes are two rows.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path
from typing import Any, Self

import polars as pl

from recsys import files
from recsys.matching.alignment import Calibration
from recsys.matching.cue_sheets import Cue, CueSheet

ABOUT = (
    "What is found here is that recordings sound alike, not that a right was infringed: licences, quotations, samples "
    "that both have cleared and works in the public domain are for people to judge."
)
INDEX_ABOUT = (
    "The index holds 128 bytes for every half second of a recording, made by a network that was trained to ignore "
    "level, pitch and tempo. No sound can be played back from it. Whoever has it and a recording can tell whether the "
    "recording is in it, and its vectors tell which moments of a recording are alike: where it repeats itself."
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
OWNER = ("track_id", "title", "artist_name", "label_name", "isrc")


@dataclass(frozen=True, eq=False)
class Found:
    """
    What was found in some files.

    Attributes:
        sheets: A cue sheet for each.
        owners: Whose the recordings are (see `catalogue_index.owners`).
        calibration: By which it was judged.
    """

    sheets: list[CueSheet]
    owners: pl.DataFrame
    calibration: Calibration

    @property
    def table(self) -> pl.DataFrame:
        """Every use, in the order of files and time; see `COLUMNS`."""
        rows = [_row(sheet, cue) for sheet in self.sheets for cue in sheet.cues]
        uses = pl.DataFrame(rows, schema={name: kind for name, kind in COLUMNS.items() if name not in OWNER})
        owners = self.owners.select("audio_id", *OWNER)
        return uses.join(owners, on="audio_id", how="left", maintain_order="left").select(list(COLUMNS))

    @property
    def silent(self) -> dict[str, str]:
        """Files that could not be heard, and why."""
        return {str(sheet.path): sheet.failure.message for sheet in self.sheets if sheet.failure is not None}

    @property
    def points(self) -> list[dict[str, Any]]:
        """The operating points by length of query: probability above which strangers lie as seldom as that."""
        return [
            {"length_s": each.length_s, "at_1_percent": each.at_1_percent, "at_01_percent": each.at_01_percent}
            for each in self.calibration.judges
        ]

    def of_tracks(self, track_ids: Collection[str]) -> Self:
        """Keep the uses of these tracks, and nothing of others: what their holder may see."""
        owners = self.owners.filter(pl.col("track_id").is_in(list(track_ids)))
        known = set(owners["audio_id"])
        kept = {n: [cue for cue in sheet.cues if cue.use.audio_id in known] for n, sheet in enumerate(self.sheets)}
        return replace(self, sheets=[replace(self.sheets[n], cues=cues) for n, cues in kept.items()], owners=owners)

    def by_name(self) -> Self:
        """Call the files by their names alone: the folder that a dropped file lay in tells nobody anything."""
        return replace(self, sheets=[replace(sheet, path=Path(sheet.path.name)) for sheet in self.sheets])

    def as_json(self) -> str:
        """Write everything as JSON."""
        uses = self.table
        told = {
            "about": ABOUT,
            "index": INDEX_ABOUT,
            "operating_points": self.points,
            "files": [
                {
                    "file": str(sheet.path),
                    "duration_s": round(sheet.duration_s, 3),
                    "failure": None if sheet.failure is None else sheet.failure.message,
                    "uses": uses.filter(file=str(sheet.path)).drop("file", "duration_s").to_dicts(),
                }
                for sheet in self.sheets
            ],
        }
        return json.dumps(told, indent=2, ensure_ascii=False)


def _row(sheet: CueSheet, cue: Cue) -> dict[str, Any]:
    use = cue.use
    return {
        "file": str(sheet.path),
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


def write(found: Found, form: str, path: Path) -> None:
    """Write the report to a file as `csv` or `json`."""
    files.write_text(path, found.as_json() + "\n" if form == "json" else found.table.write_csv())
