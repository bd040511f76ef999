"""
DDEX release notifications (ERN 4): recordings, their artists and labels, and what may be done with them where and when.

Artists and labels are fill-only: delivered ones keep what a message does not state. See `recsys.ingest.ern`.
"""

import re
from collections.abc import Iterator
from itertools import islice

import polars as pl

from recsys.errors import UnreadableSource
from recsys.ingest import names
from recsys.ingest.encoding import text_sample
from recsys.ingest.ern import RECORDS, BadMessage, ErnMessage
from recsys.ingest.json_records import frame
from recsys.ingest.source import LINE, Chunk, Source
from recsys.ingest.xml_records import xml_records
from recsys.lake.contract import CONTRACTS

TABLES = ("tracks", "artists", "labels", "licences")
CHUNK_ROWS = 100_000
_NAMESPACE = rb"ddex\.net/xml/(?:20\d\d/)?ern(?:-main)?/(\d)"
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:NewRelease|PurgeRelease)Message\s[^>]*" + _NAMESPACE)
_STATED = ("artist", "label")
_COLUMNS = tuple(dict.fromkeys((*CONTRACTS["tracks"].names, *_STATED, "isni", "ipi")))


def recognises(source: Source) -> bool:
    """Return whether the first element is a message of the suite, of any version."""
    return _ROOT.search(text_sample(source)) is not None


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read a message as tracks, artists, labels and licences; `table` is ignored."""
    try:
        yield from _chunks(source)
    except BadMessage as bad:
        raise UnreadableSource(f"{source.path} is a release notification that is not read: {bad}") from None


def _chunks(source: Source) -> Iterator[Chunk]:
    _refuse_other_messages(text_sample(source))
    message = ErnMessage()
    for record in xml_records(source, RECORDS):
        message.take(record)
    for rows in _frames(message.tracks(), _COLUMNS):
        yield from _catalogue(rows)
    columns = tuple(CONTRACTS["licences"].names)
    for rows in _frames(message.licences(), columns):
        yield Chunk("licences", rows)
    yield Chunk("tracks", frame([], [], CONTRACTS["tracks"].names), message.malformed)


def _refuse_other_messages(head: bytes) -> None:
    found = _ROOT.search(head)
    if found and found[1] != b"4":
        raise BadMessage(f"it is of version {found[1].decode()}. Ask its sender for ERN 4 (4.1 to 4.3)")
    if found and b"PurgeReleaseMessage" in found[0]:
        raise BadMessage("it purges a release. Take its recordings down with recsys takedown")


def _frames(rows: Iterator[tuple[int, dict[str, str | None]]], columns: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """Yield lines and values as frames of some rows."""
    while some := list(islice(rows, CHUNK_ROWS)):
        values = [[row.get(name) for name in columns] for _, row in some]
        yield frame([line for line, _ in some], values, columns)


def _catalogue(rows: pl.DataFrame) -> Iterator[Chunk]:
    """Yield recordings with the artists and labels that they name; an artist with an ISNI has it as id."""
    isni = pl.concat_str(pl.lit("isni:"), pl.col("isni").str.replace_all(r"\W", ""))
    identified = rows.with_columns(
        artist_id=pl.coalesce(isni, names.named_id("artist")), label_id=names.named_id("label")
    )
    yield Chunk("tracks", identified.select(*CONTRACTS["tracks"].names, LINE))
    for kind, others in (("artist", ("isni", "ipi")), ("label", ())):
        known = identified.drop_nulls([f"{kind}_id", kind]).unique(f"{kind}_id", keep="first", maintain_order=True)
        yield Chunk(f"{kind}s", known.select(f"{kind}_id", *others, LINE, name=kind), is_fill_only=True)
