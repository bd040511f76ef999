"""
Which lines count a row: for the label that its recording had when they were closed.

A row is on time if the batch that brought it was known to the closing of its day; otherwise it is late, and a later
closing may count it in a second set of lines of its week, or in the label's line 'late'.
"""

import polars as pl

from recsys.ledger.lines import DAY, LATE, WEEK, Lines

_OPEN_END = 2**62  # until the label changes
AFTER_WEEK = pl.col("closing_no") > pl.col("week_no")  # late rows are counted once their week has been closed


def label_history(tracks: pl.DataFrame) -> pl.DataFrame:
    """Return the labels of each recording with the closings [since_no, until_no) at which it had them."""
    until = pl.col("since_no").shift(-1, fill_value=_OPEN_END).over("track_id", order_by="since_no")
    return tracks.with_columns(until_no=until).with_columns(is_current=pl.col("until_no") == _OPEN_END)


def with_lines(rows: pl.DataFrame, lines: Lines, measure: str) -> pl.DataFrame:
    """
    Find the lines of each row's labels that concern it.

    Args:
        rows: source_row (a number), track_id, listen_date, batch_no, and anything else.
        lines: The ledger, whose `tracks` include this closing's changes.
        measure: The measure whose lines are looked up.

    Returns:
        One row per row and label that its recording has had: with label_id, is_current; from_day and to_day of the
        label's week that contains the day (null while that week is open); `day_no`, the closing of its day (null while
        the day is open); `counted_no`, the closing that counted the row for any of the labels (null if none did); and
        `is_on_time`, whether that was the closing of its day for this label.
    """
    figures = lines.figures.filter(pl.col("measure") == measure)
    batches = lines.closings.select("closing_no", "last_batch")
    weeks = figures.filter(dimension=WEEK, is_late=False).select("label_id", "from_day", "to_day", week_no="closing_no")
    days = _closings_of(figures.filter(dimension=DAY), batches)
    found = rows.join(label_history(lines.tracks), on="track_id").sort("listen_date")
    found = containing(found, days.select("label_id", "to_day", day_no="closing_no", day_batch="last_batch")).drop(
        "to_day"
    )
    found = containing(found, weeks)
    late = _closings_of(figures.filter("is_late"), batches)
    second = late.filter(dimension=WEEK).select("label_id", "from_day", "to_day", "closing_no", "last_batch")
    pooled = late.filter(dimension=LATE).select("label_id", "closing_no", "last_batch")
    on_time = found.with_columns(closing_no="day_no", last_batch="day_batch")
    counts = [
        _counting(on_time),
        _counting(found.join(second, on=["label_id", "from_day", "to_day"]).filter(AFTER_WEEK)),
        _counting(found.join(pooled, on="label_id").filter(AFTER_WEEK)),
    ]
    first = pl.concat(counts).group_by("source_row").agg(counted_no=pl.col("closing_no").min())
    is_own = pl.col("day_no").is_between("since_no", "until_no", closed="left")
    is_on_time = (is_own & (pl.col("counted_no") == pl.col("day_no"))).fill_null(value=False)
    marked = found.join(first, on="source_row", how="left").with_columns(is_on_time=is_on_time)
    return marked.drop("day_batch", "week_no", "since_no", "until_no")


def _closings_of(figures: pl.DataFrame, batches: pl.DataFrame) -> pl.DataFrame:
    return figures.join(batches, on="closing_no").sort("to_day")


def containing(rows: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of the label's period that contains each row's day; a label's periods leave no gaps."""
    return rows.join_asof(
        periods.sort("to_day"),
        left_on="listen_date",
        right_on="to_day",
        by="label_id",
        strategy="forward",
        coalesce=False,
        check_sortedness=False,
    )


def _counting(candidates: pl.DataFrame) -> pl.DataFrame:
    """Keep the closings that knew a row's batch, while its recording had the label: one of them counted it first."""
    return candidates.filter(
        (pl.col("batch_no") <= pl.col("last_batch"))
        & pl.col("closing_no").is_between("since_no", "until_no", closed="left")
    ).select("source_row", "closing_no")
