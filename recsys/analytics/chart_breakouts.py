"""
Chart breakouts: the probability that a song outside a chart's top ten reaches it within six weeks.

A song-week is one song in one edition of the chart. It is categorised in six ways, such as by chart history (new,
returning, past its peak), weekly move and rank. For each way, the log odds of reaching the top ten are estimated from
the song-weeks of the same category in the last three years whose outcome is known; older song-weeks are left out
because the rules of charts change. A logistic regression combines the six log odds and the rank; recent weeks have more
weight. The categories and the three years were chosen on the Hot 100 of 2008 to 2014
(`bench/analytics/hot100.py` evaluates the model).

A probability has a 95 % interval, which is wide where few songs ever reached the top ten or few were in the same
situation. Its variance on the scale of log odds is that of the regression (the greater of its curvature and a sandwich
estimate with a song's weeks as one observation) and that of the six log odds it reads, taken as fully correlated, since
they count the same weeks. Student's t has the number of songs that reached the top ten, minus one, degrees of freedom.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import expit, logit
from scipy.stats import t as student_t
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from recsys.arrays import F64, I64
from recsys.columns import HIGH, LOW, Column, schema

CHART_BREAKOUTS_COLUMNS = (
    Column("chart", pl.String()),
    Column("song_id", pl.String()),
    Column("chart_date", pl.Date()),
    Column("probability", pl.Float64()),
    LOW,
    HIGH,
    Column("story", pl.String()),
    Column("n_similar", pl.Int64()),
    Column("n_similar_reached", pl.Int64()),
    Column("n_editions", pl.Int64()),
)
HORIZON_WEEKS, TOP_RANK = 6, 10  # weeks within which a song must reach the top ten; last rank of the top ten
AWAY_WEEKS = 26  # a song that was absent for longer counts as returning
MIN_ALBUM_SONGS = 5  # an artist with at least this many songs in an edition has a whole album in it
SIMILAR_WEEKS = 156  # similar song-weeks are counted over this period: three years
PRIOR_WEEKS, PRIOR_RATE = 10, 0.04  # pseudo-observations of each rate; prior of the rates by rank
HALF_LIFE_WEEKS = 261  # half-life of a song-week's weight in the regression: five years
MIN_KNOWN = 20  # minimum number of song-weeks of each outcome; charts with fewer are left out
BANDS, COARSE_BANDS = (12, 15, 20, 30, 50), (15, 25, 45)  # upper ends of rank bands
CHART_HISTORIES = (
    "back after half a year, once in the top ten",
    "back after half a year",
    "new, with a whole album",
    "new",
    "in the top ten before",
    "higher than ever, with a whole album",
    "higher than ever",
    "below its peak in its first month",
    "below its peak",
)
REGULARIZATION = 1.0  # of the regression
LEVEL = 0.95  # of the intervals
REASON_CATEGORY = "chart history, move, rank"  # the categorisation whose counts are published as the reason


class Estimate(NamedTuple):
    """Probabilities with the lower and upper ends of their 95 % intervals, 0..1. Shape (n_weeks,) each."""

    mean: F64
    low: F64
    high: F64


def chart_breakouts(weekly: pl.DataFrame) -> pl.DataFrame:
    """
    Estimate, for the songs in each chart's latest edition, the probability of reaching the top ten within six weeks.

    Args:
        weekly: chart, song_id, lead_artist, chart_date, week_no, rank: one row per chart, edition and song.

    Returns:
        Rows with CHART_BREAKOUTS_COLUMNS, sorted by chart and descending probability: the songs outside the top ten.
        `story` is the song's chart history, one of CHART_HISTORIES; n_similar song-weeks were like this one, and
        n_similar_reached of them led to the top ten; they are from the n_editions last editions with a known outcome,
        at most three years. Charts with too few known outcomes are left out.
    """
    charts = [weekly.filter(chart=name) for name in weekly["chart"].unique().sort()]
    empty = pl.DataFrame(schema=schema(CHART_BREAKOUTS_COLUMNS))
    return pl.concat([empty, *(_of_chart(chart).select(empty.columns).cast(empty.schema) for chart in charts)])


def _of_chart(chart: pl.DataFrame) -> pl.DataFrame:
    weeks = song_weeks(chart)
    known, last = weeks.filter("is_known"), weeks.filter(week_no=chart["week_no"].max())
    n_reached = int(known["reaches"].sum())
    if last.is_empty() or min(n_reached, known.height - n_reached) < MIN_KNOWN:
        return pl.DataFrame(schema=schema(CHART_BREAKOUTS_COLUMNS))
    values = estimate(known, last)._asdict()
    chart_history = pl.col("chart_history").replace_strict(dict(enumerate(CHART_HISTORIES)))
    return (
        last.with_columns(
            *(pl.Series(name, value).round(6) for name, value in values.items()),
            story=chart_history,
            n_editions=pl.lit(min(int(known["week_no"].to_numpy().max()), SIMILAR_WEEKS)),
        )
        .rename({"mean": "probability"})
        .sort("probability", "song_id", descending=[True, False])
    )


def song_weeks(chart: pl.DataFrame) -> pl.DataFrame:
    """
    Return the song-weeks outside the top ten with their features and outcomes.

    Args:
        chart: One chart: song_id, lead_artist, week_no, rank and other columns.

    Returns:
        The rows with rank > TOP_RANK, sorted by week and rank, with these new columns.
        is_known: True if six later editions exist.
        reaches: True if the song is in the top ten in one of them; false if not known.
        chart_history: Index into CHART_HISTORIES.
        n_similar: Number of song-weeks of the last three years with the same chart history, move and rank.
        n_similar_reached: How many of them reached the top ten.
        One column of log odds per categorisation in `week_categories`, and one with their standard error.
    """
    ordered = chart.sort("song_id", "week_no")
    is_back = (pl.col("week_no") - pl.col("week_no").shift(1) > AWAY_WEEKS).fill_null(value=False)
    weeks = (
        _with_ranks_around(ordered)
        .with_columns(
            best=pl.col("rank").cum_min().over("song_id"),
            n_weeks=pl.int_range(1, pl.len() + 1).over("song_id"),
            n_returns=is_back.cum_sum().over("song_id"),
            rise=pl.col("rank_1").log() - pl.col("rank").log(),
            is_known=pl.col("week_no") <= pl.col("week_no").max() - HORIZON_WEEKS,
        )
        .join(_recent_hits(ordered), on=["lead_artist", "week_no"], how="left")
        .join(ordered.group_by("lead_artist", "week_no").agg(n_listed=pl.len()), on=["lead_artist", "week_no"])
        .filter(pl.col("rank") > TOP_RANK)
        .with_columns(reaches=pl.col("reaches") & pl.col("is_known"), chart_history=_chart_history())
        .sort("week_no", "rank", "song_id")
    )
    return _with_odds(weeks)


def _with_ranks_around(chart: pl.DataFrame) -> pl.DataFrame:
    """Add the ranks one week before and one to six weeks later (null if not listed), and `reaches`."""
    ranks, wide = chart.select("song_id", "week_no", "rank"), chart
    for lag in (1, *range(-HORIZON_WEEKS, 0)):
        other = ranks.select("song_id", pl.col("week_no") + lag, pl.col("rank").alias(f"rank_{lag}"))
        wide = wide.join(other, on=["song_id", "week_no"], how="left", maintain_order="left")
    ahead = pl.min_horizontal(f"rank_{-step}" for step in range(1, HORIZON_WEEKS + 1))
    return wide.with_columns(reaches=(ahead <= TOP_RANK).fill_null(value=False))


def _recent_hits(chart: pl.DataFrame) -> pl.DataFrame:
    """Count, by artist and week, the artist's songs that first entered the top ten in the last three years."""
    hits = (
        chart.filter(pl.col("rank") <= TOP_RANK)
        .group_by("lead_artist", "song_id")
        .agg(hit_week=pl.col("week_no").min())
    )
    pairs = chart.select("lead_artist", "week_no").unique().join(hits, on="lead_artist", how="left")
    is_recent = (pl.col("week_no") - pl.col("hit_week")).is_between(0, SIMILAR_WEEKS - 1)
    return pairs.group_by("lead_artist", "week_no").agg(n_recent=is_recent.sum())


def _chart_history() -> pl.Expr:
    """Return the index into CHART_HISTORIES that describes the song's weeks before this one."""
    rank, best, n_weeks, is_album = (
        pl.col("rank"),
        pl.col("best"),
        pl.col("n_weeks"),
        pl.col("n_listed") >= MIN_ALBUM_SONGS,
    )
    return (
        pl.when(pl.col("n_returns") > 0)
        .then(pl.when(best <= TOP_RANK).then(0).otherwise(1))
        .when(n_weeks == 1)
        .then(pl.when(is_album).then(2).otherwise(3))
        .when(best <= TOP_RANK)
        .then(4)
        .when(rank <= best)
        .then(pl.when(is_album).then(5).otherwise(6))
        .otherwise(pl.when(n_weeks <= 4).then(7).otherwise(8))
    )


def week_categories() -> dict[str, pl.Expr]:
    """Return six ways to categorise song-weeks: expressions that give the number of the category, from 0."""
    rank, history, listed = pl.col("rank"), pl.col("chart_history"), pl.col("n_listed")
    move = pl.when(pl.col("rank_1").is_null()).then(6).otherwise(_band(pl.col("rise"), (-0.4, -0.15, 0, 0.15, 0.5)))
    fine, coarse = _band(rank, BANDS), _band(rank, COARSE_BANDS)
    return {
        "chart history and rank": history * 6 + fine,
        "move and rank": move * 6 + fine,
        REASON_CATEGORY: (history * 7 + move) * 4 + coarse,
        "age, move, rank": (_band(pl.col("n_weeks"), (1, 3, 8, 16)) * 7 + move) * 4 + coarse,
        "artist, chart history, rank": (_band(pl.col("n_recent"), (0, 2)) * 9 + history) * 4 + coarse,
        "listed, move, rank": (_band(listed, (1, 4)) * 7 + move) * 4 + coarse,
    }


def _band(value: pl.Expr, edges: tuple[float, ...]) -> pl.Expr:
    """Return the number of the band that a value is in: the number of edges below it."""
    return pl.sum_horizontal([(value > edge).cast(pl.Int64) for edge in edges])


def _with_odds(weeks: pl.DataFrame) -> pl.DataFrame:
    """Add the log odds of each categorisation, and the numbers of similar song-weeks by REASON_CATEGORY."""
    categories = {
        name: weeks.select(category.cast(pl.Int64)).to_series().to_numpy()
        for name, category in week_categories().items()
    }
    by_rank = similar_weeks(weeks, weeks.select(_band(pl.col("rank"), BANDS)).to_series().to_numpy())
    prior = _rate(*by_rank, np.full(weeks.height, PRIOR_RATE))
    counts = {name: similar_weeks(weeks, category) for name, category in categories.items()}
    rates = {name: _rate(*count, prior).clip(1e-4, 0.98) for name, count in counts.items()}
    odds = {name: pl.Series(logit(rate)) for name, rate in rates.items()}
    errors = {
        f"{name}, error": pl.Series(1 / np.sqrt((counts[name][0] + PRIOR_WEEKS) * rate * (1 - rate)))
        for name, rate in rates.items()
    }
    n, n_reached = counts[REASON_CATEGORY]
    return weeks.with_columns(**odds, **errors, n_similar=pl.Series(n), n_similar_reached=pl.Series(n_reached))


def _rate(n: I64, n_reached: I64, prior: F64) -> F64:
    return np.asarray((n_reached + PRIOR_WEEKS * prior) / (n + PRIOR_WEEKS))


def similar_weeks(weeks: pl.DataFrame, category: I64) -> tuple[I64, I64]:
    """
    Count the similar song-weeks of each song-week: those of the same category in the three years before it.

    Only song-weeks whose outcome was known by then are counted.

    Args:
        weeks: week_no and reaches of n song-weeks.
        category: Category of each song-week, from 0. Shape (n,), int64.

    Returns:
        The number of similar song-weeks, and how many of them reached the top ten. Shape (n,) each, int64.
    """
    week = weeks["week_no"].to_numpy()
    counts = np.zeros((2, int(category.max(initial=0)) + 1, int(week.max(initial=0)) + 2), dtype=np.int64)
    np.add.at(counts[0], (category, week + 1), 1)
    np.add.at(counts[1], (category, week + 1), weeks["reaches"].to_numpy())
    until = counts.cumsum(axis=2)  # [..., w]: counts before week w
    known = np.clip(week - HORIZON_WEEKS + 1, 0, None)
    n, n_reached = until[:, category, known] - until[:, category, np.clip(known - SIMILAR_WEEKS, 0, None)]
    return n, n_reached


def _features(weeks: pl.DataFrame) -> F64:
    """Return the features of the regression: six log odds and the log rank. Shape (n_song_weeks, 7)."""
    return weeks.select(*week_categories(), pl.col("rank").log()).to_numpy()


def probabilities(known: pl.DataFrame, weeks: pl.DataFrame) -> F64:
    """
    Fit the model to song-weeks with a known outcome, and predict the probability that others reach the top ten.

    Args:
        known: Rows of `song_weeks` with a known outcome; both outcomes must occur.
        weeks: Rows of `song_weeks` to predict, none of them earlier than the rows in `known`.

    Returns:
        Probabilities, 0..1. Shape (n_weeks,).
    """
    return estimate(known, weeks).mean


def estimate(known: pl.DataFrame, weeks: pl.DataFrame) -> Estimate:
    """Return the probabilities of `probabilities` with their 95 % intervals (see the head of this file)."""
    scaler = StandardScaler().fit(_features(known))
    features, requested = scaler.transform(_features(known)), scaler.transform(_features(weeks))
    weeks_ago = (weeks["week_no"].min() or 0) - known["week_no"].to_numpy()
    weight, reaches = 0.5 ** (weeks_ago / HALF_LIFE_WEEKS), known["reaches"].to_numpy()
    model = LogisticRegression(C=REGULARIZATION, max_iter=2000).fit(features, reaches, sample_weight=weight)
    mean, fitted = (model.predict_proba(rows)[:, 1] for rows in (requested, features))
    song = known["song_id"].rank("dense").to_numpy().astype(np.int64) - 1
    residual, curvature = weight * (reaches - fitted), weight * fitted * (1 - fitted)
    variance = _variances(_with_intercept(features), residual, curvature, song, _with_intercept(requested))
    slopes = np.abs(model.coef_[0] / scaler.scale_)[: len(week_categories())]
    error = np.sqrt(variance + (weeks.select(f"{name}, error" for name in week_categories()).to_numpy() @ slopes) ** 2)
    half = student_t.ppf((1 + LEVEL) / 2, max(known.filter("reaches")["song_id"].n_unique() - 1, 1)) * error
    return Estimate(mean, expit(logit(mean) - half), expit(logit(mean) + half))


def _with_intercept(features: F64) -> F64:
    return np.column_stack([np.ones(len(features)), features])


def _variances(features: F64, residual: F64, curvature: F64, song: I64, requested: F64) -> F64:
    """
    Return the variances of the regression's log odds, for given features.

    Args:
        features: Features of n song-weeks, the intercept first. Shape (n, n_features).
        residual: Weighted outcome minus fitted probability. Shape (n,).
        curvature: Weighted variance of the outcome. Shape (n,).
        song: Number of each song-week's song, from 0. Shape (n,).
        requested: Features of the song-weeks to predict. Shape (n_asked, n_features).

    Returns:
        The greater of the variance by the curvature of the likelihood and of that by the scatter of the songs. Shape
        (n_asked,).
    """
    penalty = np.diag([0, *[1 / REGULARIZATION] * (features.shape[1] - 1)])
    inverse = np.linalg.inv(features.T @ (features * curvature[:, None]) + penalty)
    by_song = np.zeros((int(song.max()) + 1, features.shape[1]))
    np.add.at(by_song, song, features * residual[:, None])
    scatter = by_song.T @ by_song * len(by_song) / max(len(by_song) - 1, 1)
    covariances = np.stack([inverse, inverse @ scatter @ inverse])  # (2,F,F)
    return np.asarray(np.einsum("wf,cfg,wg->cw", requested, covariances, requested).max(axis=0))
