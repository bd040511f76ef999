"""Recommendations: one listener's list, the reason for each recording, and what filters and rules excluded."""

import streamlit as st

from dashboards import data, feedback, filters, parts, sentences
from dashboards.markdown import fill

PAGE = {"title": "Recommendations", "section": "Operations", "order": 90, "for_labels": False}

NAMES = {"artist_name": "artist", "rank": "rank among candidates", "place": "rank in the list"}

parts.header(
    "Recommendations",
    "One listener's exported list, why each recording is on it, and why other recordings are not.",
)
listeners = data.run_query("listeners_with_lists")
if listeners.is_empty():
    parts.empty_state("No recommendations have been published yet.", "Run: recsys nightly")
    st.stop()
with filters.row():
    chosen_user = filters.choose("Listener", {user_id: user_id for user_id in listeners["user_id"]}, "listener")
    typed_user = filters.text_input("Or enter an id", "user_id", placeholder="a pseudonymous listener id").strip()
user_id = typed_user or chosen_user
n_found = listeners["n_found"][0]
parts.caption(f"{n_found:,} listeners have a list; the box offers the {listeners.height:,} most active.")
recommended = data.run_query("recommended_to", user_id=user_id)
if recommended.is_empty():
    parts.empty_state(
        f"{user_id} has no list.", "Choose a listener from the box, or search for an id: recsys find WORDS"
    )
    st.stop()
listener = data.run_query("listener", user_id=user_id)
profile = sentences.with_code_names(listener, "country", "country").row(0, named=True)
with st.container(horizontal=True):
    parts.metric("Tracks played", profile["n_tracks"], column=("listener_profile", "n_tracks"))
    parts.metric("Plays", profile["n_plays"], column=("listener_profile", "n_plays"))
parts.caption(
    f"As stated by the listener: country {profile['country']}, age {profile['age_band']}, gender {profile['gender']}."
)
parts.table(
    recommended, mart="recommendations", key="recommended_to", title="The list", names={"artist_name": "artist"}
)

candidates = data.candidates(user_id)
parts.table(
    candidates,
    mart="recommendations",
    key="candidates",
    title="Candidates for the list",
    names=NAMES,
    formats={"score": "%.3f"},
)
parts.caption(
    f"The recommender's {candidates.height} best candidates after the filters. A candidate without a rank in the list "
    "lost its place to the rerank rules ([rerank] in the recipe) or to an exploration slot."
)
parts.table(
    data.run_query("kept_from", user_id=user_id),
    mart="listener_profile",
    key="kept_from",
    title="Recordings excluded by filters",
    names={"n_tracks": "recordings"},
)

parts.heading("Why, or why not")
with filters.row():
    offered = [*candidates.iter_rows(named=True), *recommended.iter_rows(named=True)]
    titles = {row["track_id"]: row["title"] or row["track_id"] for row in offered}
    chosen_track = filters.choose("Recording", titles, "recording")
    typed_track = filters.text_input("Or enter an id", "track_id", placeholder="a track id").strip()
track_id = typed_track or chosen_track
reasons = data.run_query("why_not", user_id=user_id, track_id=track_id)["reason"].to_list()
if reasons:
    parts.bullets([fill("Excluded by a filter: **{reason}**", reason=reason) for reason in reasons])
if filters.button("Explain the score", "why"):
    contributions = parts.attempt(lambda: data.explain(user_id, track_id), "Track ids are listed on the Search page.")
    if contributions is not None and contributions.is_empty():
        parts.empty_state("There is no explanation.", "The model has learned from none of this listener's plays.")
    elif contributions is not None:
        parts.table(
            contributions,
            mart="recommendations",
            key="explanation",
            title="Contribution of each recording in the listener's history",
            names=NAMES,
            formats={"contribution": "%.4f"},
        )

feedback.click_through()
