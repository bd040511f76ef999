"""Breakouts: recordings that rise all at once."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences

PAGE = {"title": "Breakouts", "section": "Music", "order": 50, "for_labels": True}

parts.header(
    "Breakouts",
    "Recordings that rise all at once, beyond the whole market, their own past weeks and a release's ordinary ramp.",
)
with filters.row():
    days = filters.choose(
        "Seen in", {"7": "the last 7 days", "28": "the last 28 days", "120": "the last 120 days"}, "days"
    )
    label = filters.narrowing("label").get("label", "")

found = data.run_query("breaking_out", days=days, label=label)
if found.is_empty():
    parts.empty("Nothing broke out in this period.", "That is usual; look further back, or at Trends for slower rises.")
    st.stop()

parts.told([sentences.broke_out(row) for row in found.head(3).iter_rows(named=True)])
parts.not_whole(found.columns)
parts.figure(
    "How far above what was expected",
    found,
    charts.bars(found.head(20), "z", "title", unit="robust standard deviations above the weeks before"),
    says=f"{sentences.called(found.row(0, named=True), 'title', 'track_id')} stands out most.",
    key="breakouts",
)
parts.table(
    found.drop("track_id", "artist_id"),
    of="breakouts",
    key="breakouts_table",
    title="All of them",
    names={
        "artist_name": "artist",
        "label_name": "label",
        "listen_date": "seen on",
        "n_expected": "expected plays",
    },
)
