"""
Works as publishers' programs export them: a CSV file with one work per row, and its writers and recordings in columns.

`Writer 1 Last`, `Writer 1 Share` and so on are the writers with their manuscript shares, which hold for every right
unless the file has one per right (`Writer 1 PR Share`); a writer's publisher and `Recording 1 ISRC` are read as well.
The file names neither its publisher nor its day: the publisher is the account given with the ingest, else the name of
the file, and the day must be stated.

Source: Django-Music-Publisher, templates for the import of works.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from recsys.errors import UnknownContent
from recsys.ingest.encoding import text_sample
from recsys.ingest.formats import csv
from recsys.ingest.json_records import Scalar, frame
from recsys.ingest.source import LINE, Chunk, Source
from recsys.ingest.tables import column_names
from recsys.lake.contract import CONTRACTS, RIGHTS

_Row: TypeAlias = dict[str, str | None]  # column in lower case -> text
_Values: TypeAlias = dict[str, Scalar]
_NEEDED = {"work id", "work title", "iswc", "writer 1 last"}
_OF_RIGHT = dict(zip(RIGHTS, ("pr", "mr", "sr"), strict=True))
_WRITER = re.compile(r"writer (\d+) last")
_READ = re.compile(r"(work|writer \d+|recording \d+) (id|title|share|last|isrc)$")
_ISRC = re.compile(r"recording \d+ isrc")
_PUBLISHER_NO = 100  # claim number of a writer's publisher: 100 and the writer's


def recognises(source: Source) -> bool:
    """Return whether the file has works with their writers in columns."""
    return b"Writer 1 Last" in text_sample(source) and set(column_names(source)) >= _NEEDED


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read works, claims and recordings; `table` is ignored."""
    if source.dialect.day is None:
        raise UnknownContent(
            f"{source.path} has works, but not the day of their registration. State it, such as --day 2026-01-31"
        )
    fixed: _Values = {
        "source": f"publisher:{source.user or source.path.stem}",
        "registered_at": f"{source.dialect.day}T00:00:00Z",
    }
    header = csv.header_of(source)
    n_needed = max(n for n, name in enumerate(header.columns, 1) if _READ.match(name))  # rows may end after it
    blocks = csv.delimited(source, header.columns, header.delimiter, skip_rows=header.n_lines, n_needed=n_needed)
    for rows, malformed in blocks:
        read_rows = [(row.pop(LINE), row) for row in rows.iter_rows(named=True)]
        yield _chunk("works", fixed, read_rows, _works, malformed)
        yield _chunk("work_shares", fixed, read_rows, _shares)
        yield _chunk("work_recordings", fixed, read_rows, _recordings)


def _chunk(
    table: str,
    fixed: _Values,
    rows: Iterable[tuple[int, _Row]],
    values_of: Callable[[_Row], Iterable[_Values]],
    malformed: Iterable[int] = (),
) -> Chunk:
    """Return the rows of a table that the works of a file give."""
    names = CONTRACTS[table].names
    made = [(line, fixed | {"work_id": row["work id"]} | values) for line, row in rows for values in values_of(row)]
    texts = frame([line for line, _ in made], [[values.get(name) for name in names] for _, values in made], names)
    return Chunk(table, texts, list(malformed))


def _works(row: _Row) -> Iterator[_Values]:
    yield {"title": row["work title"], "iswc": row["iswc"]}


def _recordings(row: _Row) -> Iterator[_Values]:
    for isrc in (text for name, text in row.items() if text and _ISRC.fullmatch(name)):
        yield {"isrc": isrc}


def _shares(row: _Row) -> Iterator[_Values]:
    """Yield the claims of each writer that has a share, and of their publisher."""
    for number in sorted(int(found[1]) for name in row if (found := _WRITER.fullmatch(name))):
        of = f"writer {number}"
        name = " ".join(filter(None, (row.get(f"{of} first"), row.get(f"{of} last")))) or None
        writer = _party(name, row.get(f"{of} ipi"), "writer")
        published = _party(row.get(f"{of} publisher name"), row.get(f"{of} publisher ipi"), "publisher")
        for right, short in _OF_RIGHT.items():
            share = row.get(f"{of} {short} share") or row.get(f"{of} manuscript share") or row.get(f"{of} share")
            yield from _claim(number, writer, right, share)
            yield from _claim(_PUBLISHER_NO + number, published, right, row.get(f"{of} publisher {short} share"))


def _claim(number: int, party: _Values, right: str, share: str | None) -> Iterator[_Values]:
    if share:
        claim: _Values = {"claim_no": number, "right_type": right, "share": _per_cent(share)}
        yield party | claim


def _party(name: str | None, ipi: str | None, role: str) -> _Values:
    known_ipi = ipi if ipi and ipi.strip("0") else None
    return {"party_id": known_ipi or name or "unknown", "party_name": name, "ipi": known_ipi, "role": role}


def _per_cent(text: str) -> str:
    """Return a share in per cent: `33.33%` as it is, and 0.3333 a hundred times; other texts for the contract."""
    if text.endswith("%"):
        return text.removesuffix("%").strip()
    return f"{100 * float(text):.4f}" if re.fullmatch(r"[01](\.\d+)?", text) else text
