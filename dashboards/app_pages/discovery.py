"""Discovery: recordings that sound like a given recording or file, filtered by mood, instrument, key and tempo."""

import streamlit as st

from dashboards import data, filters, parts
from dashboards.markdown import fill

PAGE = {"title": "Discovery", "section": "Find", "order": 70, "for_labels": True}

parts.header("Discovery", "Recordings that sound alike. Only the sound counts: plays have no influence.")
analysed = data.run_query("heard_tracks")
if analysed.is_empty():
    parts.empty_state("No music has been analysed yet.", operator="Run: recsys audio scan FOLDER, then recsys nightly.")
    st.stop()
tags = data.run_query("heard_words")
upload = filters.upload(
    "Find music that sounds like a file",
    "dropped",
    help="The file is analysed in a separate process and is not stored. Without a file, choose a recording below.",
)
names = dict(zip(analysed["track_id"], analysed["name"], strict=True))
with filters.row():
    track_id = "" if upload else filters.choose("Sounds like", names, "like")
    mood = filters.choose("Mood", filters.with_all(tags.filter(kind="mood")["tag"].to_list()), "mood")
    instrument = filters.choose(
        "Instrument", filters.with_all(tags.filter(kind="instrument")["tag"].to_list()), "instrument"
    )
with filters.row():
    key = filters.choose(
        "Key", filters.with_all(["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]), "key"
    )
    mode = filters.choose("Mode", filters.with_all(["major", "minor"]), "mode")
    tempo = filters.number_range("Tempo (beats per minute)", 40, 220, "tempo")

name, content = upload or ("", b"")
like = parts.attempt(lambda: data.embed_upload(name, content), parts.FORMATS_NOTE) if upload else track_id
sound = content if upload else data.audio_file(track_id)
if like is None:
    st.stop()
if sound is not None:
    st.audio(sound)
similar = data.similar(like, tags=[mood, instrument], key=key, mode=mode, tempo=tempo)
if similar.is_empty():
    parts.empty_state("No recording matches all filters.", "Remove a filter, or widen the tempo range.")
    st.stop()
parts.table(
    similar,
    mart="track_features",
    key="similar",
    title=f"Most similar to {name}" if upload else "Most similar recordings",
    names={"artist_name": "artist", "tempo_bpm": "tempo, beats per minute"},
    formats={"similarity": "%.3f", "tempo_bpm": "%.0f", "energy": "%.2f"},
)
parts.heading("Listen", 3)
for row in similar.head(5).iter_rows(named=True):
    path = data.audio_file(row["track_id"])
    parts.paragraph(fill("**{rank}. {title}** by {artist_name}", **row))
    if path is None:
        parts.caption("The audio file is not on this machine.")
    else:
        st.audio(str(path))
