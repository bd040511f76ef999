"""
A notice about a conflict of rights or a match, with its evidence, as an HTML page and as a PDF page.

It goes to people outside, so it has no figure of listening. It states what was found and what is asked for; whether a
right was infringed is for people to decide.
"""

from collections.abc import Sequence
from datetime import date
from textwrap import wrap

import polars as pl

from recsys.reports.html import render
from recsys.reports.one_page.content import N_ROWS, Card, OnePage, Table
from recsys.reports.wording import format_day, format_duration
from recsys.rights.check import KINDS
from recsys.rights.notices import MATCH, Event, Evidence

ABOUT = (
    "This notice states what the named sources and measurements say on the day of its data. It does not state that a "
    "right was infringed: licences, quotations, cleared samples and errors of a source are for people to judge."
)
PIECE, N_PIECES = 100, 10  # letters of a piece of what is asked for, and pieces on the PDF page
_CLAIMS = ("Party", "Stated by", "Work", "Right", "Territory", "Share", "Term", "Registered")
_CONFLICTS = ("Party", "Evidence", "Right", "Territory", "Since", "Until", "Found", "Expected")
_USES = ("Recording", "Artist", "Time", "Probability", "Found on")


def html_page(notice: Event, evidence: Evidence, as_of: date) -> str:
    """Return the notice as an HTML page: all rows of the evidence."""
    return render(
        "rights_notice.html",
        notice=notice,
        matter=_matter(evidence),
        as_of=format_day(as_of),
        issued=format_day(date.fromisoformat(notice.happened_at[:10])),
        about=ABOUT,
        tables=_tables(evidence),
    )


def pdf_page(notice: Event, evidence: Evidence, as_of: date) -> OnePage:
    """Return the notice as one page: the first rows of the evidence, with how many there are; claims are the widest."""
    cards = [
        Card("Notice", notice.notice, period=f"issued {format_day(date.fromisoformat(notice.happened_at[:10]))}"),
        Card("Matter", _matter(evidence)),
        Card("From", notice.by or "the operator"),
    ]
    tables = sorted(map(_first_rows, _tables(evidence)), key=lambda table: -len(table.headings))
    return OnePage(
        kind="Rights",
        name=f"Notice {notice.notice}: {_matter(evidence)}",
        owner=notice.by,
        reader=notice.recipient,
        last_day=as_of,
        cards=cards,
        curve=None,
        tables=tables[:1],
        shares=[],
        lists=tables[1:],
        notes=[f"Concerns: {evidence.subject}", *_asked_for(notice), *_sentences(ABOUT)],
        without_curve="",
    )


def _matter(evidence: Evidence) -> str:
    return "uses found by matching" if evidence.kind == MATCH else KINDS[evidence.kind]


def _asked_for(notice: Event) -> list[str]:
    """Return what is asked for in pieces, since long texts are cut on the page; of more than fit, the first."""
    pieces = wrap(f"What is asked for: {notice.note}", PIECE) if notice.note else []
    return pieces if len(pieces) <= N_PIECES else [*pieces[:N_PIECES], "... (the HTML page has all of it)."]


def _sentences(text: str) -> list[str]:
    return [f"{part.strip('. ')}." for part in text.split(". ")]


def _tables(evidence: Evidence) -> list[Table]:
    """Return the tables of the evidence that have rows, with the columns that have texts."""
    tables = [
        Table("What was found", _CONFLICTS, _conflict_rows(evidence.conflicts), ""),
        Table("What is claimed", _CLAIMS, _claim_rows(evidence.claims), "", texts=(1, 2)),
        Table("Uses found by matching", _USES, _use_rows(evidence.uses), "", texts=(1,)),
    ]
    shown = [_without_empty_columns(table) for table in tables if table.rows]
    return [table for table in shown if table.headings]


def _without_empty_columns(table: Table) -> Table:
    kept = [n for n in range(len(table.headings)) if any(row[n] for row in table.rows)]
    rows = [[row[n] for n in kept] for row in table.rows]
    texts = [position for position, n in enumerate(kept) if n in table.texts]
    return Table(table.title, [table.headings[n] for n in kept], rows, table.nothing, texts=texts)


def _first_rows(table: Table) -> Table:
    note = f"the first {N_ROWS} of {len(table.rows)}; the HTML page has all" if len(table.rows) > N_ROWS else ""
    return Table(table.title, table.headings, table.rows[:N_ROWS], "", note, table.texts)


def _conflict_rows(conflicts: pl.DataFrame) -> Sequence[Sequence[str]]:
    rows = conflicts.select(
        "party_key", "evidence", "right_type", "territory", "since", "until", "found_percent", "other_percent"
    )
    return [
        (
            party or "",
            evidence or "",
            right or "",
            where or "",
            _day(since),
            _day(until),
            _percent(found),
            _percent(other),
        )
        for party, evidence, right, where, since, until, found, other in rows.iter_rows()
    ]


def _claim_rows(claims: pl.DataFrame) -> Sequence[Sequence[str]]:
    names = ("party", "source", "work_key", "right_type", "territory", "share")
    rows = claims.select(*names, "first_day", "last_day", "registered_on")
    return [
        (party, source, work, right, where, f"{share:.2%}", _term(first, last), _day(registered))
        for party, source, work, right, where, share, first, last, registered in rows.iter_rows()
    ]


def _use_rows(uses: pl.DataFrame) -> Sequence[Sequence[str]]:
    rows = uses.select("track_id", "title", "artist_name", "starts_s", "ends_s", "probability", "found_on")
    return [
        (
            f"{title or 'unknown title'} ({track_id})",
            artist or "unknown",
            f"{format_duration(starts_s)} to {format_duration(ends_s)}",
            f"{probability:.1%}",
            _day(found_on),
        )
        for track_id, title, artist, starts_s, ends_s, probability, found_on in rows.iter_rows()
    ]


def _day(day: date | None) -> str:
    return format_day(day) if day else ""


def _term(first: date | None, last: date | None) -> str:
    return f"{_day(first) or 'always'} to {_day(last) or 'no end'}" if first or last else "no end"


def _percent(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}%"
