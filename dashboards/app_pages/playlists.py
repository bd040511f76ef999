"""Playlists: how plays of recordings changed after they were added to playlists."""

import streamlit as st

from dashboards import charts, data, filters, ledger, parts, sentences

PAGE = {"title": "Playlists", "section": "Music", "order": 55, "for_labels": True}

ORDERS = {"significance": "the most significant first", "week": "the newest weeks first"}
UNIT = "change in plays compared with controls [x], 95 % interval"
N_SHOWN = 50  # effects in the table, the first 20 in the figure
NAMES = {
    "artist_name": "artist",
    "added_on": "added",
    "plays_before": "plays per day before",
    "plays_after": "plays per day after",
    "control_lift": "change of controls",
    "lift": "effect",
    "n_controls": "controls",
    "n_effects": "adds with an effect",
}
FORMATS = dict.fromkeys(("plays_before", "plays_after", "control_lift", "lift", "low", "high"), "%.2f")

if not data.is_operator():
    ledger.playlists()
    st.stop()

parts.header(
    "Playlists",
    "How plays of recordings changed after they were added to playlists: the four weeks after the week of the add "
    "against the four before, compared with recordings of the same genre and size that were added nowhere.",
)
with filters.row():
    label_id = filters.catalogue_filters("label")["label"]
    playlists = data.run_query("playlist_lifts", label=label_id)
    names = dict(playlists.select("playlist_id", "playlist").iter_rows())
    playlist_id = filters.choose("Playlist", {"": filters.ALL} | names, "playlist")
    order = filters.choose("Order", ORDERS, "order")

effects = data.run_query("playlist_effects", label=label_id, playlist_id=playlist_id, by=order, n=str(N_SHOWN))
if effects.is_empty():
    parts.empty_state(
        "No add to a playlist can be compared yet.",
        "It needs four weeks before and after, and ten recordings to compare with.",
    )
    st.stop()
first = effects.row(0, named=True)
parts.figure(
    "Effect of playlist adds",
    effects,
    charts.intervals(
        sentences.with_playlist_names(effects.head(20)), "lift", "title", unit=UNIT, low="low", high="high"
    ),
    alt_text=f"The first is {first['title'] or first['track_id']}, added to {first['playlist']}: {first['lift']:.2f}.",
    key="effects",
    note="At 1, plays changed as those of the controls. Recordings may be added because interest is already rising: an "
    "effect does not prove a cause.",
)
parts.table(effects, mart="playlist_effect", key="adds", title="Adds", names=NAMES, formats=FORMATS)
n_found = int(
    playlists.filter(playlist_id=playlist_id)["n_effects"].item() if playlist_id else playlists["n_effects"].sum()
)
parts.cut_note(effects.height, n_found, "Choose a label or a playlist.")
if not playlist_id:
    shown = playlists.head(N_SHOWN)
    parts.table(shown, mart="playlist_effect", key="playlists", title="Playlists", names=NAMES, formats=FORMATS)
    parts.cut_note(shown.height, playlists.height, "Choose a label.")
