"""
What happened to an artist or a recording, as marks on a curve of plays and as a list for people who cannot see it.

Releases and charts are public; milestones come from the viewer's own figures, for labels the lines of their ledger.
"""

from datetime import date

import numpy as np
import polars as pl

from dashboards import data, parts, sentences

FEW = 6  # days with notes up to which the list is open


def notes_on(
    curve: pl.DataFrame, kind: str, item_id: str, *, x: str, y: str, first: date | None = None
) -> pl.DataFrame:
    """
    Return what happened in the time of a curve, one row per day.

    Args:
        curve: The rows that are drawn, by day.
        kind: artist or recording.
        item_id: Id of the artist or the recording.
        x: Column of days.
        y: Column of values, null where the curve is interrupted.
        first: First day of the curve's first period; its day in `x` if None.

    Returns:
        no (from 1), day, text, and the height at which the curve is on that day.
    """
    known = curve.drop_nulls(y)
    if known.is_empty():
        return pl.DataFrame(schema={"no": pl.Int64, "day": pl.Date, "text": pl.String, "height": pl.Float64})
    own = "play_notes" if data.is_operator() else "label_play_notes"
    found = pl.concat([data.run_query(query, kind=kind, id=item_id) for query in ("public_notes", own)])
    shown = found.filter(pl.col("day").is_between(first or curve[x][0], curve[x][-1])).sort(
        "day", "kind", "title", "place"
    )
    texts = [sentences.note_text(row) for row in shown.iter_rows(named=True)]
    by_day = shown.select("day", text=pl.Series(texts, dtype=pl.String)).group_by("day", maintain_order=True)
    days = by_day.agg(pl.col("text").str.join("; ")).with_row_index("no", offset=1)
    heights = np.interp(_numbers(days["day"]), _numbers(known[x]), known[y].cast(pl.Float64))
    return days.with_columns(pl.col("no").cast(pl.Int64), height=pl.Series(heights, dtype=pl.Float64))


def _numbers(days: pl.Series) -> pl.Series:
    return days.to_physical().cast(pl.Float64)


def list_notes(notes: pl.DataFrame) -> None:
    """List the notes that are marked on a curve, in the order of their numbers."""
    if notes.is_empty():
        return
    with parts.expander("Notes on the curve", is_open=notes.height <= FEW):
        parts.bullets([sentences.note_sentence(row) for row in notes.iter_rows(named=True)])
