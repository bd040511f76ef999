"""
Matching in the nightly run: compare new uploads with the catalogue, and new catalogue recordings with earlier ones.

Each upload is searched once, identified by the hash of its file. If two catalogue recordings match, the later one is
reported as using the earlier one. For catalogue recordings only strict matches are reported, because the many queries
of a whole catalogue would otherwise give many false positives. They are not decoded again: the index contains their
fingerprints, with half as many vectors per second as a query.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from math import isnan
from typing import Any

import numpy as np
import polars as pl

from recsys import columns
from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, VECTOR_HOP_S
from recsys.library.files import Recording
from recsys.library.settings import AudioSettings
from recsys.matching.alignment import Calibration
from recsys.matching.cue_sheets import CueSheet, cue_sheets
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.history import MATCH_CANDIDATES_COLUMNS, MATCH_CHECKS_COLUMNS, MatchHistory
from recsys.matching.settings import MatchingSettings
from recsys.matching.uses import Use, find_uses

UPLOAD, CATALOGUE = "upload", "catalogue"


def extend_history(
    index: FingerprintIndex,
    uploads: Sequence[Recording],
    last: MatchHistory,
    audio: AudioSettings,
    settings: MatchingSettings,
    *,
    calibration: Calibration,
    found_on: date,
) -> MatchHistory:
    """
    Search the uploads and catalogue recordings that earlier runs have not searched.

    Args:
        index: The fingerprint index of the catalogue.
        uploads: Uploaded files, which may use recordings of the catalogue.
        last: The searches and results of earlier runs.
        audio: Limits of the worker processes.
        settings: Limits of the search.
        calibration: The match classifiers.
        found_on: Date that is stored in the new rows.

    Returns:
        The history of earlier runs, followed by the new rows.
    """
    known = {kind: set(last.checks.filter(source_kind=kind)["source_audio_id"]) for kind in (UPLOAD, CATALOGUE)}
    new = {upload.audio_id: upload for upload in uploads if upload.audio_id not in known[UPLOAD]}
    limits = replace(audio, limit_s=settings.limit_s)
    candidates, checks = _search_uploads(list(new.values()), index, limits, calibration)
    waiting = [audio_id for audio_id in index.ids if audio_id not in known[CATALOGUE]][: settings.recordings]
    for audio_id in waiting:
        uses = _uses_of_earlier(audio_id, index, calibration)
        candidates += [_candidate(CATALOGUE, None, audio_id, use, None) for use in uses]
        duration_s = len(index.rows_of(audio_id)) * INDEX_STEP * VECTOR_HOP_S
        checks.append(
            {
                "source_kind": CATALOGUE,
                "source_audio_id": audio_id,
                "source_duration_s": duration_s,
                "n_uses": len(uses),
            }
        )
    return MatchHistory(
        _with_rows(last.candidates, candidates, MATCH_CANDIDATES_COLUMNS, {"found_on": found_on}),
        _with_rows(last.checks, checks, MATCH_CHECKS_COLUMNS, {"checked_on": found_on}),
    )


def _search_uploads(
    uploads: Sequence[Recording], index: FingerprintIndex, limits: AudioSettings, calibration: Calibration
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Search uploads; return the new rows of candidates and of checks."""
    if not uploads:
        return [], []
    found = cue_sheets([upload.path for upload in uploads], index, limits, calibration)
    sheets = list(zip(uploads, found, strict=True))
    candidates = [
        _candidate(UPLOAD, upload.file, upload.audio_id, cue.use, cue.pitch_semitones)
        for upload, sheet in sheets
        for cue in sheet.cues
    ]
    return candidates, [_check_of(upload, sheet) for upload, sheet in sheets]


def _check_of(upload: Recording, sheet: CueSheet) -> dict[str, Any]:
    return {
        "source_kind": UPLOAD,
        "source_file": upload.file,
        "source_audio_id": upload.audio_id,
        "source_duration_s": sheet.duration_s,
        "n_uses": len(sheet.cues),
        "failure": None if sheet.failure is None else sheet.failure.reason,
    }


def _uses_of_earlier(audio_id: str, index: FingerprintIndex, calibration: Calibration) -> list[Use]:
    """Find the strict uses, within one indexed recording, of recordings that were indexed before it."""
    rows = index.rows_of(audio_id)
    found = find_uses(index, interpolate(index.vectors(rows.start, rows.stop)), calibration)
    return [use for use in found if use.is_strict and index.rows_of(use.audio_id).start < rows.start]


def interpolate(vectors: F32) -> F32:
    """Double the vectors per second by inserting the mean direction of neighbours: (n, 128) -> (2 n - 1, 128)."""
    between = vectors[:-1] + vectors[1:]
    dense = np.zeros((max(0, 2 * len(vectors) - 1), vectors.shape[1]), np.float32)
    dense[::2] = vectors
    dense[1::2] = between / np.maximum(np.linalg.norm(between, axis=1, keepdims=True), np.float32(1e-6))
    return dense


def _candidate(kind: str, file: str | None, audio_id: str, use: Use, pitch: float | None) -> dict[str, Any]:
    return {
        "source_kind": kind,
        "source_file": file,
        "source_audio_id": audio_id,
        "audio_id": use.audio_id,
        "starts_s": use.starts_s,
        "ends_s": use.ends_s,
        "reference_starts_s": use.reference_starts_s,
        "reference_ends_s": use.reference_ends_s,
        "tempo_ratio": use.tempo_ratio,
        "pitch_semitones": None if pitch is None or isnan(pitch) else pitch,
        "probability": use.probability,
        "is_strict": use.is_strict,
        "n_places": use.n_places,
    }


def _with_rows(
    table: pl.DataFrame, rows: list[dict[str, Any]], declared: tuple[columns.Column, ...], dates: dict[str, date]
) -> pl.DataFrame:
    """Append rows to a table, with the run's date; missing values become null."""
    schema = columns.schema(declared)
    return pl.concat([table, pl.DataFrame([dict.fromkeys(schema) | row | dates for row in rows], schema=schema)])
