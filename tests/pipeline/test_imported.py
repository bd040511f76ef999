"""Lists of another recommender as contender: the gate refuses bad ones, and passes those that predict plays."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import Refused, SetupError
from recsys.experiments.foreign_lists import import_lists
from recsys.home import Home, locked
from recsys.pipeline.inputs import Inputs
from recsys.pipeline.nightly import run_step
from recsys.pipeline.plan import step_outputs, steps
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.warehouse.query import Warehouse

from ..nights import LAST_DAY, result_table

pytestmark = pytest.mark.slow  # needs a whole run

CUT = LAST_DAY - timedelta(days=14)  # last day before the test window
RECIPE = """
recommender = "imported"
compare = []
[export]
candidates = 100
[exploration]
share = 0
[rerank]
[recommenders.imported]
lists = "{}"
"""


@pytest.fixture(scope="module")
def home(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Copy a home whose champion is ALS."""
    folder = tmp_path_factory.mktemp("imported") / "home"
    shutil.copytree(finished.home.path, folder, symlinks=True)
    return Home(folder)


def plays(home: Home, since: date, until: date) -> pl.DataFrame:
    """Return who played what within days, with the number of plays."""
    query = (
        "select user_id, track_id, sum(n_plays) as n from marts.interactions_daily where n_plays > 0 and listen_date"
    )
    with Warehouse.open(home.published_warehouse()) as warehouse:
        return warehouse.query(f"{query} between '{since}' and '{until}' group by user_id, track_id")


def imported(home: Home, name: str, until: date, lists: pl.DataFrame) -> Path:
    """Import lists with scores; return the folder for the recipe."""
    path = home.path / "lists.parquet"
    lists.write_parquet(path)
    with locked(home):
        found = import_lists(home, path, name, until)
    path.unlink()
    return found.folder


def run_of(home: Home, folder: Path) -> Run:
    """Return a run that exports the lists in a folder, with the published tables."""
    recipe = home.path / "recipe.toml"
    recipe.write_text(RECIPE.format(folder))
    run = Run.of(home, LAST_DAY, read_recipe(recipe))
    run.folder.mkdir()
    built = step_outputs()["build"].path(run)
    built.parent.mkdir(exist_ok=True)
    built.symlink_to(home.published_warehouse())
    return run


def advance(run: Run, *names: str) -> None:
    """Run steps, without those in between."""
    inputs = Inputs(run)
    for name in names:
        run_step(run, steps()[name], inputs)


def test_the_gate_judges_imported_lists(home: Home) -> None:
    """
    Lists of what nobody plays are refused, those of what was then played pass and are made into lists.

    The latter come from the test window, as a system would deliver them that broke the contract: they are the truth.
    """
    later = plays(home, CUT + timedelta(days=1), LAST_DAY).rename({"n": "score"})
    everyone = later.select(pl.col("user_id").unique().sort())
    with Warehouse.open(home.published_warehouse()) as warehouse:
        tracks = warehouse.query("select track_id from marts.track_features order by track_id")
    unplayed = tracks.join(later, on="track_id", how="anti").head(20).with_row_index("score")
    unheard = everyone.join(unplayed, how="cross")
    bad = run_of(home, imported(home, "bad", CUT, unheard))
    good = run_of(home, imported(home, "good", CUT, later))

    advance(bad, "train", "evaluate")
    with pytest.raises(SetupError, match=f"up to {CUT} in .*, expected {LAST_DAY}"):
        advance(bad, "refit")
    imported(home, "bad", LAST_DAY, unheard)
    imported(home, "good", LAST_DAY, unheard)
    with pytest.raises(Refused, match="nDCG compared with champion"):
        advance(bad, "refit", "recommend", "gate")
    advance(good, "train", "evaluate", "refit", "recommend", "gate")

    metrics = result_table(good, "run_metrics").filter(metric="ndcg")
    quality = dict(metrics.select("recommender", "value").rows())
    assert quality["imported"] > 0.9
    assert quality["champion"] < 0.5
    assert json.loads((good.folder / "verdict.json").read_text())["passed"]
    check_lists(result_table(good, "recommendations"), unheard, plays(home, date.min, LAST_DAY))


def check_lists(made: pl.DataFrame, lists: pl.DataFrame, known: pl.DataFrame) -> None:
    """Compare lists of a run with the imported ones without what the listener knows or may not get."""
    listed = made.sort("rank")
    assert set(listed.filter(reason="chosen for you")["recommender"]) == {"imported"}
    for user_id in lists["user_id"].unique().sort()[:20]:
        own = lists.filter(user_id=user_id).sort("score", descending=True)["track_id"].to_list()
        got = [track for track in listed.filter(user_id=user_id)["track_id"] if track in own]
        assert got == [track for track in own if track in got]
        assert got == listed.filter(user_id=user_id)["track_id"].to_list()[: len(got)]
        assert not {*got} & {*known.filter(user_id=user_id)["track_id"]}
        assert len(got) > 10
