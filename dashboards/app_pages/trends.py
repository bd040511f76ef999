"""Trends: which artists, genres, moods and groups are growing."""

import streamlit as st

from dashboards import charts, curves, data, filters, ledger, parts

PAGE = {"title": "Trends", "section": "Music", "order": 40, "for_labels": True}

N_ARTISTS = 50

if not data.is_operator():
    ledger.trends()
    st.stop()

parts.header("Trends", "Which artists are growing, and how fast, compared with the preceding period.")
with filters.row():
    days = filters.choose("Period", {"7": "7 days", "28": "28 days"}, "days")
    floor = filters.choose("Minimum plays in the preceding period", {"50": "50", "200": "200", "10": "10"}, "floor")
    label = filters.catalogue_filters("label").get("label", "")

artists = data.run_query("trending_artists", days=days, floor=floor, label=label, n=N_ARTISTS)
if artists.is_empty():
    parts.empty_state(
        "No artist has that many plays, or the data do not cover two whole periods.",
        "Choose a lower minimum, or another period.",
    )
else:
    fastest = artists.head(12)
    parts.figure(
        "Artists by growth of plays",
        artists,
        charts.bars(fastest, "velocity", "name", unit="plays / plays in the preceding period"),
        alt_text=f"{fastest['name'][0]} has the highest growth, {fastest['velocity'][0]:.2f} times the plays before.",
        key="velocity",
        opens="name",
    )
    parts.table(
        curves.of_operator(artists, "artist_id"),
        mart="artist_profile",
        key="trending_artists",
        title=f"Artists by growth, at most {N_ARTISTS}",
        names={"curve": "last weeks"},
        formats={"velocity": "%.2f", "acceleration": "%.2f"},
    )
parts.market_moves(data.run_query_if_stored("moves_of_market"))
kind = filters.choose("Genres or moods", {"genre": "genres", "mood": "moods"}, "kind")
trends = data.run_query("genre_trends", kind=kind, to=data.last_sunday())
if trends.is_empty():
    parts.empty_state(
        "There is no data on moods yet.", operator="Moods come from audio: recsys audio scan FOLDER, recsys build"
    )
else:
    options = {name: name for name in trends["name"].unique(maintain_order=True)}
    names = filters.choose_several("Show", options, "names", most=4)
    chosen = trends.filter(trends["name"].is_in(names))
    parts.figure(
        "Share of plays by week",
        chosen,
        charts.lines(chosen.sort("week_start"), "week_start", "share", by="name", unit="%"),
        alt_text="Share of each week's plays by genre or mood.",
        key="genre_trends",
        note="Complete weeks only.",
    )

of = filters.choose("Groups of", {"tracks": "recordings", "listeners": "listeners"}, "of")
groups = data.run_query("growing_clusters", kind=of)
if groups.is_empty():
    parts.empty_state(
        "No group is large enough yet.",
        "Groups need 20 listeners each.",
        operator="They are computed by: recsys nightly.",
    )
else:
    parts.table(
        groups.drop("community"),
        mart="emerging_clusters",
        key="growing_clusters",
        title="Growth of groups, last 28 days compared with the 28 before",
        names={
            "is_emerging": "significant growth",
            "listener_growth": "listener growth, x",
            "listener_growth_low": "listener growth, low",
            "listener_growth_high": "listener growth, high",
            "play_growth": "play growth, x",
            "play_growth_low": "play growth, low",
            "play_growth_high": "play growth, high",
        },
    )
