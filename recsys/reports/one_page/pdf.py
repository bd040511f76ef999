"""
A page as PDF: one A4 page, tagged for screen readers (PDF/UA-1), with its fonts embedded; equal content, equal bytes.

Texts reach the template as JSON, so that none is read as markup, and they are shortened to the width that they have.
A character that no font has becomes MISSING, and the page says so.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import msgspec
import typst

from recsys.installation.paths import DASHBOARDS
from recsys.reports.one_page import fonts
from recsys.reports.one_page.content import LONGEST, OnePage
from recsys.reports.wording import format_day, without_controls

TEMPLATE = Path(__file__).parents[1] / "templates" / "one_page.typ"
MARK = DASHBOARDS / "static" / "mark.svg"
MISSING = "\u25af"  # white vertical rectangle
MISSING_NOTE = f"{MISSING} stands for a character that no font of the server has."


def pdf(page: OnePage) -> bytes:
    """Return a page as a PDF file."""
    content = _changed(msgspec.to_builtins(page), _one_line)
    families, missing = fonts.families_with(fonts.lacking(_texts(content)))
    if missing:
        shown = str.maketrans(dict.fromkeys(missing, MISSING))
        content = _changed(content, lambda text: text.translate(shown))
        content["notes"].append(MISSING_NOTE)
    content |= {"dated": format_day(page.last_day), "families": [fonts.FAMILY, *families]}
    written = typst.compile(
        TEMPLATE,
        font_paths=[fonts.FOLDER],
        ignore_system_fonts=not families,
        format="pdf",
        sys_inputs={"page": msgspec.json.encode(content).decode(), "mark": MARK.read_text(encoding="utf-8")},
        pdf_standards=["ua-1"],
        timestamp=datetime.combine(page.last_day, time(), UTC),
    )
    return bytes(written)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """Return nested dicts and lists with every text changed."""
    match value:
        case str():
            return change(value)
        case dict():
            return {key: _changed(part, change) for key, part in value.items()}
        case list() | tuple():
            return [_changed(part, change) for part in value]
        case _:
            return value


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of nested dicts and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _one_line(text: str) -> str:
    """Return a text without control characters and line breaks, at most LONGEST characters long."""
    line = " ".join(without_controls(text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
