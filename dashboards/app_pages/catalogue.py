"""Catalogue: what is wrong with the metadata, and what became of delivered rows."""

import streamlit as st

from dashboards import charts, data, filters, parts

PAGE = {"title": "Catalogue", "section": "Operations", "order": 75, "for_labels": True}

NAMES = {"artist_name": "artist", "label_name": "label", "detail": "what stands there"}

parts.header("Catalogue", "What is wrong with the metadata and how many plays it touches, fault by fault.")
with filters.row():
    label = filters.narrowing("label").get("label", "")
issues = data.run_query("issue_totals", label=label)
if issues.is_empty():
    parts.empty("Nothing is wrong with the catalogue.", "Look again after the next delivery.")
else:
    shown = issues.with_columns(issues["issue"].str.replace_all("_", " "))
    parts.figure(
        "Faults",
        shown,
        charts.bars(shown, "n_tracks", "issue", unit="recordings"),
        says=f"The most frequent fault is {shown['issue'][0]}, of {issues['n_tracks'][0]:,} recordings.",
        key="issues",
    )
    issue = filters.choose(
        "Fault",
        dict(zip(issues["issue"], shown["issue"], strict=True)),
        "issue",
        help=data.meaning("catalogue_health", "issue"),
    )
    tracks = data.run_query("tracks_with_issue", issue=issue, label=label)
    parts.table(
        tracks,
        of="catalogue_health",
        key="tracks_with_issue",
        title=f"Recordings: {issue.replace('_', ' ')}",
        names=NAMES,
    )
    parts.remark("Mend them at their source and deliver the file again; the next night takes what is new.")
if not data.is_operator():
    st.stop()

parts.heading("Delivered rows")
outcomes = data.run_query("outcomes")
if outcomes.is_empty():
    parts.empty("Nothing was delivered yet.", "Bring files in: recsys ingest FILES")
    st.stop()
with st.container(horizontal=True):
    for column in ("n_accepted", "n_duplicate", "n_refused"):
        parts.metric(
            column.removeprefix("n_").capitalize(),
            int(outcomes[column].sum()),
            of=("data_quality", "outcome"),
            unit="rows",
        )
parts.table(outcomes, of="data_quality", key="outcomes", title="Table by table", formats={"refused_share": "percent"})
refused = data.run_query("refused_rows")
if refused.is_empty():
    parts.empty("No row was refused.", "Every delivered row kept its contract.")
else:
    table = filters.choose(
        "Refused rows of", filters.any_of(refused["source_table"].unique(maintain_order=True).to_list()), "table"
    )
    parts.table(
        refused.filter(source_table=table) if table else refused,
        of="data_quality",
        key="refused_rows",
        title="Why rows were refused",
        names={"outcome": "reason", "column_name": "column at fault"},
    )
    parts.remark("The rows themselves lie in the quarantine of the lake, with file, line and reason.")
