"""
What a listener had played of a label before a period: nothing, something lately, or something long ago.

It divides the listeners of a period, so it is a dimension like their country. What the log does not reach back to is
unknown: nobody is called new to a label in the first weeks of a log.
"""

import polars as pl

RECENT_DAYS = 28  # a listener who played the label in these days before a period is returning
KNOWN_DAYS = 56  # of log before a period, without a play of the label: a listener is new to it
NEW, RETURNING, BACK, UNKNOWN = "new", "returning", "back", "unknown"
PAIR = ["label_id", "user_id"]
NO_DAYS = pl.LazyFrame(schema={"label_id": pl.String, "user_id": pl.String, "listen_date": pl.Date})


def with_loyalty(rows: pl.DataFrame, days: pl.LazyFrame) -> pl.DataFrame:
    """
    Add the column loyalty: new, returning, back (the last play was before the RECENT_DAYS), or unknown.

    Args:
        rows: label_id, user_id, from_day (first day of the period), and anything else.
        days: label_id, user_id and listen_date of the days on which listeners played a recording of a label; of all
            labels, since the first of them is the beginning of the log.
    """
    pairs = rows.select(*PAIR, "from_day").unique()
    first_day = days.select(pl.col("listen_date").min()).collect().item()
    known = days.join(pairs.lazy(), on=PAIR, how="semi").collect()
    last = pairs.sort("from_day").join_asof(
        known.sort("listen_date"),
        left_on="from_day",
        right_on="listen_date",
        by=PAIR,
        allow_exact_matches=False,
        coalesce=False,
        check_sortedness=False,
    )
    since_last, of_log = (
        (pl.col("from_day") - day).dt.total_days() for day in (pl.col("listen_date"), pl.lit(first_day, pl.Date))
    )
    loyalty = (
        pl.when(since_last <= RECENT_DAYS)
        .then(pl.lit(RETURNING))
        .when(since_last > RECENT_DAYS)
        .then(pl.lit(BACK))
        .when(of_log >= KNOWN_DAYS)
        .then(pl.lit(NEW))
        .otherwise(pl.lit(UNKNOWN))
    )
    return rows.join(last.select(*PAIR, "from_day", loyalty=loyalty), on=[*PAIR, "from_day"], how="left")
