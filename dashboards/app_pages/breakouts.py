"""Breakouts: recordings whose plays suddenly rise."""

import streamlit as st

from dashboards import charts, data, filters, ledger, parts, sentences

PAGE = {"title": "Breakouts", "section": "Music", "order": 50, "for_labels": True}

if not data.is_operator():
    ledger.breakouts()
    parts.rising_signals(data.run_query_if_stored("rising_signals"))
    st.stop()

parts.header(
    "Breakouts",
    "Recordings whose share of all plays is far above their own recent weeks. The start of a release does not count.",
)
with filters.row():
    days = filters.choose(
        "Period", {"7": "the last 7 days", "28": "the last 28 days", "120": "the last 120 days"}, "days"
    )
    label = filters.catalogue_filters("label").get("label", "")

breakouts = data.run_query("breaking_out", days=days, label=label)
signals = data.run_query_if_stored("rising_signals", days=days, label=label)
if breakouts.is_empty():
    parts.empty_state(
        "Nothing broke out in this period.",
        "This is common, and a breakout needs more than three weeks of data before it. Choose a longer period, or see "
        "Trends for slower growth.",
    )
    parts.rising_signals(signals)
    st.stop()

parts.bullets([sentences.breakout_sentence(row) for row in breakouts.head(3).iter_rows(named=True)])
parts.figure(
    "Plays above expectation",
    breakouts,
    charts.bars(breakouts.head(20), "z", "title", unit="distance from the weeks before, in standard deviations"),
    alt_text=f"{sentences.display_name(breakouts.row(0, named=True), 'title', 'track_id')} is furthest above.",
    key="breakouts",
    opens="title",
)
parts.table(
    breakouts,
    mart="breakouts",
    key="breakouts_table",
    title="All breakouts",
    names={
        "artist_name": "artist",
        "label_name": "label",
        "listen_date": "last day of the breakout",
        "n_expected": "expected plays",
    },
)
parts.rising_signals(signals)
