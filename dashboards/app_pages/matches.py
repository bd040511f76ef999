"""Matches: recordings of the catalogue in a file that one drops, and the uses that the nights found."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences
from dashboards.markdown import Markdown

PAGE = {"title": "Matches", "section": "Find", "order": 85, "for_labels": True}

ANY = "%"
SOURCES = {ANY: "uploads and the catalogue", "upload": "uploads", "catalogue": "the catalogue itself"}
SURE = {"0.9": "90 %", "0.5": "50 %", "0": "any"}
TIMES = ("starts_s", "ends_s", "reference_starts_s", "reference_ends_s")
CUES = [
    *("starts_s", "ends_s", "title", "artist_name", "label_name", "transformation", "probability", "false_positives"),
    *("reference_starts_s", "reference_ends_s", "tempo_ratio", "pitch_semitones", "n_places", "isrc", "track_id"),
]
FORMATS = {"probability": "percent", "tempo_ratio": "%.3f", "pitch_semitones": "%.1f"}
HEADINGS = {
    "starts_s": "from",
    "ends_s": "to",
    "reference_starts_s": "of the recording from",
    "reference_ends_s": "of the recording to",
    "artist_name": "artist",
    "label_name": "label",
    "probability": "sure",
    "tempo_ratio": "tempo, times",
    "pitch_semitones": "pitch, semitones",
    "false_positives": "strangers that pass",
    "n_places": "places that fit",
    "source_kind": "found in",
    "found_on": "found",
}

parts.header(
    "Matches",
    Markdown(
        "Drop a file to see which recordings of the catalogue are in it. What is found is that recordings sound "
        "alike, **not that a right was infringed**: licences, quotations and works in the public domain are for people "
        "to judge."
    ),
)
dropped = filters.dropped(
    "A recording, a mix or a video's sound", "dropped", help="It is heard in a process of its own and not kept."
)
name, content = dropped or ("", b"")
found = parts.attempt(lambda: data.matches(name, content)) if dropped else None
if found is not None:
    uses = found.table.select(CUES)
    if found.failures:
        parts.empty(f"{name}: {found.failures[name]}.", "Try another format: WAV, FLAC, MP3 or M4A.")
    elif uses.is_empty():
        parts.empty(f"No recording was found in {name}.", "Ten undisturbed seconds of one should be in it.")
    else:
        parts.figure(
            f"In {name}",
            uses,
            charts.spans(uses, "starts_s", "ends_s", "title", unit="seconds of the file"),
            says=f"{uses.height} uses in {name}, the first of {uses['title'][0]}.",
            key="cues",
        )
        parts.table(
            sentences.clocked(uses, *TIMES),
            of="match_candidates",
            key="cue_sheet",
            title="Cue sheet",
            names=HEADINGS,
            formats=FORMATS,
        )
    parts.reports(data.match_reports(found), ["html", "csv", "json"], "matches")

parts.heading("Uses that the nights found")
is_operator = data.is_operator()
with filters.row():
    source_kind = filters.choose("In", SOURCES, "in")
    probability = filters.choose("At least this sure", SURE, "sure")
    if is_operator:
        labels = data.run_query("filter_values").filter(kind="label")["name"].to_list()
        label = filters.choose("Label", {ANY: filters.EVERY} | {each: each for each in labels}, "owner")
if is_operator:
    uses = data.run_query("uses_found", source_kind=source_kind, probability=probability, label=label, n=500)
else:
    uses = data.run_query("new_uses", source_kind=source_kind, probability=probability, days=36_500, n=500)
if uses.is_empty():
    parts.empty(
        "The nights found no such use.",
        "Take a filter back. Nights look through the folder of uploads of the home, and through new recordings.",
    )
else:
    parts.table(
        sentences.clocked(uses, *(each for each in TIMES if each in uses.columns)),
        of="match_candidates",
        key="uses",
        title=f"{uses.height:,} uses",
        names=HEADINGS,
        formats=FORMATS,
    )
if not is_operator:
    st.stop()

weeks = data.run_query("usage_over_time")
if weeks.is_empty():
    parts.empty("No upload used a recording yet.", "Put files into the folder of uploads; the next night looks.")
else:
    parts.table(
        sentences.clocked(weeks, "used_s"),
        of="match_candidates",
        key="usage",
        title="Uploads that use a recording, week by week",
        names={"used_s": "used for", "week_start": "week from"},
    )
checks = data.run_query("looked_through")
if checks.is_empty():
    parts.empty("Nothing was looked through yet.", "Let music be heard: recsys audio scan FOLDER, then recsys nightly.")
else:
    parts.table(
        checks,
        of="match_checks",
        key="looked_through",
        title="What was looked through",
        names={"checked_on": "night", "source_kind": "what", "n_not_heard": "could not be heard", "heard_h": "hours"},
        formats={"heard_h": "%.2f"},
    )
