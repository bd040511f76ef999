"""
Filters that pages offer: one value, several values, a range, text, a query, a file.

Every filter but the upload has a query parameter of the address, so that a link reproduces the view. What was chosen is
there by its id, and the address decides: each change is a step that the browser's Back undoes.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboards import data
from dashboards.markdown import as_markdown, fill
from dashboards.parts import caption, empty_state, name_files_after, tooltip

ALL = "All"
_OFFERED = "offered"  # key of the session: every (parameter, value) that a box has offered in it


def choose(label: str, options: Mapping[str, str], key: str, *, help: str | None = None) -> str:  # noqa: A002
    """
    Offer a select box and return the chosen value; stop the page if the address has a value that is not offered.

    Args:
        label: Label of the box.
        options: Value -> displayed name; the first is the default. Duplicate names are followed by their value.
        key: Query parameter in the address, which has the value and not the name: a link outlives a renaming.
        help: Text on hover.
    """
    names = unique_names(options)
    st.session_state[key] = _of_address(label, key, options)
    chosen = st.selectbox(
        as_markdown(label),
        list(names),
        format_func=names.__getitem__,
        key=key,
        help=tooltip(help),
        filter_mode="contains",
        on_change=_to_address,
        args=(key,),
    )
    return str(chosen)


def unique_names(options: Mapping[str, str]) -> dict[str, str]:
    """Return value -> displayed name, in which duplicate names are followed by their value."""
    n_named = Counter(options.values())
    return {value: name if n_named[name] == 1 else f"{name} ({value})" for value, name in options.items()}


def _of_address(label: str, key: str, options: Mapping[str, str]) -> str:
    """Return the value in the address, the first option if there is none; stop the page if it is not offered."""
    first, offered_before = next(iter(options)), st.session_state.setdefault(_OFFERED, set())
    requested = st.query_params.get(key) or first
    if requested in options:
        offered_before.add((key, requested))
        return requested
    if (key, requested) in offered_before:  # another filter was changed, with which it is not offered
        del st.query_params[key]
        return first
    _refuse(label)
    return first


def _refuse(label: str) -> None:
    """Say that a link is about something unknown, without repeating it, and stop the page."""
    st.warning(fill("**The link's value for “{label}” is not known:** removed or not yours.", label=label))
    caption("Open the page from the menu, or search for what you are looking for.")
    st.stop()


def _to_address(key: str) -> None:
    """Write the value that was just chosen into the address."""
    value = st.session_state[key]
    if value == "":  # all
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = value or ""  # of several, none


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


def choose_several(label: str, options: Mapping[str, str], key: str, *, most: int) -> list[str]:
    """Offer a multi-select box, value -> displayed name, for up to `most` values; the first ones are the default."""
    default, requested = list(options)[:most], st.query_params.get_all(key)
    st.session_state[key] = [value for value in requested if value in options][:most] if requested else default
    return list(
        st.multiselect(
            as_markdown(label),
            list(options),
            format_func=options.__getitem__,
            key=key,
            max_selections=most,
            on_change=_to_address,
            args=(key,),
        )
    )


def choose_items(label: str, options: Mapping[str, str], key: str, *, most: int) -> dict[str, str]:
    """Offer `choose_several` for ids, and return id -> displayed name of those chosen, in the order of the address."""
    names = unique_names(options)
    chosen = choose_several(label, names, key, most=most)
    if len(set(st.query_params.get_all(key))) > most:
        caption(f"The first {most} are shown.")
    return {value: names[value] for value in chosen}


def refuse_unknown(label: str, key: str, known: Container[str]) -> None:
    """Stop the page if the address has an id for the box `choose_items` that is not known."""
    if not all(value in known for value in st.query_params.get_all(key) if value):
        _refuse(label)


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


def button(label: str, key: str, *, is_disabled: bool = False) -> bool:
    """Offer a button for something slow; return whether it was pressed just now."""
    return bool(st.button(as_markdown(label), key=key, disabled=is_disabled))


def choose_artist() -> str:
    """
    Offer a select box of all artists and return an artist id; stop the page if there is no artist.

    The default is the artist of the recording in the address, if there is one.
    """
    artists = data.run_query("artist_names")
    if artists.is_empty():
        empty_state(
            "There are no artists in the catalogue yet.",
            operator="Add the catalogue: recsys ingest artists.csv tracks.csv, then recsys nightly.",
        )
        st.stop()
    names = dict(zip(artists["artist_id"], artists["name"], strict=True))
    owner = _artist_of_address(names)
    artist_id = choose("Artist", {owner: names[owner]} | names if owner else names, "artist")
    name_files_after(names[artist_id])
    return artist_id


def choose_owner() -> tuple[str, str]:
    """Offer select boxes for an artist or a label, and for which one; return `artist` or `label`, and the id."""
    owner = choose("Of", {"artist": "an artist", "label": "a label"}, "of")
    return owner, choose_artist() if owner == "artist" else choose_label()


def choose_label(*, of_track: str | None = None) -> str:
    """
    Offer a select box of all labels, without one for all, and return a label id; stop the page if there is none.

    The default is the label of the release in the address, or of the recording `of_track`.
    """
    labels = data.run_query("filter_values").filter(kind="label").select("value", "name")
    if labels.is_empty():
        empty_state("There are no labels in the catalogue yet.", operator="Add them: recsys ingest labels.csv.")
        st.stop()
    names, release_id = dict(labels.iter_rows()), st.query_params.get("release", of_track)
    if release_id is not None and "label" not in st.query_params:
        owner = _owner("label", release_id, names, "Release")
        names = {owner: names[owner]} | names
    label_id = choose("Label", names, "label")
    name_files_after(names[label_id])
    return label_id


def _artist_of_address(names: Container[str]) -> str | None:
    """Return the artist of the recording in the address, if it has no artist; stop the page if that is unknown."""
    track_id = st.query_params.get("track")
    return None if track_id is None or "artist" in st.query_params else _owner("artist", track_id, names, "Track")


def _owner(kind: str, track_id: str, names: Container[str], label: str) -> str:
    """Return the artist or label of a recording; stop the page if it is not among `names`."""
    owners = data.run_query(f"{kind}_of_track", track_id=track_id)[f"{kind}_id"]
    if owners.is_empty() or owners[0] not in names:
        _refuse(label)
    return str(owners[0])


def row() -> Any:
    """Open a row of filters, which wraps on a narrow screen."""
    return st.container(horizontal=True, vertical_alignment="bottom")


def upload(label: str, key: str, *, help: str) -> tuple[str, bytes] | None:  # noqa: A002
    """Offer a file upload; return its name and content, None before there is one."""
    file = st.file_uploader(as_markdown(label), key=key, help=as_markdown(help))
    return None if file is None else (file.name, file.getvalue())
