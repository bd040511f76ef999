"""
Feedback that `recsys serve` received: JSON Lines in the inbox, whose listeners are pseudonyms already.

Each pseudonym has the seal of the home's key; a line without a valid one, such as an account, is refused. A line has
`pseudonym`, `track_id`, `happened_at` and `event`. A listen goes to the table of listens, all else to that of events. A
listen of a recording that a list showed, which then has a `rank`, was chosen by a recommender. The list's `release`,
`rank` and `propensity` stay in the file; the lake has them already, in the log of what each run explored.
"""

from collections.abc import Iterator

import msgspec

from recsys.ingest.json_records import Records, Scalar, first_record, frame, records
from recsys.ingest.source import Chunk, Source

PREFIX = "service-feedback-"  # of the names of the files that the service writes
_LISTENS = ("user_id", "track_id", "listened_at", "ms_played", "skipped", "utc_offset_min", "n_listens", "source")
_EVENTS = ("user_id", "track_id", "event_at", "event")


class _Record(msgspec.Struct):
    pseudonym: str
    track_id: Scalar
    happened_at: Scalar
    event: str
    ms_played: Scalar = None
    skipped: Scalar = None
    utc_offset_min: Scalar = None
    n_listens: Scalar = None
    rank: Scalar = None


def recognises(source: Source) -> bool:
    """Return whether the first record is feedback of the service."""
    return first_record(source).keys() >= {"pseudonym", "track_id", "happened_at", "event", "propensity"}


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read listens and events; `table` is ignored."""
    for found in records(source, _Record):
        listens = [(n, _listen(line)) for n, line in _numbered(found) if line.event == "listen"]
        events = [(n, _event(line)) for n, line in _numbered(found) if line.event != "listen"]
        yield _chunk("listens", listens, _LISTENS, found.malformed)
        yield _chunk("events", events, _EVENTS, [])


def _numbered(found: Records[_Record]) -> Iterator[tuple[int, _Record]]:
    return zip(found.lines, found.values, strict=True)


def _chunk(
    table: str, rows: list[tuple[int, tuple[Scalar, ...]]], columns: tuple[str, ...], malformed: list[int]
) -> Chunk:
    texts = frame((n for n, _ in rows), (row for _, row in rows), columns)
    return Chunk(table, texts, malformed, is_sealed=True)


def _listen(line: _Record) -> tuple[Scalar, ...]:
    source = None if line.rank is None else "algorithmic"
    measures = (line.ms_played, line.skipped, line.utc_offset_min, line.n_listens)
    return line.pseudonym, line.track_id, line.happened_at, *measures, source


def _event(line: _Record) -> tuple[Scalar, ...]:
    return line.pseudonym, line.track_id, line.happened_at, line.event
