"""Exploration over several runs: tracks are drawn, shown, played or not, learned from and evaluated."""

from pathlib import Path

import polars as pl
import pytest

from recsys.feedback.off_policy import Estimate, ips, snips
from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.warehouse.query import Warehouse, run_query

from ..nights import RECIPE, World

pytestmark = pytest.mark.slow  # two whole by_run


@pytest.fixture(scope="module")
def second(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two runs five days apart, half of the positions explored; the outcome of the first is known at the second."""
    folder = tmp_path_factory.mktemp("feedback")
    recipe = folder / "recipe.toml"
    recipe.write_text(f"{RECIPE}\n[exploration]\nshare = 0.5\ndays = 4\n")
    world.run_nightly(Home(folder / "home"), days_before=5, recipe=recipe)
    return world.run_nightly(Home(folder / "home"), recipe=recipe)


def frame(run: Run, query: str) -> pl.DataFrame:
    """The rows of a query on the published warehouse."""
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        return warehouse.query(query)


def test_the_export_tells_the_dice(second: Run) -> None:
    """Every row has its propensity and whether it was explored; the reason shown to the listener says so too."""
    lists = pl.read_parquet(second.export / "recommendations.parquet")
    drawn = lists.filter("is_explored")

    assert len(drawn) == len(lists) / 2
    assert drawn["reason"].str.starts_with("worth a try, ").all()
    assert drawn.select((pl.col("propensity") > 0) & (pl.col("propensity") <= 1)).to_series().all()
    assert lists.filter(~pl.col("is_explored"))["propensity"].unique().to_list() == [1.0]


def test_both_nights_are_remembered_and_the_first_is_complete(second: Run) -> None:
    """The feedback on the second run is incomplete, as its days lie ahead."""
    by_run = frame(
        second,
        "select served_on, is_complete, count(*) as n, sum(reward)::bigint as n_liked from marts.feedback "
        "group by served_on, is_complete order by served_on",
    )

    assert by_run["is_complete"].to_list() == [True, False]
    assert by_run["n"].min() > 4000  # type: ignore[operator]
    assert by_run["n_liked"][0] > 10
    assert by_run["n_liked"][1] == 0


def test_rewards_are_plays_in_time(second: Run) -> None:
    """Rewards agree with the log, compared in Python row by row."""
    explorations = frame(second, "select * from marts.explorations")
    plays = frame(second, "select user_id, track_id, listen_date from marts.interactions_daily where n_plays > 0")
    feedback = frame(second, "select run_id, user_id, rank, reward from marts.feedback")

    liked = explorations.join(plays, on=["user_id", "track_id"]).filter(
        pl.col("listen_date").is_between("served_on", "until")
    )
    expected = liked.select("run_id", "user_id", "rank").unique()

    assert len(feedback) == len(explorations)
    found = feedback.filter(reward=1).select("run_id", "user_id", "rank")
    assert found.sort(found.columns).equals(expected.sort(found.columns))


@pytest.mark.parametrize("target", ["recommender", "alike"])
def test_sql_evaluates_policies_as_python_does(second: Run, target: str) -> None:
    """Value, standard error and effective sample size of both estimators agree with Python to 1e-9."""
    with Warehouse.open(second.home.published_warehouse()) as warehouse:
        in_sql = {
            row["estimator"]: row for row in run_query(warehouse, "off_policy_value", {"target": target}).to_dicts()
        }
        log = warehouse.query("select * from marts.feedback where is_complete")
    own = (pl.col("option_no") == 1).cast(pl.Float64) if target == "recommender" else 1 / pl.col("n_options")
    log = log.with_columns(target=own)

    for name, found in {"ips": ips(log), "snips": snips(log)}.items():
        assert isinstance(found, Estimate)
        row = in_sql[name]
        assert row["value"] == pytest.approx(found.value, abs=1e-9)
        assert row["error"] == pytest.approx(found.standard_error, abs=1e-9)
        assert row["mean_weight"] == pytest.approx(found.mean_weight, abs=1e-9)
        assert row["n_effective"] == pytest.approx(found.n_effective, abs=1e-6)
        assert (row["n"], row["n_listeners"]) == (found.n, found.n_listeners)


def test_a_night_that_was_not_published_was_not_shown(second: Run, copy_of: object) -> None:
    """Explorations of a refused run are not feedback: nobody saw them."""
    runs = sorted(path for path in Path(second.home.runs).iterdir() if path.is_dir())
    run_ids = frame(second, "select distinct run_id from marts.explorations order by run_id")["run_id"].to_list()

    assert run_ids == [path.name for path in runs if (path / "publish.done.json").exists()]
    assert len(run_ids) == 2
