"""Chart breakouts: what is learned from a small chart, and that later editions are not used."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from recsys.analytics.chart_breakouts import (
    CHART_BREAKOUTS_COLUMNS,
    CHART_HISTORIES,
    HORIZON_WEEKS,
    TOP_RANK,
    chart_breakouts,
    song_weeks,
)
from recsys.columns import schema

FIRST, N_WEEKS = date(2024, 1, 6), 80


def chart_of(entries: list[tuple[str, int, int]], chart: str = "House") -> pl.DataFrame:
    """Make a chart from songs, edition numbers and ranks; a song's artist is its first word."""
    weekly = pl.DataFrame(entries, {"song_id": pl.String, "week_no": pl.Int64, "rank": pl.Int64}, orient="row")
    return weekly.with_columns(
        chart=pl.lit(chart),
        lead_artist=pl.col("song_id").str.split(" ").list.first(),
        chart_date=pl.lit(FIRST) + pl.duration(weeks=pl.col("week_no") - 1),
    )


def climbers(seed: int = 3) -> pl.DataFrame:
    """Songs that enter low in the chart: a strong artist's climb three ranks per week, a weak artist's do not."""
    rng, entries = np.random.default_rng(seed), []
    for start in range(1, N_WEEKS):
        for artist, step in (("strong", 3), ("weak", 0)):
            ranks = [max(1, 29 - step * week) + int(rng.integers(0, 2)) for week in range(12)]
            entries += [(f"{artist} {start}", start + week, rank) for week, rank in enumerate(ranks)]
    return chart_of([entry for entry in entries if entry[1] <= N_WEEKS])


def test_songs_that_climb_like_earlier_hits_come_first() -> None:
    """Songs similar to earlier hits have a high probability, the others a low one."""
    table = chart_breakouts(climbers())

    assert table.schema == schema(CHART_BREAKOUTS_COLUMNS)
    assert table["chart_date"].unique().to_list() == [FIRST + timedelta(weeks=N_WEEKS - 1)]
    assert table["song_id"][0].startswith("strong")
    assert table["probability"].is_sorted(descending=True)
    highest = table.group_by(pl.col("song_id").str.split(" ").list.first()).agg(pl.col("probability").max())
    assert dict(highest.rows())["strong"] > 0.8
    assert dict(highest.rows())["weak"] < 0.2


def coin_tosses(seed: int, chance: float, n_weeks: int = 70) -> pl.DataFrame:
    """Songs that enter a chart at number 20 to 23, one per week, and after two weeks reach the top ten by chance."""
    rng, entries = np.random.default_rng(seed), list[tuple[str, int, int]]()
    for start in range(1, n_weeks + 1):
        rank_later = 5 if rng.random() < chance else 24
        ranks = [(20 if week < 2 else rank_later) + int(rng.integers(0, 4)) for week in range(10)]
        entries += [(f"artist{start} song", start + week, rank) for week, rank in enumerate(ranks)]
    return chart_of([entry for entry in entries if entry[1] <= n_weeks])


def test_intervals_contain_the_chance_of_a_new_song() -> None:
    """Nothing tells new songs apart: nine of ten intervals contain the chance, 95 % being nominal."""
    chance = 0.3
    new = pl.concat([chart_breakouts(coin_tosses(seed, chance)).filter(story="new") for seed in range(40)])

    assert new.height == 40
    assert (new["low"] <= new["probability"]).all()
    assert (new["probability"] <= new["high"]).all()
    assert ((new["low"] <= chance) & (chance <= new["high"])).mean() >= 0.85  # type: ignore[operator]


def test_few_precedents_give_no_precise_probability() -> None:
    """The interval of a new song is half wide after 40 songs, and narrows with the songs there were."""
    widths = []
    for n_weeks in (40, 160):
        new = pl.concat([chart_breakouts(coin_tosses(seed, 0.5, n_weeks)).filter(story="new") for seed in range(10)])
        widths.append((new["high"] - new["low"]).median())

    assert widths[0] > 0.4  # type: ignore[operator]
    assert widths[0] > 1.5 * widths[1]  # type: ignore[operator]


@pytest.mark.parametrize(("n_weeks", "n_editions"), [(80, 74), (170, 156)])
def test_similar_weeks_are_counted_over_the_editions_there_are(n_weeks: int, n_editions: int) -> None:
    """The last six editions have no outcome yet; of the others, three years count."""
    again = climbers()
    weekly = pl.concat([again.with_columns(pl.col("week_no") + n_weeks - N_WEEKS), again]).unique(
        ["week_no", "song_id"]
    )
    chart = weekly.filter(pl.col("week_no") <= n_weeks)

    assert chart_breakouts(chart)["n_editions"].unique().to_list() == [n_editions]


def test_later_editions_do_not_change_features() -> None:
    """The log odds of a week are the same with and without later weeks."""
    whole, until = climbers(), 50
    known = song_weeks(whole.filter(pl.col("week_no") <= until))

    same = song_weeks(whole).filter(pl.col("week_no") <= until)

    later = ["reaches", "is_known", *(f"rank_-{step}" for step in range(1, HORIZON_WEEKS + 1))]
    assert same.drop(later).equals(known.drop(later))


def test_the_order_of_the_rows_does_not_matter() -> None:
    """A shuffled chart gives the same result."""
    whole = climbers()

    assert chart_breakouts(whole).equals(chart_breakouts(whole.sample(fraction=1.0, shuffle=True, seed=5)))


def test_charts_are_independent_and_short_ones_are_left_out() -> None:
    """Ten editions are too few; the other chart's result is the same as alone."""
    short = chart_of([(f"a {n}", week, n) for n in range(1, 31) for week in range(1, 11)], "New")

    both = chart_breakouts(pl.concat([climbers(), short]))

    assert both.equals(chart_breakouts(climbers()))
    assert chart_breakouts(short).is_empty()


def test_a_chart_with_one_outcome_or_only_ten_ranks_is_left_out() -> None:
    """If all songs reach the top ten, nothing can be learned; an edition of ten ranks has no song outside."""
    rotating = chart_of([(f"a {n}", week, (n + week) % 12 + 1) for n in range(12) for week in range(1, 60)])
    cut_off = climbers().filter((pl.col("week_no") < N_WEEKS) | (pl.col("rank") <= TOP_RANK))

    assert chart_breakouts(rotating).is_empty()
    assert chart_breakouts(cut_off).is_empty()


def test_without_charts_there_are_no_breakouts() -> None:
    """Without chart data the result is empty."""
    assert chart_breakouts(climbers().clear()).is_empty()


@pytest.mark.parametrize(
    ("ranks", "chart_history"),
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
def test_a_song_week_has_a_chart_history(ranks: dict[int, int], chart_history: str) -> None:
    """The chart history follows from the song's earlier ranks."""
    entries = [("ada one", week, rank) for week, rank in ranks.items()]

    weeks = song_weeks(chart_of([*entries, *(("bix two", week, 1) for week in range(1, 41))]))

    assert CHART_HISTORIES[weeks.filter(song_id="ada one", week_no=40)["chart_history"].item()] == chart_history


def test_five_new_songs_of_one_artist_are_an_album() -> None:
    """Songs of an album have a chart history of their own."""
    weeks = song_weeks(chart_of([(f"ada {n}", 1, 10 + n) for n in range(1, 6)]))

    assert {CHART_HISTORIES[index] for index in weeks["chart_history"]} == {"new, with a whole album"}


def test_an_outcome_is_known_after_six_more_editions() -> None:
    """Until then a week counts neither as a hit nor as a miss."""
    entries = [("ada one", week, 20 if week < 9 else TOP_RANK) for week in range(1, 10)]

    weeks = song_weeks(chart_of(entries)).sort("week_no")

    assert weeks["is_known"].to_list() == [week + HORIZON_WEEKS <= 9 for week in range(1, 9)]
    assert weeks["reaches"].to_list() == [week == 3 for week in range(1, 9)]
