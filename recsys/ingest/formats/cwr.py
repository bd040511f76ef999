"""
Common Works Registration (CWR 2.1, 2.2): works, their owners, who collects where, and acknowledgements.

A society's file has the works of one submitter, under the submitter's numbers, and does not name it: it is the receiver
at the end of the file's name, else the account given with the ingest.
"""

import re
from collections.abc import Iterator

from recsys.errors import UnreadableSource
from recsys.ingest.cwr import CHUNK_ROWS, TABLES, CwrRecords
from recsys.ingest.encoding import text_lines, text_sample
from recsys.ingest.source import Chunk, Source

__all__ = ["TABLES", "chunks", "recognises"]

_HEADER, _GROUP = b"HDR", b"GRH"
_LONGEST_HEADER = 256  # characters; that of CWR 2.2 has 167
_OF_SOCIETY = _HEADER + b"SO"
_RECEIVER = re.compile(r"CW\d{6}[0-9A-Z]{2,3}_([0-9A-Z]{2,3})\.V\d\d$", re.IGNORECASE)


def recognises(source: Source) -> bool:
    """Return whether the file begins with the header of a sender and a group of transactions."""
    start = text_sample(source)[:_LONGEST_HEADER]
    return start.startswith(_HEADER) and _GROUP in start


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the records of all groups; `table` is ignored."""
    if b"\n" not in text_sample(source)[:_LONGEST_HEADER]:
        raise UnreadableSource(
            f"{source.path} is a CWR file without line ends; expected one record per line. Get the file again as it "
            "was sent, or convert its line ends to LF"
        )
    records = CwrRecords(_submitter(source))
    for line, record in text_lines(source):
        if record is None:
            records.malformed.append(line)
        elif record.strip():
            records.take(line, record)
        yield from records.chunks(at_least=CHUNK_ROWS)
    if not records.is_complete:
        raise UnreadableSource(f"{source.path} is a CWR file without its last record, TRL. Get the file again")
    yield from records.chunks()


def _submitter(source: Source) -> str | None:
    """Return whose numbers the works of a society's file have; None if a submitter sends the file."""
    if not text_sample(source).startswith(_OF_SOCIETY):
        return None
    receiver = _RECEIVER.search(source.name)
    if receiver is None and source.user is None:
        raise UnreadableSource(
            f"{source.path} is a society's CWR file, whose works have the numbers of the submitter that it was sent "
            "to, and does not name it. State the submitter, such as --user DMP"
        )
    return source.user or (receiver[1].upper() if receiver else None)
