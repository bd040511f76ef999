"""Recommendations: one listener's list, the reason for each place, and what rules and filters kept away."""

import streamlit as st

from dashboards import data, parts

PAGE = {"title": "Recommendations", "section": "Operations", "order": 90, "for_labels": False}

parts.header(
    "Recommendations", "One listener's list as exported, why each recording is there, and what is not and why."
)
listeners = data.ask("listeners_with_lists")
if listeners.is_empty():
    parts.empty("No lists are published yet.", "Run: recsys nightly")
    st.stop()
with parts.filters():
    user_id = parts.choose("Listener", dict(zip(listeners["user_id"], listeners["user_id"], strict=True)), "listener")
about = listeners.filter(user_id=user_id).row(0, named=True)
with st.container(horizontal=True):
    parts.metric("Recordings played", about["n_tracks"], of=("listener_profile", "n_tracks"))
    parts.metric("Plays", about["n_plays"], of=("listener_profile", "n_plays"))
st.caption(f"Country {about['country']}, age {about['age_band']}, gender {about['gender']}, as they told.")

lists = data.ask("recommended_to", user_id=user_id)
parts.table(lists, of="recommendations", key="recommended_to", title="The list")
over = data.passed_over(user_id)
if over.is_empty():
    parts.empty("No candidate was passed over.", "The rules chose the recommender's own best.")
else:
    parts.table(
        over,
        of="recommendations",
        key="passed_over",
        title="Better candidates that rules passed over",
        names={"rank": "recommender's rank"},
    )
parts.table(
    data.ask("kept_from", user_id=user_id), of="listener_profile", key="kept_from", title="What filters keep away"
)

track_id = parts.choose("Explain", dict(zip(lists["track_id"], lists["title"], strict=True)), "track")
if parts.asked("Ask the model why", "why"):
    parts.table(
        data.explain(user_id, track_id),
        of="recommendations",
        key="explanation",
        title="What their own recordings say for or against it",
        formats={"share": "percent"},
    )
