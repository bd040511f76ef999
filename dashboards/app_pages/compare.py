"""Compare: up to five artists or recordings on one chart, by date or by the time since their release."""

import streamlit as st

from dashboards import comparing, data, filters, ledger, parts

PAGE = {"title": "Compare", "section": "Music", "order": 35, "for_labels": True}

parts.header("Compare", f"Up to {comparing.MOST} artists or recordings on one chart, with their totals.")
ledger.note()
with filters.row():
    kind, offered = comparing.choose_kind()
    by = filters.choose("By", comparing.BY, "by")
    weeks = filters.choose("First" if by == "release" else "Last", comparing.SPANS, "weeks")
    window = (
        filters.choose("Average over", comparing.WINDOWS, "window", help="The window ends on the day that is drawn.")
        if data.is_operator()
        else ""
    )
items = comparing.choose_items(kind, offered)
if not items:
    parts.empty_state("Nothing is chosen.", f"Choose {comparing.KINDS[kind]} to compare.")
    st.stop()
averaged = {"days": window} if window else {}
unit = f"plays per day, average over {comparing.WINDOWS[window]}" if window else ledger.WEEK_UNIT
comparing.show(comparing.periods(kind, items, by=by, weeks=weeks, **averaged), items, by=by, unit=unit)
