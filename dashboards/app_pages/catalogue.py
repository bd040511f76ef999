"""Catalogue: what is wrong with the metadata, and what became of delivered rows."""

import streamlit as st

from dashboards import charts, data, parts

PAGE = {"title": "Catalogue", "section": "Operations", "order": 75, "for_labels": True}

parts.header(
    "Catalogue", "Faults of the metadata, those that touch most plays first, and what became of delivered rows."
)
with parts.filters():
    label = parts.narrowing("label").get("label", "")
issues = data.ask("issue_totals", label=label)
if issues.is_empty():
    parts.empty("Nothing is wrong with the catalogue.", "Look again after the next delivery.")
else:
    parts.figure(
        "Faults",
        issues,
        charts.bars(issues, "n_tracks", "issue", unit="recordings"),
        says=f"The most frequent fault is {issues['issue'][0]}.",
        key="issues",
    )
    issue = parts.choose("Fault", {name: name.replace("_", " ") for name in issues["issue"]}, "issue")
    tracks = data.ask("tracks_with_issue", issue=issue, label=label)
    parts.table(tracks, of="catalogue_health", key="tracks_with_issue", title="Recordings with this fault")
if not data.is_operator():
    st.stop()

parts.table(data.ask("outcomes"), of="data_quality", key="outcomes", title="Rows of source files")
refused = data.ask("refused_rows")
if refused.is_empty():
    parts.empty("No row was refused.", "Every delivered row kept its contract.")
else:
    parts.table(refused, of="data_quality", key="refused_rows", title="Why rows were refused")
