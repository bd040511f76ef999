"""
Totals of artists or recordings whose plays a page compares.

The rows come from the queries `compared_days` (operators) and `label_compared_weeks` (labels).
"""

import polars as pl

_ITEM = ("track_id", "artist_id", "name", "artist_name", "release_date")
_COUNTS = ("n_plays", "n_skips", "n_saves")


def totals(periods: pl.DataFrame) -> pl.DataFrame:
    """
    Add up the periods of each artist or recording.

    Args:
        periods: One row per item and period, with the columns of one of the queries; a null has no figure.

    Returns:
        One row per item in their order: n_periods and n_with_figure; the sums of the counts, null where no period has
        a figure; plays_a_day of the periods with one; and skip_share, if there are skips.
    """
    counts = [name for name in _COUNTS if name in periods.columns]
    has_figure = pl.col("n_plays").is_not_null()
    sums = periods.group_by(_ITEM, maintain_order=True).agg(
        *(pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in counts),
        plays_a_day=pl.col("n_plays").sum() / pl.col("n_days").filter(has_figure).sum(),
        n_with_figure=has_figure.sum().cast(pl.Int64),
        n_periods=pl.len().cast(pl.Int64),
    )
    per_day = sums.with_columns(pl.col("plays_a_day").fill_nan(None))
    if "n_skips" not in counts:
        return per_day
    n_starts = pl.col("n_plays") + pl.col("n_skips")
    return per_day.with_columns(skip_share=pl.when(n_starts > 0).then(pl.col("n_skips") / n_starts))
