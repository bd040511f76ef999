"""Sources and loyalty: who chooses the music, and who comes back for it, week by week."""

import streamlit as st

from dashboards import charts, data, filters, ledger, parts
from recsys.reports.wording import format_day

PAGE = {"title": "Sources and loyalty", "section": "Music", "order": 64, "for_labels": True}

LOYALTY = (
    "New: played nothing of it before; returning: played it in the four weeks before; back: longer ago; unknown: the "
    "log was under eight weeks old."
)

if not data.is_operator():
    ledger.sources()
    st.stop()

parts.header(
    "Sources and loyalty",
    "Who chooses the music of an artist or a label, listeners or a recommender, and who comes back for it.",
)
with filters.row():
    owner, owner_id = filters.choose_owner()
weeks = data.run_query("listening_weeks", owner=owner, id=owner_id)
if weeks.is_empty():
    parts.empty_state("There were no plays in a complete week.", "Choose another artist or label.")
    st.stop()

last, mart = weeks.row(-1, named=True), "listening_weekly"
with st.container(horizontal=True):
    parts.metric("Chosen by listeners", last["chosen_share"], unit="%", column=(mart, "chosen_share"))
    parts.metric("Recommended", last["recommended_share"], unit="%", column=(mart, "recommended_share"))
    parts.metric("New listeners", last["new_share"], unit="%", column=(mart, "new_share"), missing="unknown")
    parts.metric("Returning listeners", last["returning_share"], unit="%", column=(mart, "returning_share"))
    parts.metric("Heavy listeners", last["heavy_share"], unit="%", column=(mart, "heavy_share"))
parts.caption(f"Week from {format_day(last['week_start'])}, of {last['n_plays']:,} plays.")
sources = data.run_query("listening_parts", owner=owner, id=owner_id, kind="source")
parts.figure(
    "Who chose the recording",
    sources,
    charts.lines(sources, "week_start", "play_share", by="part", unit="%", points=True),
    alt_text=f"In the last week, {last['recommended_share']:.0%} of plays were recommended.",
    key="sources",
    note="Share of the plays of each complete week. The log does not say whether a recording was played from a "
    "playlist; plays without a source are unknown.",
)
loyalty = data.run_query("listening_parts", owner=owner, id=owner_id, kind="loyalty")
parts.figure(
    "Who comes back",
    loyalty,
    charts.lines(loyalty, "week_start", "listener_share", by="part", unit="%", points=True),
    alt_text=f"In the last week, {last['returning_share']:.0%} of listeners were returning.",
    key="loyalty",
    note=f"Share of the listeners of each complete week. {LOYALTY}",
)
parts.figure(
    "Heavy listeners",
    weeks,
    charts.lines(weeks, "week_start", "heavy_play_share", unit="%", points=True),
    alt_text=f"In the last week, heavy listeners made {last['heavy_play_share']:.0%} of plays.",
    key="heavy",
    note="Share of the plays of each complete week by listeners who played it at least five times in the week. In the "
    f"last week, these were {last['heavy_share']:.0%} of the listeners.",
)
parts.table(
    weeks.reverse(),
    mart=mart,
    key="weeks",
    title="Complete weeks",
    names={
        "week_start": "week from",
        "chosen_share": "chosen",
        "recommended_share": "recommended",
        "new_share": "new",
        "returning_share": "returning",
        "back_share": "back",
        "heavy_share": "heavy",
        "heavy_play_share": "plays of heavy",
    },
)
