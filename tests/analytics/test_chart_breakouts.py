"""Breakouts by rank: what is learned from a chart one can count, and what is not looked at."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from recsys.analytics.chart_breakouts import AHEAD, CHART_BREAKOUTS_COLUMNS, STORIES, TOP, chart_breakouts, song_weeks
from recsys.columns import schema

FIRST, N_WEEKS, N_PLACES = date(2024, 1, 6), 80, 30


def chart_of(places: list[tuple[str, int, int]], chart: str = "House") -> pl.DataFrame:
    """A chart from songs, edition numbers and ranks; a song's artist is its first word."""
    weekly = pl.DataFrame(places, {"song_id": pl.String, "week_no": pl.Int64, "rank": pl.Int64}, orient="row")
    return weekly.with_columns(
        chart=pl.lit(chart),
        lead_artist=pl.col("song_id").str.split(" ").list.first(),
        chart_date=pl.lit(FIRST) + pl.duration(weeks=pl.col("week_no") - 1),
    )


def climbers(seed: int = 3) -> pl.DataFrame:
    """Songs that enter at the foot; a strong artist's climb three places a week, a weak one's stay there."""
    rng, places = np.random.default_rng(seed), []
    for start in range(1, N_WEEKS):
        for at, step in (("strong", 3), ("weak", 0)):
            ranks = [max(1, 29 - step * week) + int(rng.integers(0, 2)) for week in range(12)]
            places += [(f"{at} {start}", start + week, rank) for week, rank in enumerate(ranks)]
    return chart_of([place for place in places if place[1] <= N_WEEKS])


def test_songs_that_climb_as_hits_did_are_named_first() -> None:
    """Whose like reached the top ten is likely to, whose like stayed below is not."""
    found = chart_breakouts(climbers())

    assert found.schema == schema(CHART_BREAKOUTS_COLUMNS)
    assert found["chart_date"].unique().to_list() == [FIRST + timedelta(weeks=N_WEEKS - 1)]
    assert found["song_id"][0].startswith("strong")
    assert found["probability"].is_sorted(descending=True)
    chances = found.group_by(pl.col("song_id").str.split(" ").list.first()).agg(pl.col("probability").max())
    assert dict(chances.rows())["strong"] > 0.8
    assert dict(chances.rows())["weak"] < 0.2


def test_nothing_after_an_edition_is_looked_at() -> None:
    """The odds of a week are the same whether later weeks are known or not."""
    whole, until = climbers(), 50
    known = song_weeks(whole.filter(pl.col("week_no") <= until))

    same = song_weeks(whole).filter(pl.col("week_no") <= until)

    later = ["reaches", "is_known", *(f"rank_-{step}" for step in range(1, AHEAD + 1))]
    assert same.drop(later).equals(known.drop(later))


def test_the_order_of_the_rows_does_not_matter() -> None:
    """The same numbers from the same chart."""
    whole = climbers()

    assert chart_breakouts(whole).equals(chart_breakouts(whole.sample(fraction=1.0, shuffle=True, seed=5)))


def test_each_chart_is_learned_for_itself_and_a_short_one_not_at_all() -> None:
    """Ten editions tell too little; the other chart is as if alone."""
    short = chart_of([(f"a {n}", week, n) for n in range(1, 31) for week in range(1, 11)], "New")

    found = chart_breakouts(pl.concat([climbers(), short]))

    assert found.equals(chart_breakouts(climbers()))
    assert chart_breakouts(short).is_empty()


def test_a_chart_without_losers_or_without_a_foot_is_left_alone() -> None:
    """Where all reach the top ten there is nothing to tell apart; a last edition of ten places has no outside."""
    turns = chart_of([(f"a {n}", week, (n + week) % 12 + 1) for n in range(12) for week in range(1, 60)])
    cut_off = climbers().filter((pl.col("week_no") < N_WEEKS) | (pl.col("rank") <= TOP))

    assert chart_breakouts(turns).is_empty()
    assert chart_breakouts(cut_off).is_empty()


def test_without_charts_there_is_nothing_to_say() -> None:
    """Of a home that has none."""
    assert chart_breakouts(climbers().clear()).is_empty()


@pytest.mark.parametrize(
    ("ranks", "story"),
    [
        ({40: 20}, "new"),
        ({39: 25, 40: 20}, "higher than ever"),
        ({39: 20, 40: 25}, "below its peak in its first month"),
        ({week: 15 + week - 30 for week in range(30, 41)}, "below its peak"),
        ({39: 8, 40: 20}, "in the top ten before"),
        ({5: 8, 40: 20}, "back after half a year, once in the top ten"),
        ({5: 18, 40: 20}, "back after half a year"),
    ],
)
def test_a_week_has_a_story(ranks: dict[int, int], story: str) -> None:
    """Told by what the song did before."""
    places = [("ada one", week, rank) for week, rank in ranks.items()]

    weeks = song_weeks(chart_of([*places, *(("bix two", week, 1) for week in range(1, 41))]))

    assert STORIES[weeks.filter(song_id="ada one", week_no=40)["story"].item()] == story


def test_five_songs_of_one_artist_are_an_album() -> None:
    """They enter together, and mostly leave together."""
    weeks = song_weeks(chart_of([(f"ada {n}", 1, 10 + n) for n in range(1, 6)]))

    assert {STORIES[story] for story in weeks["story"]} == {"new, with a whole album"}


def test_an_outcome_is_known_once_six_more_editions_are_there() -> None:
    """Before that no week counts as a miss or a hit."""
    places = [("ada one", week, 20 if week < 9 else TOP) for week in range(1, 10)]

    weeks = song_weeks(chart_of(places)).sort("week_no")

    assert weeks["is_known"].to_list() == [week + AHEAD <= 9 for week in range(1, 9)]
    assert weeks["reaches"].to_list() == [week == 3 for week in range(1, 9)]
