"""
The menu: every file of `app_pages` is a page.

Its constant `PAGE` states the title, the section and order in the menu, and whether labels may open the page.
"""

import ast
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Literal

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
    """
    Return the pages that a viewer may open, by section.

    The first page is the start page, whose address is that of the app. Its own name is an address as well, which is not
    in the menu: Streamlit would say that there is no such page.
    """
    allowed = [(name, header) for name, header in headers().items() if header.for_labels or not is_label]
    start, first_section = allowed[0][0], allowed[0][1].section
    pages = {
        section: [_page(name, header, "" if name == start else name) for name, header in of_section]
        for section, of_section in groupby(allowed, key=lambda page: page[1].section)
    }
    pages[first_section].append(_page(*allowed[0], start, visibility="hidden"))
    return pages


def _page(
    name: str, header: Header, address: str, *, visibility: Literal["visible", "hidden"] = "visible"
) -> StreamlitPage:
    """Return a page; an empty address is that of the start page."""
    path = FOLDER / f"{name}.py"
    return st.Page(path, title=header.title, url_path=address, default=not address, visibility=visibility)
