"""Rows of the lake for one analysed file: features, embedding vector, tags and fingerprint."""

from dataclasses import asdict
from typing import Any

import polars as pl

from recsys.audio.analyse import Analyse, Analysis
from recsys.audio.fingerprint.fingerprinter import to_text
from recsys.lake.contract import CONTRACTS
from recsys.library.files import Recording

FEATURES, VECTORS, TAGS, FINGERPRINTS = "audio_features", "audio_vectors", "audio_tags", "audio_prints"
TABLES = (FEATURES, VECTORS, TAGS, FINGERPRINTS)

Rows = dict[str, pl.DataFrame]  # table -> rows, with the columns of its contract


def rows_of(audio_id: str, analysis: Analysis, analyse: Analyse) -> Rows:
    """Return the lake's rows of an analysis, with the versions that computed it; `with_name` adds track and file."""
    decoded = {name: getattr(analysis, name) for name in ("codec", "duration_ms", "rate_hz", "n_channels", "lost_ms")}
    features = {"analyser": analyse.version, **decoded, **asdict(analysis.features)}
    embedding = analysis.embedding
    vectors = [] if embedding is None else [{"encoder": analyse.embedder.version, "vector": embedding.vector.tolist()}]
    tags = [] if embedding is None else [tag._asdict() for tag in embedding.tags]
    fingerprints = [{"fingerprinter": analyse.fingerprinter.version, "prints": to_text(analysis.fingerprint)}]
    return {
        table: _table(table, [{"audio_id": audio_id, **row} for row in rows])
        for table, rows in ((FEATURES, [features]), (VECTORS, vectors), (TAGS, tags), (FINGERPRINTS, fingerprints))
    }


def _table(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {field.name: field.kind.value for field in CONTRACTS[table].fields}
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema, orient="row")


def with_name(rows: Rows, recording: Recording) -> Rows:
    """Return rows with the track id and file of a recording."""
    named_rows = {table: frame.with_columns(track_id=pl.lit(recording.name)) for table, frame in rows.items()}
    return named_rows | {FEATURES: named_rows[FEATURES].with_columns(file=pl.lit(recording.file))}
