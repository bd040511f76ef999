"""Charts: a chart week by week, songs likely to reach its top ten, and how fast hits fade."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences
from recsys.reports.wording import format_day

PAGE = {"title": "Charts", "section": "Music", "order": 55, "for_labels": True}

PERCENTS = dict.fromkeys(("low", "high"), "percent")

CANDIDATES = {"": "all songs outside the top ten", "first": "songs that have not been in the top ten so far"}
OWN = "in the catalogue" if data.is_operator() else "your recording"
HEADINGS = {
    "is_own": OWN,
    "rank_before": "last week",
    "peak_rank": "peak",
    "entry_rank": "entered at",
    "n_weeks": "weeks on chart",
    "n_similar": "similar past weeks",
    "n_similar_reached": "reached the top ten",
    "n_editions": "weeks counted",
    "name": "song",
    "story": "trend",
}

parts.header("Charts", "Chart positions week by week, songs likely to reach the top ten, and how fast hits fade.")
editions = data.run_query("chart_editions")
if editions.is_empty():
    parts.empty_state(
        "No chart has been ingested yet.",
        operator="Charts are files with the columns chart, chart_date, rank, title and artist, or one of the common "
        "Hot 100 files: recsys ingest charts.csv, then recsys nightly.",
    )
    st.stop()

with filters.row():
    chart = filters.choose("Chart", {name: name for name in editions["chart"].unique(maintain_order=True)}, "chart")
    dates = editions.filter(chart=chart)["chart_date"]
    week = filters.choose("Week", {str(date): format_day(date) for date in dates}, "week")

edition = data.run_query("chart_movers", chart=chart, to=week)
parts.bullets([sentences.chart_sentence(row) for row in edition.filter("is_own").head(3).iter_rows(named=True)])
parts.table(
    edition.drop("chart", "chart_date", "song_id", "linked_by"),
    mart="chart_weekly",
    key="chart",
    title=f"{chart}, {format_day(edition['chart_date'][0])}",
    names=HEADINGS,
)

paths = data.run_query("chart_paths", chart=chart, to=week)
names = dict(paths.select("song_id", "name").unique(maintain_order=True).iter_rows())
songs = filters.choose_several("Songs", names, "songs", most=4)
n_editions = paths["chart_date"].n_unique()
chosen_paths = paths.filter(paths["song_id"].is_in(songs))
if chosen_paths.is_empty():
    parts.empty_state("No song is chosen.", "Choose songs to see their chart positions.")
else:
    parts.figure(
        "Chart positions over time",
        chosen_paths,
        charts.rank_lines(chosen_paths, "chart_date", "rank", by="name"),
        alt_text=f"Positions of {', '.join(map(names.__getitem__, songs))} in {n_editions} editions up to {week}.",
        key="paths",
        note=f"The last {n_editions} editions. A line is interrupted while the song is not on the chart.",
    )

which = filters.choose("Top ten candidates among", CANDIDATES, "which")
candidates = data.run_query("chart_candidates", chart=chart, which=which)
if candidates.is_empty():
    parts.empty_state(
        "There is no prediction for this chart yet.",
        "A prediction needs 20 past weeks in which a song outside the top ten reached it within six weeks.",
    )
else:
    likely = candidates.head(10)
    predicted_on = format_day(likely["chart_date"][0])
    parts.bullets([sentences.candidate_sentence(row) for row in likely.head(3).iter_rows(named=True)])
    parts.figure(
        "Most likely to reach the top ten",
        candidates,
        charts.intervals(likely, "probability", "name", unit="%", low="low", high="high"),
        alt_text=f"{likely['name'][0]} is the most likely.",
        key="candidates",
        note=f"Probability of being in the top ten in at least one of the six weeks after {predicted_on}, with its "
        "95 % interval, estimated from what happened to songs in similar positions in "
        f"the {likely['n_editions'][0] or ''} weeks before. A wide interval means few precedents.",
        formats=PERCENTS,
    )
    parts.table(
        candidates.drop("chart", "chart_date", "song_id"),
        mart="chart_breakouts",
        key="candidates_table",
        title="What the estimates are based on",
        names=HEADINGS,
        formats=PERCENTS,
    )

half_lives = data.run_query("hit_half_lives", chart=chart).drop_nulls("half_life_weeks")
if not half_lives.is_empty():
    parts.figure(
        "How fast hits fade",
        half_lives,
        charts.bars(
            half_lives, "half_life_weeks", "decade", unit="half-life: weeks until chart points (1 / rank) halve"
        ),
        alt_text=f"Half-life of hits by decade, {half_lives['half_life_weeks'][-1]:.1f} weeks in the last one.",
        key="half_lives",
        note="Songs that reached the top ten, by the decade of their best week. Chart points are 1 / rank; the "
        "half-life is fitted to the 13 weeks from the best week on. The downloads have its fit (r²).",
    )
