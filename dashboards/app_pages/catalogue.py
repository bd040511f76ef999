"""Catalogue: problems of metadata and sound by recording, and for operators which delivered rows were accepted."""

import streamlit as st

from dashboards import charts, data, filters, ledger, parts, sentences

PAGE = {"title": "Catalogue", "section": "Operations", "order": 75, "for_labels": True}

KINDS = {"": filters.ALL, **sentences.PROBLEM_KINDS}
NAMES = {"artist_name": "artist", "label_name": "label", "detail": "current value"}

parts.header("Catalogue", "Problems in the metadata and the sound, and the recordings that each of them affects.")
with filters.row():
    label = filters.catalogue_filters("label").get("label", "")
    kind = filters.choose("Kind of problem", KINDS, "kind")
issues = ledger.without_listening(data.run_query("issue_totals", label=label, kind=kind))
if issues.is_empty():
    parts.empty_state("The catalogue has no known problems of this kind.", "Check again after the next delivery.")
else:
    readable = issues.with_columns(
        issues["issue"].map_elements(sentences.problem_name, return_dtype=issues["issue"].dtype)
    )
    parts.figure(
        "Problems",
        readable,
        charts.bars(readable, "n_tracks", "issue", unit="recordings"),
        alt_text=f"The most frequent problem: {readable['issue'][0]}, in {issues['n_tracks'][0]:,} recordings.",
        key="issues",
    )
    issue = filters.choose(
        "Problem",
        dict(zip(issues["issue"], readable["issue"], strict=True)),
        "issue",
        help=data.column_meaning("catalogue_health", "issue"),
    )
    tracks = ledger.without_listening(data.run_query("tracks_with_issue", issue=issue, label=label))
    parts.table(
        tracks,
        mart="catalogue_health",
        key="tracks_with_issue",
        title=f"Recordings with this problem: {sentences.problem_name(issue)}",
        names=NAMES,
    )
    n_affected = issues.filter(issue=issue)["n_tracks"][0]
    parts.cut_note(tracks.height, n_affected, "All of them: recsys query tracks_with_issue.")
    parts.caption("Correct the data at its source and deliver the file again; the next nightly run picks it up.")
if not data.is_operator():
    st.stop()

parts.heading("Delivered rows")
outcomes = data.run_query("outcomes")
if outcomes.is_empty():
    parts.empty_state("No files have been delivered yet.", "Ingest files: recsys ingest FILES")
    st.stop()
with st.container(horizontal=True):
    for column in ("n_accepted", "n_duplicate", "n_refused"):
        parts.metric(
            column.removeprefix("n_").capitalize(),
            int(outcomes[column].sum()),
            column=("data_quality", column),
            unit="rows",
        )
parts.table(outcomes, mart="data_quality", key="outcomes", title="Rows by table")
alerts = data.run_query("source_alerts")
if alerts.is_empty():
    parts.caption("No source is due, and the last file of each source had as many rows as its past lets expect.")
else:
    parts.table(alerts, mart="source_volumes", key="source_alerts", title="Late and unusual files")
drifted = data.run_query("drifted_columns")
if not drifted.is_empty():
    parts.table(
        drifted,
        mart="column_drift",
        key="drifted_columns",
        title="Files of listens that lack unusually many or few values",
    )
refused = sentences.with_refusal_names(data.run_query("refused_rows"), "outcome")
if refused.is_empty():
    parts.empty_state("No rows were refused.", "All delivered rows satisfied the contract of their table.")
else:
    table = filters.choose(
        "Table", filters.with_all(refused["source_table"].unique(maintain_order=True).to_list()), "table"
    )
    parts.table(
        refused.filter(source_table=table) if table else refused,
        mart="data_quality",
        key="refused_rows",
        title="Refused rows by reason",
        names={"outcome": "reason", "column_name": "column with the error"},
    )
    parts.caption("See the rows with their lines and values: recsys quarantine list")
