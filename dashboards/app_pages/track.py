"""Track: one recording: who hears it, what it sounds like, what its metadata says."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences

PAGE = {"title": "Track", "section": "Music", "order": 30, "for_labels": True}

FACTS = {
    "artist_name": "artist",
    "label_name": "label",
    "isrc": "ISRC",
    "duration_ms": "duration",
    "training_consent": "consent to train on it",
    "tempo_bpm": "tempo",
    "loudness_lufs": "loudness",
}

parts.header("Track", "One recording: how it is heard, what it sounds like and what is known of it.")
with filters.row():
    artist_id = filters.artist()
    tracks = data.run_query("artist_tracks", artist_id=artist_id)
    if tracks.is_empty():
        parts.empty("This artist has no recordings in the catalogue.", "Choose another one.")
        st.stop()
    titles = {row["track_id"]: sentences.called(row, "title", "track_id") for row in tracks.iter_rows(named=True)}
    track_id = filters.choose("Track", titles, "track")
    days = filters.choose(
        "Period", {"90": "the last 90 days", "28": "the last 28 days", "365": "the last year"}, "span"
    )

sound = data.sound_of(track_id)
if sound is not None:
    st.audio(str(sound))
trend = data.run_query("track_trend", track_id=track_id, days=days)
row = tracks.filter(track_id=track_id).row(0, named=True)
with st.container(horizontal=True):
    parts.metric("Plays, 28 days", row["n_plays"], of=("track_daily", "n_plays"))
    parts.metric("Skip share", row["skip_share"], unit="%", of=("artist_weekly", "skip_share"))
    parts.metric("Completion rate", row["completion_rate"], unit="%", says="Listens heard to 90 %, 28 days")
    parts.metric(
        "Algorithmic share",
        row["algorithmic_share"],
        unit="%",
        says="Plays that a recommender chose, among those whose source is known, 28 days",
    )
    parts.metric("Saves, 28 days", row["n_saves"], of=("track_daily", "n_saves"))
    parts.metric("Playlist adds, 28 days", row["n_playlist_adds"], of=("track_daily", "n_playlist_adds"))
if trend.is_empty():
    parts.empty("Nobody played it in this period.", "Choose a longer one.")
else:
    parts.figure(
        "Plays a day",
        trend,
        charts.lines(trend, "listen_date", "n_plays", unit="plays a day"),
        says=f"Plays a day over {days} days.",
        key="track_trend",
    )
words = data.run_query("track_words", track_id=track_id)
if words.is_empty():
    parts.empty(
        "Nobody has heard this recording yet.", "Its sound is known after: recsys audio scan FOLDER, recsys build"
    )
else:
    parts.figure(
        "What it sounds like",
        words,
        charts.bars(words, "confidence", "tag", unit="how sure the tagger is, 0..1"),
        says=f"The surest word is {words['tag'][0]}.",
        key="track_words",
        note="Words that a tagger hears; how sure it is, is no calibrated chance.",
    )
effects = data.run_query("playlist_effects", track_id=track_id) if data.is_operator() else words.clear()
if not effects.is_empty():
    parts.figure(
        "What playlists did for it",
        effects,
        charts.intervals(
            effects, "lift", "playlist_id", unit="times the plays, beyond controls", low="low", high="high"
        ),
        says="Each add to a playlist with what plays were multiplied by, beyond recordings like it.",
        key="playlist_effects",
        note="An add follows interest as well as making it: an effect is no proof.",
    )
parts.facts(
    data.run_query("track_facts", track_id=track_id),
    of="track_features",
    key="track_facts",
    title="What is known of it",
    names=FACTS,
)
