"""Issue notices about conflicts and matches of the current release."""

from datetime import datetime
from pathlib import Path

from recsys.home import Home
from recsys.reports.one_page.pdf import pdf
from recsys.reports.rights_notice import html_page, pdf_page
from recsys.rights.notices import ISSUED, Event, Evidence, Notices
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


def issue(
    home: Home, kind: str, subject: str, *, recipient: str, by: str, note: str, issued_at: datetime, source: str = ""
) -> Path:
    """
    Write a notice and log it.

    Args:
        home: The home; the caller must hold its lock.
        kind: A kind of conflict, or MATCH.
        subject: What it concerns, as `recsys rights check` lists it; of a match, the recording or upload.
        recipient: To whom it goes.
        by: Who issues it; may be empty.
        note: What is asked for; may be empty.
        issued_at: When, with time zone.
        source: Who states the conflict, where several sources have the subject; may be empty.

    Returns:
        The folder with notice.html and notice.pdf.

    Raises:
        InputError: The kind is unknown or a figure of listening, or several sources have the subject.
        UnknownIds: There is no such conflict or match.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        evidence = Evidence.read(warehouse, kind, subject, source)
        ((as_of,),) = warehouse.query(internal_sql("as_of")).rows()
    notices = Notices(home)
    event = Event(notices.next_number(), ISSUED, issued_at.isoformat(), by, kind, subject, recipient, note)
    pages = {
        "notice.html": html_page(event, evidence, as_of).encode(),
        "notice.pdf": pdf(pdf_page(event, evidence, as_of)),
    }
    return notices.issue(event, pages)
