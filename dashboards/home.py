"""
The morning report inside the app: each finding is a line that opens its evidence.

The findings are those of the report that the nightly run writes (`recsys.reports.morning`), from the same file.
"""

import polars as pl
import streamlit as st

from dashboards import data, links, parts
from recsys.reports.morning.findings import Finding, Section

TARGETS = {"track": links.TRACK, "artist": links.ARTIST, "issue": links.ISSUE, "chart": links.CHART}
# section of findings that are about nothing single -> page
PAGES = {"uses": "matches", "quality": "catalogue", "signals": "breakouts", "market": "trends"}
ALWAYS = ("breakouts", "drops", "quality")  # sections that also say that there is nothing
ICONS = {"breakouts": "trending_up", "drops": "trending_down", "uses": "search", "quality": "error"}
ICONS |= {
    "charts": "leaderboard",
    "milestones": "flag",
    "signals": "radio",
    "market": "public",
    "playlists": "playlist_add",
}


def findings() -> None:
    """Show the sections of the viewer's morning report; totals are above them as figures."""
    parts.heading("This morning")
    shown = [section for section in data.morning() if section.key != "totals"]
    for section in shown:
        if section.findings:
            _section(section)
    nothing = [section.nothing for section in shown if not section.findings and section.key in ALWAYS]
    if nothing:
        parts.caption(" ".join(nothing))
    parts.heading("In figures")


def _section(section: Section) -> None:
    parts.heading(section.title, 3)
    with st.container(gap="xsmall"):
        for finding in section.findings:
            _line(section.key, finding)
    curves = pl.DataFrame([_curve(finding) for finding in section.findings if not finding.series.is_empty()])
    if not curves.is_empty():
        title = f"Curves: {section.unit}"
        parts.table(curves, mart="label_figures", key=f"{section.key}_curves", title=title)


def _line(section: str, finding: Finding) -> None:
    """Show a finding as a link to what it is about, or to the page of its section."""
    kind, value = finding.subject
    icon = f":material/{ICONS[section]}:"
    if kind:
        links.page_link(TARGETS[kind], value, finding.text, icon=icon)
    else:
        links.page_link(links.Target(PAGES[section], ""), "", finding.text, icon=icon)


def _curve(finding: Finding) -> dict[str, object]:
    kind, value = finding.subject
    ids = {"track_id": value if kind == "track" else None, "artist_id": value if kind == "artist" else None}
    return {**ids, "name": finding.name, "curve": finding.series["value"].drop_nulls().to_list()}
