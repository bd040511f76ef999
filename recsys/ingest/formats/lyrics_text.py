"""
Lyrics as plain text, one file per recording: sections between blank lines, headings in square brackets.

The file is named like a music file: the track id or the ISRC, then `.txt`. Any text could be lyrics, so they are
recognised only in a folder called `lyrics`, or by `--format lyrics_text`.
"""

from collections.abc import Iterator
from pathlib import PurePath

from recsys.errors import UnreadableSource
from recsys.files import printable
from recsys.ingest.encoding import is_unreadable, open_text
from recsys.ingest.lyrics import DeliveredLyrics, chunks_of, one_text
from recsys.ingest.source import Chunk, Source
from recsys.lyrics.lines import from_text
from recsys.lyrics.lrc import MAX_LRC_CHARS

_FOLDER, _SUFFIX = "lyrics", ".txt"


def recognises(source: Source) -> bool:
    """Return whether it is a text file in a folder called `lyrics`."""
    path = PurePath(source.member.name) if source.member else source.path.resolve()
    return path.suffix.lower() == _SUFFIX and path.parent.name.lower() == _FOLDER


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the file as the lyrics of one recording; `table` is ignored."""
    return chunks_of(source, one_text(source, _delivered))


def _delivered(source: Source) -> DeliveredLyrics:
    return DeliveredLyrics(1, name_of(source), from_text(whole_text(source)))


def name_of(source: Source) -> str:
    """Return the name of the recording: the name of the file without its suffix."""
    return PurePath(printable(source.name)).stem


def whole_text(source: Source) -> str:
    """Return the text of a file with one text; raises UnreadableSource if it is too long or has bytes that are none."""
    with open_text(source) as stream:
        text = stream.read(MAX_LRC_CHARS + 1)
    if len(text) > MAX_LRC_CHARS or is_unreadable(text):
        problem = "is longer than any lyrics" if len(text) > MAX_LRC_CHARS else "has bytes that are not text"
        raise UnreadableSource(
            f"{source.path} {problem}. Put the lyrics of one recording into a file of at most {MAX_LRC_CHARS:,} bytes, "
            "in UTF-8 or with --encoding; nothing was ingested from it"
        )
    return text.decode()
