"""
Pictures of results in notebooks: values for the template `notebook.html`, which escapes every text.

Texts and tables only, bars, intervals and time lines as SVG; no scripts, no addresses, nothing to load.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from recsys.reports.html import render

if TYPE_CHECKING:
    from recsys.api.results import Evaluation, Matches, RankedRows, TableDescription, Training

MOST_ROWS = 100  # of a table that is shown
WIDTH = 100.0  # of plots, in their own units
PLOTTED = "ndcg"
MATCH_COLUMNS = ("file", "starts_s", "ends_s", "title", "artist_name", "transformation", "probability", "track_id")


def ranked_rows(found: "RankedRows") -> str:
    """Draw a list as a table with bars, the longest one for the largest value of the measure."""
    return _page(found.title, _table(found.rows, bars=_shares(found.rows, found.measure)), notes=found.notes)


def table_description(found: "TableDescription") -> str:
    """Draw a table's columns."""
    notes = [found.description, f"Grain: {found.grain}", f"{found.n_rows:,} rows"]
    return _page(found.name, _table(found.columns), notes=notes)


def evaluation(found: "Evaluation") -> str:
    """Draw nDCG as points with intervals, best first, and all metrics as a table."""
    if found.metrics.is_empty():
        return _page("Evaluation", _table(found.metrics), notes=["No listener could be evaluated"])
    ranked = found.metrics.filter(metric=PLOTTED).sort("value", descending=True)
    table = found.metrics.pivot("metric", index="recommender", values="value").join(
        ranked.select("recommender", place=pl.int_range(pl.len())), on="recommender", how="left"
    )
    k, n = ranked["k"][0], ranked["n_users"][0]
    notes = [f"nDCG@{k} of {n:,} listeners, with 95 % intervals"]
    return _page("Evaluation", _table(table.sort("place").drop("place")), notes=notes, intervals=_intervals(ranked))


def training(found: "Training") -> str:
    """Draw what was trained as a table."""
    facts = asdict(found) | {"recommenders": ", ".join(found.recommenders)}
    return _page("Trained recommenders", _table(pl.DataFrame([facts])))


def matches(found: "Matches") -> str:
    """Draw a time line of each file, and the uses as a table."""
    notes = [f"{file} was not searched: {reason}" for file, reason in found.failures.items()]
    lines = [_time_line(found.rows.filter(file=file), file, length) for file, length in found.lengths_s.items()]
    return _page("Recordings found", _table(found.rows.select(MATCH_COLUMNS)), notes=notes, time_lines=lines)


def _page(title: str, table: dict[str, Any], *, notes: Sequence[str] = (), **plots: object) -> str:
    values = {"intervals": [], "time_lines": []} | plots
    return render("notebook.html", title=title, notes=notes, table=table, **values)


def _table(rows: pl.DataFrame, *, bars: Sequence[float] = ()) -> dict[str, Any]:
    """Return headings, cells as texts, and the length of each row's bar, 0..1, none if `bars` is empty."""
    shown = rows.head(MOST_ROWS)
    cells = [[_text(value) for value in row] for row in shown.iter_rows()]
    lengths: Sequence[float | None] = bars[:MOST_ROWS] or [None] * len(cells)
    n_hidden = rows.height - shown.height
    return {"headings": rows.columns, "rows": list(zip(cells, lengths, strict=True)), "n_hidden": n_hidden}


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.4g}"
        case list() | tuple():
            return ", ".join(map(str, value))
    return str(value)


def _shares(rows: pl.DataFrame, measure: str) -> list[float]:
    """Return each value of a column as a share of the largest, 0 for values below 0; [] if there is no such column."""
    if measure not in rows.columns or rows.is_empty():
        return []
    values = rows[measure].cast(pl.Float64).fill_null(0).clip(lower_bound=0)
    return (values / (values.max() or 1)).to_list()


def _intervals(ranked: pl.DataFrame) -> list[dict[str, Any]]:
    """Return name and positions of value, low and high of each recommender; without an interval, both are its value."""
    whole = ranked.with_columns(pl.col("low", "high").fill_null(pl.col("value")).fill_nan(pl.col("value")))
    scale = WIDTH / (whole["high"].max() or 1)  # type: ignore[operator] # a number
    return [
        {"name": row["recommender"], **{end: round(row[end] * scale, 2) for end in ("value", "low", "high")}}
        for row in whole.iter_rows(named=True)
    ]


def _time_line(uses: pl.DataFrame, file: str, length_s: float) -> dict[str, Any]:
    """Return name and length of a file, and start and width of each use in units of the plot."""
    scale = WIDTH / (length_s or 1)
    spans = uses.select("starts_s", "ends_s", "title").unique(maintain_order=True)
    parts = [
        (round(start * scale, 2), round((end - start) * scale, 2), title) for start, end, title in spans.iter_rows()
    ]
    return {"name": file, "length_s": length_s, "parts": parts}
