"""Track: plays of one recording, what it sounds like, and its metadata."""

import streamlit as st

from dashboards import charts, curve_notes, data, filters, ledger, links, parts, sentences, watching

PAGE = {"title": "Track", "section": "Music", "order": 30, "for_labels": True}

FACTS = {
    "artist_name": "artist",
    "label_name": "label",
    "isrc": "ISRC",
    "duration_ms": "duration",
    "training_consent": "consent to train models on it",
    "tempo_bpm": "tempo",
    "loudness_lufs": "loudness",
}

parts.header("Track", "One recording: its plays, what it sounds like, and its metadata.")
with filters.row():
    artist_id = filters.choose_artist()
    tracks = data.run_query("artist_tracks" if data.is_operator() else "artist_recordings", artist_id=artist_id)
    if tracks.is_empty():
        parts.empty_state("This artist has no recordings in the catalogue.", "Choose another artist.")
        st.stop()
    titles = {row["track_id"]: sentences.display_name(row, "title", "track_id") for row in tracks.iter_rows(named=True)}
    track_id = filters.choose("Track", titles, "track")
    days = (
        filters.choose("Period", {"90": "the last 90 days", "28": "the last 28 days", "365": "the last year"}, "span")
        if data.is_operator()
        else ""
    )
    watching.watch_button(artist_id, track_id)

links.compare_link(links.COMPARED_TRACKS, track_id)
parts.portrait(titles[track_id])
sound = data.audio_file(track_id)
if sound is not None:
    st.audio(str(sound))
if data.is_operator():
    row = tracks.filter(track_id=track_id).row(0, named=True)
    trend = data.run_query("track_trend", track_id=track_id, days=days)
    with st.container(horizontal=True):
        parts.metric("Plays", row["n_plays"], column=("track_daily", "n_plays"))
        parts.metric("Skip share", row["skip_share"], unit="%", column=("track_daily", "skip_share"))
        parts.metric(
            "Completion rate",
            row["completion_rate"],
            unit="%",
            column=("track_daily", "completion_rate"),
        )
        parts.metric(
            "Algorithmic share",
            row["algorithmic_share"],
            unit="%",
            column=("track_daily", "algorithmic_share"),
        )
        parts.metric("Saves", row["n_saves"], column=("track_daily", "n_saves"))
        parts.metric("Playlist adds", row["n_playlist_adds"], column=("track_daily", "n_playlist_adds"))
    parts.caption("Last 28 days.")
    if trend.is_empty():
        parts.empty_state("There are no plays in this period.", "Choose a longer period.")
    else:
        notes = curve_notes.notes_on(trend, "recording", track_id, x="listen_date", y="n_plays")
        parts.figure(
            "Plays per day",
            trend,
            charts.lines(trend, "listen_date", "n_plays", unit="plays per day", notes=notes),
            alt_text=f"Plays per day, at most {days} days back.",
            key="track_trend",
        )
        curve_notes.list_notes(notes)
else:
    ledger.track(track_id)
tags = data.run_query("track_words", track_id=track_id)
if tags.is_empty():
    parts.empty_state(
        "The audio of this recording has not been analysed.", operator="Run: recsys audio scan FOLDER, recsys build"
    )
else:
    parts.figure(
        "What it sounds like",
        tags,
        charts.bars(tags, "confidence", "tag", unit="confidence of the tagger, 0..1"),
        alt_text=f"The tag with the highest confidence is {tags['tag'][0]}.",
        key="track_words",
        note="Tags predicted from the audio. A higher value means more certain; it is not a probability.",
    )
learned = data.run_query("track_probabilities", track_id=track_id)
if not learned.is_empty():
    parts.figure(
        "Learned tags",
        learned,
        charts.bars(learned, "probability", "tag", unit="probability, 0..1"),
        alt_text=f"The most probable tag is {learned['tag'][0]}.",
        key="track_probabilities",
        note="Learned from labels of your own. Of ten recordings with a probability of .7, seven have the tag.",
    )
effects = data.run_query("playlist_effects", track_id=track_id) if data.is_operator() else tags.clear()
if not effects.is_empty():
    parts.figure(
        "Effect of playlist adds",
        effects,
        charts.intervals(
            effects, "lift", "playlist", unit="change in plays compared with controls [x]", low="low", high="high"
        ),
        alt_text="For each playlist, the factor by which plays changed compared with similar recordings.",
        key="playlist_effects",
        note="Recordings may be added because interest is already rising: an effect does not prove a cause.",
    )
facts = sentences.with_code_names(data.run_query("track_facts", track_id=track_id), "language", "language")
parts.facts(
    sentences.with_code_names(facts, "available_in", "country"),
    mart="track_features",
    key="track_facts",
    title="Metadata",
    names=FACTS,
)
