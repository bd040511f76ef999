"""
LRC: lyrics with times, one file per recording.

The file is named like a music file: the track id or the ISRC, then `.lrc`. See `recsys.lyrics.lrc` for what is read.
"""

from collections.abc import Iterator

from recsys.ingest.encoding import text_sample
from recsys.ingest.formats.lyrics_text import name_of, whole_text
from recsys.ingest.lyrics import DeliveredLyrics, chunks_of, one_text
from recsys.ingest.source import Chunk, Source
from recsys.lyrics.lrc import from_lrc, is_lrc


def recognises(source: Source) -> bool:
    """Return whether the first lines have tags or times of LRC."""
    return text_sample(source).lstrip().startswith(b"[") and is_lrc(text_sample(source).decode(errors="ignore"))


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the file as the lyrics of one recording; `table` is ignored."""
    return chunks_of(source, one_text(source, _delivered))


def _delivered(source: Source) -> DeliveredLyrics:
    return DeliveredLyrics(1, name_of(source), *from_lrc(whole_text(source)))
