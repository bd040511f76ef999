"""Artist: plays and listeners of one artist over time and by recording, with a forecast."""

import streamlit as st

from dashboards import charts, curve_notes, curves, data, filters, ledger, links, parts, watching
from recsys.reports.wording import format_day, format_number

PAGE = {"title": "Artist", "section": "Music", "order": 20, "for_labels": True}

WINDOWS = {"7": "7 days", "1": "1 day", "28": "28 days"}

if not data.is_operator():
    ledger.artist()
    st.stop()

parts.header("Artist", "One artist's plays, listeners and recordings, and a forecast of the next 28 days.")
with filters.row():
    artist_id = filters.choose_artist()
    window = filters.choose(
        "Average over", WINDOWS, "window", help="Each day shows the average over a window that ends on that day."
    )
    watching.watch_button(artist_id)

links.compare_link(links.COMPARED_ARTISTS, artist_id)
parts.portrait(data.artist_name(artist_id))
parts.report_downloads(*data.artist_report(artist_id))
trend = data.run_query("artist_trend", artist_id=artist_id, days=window)
if trend.is_empty():
    parts.empty_state("This artist has no plays.", "Choose another artist.")
    st.stop()

last = trend.row(-1, named=True)
with st.container(horizontal=True):
    parts.metric("Listeners", last["n_listeners"], column=("artist_daily", "n_listeners"))
    parts.metric("Plays", last["n_plays"], column=("artist_daily", "n_plays"))
    parts.metric("Plays / listener", last["streams_per_listener"], column=("artist_daily", "streams_per_listener"))
    parts.metric("Skip share", last["skip_share"], unit="%", column=("artist_daily", "skip_share"))
    parts.metric("Save rate", last["save_rate"], unit="%", column=("artist_daily", "save_rate"))
    parts.metric("Completion rate", last["completion_rate"], unit="%", column=("artist_daily", "completion_rate"))
parts.caption(f"On {format_day(last['listen_date'])}; the completion rate over {WINDOWS[window]}.")

notes = curve_notes.notes_on(trend, "artist", artist_id, x="listen_date", y="plays_a_day")
unit = f"plays per day, average over {WINDOWS[window]}"
parts.figure(
    "Plays per day",
    trend,
    charts.lines(trend, "listen_date", "plays_a_day", unit=unit, notes=notes),
    alt_text=f"Plays per day, {format_number(last['plays_a_day'])} on the last day.",
    key="artist_trend",
)
curve_notes.list_notes(notes)
sources = trend.drop_nulls("algorithmic_share")
if not sources.is_empty():
    parts.figure(
        "Share of plays from recommendations",
        sources,
        charts.lines(sources, "listen_date", "algorithmic_share", unit="%"),
        alt_text=f"Share of plays chosen by a recommender, {sources['algorithmic_share'][-1]:.0%} on the last day.",
        key="artist_sources",
        note="Plays chosen by a recommender, not by the listener, as a share of the plays whose source is known.",
    )
forecast = data.run_query("forecast", artist_id=artist_id)
if not forecast["is_forecast"].any():
    parts.empty_state("There is no forecast for this artist.", "A forecast needs several weeks of plays.")
else:
    parts.figure(
        "Forecast",
        forecast,
        charts.lines(forecast, "day", "n_plays", by="is_forecast", unit="plays per day", band=("low", "high")),
        alt_text="Plays of the last eight weeks, and a forecast of the next four weeks with its 80 % interval.",
        key="forecast",
        note="The band is an 80 % interval: plays should fall inside it on four days out of five.",
    )

tracks = curves.of_operator(data.run_query("artist_tracks", artist_id=artist_id), "track_id", artist_id)
parts.table(
    tracks.select(
        "title",
        "curve",
        "n_plays",
        "skip_share",
        "completion_rate",
        "algorithmic_share",
        "n_saves",
        "n_playlist_adds",
        "release_title",
        "release_date",
        "track_id",
    ),
    mart="track_daily",
    key="artist_tracks",
    title="Recordings, last 28 days",
    names={"curve": "last weeks"},
)
split = data.run_query("frontline_share", artist_id=artist_id, to=data.last_sunday()).drop_nulls("n_plays")
if not split.is_empty():
    parts.figure(
        "Frontline and catalogue",
        split,
        charts.lines(split, "week_start", "n_plays", by="age_group", unit="plays per week"),
        alt_text="Plays per week of recordings that are current, catalogue and deep catalogue.",
        key="catalogue_split",
        note="Complete weeks only. A recording is current in the calendar month of its release and the 17 after it, "
        "catalogue in the next 18, then deep catalogue. A week counts in the month of its Monday.",
    )
decay = data.run_query("decay", artist_id=artist_id)
if not decay.is_empty():
    parts.table(
        decay.drop("artist_id", "artist_name"),
        mart="release_decay",
        key="decay",
        title="How fast releases fade",
        names={"r2": "fit (r²)", "half_life_weeks": "half-life, weeks", "n_plays_peak": "plays, best week"},
        formats={"r2": "%.2f", "half_life_weeks": "%.1f"},
    )
