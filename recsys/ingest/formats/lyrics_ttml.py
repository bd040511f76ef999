"""
TTML: lyrics with times as XML, one file per recording.

The file is named like a music file: the track id or the ISRC, then `.ttml` or `.xml`. See `recsys.lyrics.ttml` for what
is read, and for its limits.
"""

from collections.abc import Iterator

from recsys.errors import UnreadableSource
from recsys.ingest.encoding import is_unreadable, open_text, text_sample
from recsys.ingest.formats.lyrics_text import name_of
from recsys.ingest.lyrics import DeliveredLyrics, chunks_of, one_text
from recsys.ingest.source import Chunk, Source
from recsys.lyrics.ttml import MAX_BYTES, BadTtml, from_ttml, is_ttml


def recognises(source: Source) -> bool:
    """Return whether the first element is `tt`."""
    return is_ttml(text_sample(source))


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the file as the lyrics of one recording; `table` is ignored."""
    return chunks_of(source, one_text(source, _delivered))


def _delivered(source: Source) -> DeliveredLyrics:
    with open_text(source) as stream:
        text = stream.read(MAX_BYTES + 1)
    try:
        if is_unreadable(text):
            raise BadTtml("it has bytes that are not text")  # noqa: TRY301 - one message for all reasons
        read = from_ttml(text)
    except BadTtml as bad:
        raise UnreadableSource(
            f"{source.path} is not read: {bad}. Deliver plain TTML; nothing was ingested from it"
        ) from None
    return DeliveredLyrics(1, name_of(source), *read)
