"""
Which page shows what a name stands for: artists, recordings and labels in tables and charts lead to their pages.

A name is a link if the row has its id. The id is in the address of the page (see `dashboards.filters`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from dashboards import access
from dashboards.markdown import Markdown, as_markdown


@dataclass(frozen=True)
class Target:
    """A page, and its query parameter that takes the id of what it shows."""

    page: str
    parameter: str


TRACK, ARTIST, LABEL = Target("track", "track"), Target("artist", "artist"), Target("overview", "label")
COMPARED_ARTISTS, COMPARED_TRACKS = Target("compare", "artists"), Target("compare", "tracks")
PLAYLIST = Target("playlists", "playlist")
SEARCH, ISSUE, CHART = Target("search", "q"), Target("catalogue", "issue"), Target("charts", "chart")
OF_IDS = {  # column of ids -> columns that hold names for them, and the page that shows one
    "track_id": (("title", "name"), TRACK),
    "other_track_id": (("other_title",), TRACK),
    "artist_id": (("artist_name", "artist", "name"), ARTIST),
    "other_artist_id": (("name",), ARTIST),
    "label_id": (("label_name", "label"), LABEL),
    "playlist_id": (("playlist",), PLAYLIST),
}


def linked(columns: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns whose names are links, each with the columns of ids to look at, in this order."""
    found: dict[str, list[str]] = {}
    for id_column, (names, target) in OF_IDS.items():
        if id_column in columns and (target is not LABEL or access.viewer().label_id is None):
            for name in set(names) & set(columns):
                found.setdefault(name, []).append(id_column)
    return found


def targets(rows: pl.DataFrame, columns: Mapping[str, Sequence[str]]) -> dict[str, tuple[Target, str]]:
    """
    Return the pages that names in rows lead to, each once: name -> page and id.

    Args:
        rows: Rows with names and ids; a missing name is replaced by the id.
        columns: Column of names -> columns of ids, as `linked` returns them.

    Returns:
        First the names of the first column, in row order. Names that lead to several pages are followed by the id.
    """
    found: dict[tuple[Target, str], str] = {}
    for name, id_columns in columns.items():
        for row in rows.select(name, *id_columns).iter_rows(named=True):
            target = _target(row, id_columns)
            if target is not None:
                found.setdefault(target, str(row[name] or target[1]))
    n_named = Counter(found.values())
    return {name if n_named[name] == 1 else f"{name} ({target[1]})": target for target, name in found.items()}


def follow(row: Mapping[str, Any], id_columns: Sequence[str]) -> None:
    """Open the page of the first id that a row has; without one, stay."""
    target = _target(row, id_columns)
    if target is not None:
        open_page(*target)


def _target(row: Mapping[str, Any], id_columns: Sequence[str]) -> tuple[Target, str] | None:
    column = next((column for column in id_columns if row[column]), None)
    return None if column is None else (OF_IDS[column][1], str(row[column]))


def open_page(target: Target, value: str) -> None:
    """
    Leave this page for another one, as if the viewer had clicked a link to it.

    `st.switch_page` would put a view into the browser's history that nobody saw: this page with the other's address.
    """
    with st.container(key="follow"):
        page_link(target, value, Markdown("Continue"))
        st.html(
            "<script>const follow = () => { const link = document.querySelector('.st-key-follow a');"
            " link ? link.click() : setTimeout(follow, 20); }; follow();</script>",
            unsafe_allow_javascript=True,
        )
    st.stop()


def page_link(target: Target, value: str, label: str, *, icon: str | None = None) -> None:
    """Show a link to a page, and to what it shows there."""
    address = {target.parameter: value} if value else None
    st.page_link(f"app_pages/{target.page}.py", label=as_markdown(label), icon=icon, query_params=address)


def compare_link(target: Target, value: str) -> None:
    """Show a link to the page that compares an artist or a recording with others."""
    page_link(target, value, "Compare with others", icon=":material/stacked_line_chart:")
