"""Review: duplicates, wrong artists and doubted metadata, which an operator accepts or rejects."""

import streamlit as st

from dashboards import data, filters, parts, sentences

PAGE = {"title": "Review", "section": "Operations", "order": 76, "for_labels": False}

STATUSES = {
    "proposed": "to decide",
    "linked": "linked by rule",
    "accepted": "accepted",
    "rejected": "rejected",
    "": filters.ALL,
}
KINDS = {
    "": filters.ALL,
    "duplicate": "duplicates",
    "wrong_artist": "wrong artists",
    "wrong_genre": "wrong genres",
    "wrong_tempo": "wrong tempos",
    "wrong_language": "wrong languages",
}
ORDERS = {"n_plays": "most played first", "score": "surest first"}
NAMES = {
    "artist_name": "artist",
    "other_title": "compared with",
    "other_artist_name": "its artist",
    "against": "what speaks against it",
    "is_applied": "applied",
}

parts.header(
    "Review",
    "Recordings that may be the same, that sound like another artist's, or whose genre, tempo or language the sound "
    "contradicts. A decision is kept for good and takes effect with the next nightly run.",
)
with filters.row():
    status = filters.choose("Status", STATUSES, "status")
    kind = filters.choose("Kind", KINDS, "kind")
    order = filters.choose("Order", ORDERS, "order")
findings = data.review_findings(status, kind, order)
if findings.is_empty():
    parts.empty_state("There is no such finding.", "Choose another status. Nightly runs search new recordings.")
    st.stop()
parts.table(
    sentences.without_underscores(findings, "kind"),
    mart="review_findings",
    key="findings",
    title=f"{findings.height:,} findings",
    names=NAMES,
    formats={"score": "%.3f"},
)
parts.heading("Decide")
finding_id = filters.choose(
    "Finding",
    {
        row["finding_id"]: f"{row['title']} ({row['artist_name'] or '-'}) / {row['other_title']} "
        f"({row['other_artist_name'] or '-'}), {row['finding_id']}"
        for row in findings.iter_rows(named=True)
    },
    "finding",
)
with filters.row():
    is_accepted = filters.button("Accept", "accept")
    is_rejected = filters.button("Reject", "reject")
parts.caption(
    "Accepting a duplicate links its recordings: lists contain one of them, and each keeps its listens. Accepting a "
    "wrong value confirms that it is wrong; correct it at its source. A rejected finding is never proposed again."
)
decision = "accepted" if is_accepted else "rejected"
if (is_accepted or is_rejected) and parts.attempt(lambda: data.decide(finding_id, decision)) is not None:
    st.rerun()
