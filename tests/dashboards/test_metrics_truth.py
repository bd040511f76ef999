"""Metrics on the home that pages show are those of the raw rows, and the figures of pages and metrics agree."""

import polars as pl
import pytest

from recsys.home import Home
from recsys.ledger.settings import LabelSettings
from recsys.published.metrics import metric_of_home
from recsys.warehouse.query import Warehouse, run_query

from .truth.rows import Lake, counted, monday, ratio

TEST = LabelSettings()


@pytest.fixture(scope="module")
def lake(published_home: Home) -> Lake:
    """The raw rows of the home that pages show."""
    return Lake(published_home.path / "lake")


TRUTHS = {
    "plays": pl.col("n_plays"),
    "listeners": pl.col("n_listeners"),
    "hours_played": pl.col("ms_played") / 3_600_000,
    "streams_per_listener": ratio("n_plays", "n_listeners"),
    "skip_share": ratio("n_skips", "n_plays", "n_skips"),
    "completion_rate": ratio("n_complete", "n_timed"),
    "save_rate": ratio("n_saves", "n_listeners"),
    "save_share": ratio("n_saves", "n_plays"),
    "algorithmic_share": ratio("n_algorithmic", "n_active", "n_algorithmic"),
    "engagement": (pl.col("n_likes") + pl.col("n_saves") + pl.col("n_playlist_adds") + pl.col("n_shares"))
    / pl.col("n_listeners"),
    "play_share": pl.col("n_plays") / pl.col("n_plays").sum(),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_metrics_are_those_of_the_raw_rows(published_home: Home, lake: Lake, name: str) -> None:
    """By the listener's country; countries that are merged are counted as one here too."""
    shown = metric_of_home(published_home, name, ["country"], settings=TEST)
    named = shown["country"].drop_nulls()
    assert 2 <= len(named) < lake.rows["country"].n_unique()

    merged = lake.rows.with_columns(country=pl.when(pl.col("country").is_in(named.implode())).then("country"))
    true = counted(merged, "country").sort("country", nulls_last=True).select("country", value=TRUTHS[name])

    assert shown["country"].to_list() == true["country"].to_list()
    assert shown[name].to_list() == pytest.approx(true["value"].to_list())


def test_a_page_and_a_metric_show_the_same(published_home: Home, lake: Lake) -> None:
    """Of the artist with the most plays, on the last day that has enough listeners, and of a label's closed weeks."""
    (artist,) = counted(lake.rows.drop_nulls("artist_id"), "artist_id").sort("n_plays")["artist_id"].tail(1)
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        page = run_query(warehouse, "artist_trend", {"artist_id": artist, "days": "1"})
    for name in ("streams_per_listener", "skip_share", "save_rate", "completion_rate", "algorithmic_share"):
        by_day = metric_of_home(published_home, name, ["artist_id", "day"], settings=TEST).filter(artist_id=artist)
        both = by_day.drop_nulls("day").join(page, left_on="day", right_on="listen_date", suffix="_page")
        assert both.height > 1
        assert both[name].to_list() == both[f"{name}_page"].to_list()


def test_a_label_and_its_page_show_the_same(published_home: Home, label_id: str) -> None:
    """Weeks of its file, whose sums are those of the raw rows that `test_every_figure` compares."""
    weeks = metric_of_home(published_home, "skip_share", ["week"], settings=TEST, label_id=label_id)
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        page = run_query(warehouse, "label_trend", {"label": label_id}).drop_nulls("skip_share")

    assert weeks.height > 1
    assert weeks.select("to_day", "skip_share").rows() == page.select("to_day", "skip_share").rows()


def test_new_listeners_are_those_of_the_raw_rows(published_home: Home, lake: Lake) -> None:
    """First weeks of listeners of an artist, from eight weeks after the log began."""
    played = lake.rows.filter(pl.col("n_plays") > 0).drop_nulls("artist_id").with_columns(week=monday("day"))
    weeks = played.select("user_id", "artist_id", "week").unique()
    weeks = weeks.with_columns(is_new=pl.col("week") == pl.col("week").min().over("user_id", "artist_id"))
    known = weeks.filter(
        pl.col("week") >= lake.first_day + pl.duration(days=56), pl.col("week") <= lake.last_day - pl.duration(days=6)
    )

    row = metric_of_home(published_home, "new_share", settings=TEST)
    assert row.rows() == [(known["is_new"].sum(), known.height, known["is_new"].mean())]
