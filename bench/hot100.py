"""
Breakouts by rank: will a song now outside the top ten of the Hot 100 reach it within six weeks? And how long hits stay.

Fit on the weeks whose outcome was known before 2015, tested on those from 2015 on, whole chart, all songs. What makes a
hit changes with the chart's own rules; so the model counts, for each of six descriptions of a song's week, how
many of the weeks like it in the last three years led to the top ten (known outcomes only), and a logistic regression
weighs the six log odds and the rank. Descriptions and the three years were chosen on 2008 to 2014. Its rivals each rank
by one number: largest rise since last week, current rank, entry position. Intervals draw songs, with all their weeks,
again. Usage: python -m bench.hot100
"""

import os
from datetime import date
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

F64: TypeAlias = npt.NDArray[np.float64]
AHEAD, TOP, OFF_CHART, AWAY_WEEKS = 6, 10, 101, 26  # weeks; ranks; the rank of a song not listed; weeks away
FIRST_FIT, FIRST_TEST = date(1965, 1, 1), date(2015, 1, 1)
HALF_LIFE_YEARS = 5  # of the weight of training weeks
LIKE_IT_WEEKS, PRIOR_WEEKS = 156, 10  # how far back the counts go; song-weeks of the rank's own rate they start from
RIVALS = ("largest rise", "current rank", "entry position")
BAR, DRAWS, SEED = 1.10, 1000, 7
BANDS, COARSE_BANDS = (12, 15, 20, 30, 50), (15, 25, 45)


def main() -> None:
    """Print average precisions, the ratio to the best rival with its interval, the weights, and half-lives."""
    chart = read_chart(Path(os.environ["RECSYS_DATA"]) / "billboard" / "hot100_weekly.parquet")
    weeks = known_weeks(chart)
    train = weeks.filter(pl.col("date") > FIRST_FIT, pl.col("known_on") < FIRST_TEST)
    test = weeks.filter(pl.col("date") >= FIRST_TEST)
    scores = {"logistic": fitted(train, test, FIRST_TEST)} | {name: rival(test, name) for name in RIVALS}
    y = test["reaches"].to_numpy()
    found = {name: float(average_precision_score(y, score)) for name, score in scores.items()}
    print(f"{train.height:,} song-weeks to fit, {test.height:,} to test, {y.mean():.3f} of them reach the top ten")
    for name, value in found.items():
        print(f"  {name:<15} average precision {value:.3f}")
    best = max(RIVALS, key=found.__getitem__)
    ratios = bootstrap(test, scores["logistic"], scores[best])
    low, high = np.quantile(ratios, [0.025, 0.975])
    ratio = found["logistic"] / found[best]
    print(f"against {best}: {ratio:.3f} x [{low:.3f}, {high:.3f}]; bar {BAR} x, lower end above 1: ", end="")
    print("met" if ratio >= BAR and low > 1 else "not met")
    print_half_lives(chart)


def read_chart(path: Path) -> pl.DataFrame:
    """Read the chart, one row a song and week, in order: song_id, week_no, lead (its first artist), date, rank."""
    lead = pl.col("artist").str.to_lowercase().str.split_exact(" featuring ", 1).struct.field("field_0")
    return (
        pl.read_parquet(path)
        .with_columns(
            pl.col("date").cast(pl.Date),
            lead.str.replace(r"( & |, | x | with | duet ).*$", "").alias("lead"),
            pl.format("{} / {}", "song", "artist").rank("dense").alias("song_id"),
            pl.col("rank").cast(pl.Int64),
        )
        .with_columns(week_no=pl.col("date").rank("dense").cast(pl.Int64))
        .unique(["song_id", "week_no"], keep="first", maintain_order=True)
        .sort("song_id", "week_no")
    )


def known_weeks(chart: pl.DataFrame) -> pl.DataFrame:
    """Return what is known in each week of each song outside the top ten, and whether it reaches it."""
    ranks, wide = chart.select("song_id", "week_no", "rank"), chart
    for lag in (1, *range(-AHEAD, 0)):
        other = ranks.select("song_id", pl.col("week_no") + lag, pl.col("rank").alias(f"rank_{lag}"))
        wide = wide.join(other, on=["song_id", "week_no"], how="left")
    dates = chart.select("week_no", "date").unique().sort("week_no")
    known_on = dates.select(week_no=pl.col("week_no") - AHEAD, known_on="date")
    ahead = [pl.col(f"rank_{-step}").fill_null(OFF_CHART) for step in range(1, AHEAD + 1)]
    is_back = (pl.col("week_no") - pl.col("week_no").shift(1) > AWAY_WEEKS).fill_null(value=False)
    weeks = (
        wide.sort("song_id", "week_no")
        .with_columns(
            reaches=pl.min_horizontal(ahead) <= TOP,
            best=pl.col("rank").cum_min().over("song_id"),
            entry=pl.col("rank").first().over("song_id"),
            n_weeks=pl.int_range(1, pl.len() + 1).over("song_id"),
            n_returns=is_back.cum_sum().over("song_id"),
            rise=pl.col("rank_1").fill_null(OFF_CHART).log() - pl.col("rank").log(),
        )
        .join(recent_hits(chart), on=["lead", "week_no"], how="left")
        .join(chart.group_by("lead", "week_no").agg(n_listed=pl.len()), on=["lead", "week_no"])
        .filter(pl.col("rank") > TOP)
        .join(known_on, on="week_no")
        .sort("date", "rank")
    )
    return with_odds(weeks)


def recent_hits(chart: pl.DataFrame) -> pl.DataFrame:
    """Count, by artist and week, their songs that entered the top ten within the last three years."""
    hits = chart.filter(pl.col("rank") <= TOP).group_by("lead", "song_id").agg(hit_week=pl.col("week_no").min())
    pairs = chart.select("lead", "week_no").unique().join(hits, on="lead", how="left")
    is_recent = (pl.col("week_no") - pl.col("hit_week")).is_between(0, LIKE_IT_WEEKS - 1)
    return pairs.group_by("lead", "week_no").agg(n_recent=is_recent.sum())


def descriptions() -> dict[str, pl.Expr]:
    """Six ways to say in a few words what kind of week a song has: each a number."""
    rank, rise, best, n_weeks, listed = (pl.col(name) for name in ("rank", "rise", "best", "n_weeks", "n_listed"))
    many = listed >= 5
    story = (
        pl.when(pl.col("n_returns") > 0)
        .then(pl.when(best <= TOP).then(0).otherwise(1))  # back after half a year or more, a former hit or not
        .when(n_weeks == 1)
        .then(pl.when(many).then(2).otherwise(3))  # new, with a whole album or alone
        .when(best <= TOP)
        .then(4)
        .when(rank <= best)
        .then(pl.when(many).then(5).otherwise(6))  # higher than ever
        .otherwise(pl.when(n_weeks <= 4).then(7).otherwise(8))
    )
    move = pl.when(pl.col("rank_1").is_null()).then(6).otherwise(band(rise, (-0.4, -0.15, 0, 0.15, 0.5)))
    fine, coarse = band(rank, BANDS), band(rank, COARSE_BANDS)
    return {
        "story and rank": story * 6 + fine,
        "move and rank": move * 6 + fine,
        "story, move, rank": (story * 7 + move) * 4 + coarse,
        "age, move, rank": (band(n_weeks, (1, 3, 8, 16)) * 7 + move) * 4 + coarse,
        "artist, story, rank": (band(pl.col("n_recent"), (0, 2)) * 9 + story) * 4 + coarse,
        "listed, move, rank": (band(listed, (1, 4)) * 7 + move) * 4 + coarse,
    }


def band(value: pl.Expr, edges: tuple[float, ...]) -> pl.Expr:
    """Count how many edges a value is above."""
    return pl.sum_horizontal([(value > edge).cast(pl.Int64) for edge in edges])


def with_odds(weeks: pl.DataFrame) -> pl.DataFrame:
    """Add, for each description, the log odds of the weeks like it in the last three years."""
    usual = like_it(weeks, weeks.select(band(pl.col("rank"), BANDS)).to_series().to_numpy(), np.full(len(weeks), 0.04))
    odds = {}
    for name, description in descriptions().items():
        share = like_it(weeks, weeks.select(description).to_series().to_numpy(), usual).clip(1e-4, 0.98)
        odds[name] = pl.Series(np.log(share / (1 - share)))
    return weeks.with_columns(**odds)


def like_it(weeks: pl.DataFrame, kind: npt.NDArray[np.int64], usual: F64) -> F64:
    """Share of the song-weeks of the same kind that led to the top ten, of those whose outcome is known that week."""
    week, n_weeks = weeks["week_no"].to_numpy(), int(weeks["week_no"].max()) + 1  # type: ignore[arg-type]
    counts = np.zeros((2, int(kind.max()) + 1, n_weeks + 1))  # all, and those that led there
    np.add.at(counts[0], (kind, week + 1), 1)
    np.add.at(counts[1], (kind, week + 1), weeks["reaches"].to_numpy())
    until = counts.cumsum(axis=2)  # [..., w]: in the weeks before w
    known = np.clip(week - AHEAD + 1, 0, None)
    n, n_there = until[:, kind, known] - until[:, kind, np.clip(known - LIKE_IT_WEEKS, 0, None)]
    return np.asarray((n_there + PRIOR_WEEKS * usual) / (n + PRIOR_WEEKS))


def features(weeks: pl.DataFrame) -> F64:
    """Lay what is known out for the regression, (n_song_weeks, 7)."""
    return weeks.select(*descriptions(), pl.col("rank").log()).to_numpy()


def fitted(train: pl.DataFrame, test: pl.DataFrame, now: date) -> F64:
    """Fit on what was known by a date, recent weeks first, and score other weeks."""
    scaler = StandardScaler().fit(features(train))
    years = (now - train["date"]).dt.total_days().to_numpy() / 365.25
    model = LogisticRegression(C=1.0, max_iter=2000)
    model.fit(
        scaler.transform(features(train)), train["reaches"].to_numpy(), sample_weight=0.5 ** (years / HALF_LIFE_YEARS)
    )
    return np.asarray(model.decision_function(scaler.transform(features(test))))


def rival(weeks: pl.DataFrame, name: str) -> F64:
    """Score by one number; a song that was not listed last week rose from place 101."""
    if name == "largest rise":
        return np.asarray(weeks["rank_1"].fill_null(OFF_CHART).to_numpy() - weeks["rank"].to_numpy(), np.float64)
    return -weeks["rank" if name == "current rank" else "entry"].to_numpy().astype(np.float64)


def bootstrap(weeks: pl.DataFrame, ours: F64, theirs: F64) -> F64:
    """Ratios of average precisions, songs drawn again, (DRAWS,)."""
    rng = np.random.default_rng(SEED)
    _, song = np.unique(weeks["song_id"].to_numpy(), return_inverse=True)
    y = weeks["reaches"].to_numpy()
    ratios = []
    for _ in range(DRAWS):
        weight = np.bincount(rng.integers(0, song.max() + 1, song.max() + 1), minlength=song.max() + 1)[song]
        one, other = (average_precision_score(y, score, sample_weight=weight) for score in (ours, theirs))
        ratios.append(one / other)
    return np.array(ratios)


def print_half_lives(chart: pl.DataFrame) -> None:
    """Print, by decade of the peak, how many weeks pass until half of the top ten's songs have left the chart."""
    peaks = (
        chart.sort("rank", "week_no")
        .group_by("song_id")
        .agg(peak=pl.col("rank").first(), peak_week=pl.col("week_no").first(), date=pl.col("date").first())
    )
    listed = chart.join(peaks, on="song_id").filter(pl.col("peak") <= TOP, pl.col("week_no") >= pl.col("peak_week"))
    songs = listed.group_by("song_id").agg(weeks=pl.len(), decade=(pl.col("date_right").first().dt.year() // 10 * 10))
    print("weeks on the chart from the peak on, songs that reached the top ten: median [quartiles]")
    for decade, one in sorted(songs.group_by("decade")):
        low, median, high = (one["weeks"].quantile(q) for q in (0.25, 0.5, 0.75))
        print(f"  {decade[0]}s {median:.0f} [{low:.0f}, {high:.0f}] of {one.height} songs")


if __name__ == "__main__":
    main()
