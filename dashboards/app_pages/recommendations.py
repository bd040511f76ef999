"""Recommendations: one listener's list, the reason for each place, and what rules and filters kept away."""

import streamlit as st

from dashboards import data, filters, parts
from dashboards.markdown import say

PAGE = {"title": "Recommendations", "section": "Operations", "order": 90, "for_labels": False}

NAMES = {"artist_name": "artist", "rank": "recommender's rank", "place": "place in the list"}

parts.header(
    "Recommendations", "One listener's list as exported, why each recording is there, and what is not and why."
)
listeners = data.run_query("listeners_with_lists")
if listeners.is_empty():
    parts.empty("No lists are published yet.", "Run: recsys nightly")
    st.stop()
with filters.row():
    offered = filters.choose("Listener", {each: each for each in listeners["user_id"]}, "listener")
    typed = filters.text("Or any other", "user_id", placeholder="a listener's pseudonymous id").strip()
user_id = typed or offered
lists = data.run_query("recommended_to", user_id=user_id)
if lists.is_empty():
    parts.empty(f"{user_id} has no list.", "Choose one of the box, or look an id up: recsys find WORDS")
    st.stop()
about = data.run_query("listener", user_id=user_id).row(0, named=True)
with st.container(horizontal=True):
    parts.metric("Recordings played", about["n_tracks"], of=("listener_profile", "n_tracks"))
    parts.metric("Plays", about["n_plays"], of=("listener_profile", "n_plays"))
parts.remark(f"Country {about['country']}, age {about['age_band']}, gender {about['gender']}, as they told.")
parts.table(lists, of="recommendations", key="recommended_to", title="The list", names={"artist_name": "artist"})

candidates = data.candidates(user_id)
parts.table(
    candidates,
    of="recommendations",
    key="candidates",
    title="What it was chosen from",
    names=NAMES,
    formats={"score": "%.3f"},
)
parts.remark(
    f"The recommender's {candidates.height} best of what filters left. Without a place in the list: the rules for "
    "lists ([rerank] of the recipe) chose others, or a place was drawn to find out what else is liked."
)
parts.table(
    data.run_query("kept_from", user_id=user_id),
    of="listener_profile",
    key="kept_from",
    title="What filters kept away",
    names={"n_tracks": "recordings"},
)

parts.heading("Why, or why not")
with filters.row():
    titles = dict(zip(candidates["track_id"], candidates["title"], strict=True))
    named = filters.choose("Recording", {track: title or track for track, title in titles.items()}, "recording")
    other = filters.text("Or any other", "track_id", placeholder="a recording's id").strip()
track_id = other or named
reasons = data.run_query("why_not", user_id=user_id, track_id=track_id)["reason"].to_list()
if reasons:
    parts.told([say("Filters keep it away: **{reason}**", reason=reason) for reason in reasons])
if filters.asked("Ask the model", "why"):
    said = parts.attempt(lambda: data.explain(user_id, track_id), "Ids of recordings: the Search page has them.")
    if said is not None and said.is_empty():
        parts.empty("Nothing speaks for or against it.", "The model learned from none of this listener's plays.")
    elif said is not None:
        parts.table(
            said,
            of="recommendations",
            key="explanation",
            title="What their own recordings say for or against it",
            names=NAMES,
            formats={"share": "percent", "contribution": "%.4f"},
        )
