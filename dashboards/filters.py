"""
What a reader chooses: one of some values, several, a span, words, a query, a file.

Every filter is bound to the address, so that what one sees can be sent as a link.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboards import data
from dashboards.markdown import say, shown
from dashboards.parts import empty, hint

EVERY = "All"


def choose(label: str, options: Mapping[str, str], key: str, *, help: str | None = None) -> str:  # noqa: A002
    """
    Let one of some values be chosen; the address remembers it under `key`.

    Args:
        label: Above the box.
        options: Value -> what is shown for it; the first is the default. Equal names get their value behind them.
        key: In the address.
        help: On hover.
    """
    n_named = Counter(options.values())
    names = {value: name if n_named[name] == 1 else f"{name} ({value})" for value, name in options.items()}
    with st.container():
        _admit_another(label, key, set(names.values()))
        chosen = st.selectbox(
            shown(label),
            list(names),
            format_func=names.__getitem__,
            key=key,
            help=hint(help),
            bind="query-params",
            filter_mode="contains",
        )
    return str(chosen)


def _admit_another(label: str, key: str, names: set[str]) -> None:
    """Say so where a link asks for what is not offered, without repeating it: the box then shows something else."""
    asked = st.query_params.get(key)
    if asked and asked not in names and key not in st.session_state:
        told = "**The link's {label} is not here:** renamed, removed or not yours. Choose another."
        st.warning(say(told, label=label.lower()))


def narrowing(*kinds: str) -> dict[str, str]:
    """
    Let what is shown be narrowed down; a label's viewer has no choice of labels.

    Args:
        kinds: 'label', 'genre'; both where none is given.

    Returns:
        Kind -> the value chosen, '' for all.
    """
    values = data.run_query("filter_values")
    chosen: dict[str, str] = {}
    for kind in kinds or ("label", "genre"):
        found = values.filter(kind=kind)
        if kind == "genre" or data.is_operator():
            options = {"": EVERY} | dict(zip(found["value"], found["name"], strict=True))
            chosen[kind] = choose(kind.capitalize(), options, kind)
    return chosen


def any_of(values: Sequence[str]) -> dict[str, str]:
    """Offer values, and before them that any will do."""
    return {"": EVERY} | {value: value for value in values}


def several(label: str, options: Sequence[str], key: str, *, most: int) -> list[str]:
    """Let up to `most` of some values be chosen; the first ones are the default."""
    given = list(options[:most])
    return list(st.multiselect(shown(label), options, given, key=key, max_selections=most, bind="query-params"))


def span(label: str, low: int, high: int, key: str) -> tuple[int, int]:
    """Let a span of numbers be chosen; all of it is the default."""
    first, last = st.slider(shown(label), low, high, (low, high), key=key, bind="query-params")
    return int(first), int(last)


def share(label: str, key: str) -> float:
    """Let a share be chosen, 0..1, in steps of 1 %."""
    return int(st.slider(shown(label), 0, 60, 0, format="%d %%", key=key, bind="query-params")) / 100


def text(label: str, key: str, *, placeholder: str, given: str = "", help: str | None = None) -> str:  # noqa: A002
    """Let words be typed, beginning with those given."""
    typed = st.text_input(shown(label), given, key=key, placeholder=placeholder, help=hint(help), bind="query-params")
    return str(typed or "")


def code(label: str, given: str, key: str) -> str:
    """Let a query be written, beginning with one that is given; it is asked on leaving the box."""
    typed = st.text_area(shown(label), given, key=key, height=180, help="Ctrl+Enter asks it", bind="query-params")
    return str(typed or "")


def asked(label: str, key: str) -> bool:
    """Offer what takes a while on a button; say whether it was asked for."""
    return bool(st.button(shown(label), key=key))


def artist() -> str:
    """Let an artist be chosen; stops the page where there is none."""
    known = data.run_query("artist_names")
    if known.is_empty():
        empty(
            "No artist is known yet.",
            "Bring the catalogue in: recsys ingest artists.csv tracks.csv, then recsys nightly.",
        )
        st.stop()
    return choose("Artist", dict(zip(known["artist_id"], known["name"], strict=True)), "artist")


def row() -> Any:
    """Open the row that filters stand in; they wrap on a narrow screen."""
    return st.container(horizontal=True, vertical_alignment="bottom")


def dropped(label: str, key: str, *, help: str) -> tuple[str, bytes] | None:  # noqa: A002
    """Let a file be dropped in; its name and its bytes, None until there is one."""
    file = st.file_uploader(shown(label), key=key, help=shown(help))
    return None if file is None else (file.name, file.getvalue())
