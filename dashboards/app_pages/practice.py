"""Practice: a take of the viewer's own against its score, note by note."""

from functools import partial

import streamlit as st

from dashboards import data, filters, parts

PAGE = {"title": "Practice", "section": "Find", "order": 88, "for_labels": True}

NOT_KEPT = "It is analysed in a separate process and is not stored."
HEADINGS = {"time_s": "time (s)", "said": "what", "late_ms": "late (ms)"}
SCORES = {
    "pitch": ("In tune", "Notes that are right and within 35 cents, of those whose pitch is known"),
    "rhythm": ("In time", "Notes that are neither late nor early, of those whose beginning is clear"),
    "completeness": ("Played", "Notes that are not missing, of those that are not left open"),
}

parts.header(
    "Practice",
    "A take of one voice, sung or played, compared with its score. Key, octave and tuning are no errors; where the "
    "sound leaves doubt, a note is left open.",
)
with filters.row():
    take = filters.upload("A take of at most 15 minutes", "take", help=NOT_KEPT)
    written = filters.upload("Its score (ABC, MIDI or MusicXML), or another recording of it", "score", help=NOT_KEPT)
if take is None or written is None:
    parts.empty_state("There is nothing to compare yet.", "Drop a take and its score above.")
    st.stop()
found = parts.attempt(partial(data.practised, take, written), parts.FORMATS_NOTE)
if found is None:
    st.stop()

summary = found.summary
with st.container(horizontal=True):
    for name, (title, definition) in SCORES.items():
        score = getattr(summary, name)
        parts.metric(
            title, score.share if score.n else None, definition=f"{definition}: {score}", unit="%", missing="unknown"
        )
    parts.metric(
        "Left open (notes)", summary.n_unsure, definition=f"Of {len(found.judged.notes):,}: pitch or time is in doubt"
    )
parts.bullets(
    [
        f"Key and tuning: {summary.tuning}.",
        f"Tempo: {summary.tempo}.",
        f"Range: {summary.compass}.",
        *(f"To practise: {text}." for _, text in summary.bars),
    ]
)
remarks = data.remarks_of(found)
if remarks.is_empty():
    parts.empty_state("No fault was found.", "Every note of which something can be said is right and in time.")
else:
    parts.text_table(remarks, key="remarks", title="Notes to look at", names=HEADINGS | {"bar": found.melody.measure})
parts.report_downloads(data.practice_report_writer(found), ["html", "json"], "practice")
