"""Charts: a chart week by week, what looks like a hit, and how fast hits fade."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences

PAGE = {"title": "Charts", "section": "Music", "order": 55, "for_labels": True}

WHICH = {"": "any song outside the top ten", "first": "songs that never were in it"}
OWN = "in the catalogue" if data.is_operator() else "yours"
HEADINGS = {
    "is_own": OWN,
    "rank_before": "before",
    "peak_rank": "best",
    "entry_rank": "entered at",
    "n_weeks": "weeks",
    "n_similar": "weeks like it",
    "n_similar_reached": "that led there",
    "name": "song",
}

parts.header(
    "Charts", "Who stands where, what moves, which songs look like reaching the top ten, and how fast hits fade."
)
editions = data.run_query("chart_editions")
if editions.is_empty():
    parts.empty(
        "No chart was brought in yet.",
        "Charts are files with the columns chart, chart_date, rank, title and artist, or the Hot 100 as it is passed "
        "around: recsys ingest charts.csv, then recsys nightly.",
    )
    st.stop()

with filters.row():
    chart = filters.choose("Chart", {name: name for name in editions["chart"].unique(maintain_order=True)}, "chart")
    dates = editions.filter(chart=chart)["chart_date"]
    week = filters.choose("Week", {str(date): sentences.day(date) for date in dates}, "week")

edition = data.run_query("chart_movers", chart=chart, to=week)
parts.told([sentences.charted(row) for row in edition.filter("is_own").head(3).iter_rows(named=True)])
parts.table(
    edition.drop("chart", "chart_date", "song_id", "linked_by"),
    of="chart_weekly",
    key="chart",
    title=f"{chart}, {sentences.day(edition['chart_date'][0])}",
    names=HEADINGS,
)

paths = data.run_query("chart_paths", chart=chart, to=week)
chosen = filters.several("Songs", paths["name"].unique(maintain_order=True).to_list(), "songs", most=4)
shown = paths.filter(paths["name"].is_in(chosen))
if shown.is_empty():
    parts.empty("No song is chosen.", "Choose some to see where they stood.")
else:
    parts.figure(
        "Where songs stood",
        shown,
        charts.places(shown, "chart_date", "rank", by="name"),
        says=f"Places of {', '.join(chosen)} in the half year up to {week}.",
        key="paths",
        note="The half year up to this week; a line breaks where the chart does not list its song.",
    )

which = filters.choose("Could reach the top ten", WHICH, "which")
candidates = data.run_query("chart_candidates", chart=chart, which=which)
if candidates.is_empty():
    parts.empty(
        "Nothing can be said of this chart yet.",
        "It takes 20 weeks of songs outside the top ten that led there, each with the six weeks after it.",
    )
else:
    likely = candidates.head(10)
    parts.figure(
        "Who looks like reaching the top ten",
        candidates,
        charts.bars(likely, "probability", "name", unit="%"),
        says=f"{likely['name'][0]} is the most likely, with {likely['probability'][0]:.0%}.",
        key="candidates",
        note=f"Chance of the top ten in one of the six weeks after {sentences.day(likely['chart_date'][0])}, by what "
        "songs in the same position did in the three years before.",
    )
    parts.table(
        candidates.drop("chart", "chart_date", "song_id"),
        of="chart_breakouts",
        key="candidates_table",
        title="Why",
        names=HEADINGS,
        formats={"probability": "percent"},
    )

half_lives = data.run_query("hit_half_lives", chart=chart).drop_nulls("half_life_weeks")
if not half_lives.is_empty():
    parts.figure(
        "How fast hits fade",
        half_lives,
        charts.bars(half_lives, "half_life_weeks", "decade", unit="weeks until chart points (1 / place) halve"),
        says=f"Half-life of hits by decade, {half_lives['half_life_weeks'][-1]:.1f} weeks in the last one.",
        key="half_lives",
        note="By the decade in which songs that reached the top ten had their best week: a line through the logarithm "
        "of what is left in the 13 weeks from then on. How well it fits (r²) is shown on hover.",
    )
