"""
Filters that pages offer: one value, several values, a range, text, a query, a file.

Every filter but the upload is bound to a query parameter of the address, so that a link reproduces the view.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboards import data
from dashboards.markdown import as_markdown, fill
from dashboards.parts import empty_state, tooltip

ALL = "All"


def choose(label: str, options: Mapping[str, str], key: str, *, help: str | None = None) -> str:  # noqa: A002
    """
    Offer a select box and return the chosen value.

    Args:
        label: Label of the box.
        options: Value -> displayed name; the first is the default. Duplicate names are followed by their value.
        key: Query parameter in the address.
        help: Text on hover.
    """
    n_named = Counter(options.values())
    names = {value: name if n_named[name] == 1 else f"{name} ({value})" for value, name in options.items()}
    with st.container():
        _warn_if_not_offered(label, key, set(names.values()))
        chosen = st.selectbox(
            as_markdown(label),
            list(names),
            format_func=names.__getitem__,
            key=key,
            help=tooltip(help),
            bind="query-params",
            filter_mode="contains",
        )
    return str(chosen)


def _warn_if_not_offered(label: str, key: str, names: set[str]) -> None:
    """Warn if a link requests a value that is not offered, without repeating it: the box then shows another one."""
    requested = st.query_params.get(key)
    if requested and requested not in names and key not in st.session_state:
        message = "**The link's value for “{label}” is not available:** renamed, removed or not yours. Choose another."
        st.warning(fill(message, label=label))


def catalogue_filters(*kinds: str) -> dict[str, str]:
    """
    Offer filters by label and genre; viewers of a label are not offered other labels.

    Args:
        kinds: 'label', 'genre'; both if none is given.

    Returns:
        Kind -> chosen value, '' for all.
    """
    values = data.run_query("filter_values")
    chosen: dict[str, str] = {}
    for kind in kinds or ("label", "genre"):
        of_kind = values.filter(kind=kind)
        if kind == "genre" or data.is_operator():
            options = {"": ALL} | dict(zip(of_kind["value"], of_kind["name"], strict=True))
            chosen[kind] = choose(kind.capitalize(), options, kind)
    return chosen


def with_all(values: Sequence[str]) -> dict[str, str]:
    """Return options for `choose`: first 'All' with the value '', then the values."""
    return {"": ALL} | {value: value for value in values}


def choose_several(label: str, options: Sequence[str], key: str, *, most: int) -> list[str]:
    """Offer a multi-select box for up to `most` values; the first `most` options are the default."""
    default = list(options[:most])
    return list(st.multiselect(as_markdown(label), options, default, key=key, max_selections=most, bind="query-params"))


def number_range(label: str, low: int, high: int, key: str) -> tuple[int, int]:
    """Offer a slider for a range of whole numbers, lowest and highest; the full range is the default."""
    first, last = st.slider(as_markdown(label), low, high, (low, high), key=key, bind="query-params")
    return int(first), int(last)


def share_slider(label: str, key: str) -> float:
    """Offer a slider from 0 % to 60 % in steps of 1 %; return a share, 0..0.6."""
    return int(st.slider(as_markdown(label), 0, 60, 0, format="%d %%", key=key, bind="query-params")) / 100


def text_input(label: str, key: str, *, placeholder: str, default: str = "", help: str | None = None) -> str:  # noqa: A002
    """Offer a line of text; an empty one is ''."""
    typed = st.text_input(
        as_markdown(label), default, key=key, placeholder=placeholder, help=tooltip(help), bind="query-params"
    )
    return str(typed or "")


def sql_input(label: str, default: str, key: str) -> str:
    """Offer a text area for a query; a link can fill it, but only the reader can run it."""
    typed = st.text_area(as_markdown(label), default, key=key, height=180, bind="query-params")
    return str(typed or "")


def button(label: str, key: str) -> bool:
    """Offer a button for something slow; return whether it was pressed just now."""
    return bool(st.button(as_markdown(label), key=key))


def choose_artist() -> str:
    """Offer a select box of all artists and return an artist id; stop the page if there is no artist."""
    artists = data.run_query("artist_names")
    if artists.is_empty():
        empty_state(
            "There are no artists in the catalogue yet.",
            operator="Add the catalogue: recsys ingest artists.csv tracks.csv, then recsys nightly.",
        )
        st.stop()
    return choose("Artist", dict(zip(artists["artist_id"], artists["name"], strict=True)), "artist")


def row() -> Any:
    """Open a row of filters, which wraps on a narrow screen."""
    return st.container(horizontal=True, vertical_alignment="bottom")


def upload(label: str, key: str, *, help: str) -> tuple[str, bytes] | None:  # noqa: A002
    """Offer a file upload; return its name and content, None before there is one."""
    file = st.file_uploader(as_markdown(label), key=key, help=as_markdown(help))
    return None if file is None else (file.name, file.getvalue())
