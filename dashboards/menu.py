"""The menu: every file of `app_pages` is a page, and its constant `PAGE` says where it stands and who may open it."""

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
    What a page says of itself in `PAGE`.

    Attributes:
        title: As in the menu.
        section: The menu's heading above it.
        order: Its place in the menu; sections stand in the order of their first pages.
        for_labels: Whether a label may open it; others are for operators only.
    """

    title: str
    section: str
    order: int
    for_labels: bool


@cache
def headers() -> dict[str, Header]:
    """Read the header of every page, by the name of its file, in the order of the menu."""
    found = {path.stem: _header(path) for path in FOLDER.glob("*.py")}
    first = {header.section: header.order for header in sorted(found.values(), key=lambda each: -each.order)}
    return dict(sorted(found.items(), key=lambda item: (first[item[1].section], item[1].order)))


def _header(path: Path) -> Header:
    assigned = (node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign))
    return Header(**next(ast.literal_eval(node.value) for node in assigned if ast.unparse(node.targets[0]) == "PAGE"))


def menu(*, is_label: bool) -> dict[str, list[StreamlitPage]]:
    """List the pages that a viewer may open, by section; the first one is where the app opens."""
    open_to = [(name, header) for name, header in headers().items() if header.for_labels or not is_label]
    return {
        section: [
            st.Page(FOLDER / f"{name}.py", title=header.title, url_path=name, default=name == open_to[0][0])
            for name, header in pages
        ]
        for section, pages in groupby(open_to, key=lambda page: page[1].section)
    }
