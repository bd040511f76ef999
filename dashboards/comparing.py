"""
What the page Compare compares: the chosen artists or recordings, and their plays by date or since the release.

Operators see days of the log, viewers of a label the closed weeks of their ledger. The ids are in the address.
"""

from collections.abc import Mapping

import polars as pl
import streamlit as st

from dashboards import charts, data, filters, parts
from recsys.analytics.compared_plays import totals
from recsys.reports.wording import under_listeners

MOST = 5
KINDS = {"artist": "artists", "recording": "recordings"}
BY = {"date": "date", "release": "time since release"}
SPANS = {"13": "13 weeks", "4": "4 weeks", "26": "26 weeks", "52": "52 weeks"}
WINDOWS = {"7": "7 days", "1": "1 day", "28": "28 days"}
TOTALS = ("name", "n_plays", "plays_a_day", "skip_share", "n_saves", "artist_name", "release_date")
OF_LABEL = ("name", "n_plays", "plays_a_day", "n_with_figure", "n_periods", "artist_name", "release_date")
NAMES = {
    "artist_name": "artist",
    "release_date": "released",
    "plays_a_day": "plays per day",
    "n_with_figure": "weeks with a figure",
    "n_periods": "weeks",
}
RELEASE_NOTE = "Day 1 or week 1 is that of the release date; of an artist, that of the newest recording."
FORMATS = {"plays_a_day": "%.1f"}


def choose_kind() -> tuple[str, dict[str, str]]:
    """Offer artists or recordings; return the kind, and id -> name of those that can be chosen."""
    artists = dict(data.run_query("artist_names").select("artist_id", "name").iter_rows())
    recordings = _recordings_of_address()
    filters.refuse_unknown("Artists", "artists", artists)
    filters.refuse_unknown("Recordings", "tracks", recordings)
    kind = filters.choose("Compare", dict(reversed(KINDS.items())) if recordings else KINDS, "of")
    if kind == "artist":
        return kind, artists
    query = "artist_tracks" if data.is_operator() else "artist_recordings"
    offered = data.run_query(query, artist_id=filters.choose_artist()).select("track_id", "title")
    return kind, recordings | dict(offered.iter_rows())


def choose_items(kind: str, offered: Mapping[str, str]) -> dict[str, str]:
    """Offer what can be chosen; return id -> displayed name of what was chosen."""
    label, key = ("Artists", "artists") if kind == "artist" else ("Recordings", "tracks")
    return filters.choose_items(label, offered, key, most=MOST)


def _recordings_of_address() -> dict[str, str]:
    """Return the recordings that the address names and the viewer's file has: id -> title, or the id without one."""
    found = {
        track_id: data.run_query("track_facts", track_id=track_id) for track_id in st.query_params.get_all("tracks")
    }
    return {key: facts["title"][0] or key for key, facts in found.items() if not facts.is_empty()}


def periods(kind: str, items: Mapping[str, str], **choices: str) -> pl.DataFrame:
    """
    Return the days, for a label the closed weeks, of what is compared, in the order in which it was chosen.

    Args:
        kind: artist or recording.
        items: Id -> displayed name.
        choices: `by`, `weeks` and, for operators, `days`, as in the queries.
    """
    query = "compared_days" if data.is_operator() else "label_compared_weeks"
    found = [
        data.run_query(query, kind=kind, id=key, **choices).with_columns(name=pl.lit(name))
        for key, name in items.items()
    ]
    return pl.concat(found)


def show(rows: pl.DataFrame, items: Mapping[str, str], *, by: str, unit: str) -> None:
    """Show the curves of `periods` on one chart, the totals, and what has none; `unit` is that of the curves."""
    drawn = rows.filter(pl.col("n_plays").count().over("name") > 0)
    if drawn.is_empty():
        parts.empty_state(_without_figures(rows, by), "Choose others, or a longer period.")
        return
    names = drawn["name"].unique(maintain_order=True).to_list()
    parts.figure(
        "Plays per day",
        drawn,
        _chart(drawn, by, unit),
        alt_text=f"Plays per day of {', '.join(names)}. Their totals are in the table below.",
        key="compared",
        note=RELEASE_NOTE if by == "release" else "",
    )
    others = [name for name in items.values() if name not in names]
    if others:
        parts.caption(f"Not on the chart: {', '.join(others)}. {_without_figures(rows, by)}")
    parts.table(
        _totals(drawn),
        mart="label_figures",
        key="compared_totals",
        title="Totals of the chart",
        names=NAMES,
        formats=FORMATS,
    )


def _totals(drawn: pl.DataFrame) -> pl.DataFrame:
    """Return the totals with the columns that the viewer's table shows; of artists, no names of artists beside them."""
    rows = totals(drawn).select("track_id", "artist_id", *(TOTALS if data.is_operator() else OF_LABEL))
    if rows["track_id"].count():
        return rows
    return rows.drop("track_id", "artist_name").rename({"release_date": "newest_release"})


def _chart(drawn: pl.DataFrame, by: str, unit: str) -> charts.Chart:
    is_operator = data.is_operator()
    axis, title = ("day_no", "days since release") if is_operator else ("week_no", "weeks since release")
    if by == "date":
        axis, title = ("listen_date" if is_operator else "to_day"), ""
    return charts.lines(drawn, axis, "plays_a_day", by="name", unit=unit, points=not is_operator, x_title=title)


def _without_figures(rows: pl.DataFrame, by: str) -> str:
    """Say why something has no figure."""
    reasons = [
        "there were no plays" if data.is_operator() else f"every week had {under_listeners(data.least_listeners())}"
    ]
    if "is_withheld" in rows.columns and rows["is_withheld"].any():
        reasons.append("is withheld")
    if by == "release":
        reasons += ["there is no release date", "the release was before the data begin"]
    return f"No figures: {' or '.join(reasons)}."
