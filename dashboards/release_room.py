"""
What the page Release room shows: a release's first days, and what the label's earlier releases had by then.

Operators see the first 28 days, viewers of a label the first five closed weeks of their ledger, which contain them.
"""

from typing import Any, NamedTuple

import polars as pl
import streamlit as st

from dashboards import charts, data, filters, parts, sentences
from recsys.analytics.release_band import N_LEAST, totals_of_earlier, with_band
from recsys.reports.wording import TOO_FEW, format_day, under_listeners

KINDS = {"": "releases of its kind", "any": "all releases"}


class Span(NamedTuple):
    """The periods of a viewer: their name, and the numbers of those that contain the first 7 and 28 days."""

    name: str
    ends: tuple[int, int]


def _span() -> Span:
    return Span("day", (7, 28)) if data.is_operator() else Span("week", (2, 5))


def releases() -> pl.DataFrame:
    """
    Return the periods of all releases of the viewer's label.

    Operators choose the label; the default is that of the most played new recording.
    """
    if not data.is_operator():
        return data.run_query_if_stored("release_weeks")
    newest = data.run_query("new_releases", n="1")["track_id"]
    return data.run_query_if_stored(
        "release_days", label=filters.choose_label(of_track=None if newest.is_empty() else newest[0])
    )


def choose_release(periods: pl.DataFrame) -> tuple[str, bool]:
    """Offer the releases, the newest first; return the chosen id, and whether any kind is compared with it."""
    names = {
        row["release_id"]: f"{row['title']}, {row['artist_name'] or 'unknown'} ({format_day(row['release_date'])})"
        for row in periods.unique("release_id", keep="first", maintain_order=True).iter_rows(named=True)
    }
    release_id = filters.choose("Release", names, "release")
    return release_id, filters.choose("Compare with", KINDS, "with") == "any"


def show(periods: pl.DataFrame, release_id: str, *, any_kind: bool) -> None:
    """Show a release beside the label's earlier ones."""
    days = with_band(periods, release_id, any_kind=any_kind)
    first = days.row(0, named=True)
    parts.name_files_after(first["title"])
    earlier = "releases" if any_kind else f"{first['kind']}s"
    parts.bullets([sentences.release_sentence(first), *_so_far(days, earlier)])
    _totals(days)
    _curves(days, earlier)
    _earlier(periods, release_id, earlier, any_kind=any_kind)


def _so_far(days: pl.DataFrame, earlier: str) -> list[str]:
    """Describe the plays up to the end of each span that has one, or up to now within it."""
    name, ends = _span()
    closed = days.filter("is_closed")
    if closed.is_empty():
        return [f"No {name} since the release has been closed yet."]
    numbers = {closed.filter(pl.col("period_no") <= end)["period_no"].max() for end in ends}
    rows = closed.filter(pl.col("period_no").is_in(list(numbers)), pl.col("n_so_far").is_not_null())
    if rows.is_empty():
        return [_without_figure(closed.row(-1, named=True))]
    return [sentences.release_so_far_sentence(row, name, earlier) for row in rows.iter_rows(named=True)]


def _without_figure(row: dict[str, Any]) -> str:
    if row["is_withheld"]:
        return "The weeks since the release are withheld."
    return f"Each closed week since the release had {under_listeners(data.least_listeners())}: there is no figure."


def _totals(days: pl.DataFrame) -> None:
    name, ends = _span()
    with st.container(horizontal=True):
        for end, short in zip(ends, ("n_plays_short", "n_plays_long"), strict=True):
            for row in days.filter(period_no=end).iter_rows(named=True):
                definition = data.column_meaning("label_figures", short) or ""
                parts.metric(
                    f"Plays, first {end} {name}s", row["n_so_far"], definition=definition, missing=_missing(row)
                )


def _missing(row: dict[str, Any]) -> str:
    if not row["is_closed"]:
        return "not yet"
    return "withheld" if row["is_withheld"] else TOO_FEW


def _curves(days: pl.DataFrame, earlier: str) -> None:
    """Show the plays so far and the plays per day side by side, or why there is nothing to draw."""
    note = _note_on_band(days, earlier)
    if not days["n_so_far"].count() and not days["so_far_high"].count():
        parts.empty_state("There is nothing to draw yet.", note)
        return
    parts.caption(note)
    total, daily = parts.two_columns()
    with total:
        _curve(days, "Plays so far", "n_so_far", ("so_far_low", "so_far_high"), "plays since release")
    with daily:
        unit = "plays per day; a gap is a week with too few listeners"
        _curve(days, "Plays per day", "plays_a_day", ("low", "high"), "plays per day" if data.is_operator() else unit)


def _curve(days: pl.DataFrame, title: str, y: str, band: tuple[str, str], unit: str) -> None:
    name, rows = _span().name, days.drop("release_id", "artist_id")
    parts.figure(
        title,
        rows,
        charts.lines(rows, "period_no", y, unit=unit, band=band, points=True, x_title=f"{name}s since release"),
        alt_text=f"{title} in the first {days.height} {name}s, with a band of earlier releases where there is one.",
        key=f"release_{y}",
    )


def _note_on_band(days: pl.DataFrame, earlier: str) -> str:
    n = max(days["n_earlier"])
    if not days["so_far_high"].count():
        return f"No band: the label has {n} earlier {earlier} in the data, and a band takes {N_LEAST}."
    note = f"The band is what {n} earlier {earlier} let expect: four releases out of five should be inside."
    if days.filter(pl.col("so_far_high").is_not_null(), pl.col("so_far_low").is_null()).is_empty():
        return note
    return f"{note} Where it reaches the axis, its lower end had {under_listeners(data.least_listeners())}."


def _earlier(periods: pl.DataFrame, release_id: str, earlier: str, *, any_kind: bool) -> None:
    """Show the earlier releases with their plays."""
    name, ends = _span()
    rows = totals_of_earlier(periods, release_id, any_kind=any_kind, ends=ends)
    if rows.is_empty():
        parts.empty_state(f"The label has no earlier {earlier} in the data.", "Compare with all releases.")
        return
    short, long = (f"plays, first {end} {name}s" for end in ends)
    parts.table(
        rows.rename({"release_id": "track_id"}).select(
            "track_id",
            "artist_id",
            "title",
            "n_plays_short",
            "n_plays_long",
            "release_date",
            "artist_name",
            "n_recordings",
        ),
        mart="label_figures",
        key="earlier_releases",
        title=f"Earlier {earlier}",
        names={"n_plays_short": short, "n_plays_long": long, "artist_name": "artist", "release_date": "released"},
        missing="no figure",
    )
