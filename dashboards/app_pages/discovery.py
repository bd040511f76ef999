"""Discovery: recordings that sound like one of the catalogue or like a file, by mood, tempo, key and instruments."""

import streamlit as st

from dashboards import data, filters, parts
from dashboards.markdown import say

PAGE = {"title": "Discovery", "section": "Find", "order": 70, "for_labels": True}

parts.header("Discovery", "What sounds like a recording, within what you ask for. Nobody's plays take part in it.")
heard = data.run_query("heard_tracks")
if heard.is_empty():
    parts.empty("No music was heard yet.", "Let it be heard: recsys audio scan FOLDER, then recsys nightly.")
    st.stop()
words = data.run_query("heard_words")
dropped = filters.dropped(
    "Like a file that is not in the catalogue",
    "dropped",
    help="It is heard in a process of its own and not kept. Without one, a recording of the catalogue is asked about.",
)
names = dict(zip(heard["track_id"], heard["name"], strict=True))
with filters.row():
    track_id = "" if dropped else filters.choose("Sounds like", names, "like")
    mood = filters.choose("Mood", filters.any_of(words.filter(kind="mood")["tag"].to_list()), "mood")
    instrument = filters.choose(
        "Instrument", filters.any_of(words.filter(kind="instrument")["tag"].to_list()), "instrument"
    )
with filters.row():
    key = filters.choose(
        "Key", filters.any_of(["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]), "key"
    )
    mode = filters.choose("Mode", filters.any_of(["major", "minor"]), "mode")
    tempo = filters.span("Tempo [beats a minute]", 40, 220, "tempo")

name, content = dropped or ("", b"")
like = parts.attempt(lambda: data.heard(name, content)) if dropped else track_id
sound = content if dropped else data.sound_of(track_id)
if like is None:
    st.stop()
if sound is not None:
    st.audio(sound)
found = data.similar(like, tags=[mood, instrument], key=key, mode=mode, tempo=tempo)
if found.is_empty():
    parts.empty("Nothing fits all of this.", "Take a filter back, or widen the tempo.")
    st.stop()
parts.table(
    found.drop("track_id"),
    of="track_features",
    key="similar",
    title=f"Most like {name}" if dropped else "Most alike",
    names={"artist_name": "artist", "tempo_bpm": "tempo, beats a minute"},
    formats={"similarity": "%.3f", "tempo_bpm": "%.0f", "energy": "%.2f"},
)
parts.heading("Listen", 3)
for row in found.head(5).iter_rows(named=True):
    path = data.sound_of(row["track_id"])
    parts.paragraph(say("**{rank}. {title}** by {artist_name}", **row))
    if path is None:
        parts.remark("Its file is not on this machine.")
    else:
        st.audio(str(path))
