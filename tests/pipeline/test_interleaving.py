"""Interleaving over two runs: a challenger takes turns, what listeners play is counted, and the gate says who wins."""

import json

import polars as pl
import pytest

from recsys.feedback.interleaving import verdict
from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.warehouse.query import Warehouse

from ..nights import RECIPE, World

pytestmark = pytest.mark.slow  # two whole runs


@pytest.fixture(scope="module")
def second(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two runs five days apart, half of the lists interleaved; plays within four days count."""
    folder = tmp_path_factory.mktemp("interleaving")
    recipe = folder / "recipe.toml"
    section = '[interleaving]\nchallenger = "popular"\nshare = 0.5\ndays = 4\n'
    recipe.write_text(f"{RECIPE}\n{section}")
    world.run_nightly(Home(folder / "home"), days_before=5, recipe=recipe)
    return world.run_nightly(Home(folder / "home"), recipe=recipe)


def frame(run: Run, query: str) -> pl.DataFrame:
    """The rows of a query on the published warehouse."""
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        return warehouse.query(query)


def test_the_export_names_the_recommender_of_each_track(second: Run) -> None:
    """About half of the lists have tracks of both, with equally many turns; other lists are as ever."""
    lists = pl.read_parquet(second.export / "recommendations.parquet")
    log = frame(second, f"select * from marts.interleavings where run_id = '{second.run_id}'")
    of_both = lists.join(log.select("user_id", "track_id", "team"), on=["user_id", "track_id"])

    assert len(of_both) == len(log)
    assert log["user_id"].n_unique() / lists["user_id"].n_unique() == pytest.approx(0.5, abs=0.1)
    assert of_both.filter(team="second")["recommender"].unique().to_list() == ["popular"]
    assert of_both.filter(team="first")["recommender"].unique().to_list() == ["als"]
    shares = log.filter("is_contested").group_by("user_id").agg((pl.col("team") == "first").mean())
    assert shares["team"].mean() == pytest.approx(0.5, abs=0.01)
    assert of_both["propensity"].unique().to_list() == [1.0]


def test_rewards_are_plays_in_time_and_the_gate_judges_them(second: Run) -> None:
    """Rewards agree with the log row by row; the verdict of the second run is that of the first run's plays."""
    log = frame(second, "select * from marts.interleavings where is_complete")
    plays = frame(second, "select user_id, track_id, listen_date from marts.interactions_daily where n_plays > 0")
    judged = json.loads((second.folder / "verdict.json").read_text())["interleaving"]

    in_time = plays.join(log, on=["user_id", "track_id"]).filter(
        (pl.col("listen_date") - pl.col("served_on")).dt.total_days().is_between(0, 3)
    )
    assert log["run_id"].n_unique() == 1
    assert log["reward"].sum() == in_time.select("user_id", "track_id").n_unique() > 10
    found = verdict(log, seed=7)
    assert (judged["recommender"], judged["challenger"]) == ("als", "popular")
    assert (judged["mean"], judged["p_value"]) == (found.difference.mean, found.p_value)
