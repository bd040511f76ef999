"""The benchmarks of trends on real charts and airplay: what they read is what others published of the same files."""

import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bench.airplay import read_plays, shares
from bench.hot100 import FIRST_TEST, descriptions, known_weeks, read_chart

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("RECSYS_DATA" not in os.environ, reason="RECSYS_DATA is unset: no real charts and airplay"),
]


@pytest.fixture(scope="module")
def data() -> Path:
    """The folder of real data."""
    return Path(os.environ["RECSYS_DATA"])


@pytest.fixture(scope="module")
def weeks(data: Path) -> pl.DataFrame:
    """The song-weeks of the Hot 100 outside the top ten."""
    return known_weeks(read_chart(data / "billboard" / "hot100_weekly.parquet"))


def test_airplay_by_station_is_what_was_published(data: Path) -> None:
    """Plays, and those of women alone, station by station, as the study counted them."""
    folder = data / "country_radio_2022"
    columns = {"stationName": "station", "total_COUNT": "n_plays", "onlyWomenSongs_PERCENT": "percent"}
    published = pl.read_csv(folder / "summary.csv").select(pl.col(name).alias(to) for name, to in columns.items())

    ours = shares(read_plays(folder / "plays.parquet"), "station", "women").join(
        published, on="station", suffix="_told"
    )

    assert ours.height == 29
    assert ours["n_plays"].to_list() == ours["n_plays_told"].to_list()
    assert (100 * ours["share"]).to_numpy() == pytest.approx(ours["percent"].to_numpy())


def test_a_hit_is_a_top_ten_within_six_weeks(weeks: pl.DataFrame) -> None:
    """Bohemian Rhapsody was tenth on 17 April 1976: that of the six weeks before, and of no other week outside."""
    song = weeks.filter(pl.col("song") == "Bohemian Rhapsody", pl.col("date").dt.year() == 1976).sort("date")

    first = date(1976, 4, 17) - timedelta(weeks=6)
    assert song.filter("reaches")["date"].to_list() == [first + timedelta(weeks=n) for n in range(6)]


def test_odds_of_a_week_stand_on_outcomes_known_by_then(data: Path, weeks: pl.DataFrame) -> None:
    """Without the chart from 2015 on, the odds of all earlier weeks are the same."""
    chart = read_chart(data / "billboard" / "hot100_weekly.parquet")
    until = known_weeks(chart.filter(pl.col("date") < FIRST_TEST)).sort("date", "rank")
    same = weeks.join(until.select("song_id", "week_no"), on=["song_id", "week_no"]).sort("date", "rank")

    assert same.height == until.height
    assert np.array_equal(same.select(*descriptions()).to_numpy(), until.select(*descriptions()).to_numpy())
