"""Watchlist: artists and recordings that the viewer watches, what happened to them, and which changes are alerts."""

import streamlit as st

from dashboards import data, filters, ledger, parts, sentences, watching

PAGE = {"title": "Watchlist", "section": "Music", "order": 15, "for_labels": True}

NAMES = {
    "artist_name": "artist",
    "n_plays": "plays",
    "n_plays_before": "plays, week before",
    "n_plays_so_far": "plays so far",
    "from_day": "from",
    "to_day": "to",
}

parts.header("Watchlist", "Artists and recordings that you watch, and what happened to them.")
ledger.note()
watched = watching.watched_figures()
if watched.is_empty():
    parts.empty_state("You watch nothing yet.", "Choose an artist or a recording below.")
else:
    parts.table(
        watched,
        mart="label_figures",
        key="watched",
        title="Last week",
        names=NAMES,
    )
    parts.caption(
        "Plays of the last complete week, for labels of the last closed one; a change is that of plays per day."
    )
parts.heading("Watch")
with filters.row():
    artist_id = filters.choose_artist()
    tracks = data.run_query("artist_tracks" if data.is_operator() else "artist_recordings", artist_id=artist_id)
    titles = {row["track_id"]: sentences.display_name(row, "title", "track_id") for row in tracks.iter_rows(named=True)}
    track_id = filters.choose("What", {"": "the artist"} | titles, "track")
    if filters.button("Watch", "watch") and watching.watch(artist_id, track_id):
        st.rerun()
if not watched.is_empty():
    with filters.row():
        key = filters.choose("Watched so far", watching.watched_names(), "watched")
        if filters.button("Stop watching", "unwatch") and watching.unwatch(key):
            st.rerun()
parts.heading("Alerts")
watching.show_alerts()
parts.heading("Which changes are alerts")
watching.thresholds_form()
