"""What a file sounds like as rows of the lake: its features, its vector, its tags, its fingerprint."""

from dataclasses import asdict
from typing import Any

import polars as pl

from recsys.audio.analyse import Analyse, Analysis
from recsys.audio.fingerprint.fingerprinter import to_text
from recsys.lake.contract import CONTRACTS
from recsys.library.files import Recording

FEATURES, VECTORS, TAGS, PRINTS = "audio_features", "audio_vectors", "audio_tags", "audio_prints"
TABLES = (FEATURES, VECTORS, TAGS, PRINTS)

Rows = dict[str, pl.DataFrame]  # by table, in the contract's columns


def rows_of(audio_id: str, analysis: Analysis, analyse: Analyse) -> Rows:
    """Write an analysis down, and what made it; name and file are filled in by `under_name`."""
    heard = {name: getattr(analysis, name) for name in ("codec", "duration_ms", "rate_hz", "n_channels", "lost_ms")}
    features = {"analyser": analyse.version, **heard, **asdict(analysis.features)}
    embedding = analysis.embedding
    vectors = [] if embedding is None else [{"encoder": analyse.embedder.version, "vector": embedding.vector.tolist()}]
    tags = [] if embedding is None else [tag._asdict() for tag in embedding.tags]
    prints = [{"fingerprinter": analyse.fingerprinter.version, "prints": to_text(analysis.prints)}]
    return {
        table: _table(table, [{"audio_id": audio_id, **row} for row in rows])
        for table, rows in ((FEATURES, [features]), (VECTORS, vectors), (TAGS, tags), (PRINTS, prints))
    }


def _table(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {field.name: field.kind.value for field in CONTRACTS[table].fields}
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema, orient="row")


def under_name(rows: Rows, recording: Recording) -> Rows:
    """Say whose rows they are."""
    named_rows = {table: frame.with_columns(track_id=pl.lit(recording.name)) for table, frame in rows.items()}
    return named_rows | {FEATURES: named_rows[FEATURES].with_columns(file=pl.lit(recording.file))}
