"""Similar tunes: a tune in notes or in sound compared with the notes and recordings of the catalogue."""

import streamlit as st

from dashboards import data, filters, parts, sentences, tunes
from dashboards.markdown import Markdown

PAGE = {"title": "Similar tunes", "section": "Find", "order": 87, "for_labels": True}

MART = "track_features"
REMEDY = "Drop ABC, MIDI or MusicXML with a tune of at least twelve notes, or a recording of at least 20 s."
NAMES = {
    "similar_share": "similar",
    "sound_share": "similar",
    "melody_share": "melody",
    "rhythm_share": "rhythm",
    "harmony_share": "harmony",
    "figure_share": "figures",
    "transposition_semitones": "key, semitones",
    "expected_strangers": "chance (E-value)",
    "operating_point": "passes",
    "n_phrase_notes": "longest common phrase, notes",
    "n_tunes_with_phrase": "tunes with this phrase",
    "phrase_share": "share of tunes with it",
    "artist_name": "artist",
    "tempo_of_file": "tempo ratio",
    "file_starts_s": "in the file from",
    "file_ends_s": "to",
    "recording_starts_s": "in the recording from",
    "recording_ends_s": "until",
}
SPANS = {"file_span": "of the file", "other_span": "of the other tune", "n_agreeing_notes": "notes that agree"}
FORMATS = {"expected_strangers": "%.2g", "tempo_of_file": "%.2f"}
TIMES = ("file_starts_s", "file_ends_s", "recording_starts_s", "recording_ends_s")
SHARES = {"Melody": "melody_share", "Rhythm": "rhythm_share", "Harmony": "harmony_share"}
POINTS_NOTE = (
    "Passes: of unrelated files, 1 % or 0.1 % have a match that is as similar. Chance: how many unrelated tunes are "
    "expected to be as similar (E-value); far below 1 is unusual."
)
CONTOUR_NOTE = (
    "Solid blue: the file. Dashed orange: the other tune, in the key and time of the file. Shaded: spans that agree. "
    "Green line: the longest common phrase. Numbers: {measure}s of the file."
)


def choose(label: str, names: dict[str, str], key: str) -> str:
    """Offer a choice of several tunes; return the number of the chosen one."""
    return filters.choose(label, names, key) if len(names) > 1 else next(iter(names))


def show_notes() -> None:
    """Show the tunes in notes that resemble one of the file, and one of them beside it."""
    notes = found.notes
    if notes is None:
        return
    answer = next((it for it in notes.answers if it.name == chosen), notes.answers[0])
    if not answer.matches:
        parts.empty_state("No tune in notes that you may see is among the most similar ones.")
        return
    rows = tunes.note_rows(notes, answer)
    parts.table(
        rows,
        mart=MART,
        key="similar_notes",
        title=f"Most similar tunes in notes, of {notes.n_compared:,}",
        names=NAMES,
        formats=FORMATS,
    )
    parts.caption(POINTS_NOTE)
    if not any(match.point for match in answer.matches):
        parts.paragraph(notes.no_point)
    parts.bullets([f"{match.name}: {match.doubt}" for match in answer.matches if match.doubt])
    details = tunes.details(notes, answer)
    no = choose("Compared with", {no: it.match.name for no, it in details.items()}, "other")
    detail = details[no]
    parts.heading(f"{answer.name} beside {detail.match.name}", 3)
    shares = rows.filter(tune=tunes.name_of(detail)).row(0, named=True)
    with st.container(horizontal=True):
        for title, column in SHARES.items():
            parts.metric(title, shares[column], unit="%", column=(MART, column))
    parts.drawing(tunes.contours(detail), detail.summary, CONTOUR_NOTE.format(measure=answer.melody.measure))
    parts.bullets([f"Rhythm: {detail.rhythm}", f"Harmony: {detail.harmony}"])
    spans = tunes.span_rows(detail)
    if spans.is_empty():
        parts.paragraph("There is no span of several notes that agree.")
    else:
        parts.text_table(spans, key="spans", title="Where they agree", names=SPANS)
    parts.heading("Longest common phrase", 3)
    parts.paragraph(detail.phrase_place)
    if detail.phrase is not None:
        parts.drawing(tunes.staff(detail), f"Notes: {detail.phrase.names}", tunes.staff_note(detail.phrase))
        parts.text_of_notes(detail.phrase.abc)
    parts.paragraph(detail.worth)
    if is_sound and detail.match.agreement.spans:
        first, last = tunes.seconds_of(answer, detail)
        parts.part_of_sound("The file, where it agrees", content, first, last)


def show_recordings() -> None:
    """Show the recordings that resemble one tune of the file, with players where both agree."""
    recordings = found.recordings
    if recordings is None:
        return
    answers = recordings.answers.get(chosen) or next(iter(recordings.answers.values()))
    parts.table(
        sentences.format_times(tunes.recording_rows(answers), *TIMES),
        mart=MART,
        key="similar_recordings",
        title=f"Most similar recordings, of {recordings.n_compared:,}",
        names=NAMES,
        formats=FORMATS,
    )
    parts.caption(f"Melody and harmony are heard together here, and rhythm is not measured apart. {POINTS_NOTE}")
    if not any(it.point for it in answers):
        parts.paragraph("None is more similar than unrelated recordings are in one search of a hundred.")
    parts.heading("Listen", 3)
    for it in tunes.sure_recordings(answers):
        match = it.match
        if is_sound:
            parts.part_of_sound("The file", content, match.starts_s, match.ends_s)
        parts.part_of_sound(it.name, data.file_with_tune(it.name), match.other_starts_s, match.other_ends_s)


parts.header(
    "Similar tunes",
    Markdown(
        "Drop a tune in notes or in sound to see which tunes of the catalogue it resembles, in any key and tempo. The "
        "figures say how similar tunes are, **not that a right was infringed**: who was first, and whether a "
        "similarity is chance, a common source or a copy, is for people to decide."
    ),
)
upload = filters.upload(
    "ABC, MIDI, MusicXML or a recording", "dropped", help="The file is compared on this server and is not stored."
)
if upload is None:
    parts.empty_state("There is no file yet.", "Drop one above. Nothing of it is kept.")
    st.stop()
name, content = upload
if not data.has_tunes():
    parts.empty_state(
        "There are no tunes to compare with.",
        operator=f"Put notes into {data.tunes_folder()}, or run: recsys audio scan FOLDER, then recsys nightly.",
    )
    st.stop()
result = parts.attempt(lambda: data.find_tunes(name, content), REMEDY)
if result is None:
    st.stop()
found = result
is_sound = data.is_sound(name)
parts.report_downloads(data.tune_report_writer(name, content), ["html", "json"], "similar_tunes")
names = tunes.names(found)
chosen = names[choose("Tune of the file", names, "tune")]
parts.heading("In notes")
parts.paragraph(tunes.sentence(found.reasons["notes"]))
show_notes()
parts.heading("In sound")
parts.paragraph(tunes.sentence(found.reasons["recordings"]))
show_recordings()
if reasons := tunes.reasons(found):
    parts.heading("Not compared")
    parts.bullets(reasons)
