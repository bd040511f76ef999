"""
Lyrics in the tags of music files: ID3 (USLT, SYLT), Vorbis comments and Opus, MP4, ASF.

Music files in a folder are left out by other formats; `--format lyrics_in_audio` reads them, and nothing else. The
recording is named as in `recsys audio scan`: the name of the file without its suffix is the track id or the ISRC.
"""

from collections.abc import Iterator

from recsys.errors import UnreadableSource
from recsys.files import is_audio
from recsys.ingest.formats.lyrics_text import name_of
from recsys.ingest.lyrics import DeliveredLyrics, chunks_of, refuse_without
from recsys.ingest.source import Chunk, Source
from recsys.lyrics.lrc import from_lrc_or_text, is_lrc


def recognises(source: Source) -> bool:
    """Return whether it is a music file, judged by its name."""
    return source.member is None and is_audio(source.path)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the lyrics in the file's tags, if it has any; `table` is ignored."""
    texts = _texts(source)
    read = [from_lrc_or_text(max(texts, key=_rank))] if texts else []
    return chunks_of(source, (DeliveredLyrics(1, name_of(source), lyrics, language) for lyrics, language in read))


def _texts(source: Source) -> list[str]:
    refuse_without("tinytag", source)
    from tinytag import TinyTag, TinyTagException  # noqa: PLC0415 - an extra

    try:
        tags = TinyTag.get(source.path, duration=False, image=False)
    except TinyTagException as broken:
        raise UnreadableSource(
            f"{source.path} has tags that cannot be read ({type(broken).__name__}). Nothing was ingested from it"
        ) from None
    return [text for text in tags.other.get("lyrics", []) if text.strip()]


def _rank(text: str) -> tuple[bool, int]:
    """Prefer lyrics with times, then the longest."""
    return is_lrc(text), len(text)
