"""Studio: a file of the viewer's own: what it measures, its noise, its stems, and a mastered copy."""

from collections.abc import Callable

import streamlit as st

from dashboards import charts, filters, parts, studio, studio_tools

PAGE = {"title": "Studio", "section": "Find", "order": 86, "for_labels": True}

NAMES = {"file_value": "the file", "copy_value": "the copy"}
NOISE_NOTE = (
    "Hum, clicks, hiss and noise on a voice, measured and removed. Rain, applause or breath as steady as hiss count as "
    "hiss, and steady tones of the music at 50 or 60 Hz as hum: listen to what was taken away."
)
LEVELS = {  # with digits after the point, as in the table of measurements
    "loudness_lufs": ("Loudness (LUFS)", 1),
    "loudness_range_lu": ("Loudness range (LU)", 1),
    "true_peak_dbtp": ("True peak (dBTP)", 2),
}
REFERENCES = {
    "": "none",
    studio_tools.FILE: "a file",
    studio_tools.CATALOGUE: "all recordings",
    studio_tools.ARTIST: "the recordings of an artist",
}


def section(tool: studio.Tool, title: str, note: str) -> bool:
    """Show the heading of a tool; return whether it can be used here."""
    parts.heading(title)
    parts.caption(note)
    needed = studio_tools.missing(tool)
    if needed:
        parts.empty_state("This tool is not installed.", operator=needed)
    return needed is None


def result_of(
    file: studio.StudioFile, tool: studio.Tool, label: str, start: Callable[[], None], *, is_ready: bool = True
) -> studio.Done | None:
    """Offer a button that starts a tool once it is ready, or show its progress; return its result, if there is one."""
    if file.is_at_work(tool):
        studio.show_progress(file, tool)
        return None
    if filters.button(label, tool, is_disabled=file.is_busy or not is_ready):
        start()
        st.rerun()
    return parts.attempt(lambda: file.result(tool), parts.FORMATS_NOTE)


def show_loudness(done: studio.Done, title: str, key: str) -> None:
    """Show short-term loudness over time, unless all is silent or a few seconds long."""
    curve = studio_tools.loudness_curve(done.found)
    if not curve.is_empty():
        parts.figure(
            title,
            curve,
            charts.lines(curve, "start_s", "short_term_lufs", by="version", unit="LUFS", x_title="seconds"),
            alt_text=f"Short-term loudness reaches {curve['short_term_lufs'].to_numpy().max():.1f} LUFS.",
            key=key,
            note="Loudness of 3 s, the highest of each second. The axis ends at 0, the loudest that a file can hold.",
        )


parts.header("Studio", "A recording of yours: what it measures, without noise, as stems, and mastered.")
upload = filters.upload(
    f"A recording of at most {studio_tools.MAX_MINUTES} minutes",
    "dropped",
    help="It is processed on this server for you alone, and removed with all that was made of it when you leave.",
)
if upload is None:
    studio.leave()
    parts.empty_state("There is no file yet.", "Drop one above. Nothing of it is kept after your visit.")
    st.stop()
if needed := studio_tools.missing("facts"):
    parts.empty_state("Files cannot be measured here.", operator=needed)
    st.stop()
file = studio.opened(*upload)
if file.is_closed:
    parts.empty_state("This file was removed.", "You opened another one meanwhile, or were away for long.")
    if filters.button("Open it again", "open_again"):
        studio.leave()
        st.rerun()
    st.stop()
studio.stay(file)
if "facts" not in file.jobs:
    if "facts" in file.stopped and not file.is_busy and not filters.button("Measure", "facts"):
        st.stop()
    studio_tools.measure(file)
if file.is_at_work("facts") or "facts" not in file.jobs:
    studio.show_progress(file, "facts")
    st.stop()
facts = parts.attempt(lambda: file.result("facts"), parts.FORMATS_NOTE)
if facts is None:
    st.stop()

level = facts.found.facts.loudness
with st.container(horizontal=True):
    parts.metric("Length (s)", facts.found.facts.duration_s, definition="Length of what could be decoded", digits=1)
    for name, (title, digits) in LEVELS.items():
        parts.metric(title, getattr(level, name), column=("track_audio", name), digits=digits)
parts.sounds(facts.sounds)
parts.caption("Players have 20 s with the loudest place, here and below; downloads are whole files.")
parts.bullets(studio_tools.mastering_sentences(facts.found))
show_loudness(facts, "Loudness", "loudness")
rows = studio_tools.measurements(facts.found)
parts.text_table(rows, key="measurements", title="Measurements", names=NAMES)

if section("noise", "Noise", NOISE_NOTE):
    noise = result_of(file, "noise", "Measure and remove noise", lambda: studio_tools.denoise(file))
    if noise is not None:
        parts.bullets(studio_tools.noise_sentences(noise.found))
        parts.sounds(noise.sounds)

if section("stems", "Stems", "Vocals and accompaniment, which add up to the recording."):
    stems = result_of(file, "stems", "Separate", lambda: studio_tools.separate(file))
    if stems is not None:
        parts.bullets(studio_tools.stem_sentences(stems.found))
        parts.sounds(stems.sounds)

if section(
    "master", "Master", "A copy at the loudness of a platform, and with the tonal balance of a file if you drop one."
):
    with filters.row():
        target = filters.choose("Loudness of", studio_tools.targets(), "target")
        kind = filters.choose("Reference", REFERENCES, "reference")
        artist_id = filters.choose_artist() if kind == studio_tools.ARTIST else ""
    dropped = (
        filters.upload("Reference", "reference_file", help="As the recording.") if kind == studio_tools.FILE else None
    )
    master = result_of(
        file,
        "master",
        "Master",
        lambda: studio_tools.master(file, target, studio_tools.recordings(kind, artist_id), dropped),
        is_ready=kind != studio_tools.FILE or dropped is not None,
    )
    if master is not None:
        parts.bullets(studio_tools.mastering_sentences(master.found))
        parts.sounds(master.sounds)
        show_loudness(master, "Loudness before and after", "loudness_of_copy")
        rows = studio_tools.measurements(master.found)
        parts.text_table(rows, key="before_and_after", title="Before and after", names=NAMES)
        page = master.page
        parts.report_downloads(lambda _form: page or b"", ["html"] if page else [], "mastering")
