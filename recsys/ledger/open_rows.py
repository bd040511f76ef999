"""What the query of rows that no line counts yet needs from the ledger (see sql/internal/open_listens.sql)."""

from datetime import date

import polars as pl

from recsys.ledger.lines import MEASURES, WEEK, Lines

EARLIEST = date(1995, 1, 1)  # no row of the lake is older


def open_row_limits(lines: Lines) -> dict[str, pl.DataFrame]:
    """
    Return three small tables by name.

    closed_days: day, last_batch: batches up to this one were known to the first closing that could count the day.
    closed_weeks: label_id and, for each measure, the last day of the label's closed weeks; null before the first.
    former_labels: track_id, label_id (the last known), last_batch: rows of batches up to this one were there before the
        recording had this label.
    """
    closings = lines.closings.sort("closing_no")
    last_day = closings["last_day"].max()
    days = pl.date_range(EARLIEST, last_day, eager=True) if isinstance(last_day, date) else pl.Series([], dtype=pl.Date)
    closed_days = pl.DataFrame({"day": days}).join_asof(
        closings.select("last_day", "last_batch").unique("last_day", keep="first").sort("last_day"),
        left_on="day",
        right_on="last_day",
        strategy="forward",
    )
    weeks = lines.figures.filter(pl.col("dimension") == WEEK, ~pl.col("is_late"))
    of_measure = [pl.col("to_day").filter(pl.col("measure") == name).max().alias(name) for name in MEASURES]
    before = closings.select(since_no=pl.col("closing_no") + 1, last_batch="last_batch")
    former = lines.tracks.sort("since_no").unique("track_id", keep="last").join(before, on="since_no", how="left")
    return {
        "closed_days": closed_days.select("day", "last_batch"),
        "closed_weeks": weeks.group_by("label_id").agg(of_measure),
        "former_labels": former.select("track_id", "label_id", pl.col("last_batch").fill_null(0)),
    }
