"""
The menu: every file of `app_pages` is a page.

Its constant `PAGE` states the title, the section and order in the menu, and whether labels may open the page.
"""

import ast
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

FOLDER = Path(__file__).parent / "app_pages"


@dataclass(frozen=True)
class Header:
    """
    The constant `PAGE` of a page.

    Attributes:
        title: Title in the menu.
        section: Heading of the menu section that lists the page.
        order: Position in the menu. Sections are ordered by their first page.
        for_labels: Whether labels may open it; otherwise the page is for operators only.
    """

    title: str
    section: str
    order: int
    for_labels: bool


@cache
def headers() -> dict[str, Header]:
    """Return the header of every page by file name without extension, in menu order."""
    by_name = {path.stem: _header(path) for path in FOLDER.glob("*.py")}
    latest_first = sorted(by_name.values(), key=lambda header: -header.order)
    section_order = {header.section: header.order for header in latest_first}  # the lowest order is written last
    return dict(
        sorted(by_name.items(), key=lambda item: (section_order[item[1].section], item[1].section, item[1].order))
    )


def _header(path: Path) -> Header:
    assigned = (node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign))
    return Header(**next(ast.literal_eval(node.value) for node in assigned if ast.unparse(node.targets[0]) == "PAGE"))


def menu(*, is_label: bool) -> dict[str, list[StreamlitPage]]:
    """Return the pages that a viewer may open, by section; the first page is the start page."""
    allowed = [(name, header) for name, header in headers().items() if header.for_labels or not is_label]
    return {
        section: [
            st.Page(FOLDER / f"{name}.py", title=header.title, url_path=name, default=name == allowed[0][0])
            for name, header in pages
        ]
        for section, pages in groupby(allowed, key=lambda page: page[1].section)
    }
