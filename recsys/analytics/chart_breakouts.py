"""
Breakouts by rank: will a song now outside the top ten of a chart reach it within six weeks?

What makes a hit changes with the chart's own rules; so the model counts, for each of six descriptions of a song's week,
how many of the weeks like it in the last three years led to the top ten (known outcomes only), and a logistic
regression weighs the six log odds and the rank, recent weeks most. Weeks are the chart's own editions. Descriptions and
the three years were chosen on the Hot 100 of 2008 to 2014 (`bench/analytics/hot100.py` judges them).
"""

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from recsys import columns
from recsys.arrays import F64, I64

AHEAD, TOP, AWAY_WEEKS, ALBUM = 6, 10, 26, 5  # weeks; ranks; weeks away; songs of one artist that are an album
LIKE_IT_WEEKS = 156  # how far back counts go
PRIOR_WEEKS, USUAL = 10, 0.04  # song-weeks of the rank's own rate that counts start from; what that rate starts from
HALF_LIFE_WEEKS = 261  # of the weight of a week in the fit: five years
MIN_KNOWN = 20  # song-weeks that led to the top ten, and that did not: a chart with fewer has nothing to learn from
BANDS, COARSE_BANDS = (12, 15, 20, 30, 50), (15, 25, 45)
STORIES = (
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
EVIDENCE = "story, move, rank"  # the description whose counts are told as the reason


def chart_breakouts(weekly: pl.DataFrame) -> pl.DataFrame:
    """
    Say how likely each song of every chart's last edition is to reach the top ten within six weeks.

    Args:
        weekly: chart, song_id, lead_artist, chart_date, week_no, rank: every song once in an edition.

    Returns:
        The rows of `columns.CHART_BREAKOUTS`: songs outside the top ten, by chart, the most likely first; none of a
        chart that is too short to learn from.
    """
    charts = [weekly.filter(chart=name) for name in weekly["chart"].unique().sort()]
    schema = columns.schema(columns.CHART_BREAKOUTS)
    return pl.concat(
        [pl.DataFrame(schema=schema), *(_of_chart(chart).select(schema.names()).cast(schema) for chart in charts)]
    )


def _of_chart(chart: pl.DataFrame) -> pl.DataFrame:
    weeks = song_weeks(chart)
    known, last = weeks.filter("is_known"), weeks.filter(week_no=chart["week_no"].max())
    n_reached = int(known["reaches"].sum())
    if last.is_empty() or min(n_reached, known.height - n_reached) < MIN_KNOWN:
        return pl.DataFrame(schema=columns.schema(columns.CHART_BREAKOUTS))
    chances = pl.Series("probability", probabilities(known, last)).round(6)
    return last.with_columns(chances, story=pl.col("story").replace_strict(dict(enumerate(STORIES)))).sort(
        "probability", "song_id", descending=[True, False]
    )


def song_weeks(chart: pl.DataFrame) -> pl.DataFrame:
    """
    Return what is known in each week of each song outside the top ten, and whether it reaches it.

    Args:
        chart: One chart: song_id, lead_artist, week_no, rank, and what else there is.

    Returns:
        The rows with rank > TOP, by week and rank, with `is_known` (six more editions are there), `reaches` (false
        where not known), a column of log odds for each of `descriptions`, `story`, and `n_similar` and
        `n_similar_reached`: the weeks of the same story, move and rank in the last three years, and those that led
        to the top ten.
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
            is_known=pl.col("week_no") <= pl.col("week_no").max() - AHEAD,
        )
        .join(_recent_hits(ordered), on=["lead_artist", "week_no"], how="left")
        .join(ordered.group_by("lead_artist", "week_no").agg(n_listed=pl.len()), on=["lead_artist", "week_no"])
        .filter(pl.col("rank") > TOP)
        .with_columns(reaches=pl.col("reaches") & pl.col("is_known"), story=_story())
        .sort("week_no", "rank", "song_id")
    )
    return _with_odds(weeks)


def _with_ranks_around(chart: pl.DataFrame) -> pl.DataFrame:
    """Add the rank of the week before, null where not listed, and whether one of the next six is in the top ten."""
    ranks, wide = chart.select("song_id", "week_no", "rank"), chart
    for lag in (1, *range(-AHEAD, 0)):
        other = ranks.select("song_id", pl.col("week_no") + lag, pl.col("rank").alias(f"rank_{lag}"))
        wide = wide.join(other, on=["song_id", "week_no"], how="left", maintain_order="left")
    ahead = pl.min_horizontal(f"rank_{-step}" for step in range(1, AHEAD + 1))
    return wide.with_columns(reaches=(ahead <= TOP).fill_null(value=False))


def _recent_hits(chart: pl.DataFrame) -> pl.DataFrame:
    """Count, by artist and week, their songs that entered the top ten within the last three years."""
    hits = chart.filter(pl.col("rank") <= TOP).group_by("lead_artist", "song_id").agg(hit_week=pl.col("week_no").min())
    pairs = chart.select("lead_artist", "week_no").unique().join(hits, on="lead_artist", how="left")
    is_recent = (pl.col("week_no") - pl.col("hit_week")).is_between(0, LIKE_IT_WEEKS - 1)
    return pairs.group_by("lead_artist", "week_no").agg(n_recent=is_recent.sum())


def _story() -> pl.Expr:
    """Tell a song's week in a few words: their place in STORIES."""
    rank, best, n_weeks, is_album = (pl.col("rank"), pl.col("best"), pl.col("n_weeks"), pl.col("n_listed") >= ALBUM)
    return (
        pl.when(pl.col("n_returns") > 0)
        .then(pl.when(best <= TOP).then(0).otherwise(1))
        .when(n_weeks == 1)
        .then(pl.when(is_album).then(2).otherwise(3))
        .when(best <= TOP)
        .then(4)
        .when(rank <= best)
        .then(pl.when(is_album).then(5).otherwise(6))
        .otherwise(pl.when(n_weeks <= 4).then(7).otherwise(8))
    )


def descriptions() -> dict[str, pl.Expr]:
    """Six ways to say in a few words what kind of week a song has: each a number."""
    rank, story, listed = pl.col("rank"), pl.col("story"), pl.col("n_listed")
    move = pl.when(pl.col("rank_1").is_null()).then(6).otherwise(_band(pl.col("rise"), (-0.4, -0.15, 0, 0.15, 0.5)))
    fine, coarse = _band(rank, BANDS), _band(rank, COARSE_BANDS)
    return {
        "story and rank": story * 6 + fine,
        "move and rank": move * 6 + fine,
        EVIDENCE: (story * 7 + move) * 4 + coarse,
        "age, move, rank": (_band(pl.col("n_weeks"), (1, 3, 8, 16)) * 7 + move) * 4 + coarse,
        "artist, story, rank": (_band(pl.col("n_recent"), (0, 2)) * 9 + story) * 4 + coarse,
        "listed, move, rank": (_band(listed, (1, 4)) * 7 + move) * 4 + coarse,
    }


def _band(value: pl.Expr, edges: tuple[float, ...]) -> pl.Expr:
    """Count how many edges a value is above."""
    return pl.sum_horizontal([(value > edge).cast(pl.Int64) for edge in edges])


def _with_odds(weeks: pl.DataFrame) -> pl.DataFrame:
    """Add, for each description, the log odds of the weeks like it in the last three years, and the counts of one."""
    kinds = {name: weeks.select(each.cast(pl.Int64)).to_series().to_numpy() for name, each in descriptions().items()}
    by_rank = like_it(weeks, weeks.select(_band(pl.col("rank"), BANDS)).to_series().to_numpy())
    usual = _share(*by_rank, np.full(weeks.height, USUAL))
    counts = {name: like_it(weeks, kind) for name, kind in kinds.items()}
    shares = {name: _share(*counted, usual).clip(1e-4, 0.98) for name, counted in counts.items()}
    odds = {name: pl.Series(np.log(share / (1 - share))) for name, share in shares.items()}
    n, n_reached = counts[EVIDENCE]
    return weeks.with_columns(**odds, n_similar=pl.Series(n), n_similar_reached=pl.Series(n_reached))


def _share(n: I64, n_reached: I64, usual: F64) -> F64:
    return np.asarray((n_reached + PRIOR_WEEKS * usual) / (n + PRIOR_WEEKS))


def like_it(weeks: pl.DataFrame, kind: I64) -> tuple[I64, I64]:
    """
    Count the song-weeks of the same kind in the three years whose outcome is known in a week.

    Args:
        weeks: week_no and reaches of n song-weeks.
        kind: What kind each is, from 0. Shape (n,).

    Returns:
        How many there are, and how many of them led to the top ten; each of shape (n,).
    """
    week = weeks["week_no"].to_numpy()
    counts = np.zeros((2, int(kind.max(initial=0)) + 1, int(week.max(initial=0)) + 2), dtype=np.int64)
    np.add.at(counts[0], (kind, week + 1), 1)
    np.add.at(counts[1], (kind, week + 1), weeks["reaches"].to_numpy())
    until = counts.cumsum(axis=2)  # [..., w]: in the weeks before w
    known = np.clip(week - AHEAD + 1, 0, None)
    n, n_reached = until[:, kind, known] - until[:, kind, np.clip(known - LIKE_IT_WEEKS, 0, None)]
    return n, n_reached


def _features(weeks: pl.DataFrame) -> F64:
    """Lay what is known out for the regression, (n_song_weeks, 7)."""
    return weeks.select(*descriptions(), pl.col("rank").log()).to_numpy()


def probabilities(known: pl.DataFrame, weeks: pl.DataFrame) -> F64:
    """
    Fit on song-weeks whose outcome is known, and say how likely others are to reach the top ten.

    Args:
        known: Rows of `song_weeks`, n of them that reached it and others.
        weeks: Rows of `song_weeks`, none earlier than those.

    Returns:
        Probabilities, shape (n_weeks,).
    """
    scaler = StandardScaler().fit(_features(known))
    ago = (weeks["week_no"].min() or 0) - known["week_no"].to_numpy()
    model = LogisticRegression(C=1.0, max_iter=2000)
    model.fit(
        scaler.transform(_features(known)), known["reaches"].to_numpy(), sample_weight=0.5 ** (ago / HALF_LIFE_WEEKS)
    )
    return np.asarray(model.predict_proba(scaler.transform(_features(weeks)))[:, 1])
