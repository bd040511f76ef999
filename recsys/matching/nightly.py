"""
Matching in the nightly run: of new uploads with the catalogue, of new recordings with earlier ones and earlier uploads.

Each upload is decoded and searched once, identified by the hash of its file; its fingerprint is kept while it lies in
the folder of uploads. If a catalogue recording comes later, the kept fingerprints tell which uploads may use it, and
these are searched again for it alone. If two catalogue recordings match, the later one is reported as using the earlier
one. For catalogue recordings only strict matches are reported, because the many queries of a whole catalogue would
otherwise give many false positives. They are not decoded again: the index contains their fingerprints, with half as
many vectors per second as a query.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from math import isnan
from typing import Any

import numpy as np
import polars as pl

from recsys import columns
from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, VECTOR_HOP_S
from recsys.audio.sandbox import Failure
from recsys.library.files import Recording
from recsys.library.settings import AudioSettings
from recsys.matching.alignment import Calibration
from recsys.matching.audio_tasks import fingerprint_files
from recsys.matching.cue_sheets import Cue, CueSheet, cue_sheets
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
        last: The searches and results of earlier runs; its fingerprints are changed.
        audio: Limits of the worker processes.
        settings: Limits of the search.
        calibration: The match classifiers.
        found_on: Date that is stored in the new rows.

    Returns:
        The history of earlier runs, followed by the new rows, with the fingerprints of all uploads that can be decoded.
    """
    known = {kind: set(last.checks.filter(source_kind=kind)["source_audio_id"]) for kind in (UPLOAD, CATALOGUE)}
    limits, files = replace(audio, limit_s=settings.limit_s), {upload.audio_id: upload for upload in uploads}
    new = [upload for audio_id, upload in files.items() if audio_id not in known[UPLOAD]]
    waiting = [audio_id for audio_id in index.ids if audio_id not in known[CATALOGUE]][: settings.recordings]
    candidates, checks = _search_recordings(waiting, index, calibration)
    fingerprints = _fingerprints_of_earlier(files, last, index.version, limits)
    pairs = set(last.candidates.filter(source_kind=UPLOAD).select("source_audio_id", "audio_id").iter_rows())
    candidates += [
        _candidate(UPLOAD, files[audio_id].file, audio_id, use, None)
        for audio_id, use in _later_uses(fingerprints, waiting, index, calibration)
        if (audio_id, use.audio_id) not in pairs
    ]
    sheets = _sheets(new, index, limits, calibration)
    fingerprints.add(*_decoded(sheets))
    candidates += [_candidate_of(upload, cue) for upload, sheet in sheets for cue in sheet.cues]
    checks += [_check_of(upload, sheet) for upload, sheet in sheets]
    found = _with_rows(last.candidates, candidates, MATCH_CANDIDATES_COLUMNS, {"found_on": found_on})
    searched = _with_rows(last.checks, checks, MATCH_CHECKS_COLUMNS, {"checked_on": found_on})
    return MatchHistory(found, _with_numbers_of_uses(searched, found), fingerprints)


def _fingerprints_of_earlier(
    files: Mapping[str, Recording], last: MatchHistory, version: str, limits: AudioSettings
) -> FingerprintIndex:
    """Return the fingerprints of the uploads that were searched before and still lie there; missing ones are made."""
    fingerprints = FingerprintIndex.build([], [], version=version) if last.fingerprints is None else last.fingerprints
    decoded = last.checks.filter(pl.col("failure").is_null(), source_kind=UPLOAD)["source_audio_id"]
    earlier = {audio_id: files[audio_id].path for audio_id in decoded if audio_id in files}
    fingerprints.remove([audio_id for audio_id in fingerprints.ids if audio_id not in earlier])
    missing = {path: audio_id for audio_id, path in earlier.items() if audio_id not in fingerprints.ids}
    made = fingerprint_files(list(missing), limits) if missing else ()
    found = {missing[path]: result.vectors[::INDEX_STEP] for path, result in made if not isinstance(result, Failure)}
    fingerprints.add(list(found), list(found.values()))
    return fingerprints


def _search_recordings(
    waiting: Sequence[str], index: FingerprintIndex, calibration: Calibration
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Search indexed recordings for those that were indexed before; return rows of candidates and of checks."""
    candidates, checks = list[dict[str, Any]](), list[dict[str, Any]]()
    for audio_id in waiting:
        uses = _uses_of_earlier(audio_id, index, calibration)
        candidates += [_candidate(CATALOGUE, None, audio_id, use, None) for use in uses]
        duration_s = len(index.rows_of(audio_id)) * INDEX_STEP * VECTOR_HOP_S
        checks.append(
            {
                "source_kind": CATALOGUE,
                "source_audio_id": audio_id,
                "source_duration_s": duration_s,
            }
        )
    return candidates, checks


def _later_uses(
    fingerprints: FingerprintIndex, waiting: Sequence[str], index: FingerprintIndex, calibration: Calibration
) -> list[tuple[str, Use]]:
    """
    Search earlier uploads for recordings that came later; return the id of the upload with each use.

    Each recording is first searched in the fingerprints of the uploads, which are few, and only the uploads that share
    sound with it are searched for it in the whole catalogue.
    """
    shared = defaultdict[str, set[str]](set)
    for audio_id in waiting if len(fingerprints) else []:
        for use in find_uses(fingerprints, _dense(index, audio_id), calibration):
            shared[use.audio_id].add(audio_id)
    return [
        (upload_id, use)
        for upload_id, audio_ids in sorted(shared.items())
        for use in find_uses(index, _dense(fingerprints, upload_id), calibration)
        if use.audio_id in audio_ids
    ]


def _sheets(
    uploads: Sequence[Recording], index: FingerprintIndex, limits: AudioSettings, calibration: Calibration
) -> list[tuple[Recording, CueSheet]]:
    if not uploads:
        return []
    return list(zip(uploads, cue_sheets([upload.path for upload in uploads], index, limits, calibration), strict=True))


def _decoded(sheets: Sequence[tuple[Recording, CueSheet]]) -> tuple[list[str], list[F32]]:
    """Return the ids and vectors of the uploads that could be decoded."""
    decoded = [(upload.audio_id, sheet.vectors) for upload, sheet in sheets if sheet.failure is None]
    return [audio_id for audio_id, _ in decoded], [vectors.astype(np.float32) for _, vectors in decoded]


def _check_of(upload: Recording, sheet: CueSheet) -> dict[str, Any]:
    return {
        "source_kind": UPLOAD,
        "source_file": upload.file,
        "source_audio_id": upload.audio_id,
        "source_duration_s": sheet.duration_s,
        "failure": None if sheet.failure is None else sheet.failure.reason,
    }


def _uses_of_earlier(audio_id: str, index: FingerprintIndex, calibration: Calibration) -> list[Use]:
    """Find the strict uses, within one indexed recording, of recordings that were indexed before it."""
    first = index.rows_of(audio_id).start
    found = find_uses(index, _dense(index, audio_id), calibration)
    return [use for use in found if use.is_strict and index.rows_of(use.audio_id).start < first]


def _dense(index: FingerprintIndex, audio_id: str) -> F32:
    """Return the vectors of an indexed recording, as many per second as a query has."""
    rows = index.rows_of(audio_id)
    return interpolate(index.vectors(rows.start, rows.stop))


def interpolate(vectors: F32) -> F32:
    """Double the vectors per second by inserting the mean direction of neighbours: (n, 128) -> (2 n - 1, 128)."""
    between = vectors[:-1] + vectors[1:]
    dense = np.zeros((max(0, 2 * len(vectors) - 1), vectors.shape[1]), np.float32)
    dense[::2] = vectors
    dense[1::2] = between / np.maximum(np.linalg.norm(between, axis=1, keepdims=True), np.float32(1e-6))
    return dense


def _with_numbers_of_uses(checks: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """Count the uses of each searched source anew: some are found after its own search."""
    source = ["source_kind", "source_audio_id"]
    counts = candidates.group_by(source).agg(n_uses=pl.len().cast(pl.Int64))
    counted = checks.drop("n_uses").join(counts, on=source, how="left", maintain_order="left")
    return counted.with_columns(pl.col("n_uses").fill_null(0)).select(checks.columns)


def _candidate_of(upload: Recording, cue: Cue) -> dict[str, Any]:
    return _candidate(UPLOAD, upload.file, upload.audio_id, cue.use, cue.pitch_semitones)


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
