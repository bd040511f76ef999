"""
A release's first days or weeks compared with the label's earlier releases.

The expected band of a period goes from the 10 % to the 90 % quantile of the earlier releases in the same period after
their release. The quantiles are those at (n + 1) p, so that a release that is like the earlier ones is inside the band
with a probability of 80 %; this takes N_LEAST of them (Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996,
definition 6). Rows come from the queries `release_days` (operators) and `release_weeks` (labels). A closed period
without a figure had too few listeners: it counts as lower than every figure, and is never 0.
"""

import numpy as np
import polars as pl

LOW, HIGH = 0.1, 0.9
N_LEAST = 9  # earlier releases that a band needs: (n + 1) LOW is at least 1


def so_far(periods: pl.DataFrame) -> pl.DataFrame:
    """
    Add each release's plays per day in a period, and its plays up to the end of the period.

    Args:
        periods: One row per release and period, in order of `period_no`: release_id, n_days, n_plays (null without a
            figure), is_closed and is_withheld.

    Returns:
        The rows with plays_a_day, and n_so_far: the sum of the figures of closed periods, null where there is none yet,
        the period is not closed, or one of them was withheld.
    """
    is_known = pl.col("is_closed") & (pl.col("is_withheld").cum_sum() == 0)
    total = pl.col("n_plays").fill_null(0).cum_sum()
    has_figure = pl.col("n_plays").is_not_null().cum_sum() > 0
    return periods.with_columns(
        plays_a_day=pl.col("n_plays") / pl.col("n_days"),
        n_so_far=pl.when((is_known & has_figure).over("release_id")).then(total.over("release_id")),
    )


def earlier_releases(periods: pl.DataFrame, release_id: str, *, any_kind: bool) -> pl.DataFrame:
    """Return the rows of the releases that came out before one: those of its kind, or of any kind."""
    (release,) = periods.filter(release_id=release_id).head(1).iter_rows(named=True)
    earlier = periods.filter(pl.col("release_date") < release["release_date"])
    return earlier if any_kind else earlier.filter(kind=release["kind"])


def with_band(periods: pl.DataFrame, release_id: str, *, any_kind: bool) -> pl.DataFrame:
    """
    Return the periods of a release with what the label's earlier releases let expect.

    Args:
        periods: The label's releases, as in `so_far`, with release_date and kind.
        release_id: The release.
        any_kind: Whether releases of any kind are compared, and not only singles, EPs or albums like this one.

    Returns:
        One row per period: the columns of `so_far`; n_earlier, the earlier releases whose period is closed; the
        band: low and high of plays_a_day, so_far_low and so_far_high of n_so_far, null where there are too few earlier
        releases, or where an end lies among those without a figure; n_lower, of the earlier releases those that had
        fewer plays so far.
    """
    every = so_far(periods)
    own, earlier = every.filter(release_id=release_id), earlier_releases(every, release_id, any_kind=any_kind)
    known = earlier.filter("is_closed", (pl.col("is_withheld").cum_sum() == 0).over("release_id"))
    bands = [_band(known.filter(period_no=row["period_no"]), row["n_so_far"]) for row in own.iter_rows(named=True)]
    return own.hstack(pl.DataFrame(bands, _BAND))


_RELEASE = ("release_id", "title", "artist_id", "artist_name", "release_date", "kind", "n_recordings")
_BAND = {
    "n_earlier": pl.Int64,
    "low": pl.Float64,
    "high": pl.Float64,
    "so_far_low": pl.Float64,
    "so_far_high": pl.Float64,
    "n_lower": pl.Int64,
}


def _band(earlier: pl.DataFrame, n_so_far: int | None) -> dict[str, float | None]:
    ends = [*_ends(earlier["plays_a_day"]), *_ends(earlier["n_so_far"])]
    totals = earlier["n_so_far"].fill_null(-1)
    n_lower = None if n_so_far is None else int((totals < n_so_far).sum())
    return dict(zip(_BAND, (earlier.height, *ends, n_lower), strict=True))


def totals_of_earlier(periods: pl.DataFrame, release_id: str, *, any_kind: bool, ends: tuple[int, int]) -> pl.DataFrame:
    """
    Return one row per earlier release, the newest first, with its plays up to the end of two periods.

    Args:
        periods: As in `with_band`, with title, artist_id, artist_name and n_recordings.
        release_id: The release before which they came out.
        any_kind: As in `with_band`.
        ends: Numbers of the periods; their columns are n_plays_short and n_plays_long, null without a figure.
    """
    every = earlier_releases(so_far(periods), release_id, any_kind=any_kind)
    plays = [pl.col("n_so_far").filter(pl.col("period_no") == end).first() for end in ends]
    return every.group_by(_RELEASE, maintain_order=True).agg(n_plays_short=plays[0], n_plays_long=plays[1])


def _ends(values: pl.Series) -> list[float | None]:
    """Return the lower and the upper end of a band; null values are the lowest."""
    if len(values) < N_LEAST:
        return [None, None]
    ranked = values.cast(pl.Float64).fill_null(-np.inf).to_numpy()
    with np.errstate(invalid="ignore"):  # between a missing value and a figure
        ends = np.quantile(ranked, [LOW, HIGH], method="weibull")
    return [float(end) if np.isfinite(end) else None for end in ends]
