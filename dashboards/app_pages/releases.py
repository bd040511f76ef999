"""Release room: a release's first days or weeks compared with the label's earlier releases."""

import streamlit as st

from dashboards import filters, ledger, parts, release_room

PAGE = {"title": "Release room", "section": "Music", "order": 37, "for_labels": True}

parts.header("Release room", "A release's first weeks, beside those of the label's earlier releases.")
ledger.note()
with filters.row():
    periods = release_room.releases()
    if not periods.is_empty():
        release_id, any_kind = release_room.choose_release(periods)
if periods.is_empty():
    parts.empty_state("Nothing was released since the data begin.", "See Home for the newest recordings.")
    st.stop()
release_room.show(periods, release_id, any_kind=any_kind)
