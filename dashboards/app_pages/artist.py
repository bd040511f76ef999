"""Artist: how one artist is heard: over time, by recording, and what is expected next."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences

PAGE = {"title": "Artist", "section": "Music", "order": 20, "for_labels": True}

WINDOWS = {"7": "7 days", "1": "1 day", "28": "28 days"}

parts.header("Artist", "How one artist is heard, and what is expected of the next 28 days.")
with filters.row():
    artist_id = filters.artist()
    window = filters.choose("Mean over", WINDOWS, "window", help="Each day shows the mean of so many days up to it.")

trend = data.run_query("artist_trend", artist_id=artist_id, days=window)
if trend.is_empty():
    parts.empty("This artist has not been played.", "Choose another one.")
    st.stop()

last = trend.row(-1, named=True)
with st.container(horizontal=True):
    parts.metric("Listeners, last day", last["n_listeners"], of=("artist_daily", "n_listeners"))
    parts.metric("Plays, last day", last["n_plays"], of=("artist_daily", "n_plays"))
    parts.metric("Streams per listener", last["streams_per_listener"], says="Plays / listeners of the day")
    parts.metric("Skip share", last["skip_share"], unit="%", of=("artist_weekly", "skip_share"))
    parts.metric("Save rate", last["save_rate"], unit="%", says="Saves / listeners of the day")
    parts.metric("Completion rate", last["completion_rate"], unit="%", says=f"Heard to 90 %, {WINDOWS[window]}")

parts.figure(
    "Plays a day",
    trend,
    charts.lines(trend, "listen_date", "plays_a_day", unit=f"plays a day, mean of {WINDOWS[window]}"),
    says=f"Plays a day, {sentences.number(last['plays_a_day'])} at the end.",
    key="artist_trend",
)
sources = trend.drop_nulls("algorithmic_share")
if not sources.is_empty():
    parts.figure(
        "Chosen by a recommender",
        sources,
        charts.lines(sources, "listen_date", "algorithmic_share", unit="%"),
        says=f"The share of plays that a recommender chose, {sources['algorithmic_share'][-1]:.0%} at the end.",
        key="artist_sources",
        note="Share of plays whose source is known, over the window; the others were chosen by the listener.",
    )
forecast = data.run_query("forecast", artist_id=artist_id)
if not forecast["is_forecast"].any():
    parts.empty("There is no forecast for this artist.", "Forecasts need some weeks of plays.")
else:
    parts.figure(
        "What is expected",
        forecast,
        charts.lines(forecast, "day", "n_plays", by="is_forecast", unit="plays a day", band=("low", "high")),
        says="Plays of the last eight weeks, and those expected of the next four with the interval that holds 4 in 5.",
        key="forecast",
        note="The band holds four days in five, by the errors of earlier forecasts.",
    )

tracks = data.run_query("artist_tracks", artist_id=artist_id)
parts.table(
    tracks.select(
        "title",
        "release_title",
        "release_date",
        "n_plays",
        "skip_share",
        "completion_rate",
        "algorithmic_share",
        "n_saves",
        "n_playlist_adds",
        "track_id",
    ),
    of="track_daily",
    key="artist_tracks",
    title="Recordings, last 28 days",
    formats=dict.fromkeys(("skip_share", "completion_rate", "algorithmic_share"), "percent"),
)
split = data.run_query("frontline_share", artist_id=artist_id, to=data.last_sunday()).drop_nulls("n_plays")
if not split.is_empty():
    parts.figure(
        "Frontline and catalogue",
        split,
        charts.lines(split, "week_start", "n_plays", by="age_group", unit="plays a week"),
        says="Plays a week of recordings that are current, catalogue and deep catalogue.",
        key="catalogue_split",
        note="Whole weeks. Current for 18 months after release, then catalogue, deep catalogue after 36.",
    )
decay = data.run_query("decay", artist_id=artist_id)
if not decay.is_empty():
    parts.table(
        decay.drop("track_id", "artist_id", "artist_name"),
        of="release_decay",
        key="decay",
        title="How fast releases fade",
        names={"r2": "fit (r²)", "half_life_weeks": "half-life, weeks", "n_plays_peak": "plays, best week"},
        formats={"r2": "%.2f", "half_life_weeks": "%.1f"},
    )
