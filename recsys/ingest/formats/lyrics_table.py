"""
Lyrics as a table: CSV, JSON Lines or Parquet with `track_id` and `text`.

Other columns are read if they are there: `language`, `source`, `licence` (or `license`) and `training_consent`. A text
may be LRC, or have sections and headings as plain text has. A file with any other column may be another table, so it is
recognised only by `--format lyrics_table`.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import polars as pl

from recsys.ingest.lyrics import LYRICS, DeliveredLyrics, chunks_of
from recsys.ingest.source import LINE, Chunk, Source
from recsys.ingest.tables import column_names, read
from recsys.lyrics.lrc import from_lrc_or_text

TABLES = (LYRICS,)
_NEEDED = {"track_id", "text"}
_NAMES = {name: name for name in (*_NEEDED, "language", "source", "licence", "training_consent")} | {
    "license": "licence"
}


def recognises(source: Source) -> bool:
    """Return whether the file has recordings and their texts, and no column that is not of lyrics."""
    return _NEEDED <= set(column_names(source)) <= _NAMES.keys()


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the rows as lyrics; `table` is ignored."""
    for rows, malformed in read(source, _NAMES):
        without_text = rows.filter(pl.col("text").is_null())[LINE].to_list() if "text" in rows.columns else []
        texts = rows.drop_nulls("text").iter_rows(named=True)
        yield from chunks_of(source, chain(malformed, without_text, map(_delivered, texts)))


def _delivered(row: dict[str, Any]) -> DeliveredLyrics:
    lyrics, language = from_lrc_or_text(row["text"])
    return DeliveredLyrics(
        line=row[LINE],
        track_id=row.get("track_id"),
        content=lyrics,
        language=row.get("language") or language,
        source=row.get("source"),
        licence=row.get("licence"),
        consent=row.get("training_consent"),
    )
