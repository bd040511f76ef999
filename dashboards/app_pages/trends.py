"""Trends: which artists, genres and moods rise."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences

PAGE = {"title": "Trends", "section": "Music", "order": 40, "for_labels": True}

parts.header("Trends", "Which artists rise and how fast, beside the same span before.")
with filters.row():
    days = filters.choose("Window", {"7": "7 days", "28": "28 days"}, "days")
    floor = filters.choose(
        "At least", {"50": "50 plays before", "200": "200 plays before", "10": "10 plays before"}, "floor"
    )
    label = filters.narrowing("label").get("label", "")

artists = data.run_query("trending_artists", days=days, floor=floor, label=label)
if artists.is_empty():
    parts.empty("No artist has so many plays.", "Lower the floor, or choose a longer window.")
else:
    head = artists.head(12)
    parts.figure(
        "Who rises fastest",
        artists,
        charts.bars(head, "velocity", "name", unit="times the plays of the window before"),
        says=f"{sentences.called(head.row(0, named=True), 'name', 'artist_id')} rises fastest, "
        f"{head['velocity'][0]:.2f} times the plays before.",
        key="velocity",
    )
    parts.table(
        artists.drop("artist_id"),
        of="artist_profile",
        key="trending_artists",
        title="All of them",
        formats={"velocity": "%.2f", "acceleration": "%.2f"},
    )
if not data.is_operator():
    st.stop()

kind = filters.choose("Genres or moods", {"genre": "genres", "mood": "moods"}, "kind")
trends = data.run_query("genre_trends", kind=kind, to=data.last_sunday())
if trends.is_empty():
    parts.empty("No moods are known yet.", "They are heard in the music: recsys audio scan FOLDER, recsys build")
else:
    shown = filters.several("Show", trends["name"].unique(maintain_order=True).to_list(), "names", most=4)
    chosen = trends.filter(trends["name"].is_in(shown))
    parts.figure(
        "Share of plays, week by week",
        chosen,
        charts.lines(chosen.sort("week_start"), "week_start", "share", by="name", unit="%"),
        says="Share of each week's plays by genre or mood.",
        key="genre_trends",
        note="Whole weeks.",
    )

of = filters.choose("Groups of", {"tracks": "recordings", "listeners": "listeners"}, "of")
groups = data.run_query("growing_clusters", kind=of)
if groups.is_empty():
    parts.empty(
        "No group is large enough yet.", "Groups are made by the night: recsys nightly. Each needs 20 listeners."
    )
else:
    parts.table(
        groups.drop("community"),
        of="emerging_clusters",
        key="growing_clusters",
        title="Which groups grow, last 28 days against the 28 before",
        names={
            "is_emerging": "surely grows",
            "listener_growth": "listeners, times",
            "listener_growth_low": "at least",
            "listener_growth_high": "at most",
            "play_growth": "plays, times",
            "play_growth_low": "at least",
            "play_growth_high": "at most",
        },
    )
