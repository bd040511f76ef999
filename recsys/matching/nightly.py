"""
A night's matching: new uploads against the catalogue, and the catalogue's new recordings against those before them.

An upload is looked through once, by its bytes. Of two recordings of the catalogue the one that came later is told to
use the earlier, where it passes the strict point: a catalogue asks often. That needs no sound: the index has the
fingerprints, half as dense as a query's.
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
from recsys.audio.fingerprint.fingerprinter import APART_S, INDEX_STEP
from recsys.library.files import Recording
from recsys.library.settings import AudioSettings
from recsys.matching.cue_sheets import CueSheet, calibration, cue_sheets
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.history import MATCH_CANDIDATES_COLUMNS, MATCH_CHECKS_COLUMNS, MatchHistory
from recsys.matching.settings import MatchingSettings
from recsys.matching.uses import Use, uses

UPLOAD, CATALOGUE = "upload", "catalogue"


def checked(
    prints: FingerprintIndex,
    uploads: Sequence[Recording],
    last: MatchHistory,
    audio: AudioSettings,
    settings: MatchingSettings,
    *,
    found_on: date,
) -> MatchHistory:
    """
    Look through what was not looked through before.

    Args:
        prints: The index.
        uploads: Files that may use recordings of it.
        last: What earlier nights found; it is kept.
        audio: Limits of the processes that listen.
        settings: How much is looked through in a night.
        found_on: The day that new rows bear.
    """
    known = {kind: set(last.checks.filter(source_kind=kind)["source_audio_id"]) for kind in (UPLOAD, CATALOGUE)}
    new = {each.audio_id: each for each in uploads if each.audio_id not in known[UPLOAD]}
    found, seen = _of_uploads(list(new.values()), prints, replace(audio, limit_s=settings.limit_s))
    waiting = [name for name in prints.ids if name not in known[CATALOGUE]][: settings.recordings]
    for name in waiting:
        own = _of_recording(name, prints)
        found += [_candidate(CATALOGUE, None, name, use, None) for use in own]
        long_s = len(prints.rows_of(name)) * INDEX_STEP * APART_S
        seen.append(
            {"source_kind": CATALOGUE, "source_audio_id": name, "source_duration_s": long_s, "n_uses": len(own)}
        )
    return MatchHistory(
        _grown(last.candidates, found, MATCH_CANDIDATES_COLUMNS, {"found_on": found_on}),
        _grown(last.checks, seen, MATCH_CHECKS_COLUMNS, {"checked_on": found_on}),
    )


def _of_uploads(
    new: Sequence[Recording], prints: FingerprintIndex, limits: AudioSettings
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    if not new:
        return [], []
    sheets = list(zip(new, cue_sheets([each.path for each in new], prints, limits), strict=True))
    found = [
        _candidate(UPLOAD, each.file, each.audio_id, cue.use, cue.pitch_semitones)
        for each, sheet in sheets
        for cue in sheet.cues
    ]
    return found, [_check_of(each, sheet) for each, sheet in sheets]


def _check_of(upload: Recording, sheet: CueSheet) -> dict[str, Any]:
    return {
        "source_kind": UPLOAD,
        "source_file": upload.file,
        "source_audio_id": upload.audio_id,
        "source_duration_s": sheet.duration_s,
        "n_uses": len(sheet.cues),
        "failure": None if sheet.failure is None else sheet.failure.reason,
    }


def _of_recording(name: str, prints: FingerprintIndex) -> list[Use]:
    """Find which recordings that stand before it in the index a recording uses."""
    rows = prints.rows_of(name)
    found = uses(prints, doubled(prints.vectors(rows.start, rows.stop)), calibration())
    return [use for use in found if use.is_strict and prints.rows_of(use.audio_id).start < rows.start]


def doubled(vectors: F32) -> F32:
    """Put a vector between every two, shape (n, 128) -> (2 n - 1, 128), so that they stand as dense as a query's."""
    between = vectors[:-1] + vectors[1:]
    twice = np.zeros((max(0, 2 * len(vectors) - 1), vectors.shape[1]), np.float32)
    twice[::2] = vectors
    twice[1::2] = between / np.maximum(np.linalg.norm(between, axis=1, keepdims=True), np.float32(1e-6))
    return twice


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


def _grown(
    table: pl.DataFrame, rows: list[dict[str, Any]], wanted: tuple[columns.Column, ...], stamp: dict[str, date]
) -> pl.DataFrame:
    schema = columns.schema(wanted)
    return pl.concat([table, pl.DataFrame([dict.fromkeys(schema) | row | stamp for row in rows], schema=schema)])
