"""Rights: conflicts in the registry of works and shares, who claims what, and what they are worth in plays."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences

PAGE = {"title": "Rights", "section": "Operations", "order": 77, "for_labels": True}

N_CONFLICTS = 500  # shown at most
STATUSES = {"false": "open", "true": "open and ended"}
NAMES = {
    "subject": "concerns",
    "right_type": "right",
    "found_share": "found",
    "expected_share": "expected",
    "party_key": "party",
    "source": "stated by",
    "n_subjects": "concerned",
}

parts.header(
    "Rights",
    "What contradicts itself in the registry of works, shares and recordings: whose claims, since when, on what "
    "evidence. A conflict says that sources disagree, not who is right.",
)
is_operator = data.is_operator()
with filters.row():
    kind = filters.choose("Kind of conflict", {"": filters.ALL, **sentences.CONFLICT_KINDS}, "conflict")
    ended = filters.choose("Status", STATUSES, "ended")
totals = data.run_query_if_stored("rights_conflict_totals" if is_operator else "label_rights_totals", ended=ended)
shown = totals.filter(kind=kind) if kind and not totals.is_empty() else totals
if shown.is_empty():
    parts.empty_state(
        "The registry of rights has no such conflict.",
        "Choose another kind or status.",
        operator="Works and claims enter by recsys ingest: see docs/rights.md.",
    )
    st.stop()
by_kind = sentences.with_conflict_names(shown)
parts.figure(
    "Conflicts by kind",
    by_kind,
    charts.bars(by_kind, "n_subjects", "kind", unit="works, recordings or parties"),
    alt_text=f"{by_kind.height} kinds of conflicts, the first of them: {by_kind['kind'][0]}, "
    f"in {by_kind['n_subjects'][0]:,} works, recordings or parties.",
    key="kinds",
)
mart = "rights_conflicts" if is_operator else "recording_conflicts"
query = "rights_conflict_list" if is_operator else "label_rights_conflicts"
conflicts = data.run_query(query, kind=kind, ended=ended, n=N_CONFLICTS)
parts.table(
    sentences.with_conflict_names(sentences.without_underscores(conflicts, "right_type")),
    mart=mart,
    key="conflicts",
    title=f"{conflicts.height:,} conflicts" if conflicts.height < N_CONFLICTS else f"The first {N_CONFLICTS} conflicts",
    names=NAMES,
)
parts.caption(
    "Plays are those of the recordings concerned, in the whole log, of an unlicensed use those without a licence; "
    "without a known recording they are not measured. All of them: recsys rights check --ended."
    if is_operator
    else "Only conflicts of the label's own recordings are shown; recordings of others are not named."
)
parts.heading("Who claims what")
subject = filters.choose("Conflict", sentences.conflict_names(conflicts), "subject")
sources = conflicts.filter(subject=subject)["source"].drop_nulls().unique()
claims = data.run_query("rights_claims", subject=subject, source=sources[0] if len(sources) == 1 else "")
if claims.is_empty() and is_operator:  # of matched audio: the owners of the recording
    claims = data.run_query("rights_owners", track=subject)
if claims.is_empty():
    parts.empty_state("No claim of it is known.", "Claims are delivered by publishers and societies.")
else:
    parts.table(
        claims,
        mart="disputed_claims",
        key="claims",
        title=f"{claims.height:,} claims",
        names={"work_key": "work", "source": "stated by", "right_type": "right"},
    )
if is_operator:
    parts.caption("To write a notice with this evidence: recsys rights notice issue KIND SUBJECT --to NAME")
