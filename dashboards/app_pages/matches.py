"""Matches: uses of the catalogue's recordings, found in uploads, in each other, and in a file that one drops."""

import streamlit as st

from dashboards import data, parts

PAGE = {"title": "Matches", "section": "Find", "order": 85, "for_labels": True}

PERIODS = {"7": "the last 7 days", "1": "the last night", "365": "the last year"}
SURE = {"0.9": "90 %", "0.5": "50 %", "0": "any"}

parts.header("Matches", "Where recordings are used. That two sound alike does not say that a right was infringed.")
with parts.filters():
    days = parts.choose("Found in", PERIODS, "days")
    probability = parts.choose("At least this sure", SURE, "sure")
uses = data.ask("new_uses", days=days, probability=probability, n=200)
if uses.is_empty():
    parts.empty("No uses were found.", "Look further back, or let the night look through uploads (README, Operators).")
else:
    parts.table(uses, of="recording_uses", key="uses", title="Uses found", formats={"probability": "percent"})
if not data.is_operator():
    st.stop()

st.subheader("Look through a file")
dropped = st.file_uploader("A recording, a mix or a video", key="dropped", help="It is not kept.")
if dropped is not None:
    found, silent = data.matches(dropped.name, dropped.getvalue())
    if silent:
        parts.empty("It could not be heard.", next(iter(silent.values())))
    elif found.is_empty():
        parts.empty("No recording of the catalogue was found in it.", "A few seconds of it should be audible.")
    else:
        parts.table(
            found.drop("file", "audio_id"),
            of="match_candidates",
            key="matches",
            title=f"Found in {dropped.name}",
            formats={"probability": "percent"},
        )
