"""Blocks that the pages of artists and labels share: names, periods, chart positions, new matches."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from recsys.errors import UnknownIds
from recsys.ingest.countries import country_name
from recsys.reports.one_page.content import N_GROUPS, N_NAMES, Shares, Table
from recsys.reports.wording import format_duration
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, run_query

MATCH_DAYS, MATCH_PROBABILITY = 28, 0.9  # of the new matches that a page lists
OPERATOR = "the operator: all figures, not to be passed on to labels"
GROUPS = {"country": "Countries", "age_band": "Ages", "gender": "Genders", "source": "Sources"}
SOURCES = {"active": "chosen", "algorithmic": "recommended"}  # by the listener, by a recommender
OTHERS = "all others"


def is_of_label(warehouse: Warehouse) -> bool:
    """Return whether a warehouse file is a label's own."""
    return ("meta", "label") in warehouse.query(internal_sql("stored_tables")).rows()


def name_of(warehouse: Warehouse, kind: str, key: str) -> str:
    """Return the name of an artist or a label, or its id if it has none; raises UnknownIds if the file lacks it."""
    names = dict(warehouse.query(internal_sql(f"{kind}s")).iter_rows())
    if key not in names:
        where = "the label's file" if is_of_label(warehouse) else "the current release"
        raise UnknownIds.of(kind, [key], names, where)
    return str(names[key] or key)


def last_day(warehouse: Warehouse) -> date:
    """Return the last day of data of a warehouse file."""
    day: date = warehouse.query(internal_sql("as_of")).item()
    return day


def period(first: date, last: date) -> str:
    """
    Return days as a text, as short as possible.

    >>> period(date(2026, 6, 22), date(2026, 6, 28)), period(date(2026, 5, 30), date(2026, 6, 3))
    ('22 to 28 June', '30 May to 3 June')
    """
    if first == last:
        return f"{last:%-d %B}"
    return f"{first:{'%-d' if (first.year, first.month) == (last.year, last.month) else '%-d %B'}} to {last:%-d %B}"


def count_text(n: int | None) -> str:
    """Return a count with all its digits; a sum with a voided period is withheld."""
    return "withheld" if n is None else f"{n:,}"


def change_text(change: float | None) -> str:
    """Return a relative change as a text; '' if there is none."""
    return "" if change is None else f"{change:+.1%}"


def group_name(dimension: str, name: str) -> str:
    """Return the name of a group: countries by their names, not their codes."""
    if dimension == "source":
        return SOURCES.get(name, name)
    return country_name(name) if dimension == "country" else name


def shares(dimension: str, groups: pl.DataFrame, nothing: str, note: str) -> Shares:
    """Return the largest groups of a frame with name and share; all others stay the last row, where there is one."""
    known = groups.drop_nulls("share").select("name", "share").rows()
    others = [row for row in known if row[0] == OTHERS]
    named = sorted((row for row in known if row[0] != OTHERS), key=lambda row: -row[1])
    kept = named if len(known) <= N_GROUPS else named[: N_GROUPS - 1]
    rest = sum(share for _, share in [*named[len(kept) :], *others])
    rows = [*kept, *([(OTHERS, rest)] if len(kept) < len(known) else [])]
    is_alone = [name for name, _ in rows] == [OTHERS]
    texts = [(group_name(dimension, name), share, f"{share:.0%}") for name, share in rows]
    return Shares(GROUPS[dimension], [] if is_alone else texts, nothing, note)


def chart_positions(warehouse: Warehouse, track_ids: Sequence[str] | None) -> Table:
    """Return the best positions in the newest editions of all charts: of some recordings, or of all in the file."""
    charts = run_query(warehouse, "chart_editions", {})["chart"].unique(maintain_order=True)
    editions = [run_query(warehouse, "chart_movers", {"chart": chart}) for chart in charts]
    own = [
        row
        for edition in editions
        for row in edition.filter("is_own").iter_rows(named=True)
        if track_ids is None or row["track_id"] in track_ids
    ]
    best = sorted(own, key=lambda row: (row["rank"], row["chart"], row["song_id"]))[:N_NAMES]
    rows = [[row["title"], row["chart"], f"{row['rank']}", _move(row), f"{row['peak_rank']}"] for row in best]
    headings = ["Recording", "Chart", "Rank", "Move", "Peak"]
    nothing = "No recording is in the newest edition of a chart."
    return Table(
        f"Chart positions, {len(rows)} of {len(own):,}" if own else "Chart positions",
        headings,
        rows,
        nothing,
        texts=(1,),
    )


def _move(row: Mapping[str, Any]) -> str:
    return str(row["moved"] or "-")


def new_matches(warehouse: Warehouse, track_ids: Sequence[str] | None) -> Table:
    """Return the most certain uses that matching found lately: of some recordings, or of all in the file."""
    params = {"days": str(MATCH_DAYS), "probability": str(MATCH_PROBABILITY), "n": "10000"}
    uses = run_query(warehouse, "new_uses", params)
    found = uses if track_ids is None else uses.filter(pl.col("track_id").is_in(list(track_ids)))
    rows = [
        [
            row["title"] or row["track_id"],
            "an upload" if row["source_kind"] == "upload" else "a recording",
            f"{format_duration(row['starts_s'])} to {format_duration(row['ends_s'])}",
            f"{row['probability']:.2f}",
        ]
        for row in found.head(N_NAMES).iter_rows(named=True)
    ]
    headings = ["Recording", "Used in", "Position", "Probability"]
    title = f"New matches, {len(rows)} of {found.height:,}" if rows else "New matches"
    return Table(title, headings, rows, "Matching found no new use.", f"{MATCH_DAYS} days", texts=(1,))
