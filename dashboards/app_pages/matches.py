"""Matches: recordings of the catalogue found in an uploaded file, and uses found by nightly runs."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences
from dashboards.markdown import Markdown

PAGE = {"title": "Matches", "section": "Find", "order": 85, "for_labels": True}

ANY = "%"
N_USES = 500  # shown at most
SOURCES = {ANY: "uploads and the catalogue", "upload": "uploads", "catalogue": "the catalogue itself"}
MIN_PROBABILITIES = {"0.9": "90 %", "0.5": "50 %", "0": "any"}
TIMES = ("starts_s", "ends_s", "reference_starts_s", "reference_ends_s")
CUE_COLUMNS = [
    *("starts_s", "ends_s", "title", "artist_name", "label_name", "transformation", "probability", "false_positives"),
    *("reference_starts_s", "reference_ends_s", "tempo_ratio", "pitch_semitones", "n_places", "isrc", "track_id"),
]
FORMATS = {"tempo_ratio": "%.3f", "pitch_semitones": "%.1f"}
HEADINGS = {
    "starts_s": "from",
    "ends_s": "to",
    "reference_starts_s": "in the recording from",
    "reference_ends_s": "in the recording to",
    "artist_name": "artist",
    "label_name": "label",
    "probability": "match probability",
    "tempo_ratio": "tempo ratio",
    "pitch_semitones": "pitch shift, semitones",
    "false_positives": "false positive rate",
    "n_places": "positions that match equally well",
    "source_kind": "found in",
    "found_on": "found on",
}

parts.header(
    "Matches",
    Markdown(
        "Upload a file to see which recordings of the catalogue it contains. A match means that recordings sound "
        "alike, **not that a right was infringed**: whether a use is licensed, a quotation or in the public domain is "
        "for people to decide."
    ),
)
upload = filters.upload(
    "A recording, a mix or the sound of a video",
    "dropped",
    help="The file is analysed in a separate process and is not stored.",
)
name, content = upload or ("", b"")
found = parts.attempt(lambda: data.find_matches(name, content)) if upload else None
if found is not None:
    uses = found.table.select(CUE_COLUMNS)
    if found.failures:
        parts.empty_state(f"{name}: {found.failures[name]}.", parts.FORMATS_NOTE)
    elif uses.is_empty():
        parts.empty_state(
            f"No recording of the catalogue was found in {name}.",
            "A match needs about ten seconds of a recording without other sound over it.",
        )
    else:
        parts.figure(
            f"Recordings in {name}",
            uses,
            charts.timeline(uses, "starts_s", "ends_s", "title", unit="seconds from the start of the file"),
            alt_text=f"{uses.height} uses in {name}, the first of {uses['title'][0]}.",
            key="cues",
        )
        parts.table(
            sentences.format_times(uses, *TIMES),
            mart="match_candidates",
            key="cue_sheet",
            title="Cue sheet",
            names=HEADINGS,
            formats=FORMATS,
        )
    parts.report_downloads(data.match_report_writer(found), ["html", "csv", "json"], "matches")

parts.heading("Uses found by nightly runs")
is_operator = data.is_operator()
with filters.row():
    source_kind = filters.choose("Found in", SOURCES, "in")
    probability = filters.choose("Minimum match probability", MIN_PROBABILITIES, "sure")
    if is_operator:
        labels = data.run_query("filter_values").filter(kind="label")["name"].to_list()
        label = filters.choose("Label", {ANY: filters.ALL} | {value: value for value in labels}, "owner")
if is_operator:
    uses = data.run_query("uses_found", source_kind=source_kind, probability=probability, label=label, n=N_USES)
else:
    uses = data.run_query("new_uses", source_kind=source_kind, probability=probability, days=36_500, n=N_USES)
if uses.is_empty():
    parts.empty_state(
        "No nightly run has found such a use.",
        "Remove a filter. Nightly runs search uploaded files, and new recordings of the catalogue.",
        operator=f"Files to search go into {data.uploads_folder()}.",
    )
else:
    parts.table(
        sentences.format_times(uses, *(column for column in TIMES if column in uses.columns)),
        mart="match_candidates",
        key="uses",
        title=f"{uses.height:,} {'use' if uses.height == 1 else 'uses'}"
        if uses.height < N_USES
        else f"The first {N_USES} uses",
        names=HEADINGS,
        formats=FORMATS,
    )
if not is_operator:
    st.stop()

weeks = data.run_query("usage_over_time")
if weeks.is_empty():
    parts.empty_state(
        "No use has been found in an upload yet.",
        operator=f"Put files into {data.uploads_folder()}; the next nightly run searches them.",
    )
else:
    parts.table(
        sentences.format_times(weeks, "used_s"),
        mart="match_candidates",
        key="usage",
        title="Recordings used in uploads, by week",
        names={"used_s": "duration of use", "week_start": "week starting"},
    )
checks = data.run_query("looked_through")
if checks.is_empty():
    parts.empty_state("Nothing has been searched yet.", operator="Run: recsys audio scan FOLDER, then recsys nightly.")
else:
    parts.table(
        checks,
        mart="match_checks",
        key="looked_through",
        title="Audio searched, by nightly run",
        names={"checked_on": "run date", "source_kind": "source", "n_not_heard": "not decodable", "heard_h": "hours"},
        formats={"heard_h": "%.2f"},
    )
