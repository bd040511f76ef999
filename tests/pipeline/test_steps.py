"""Steps, called with small frames and without a run; and the order of the steps, which follows from their inputs."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from recsys.arrays import Csr
from recsys.columns import RUN_ID, TRACK_GROUPS, schema
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split, no_pairs
from recsys.errors import Refused, SetupError
from recsys.evaluate.report import RUN_METRICS_COLUMNS
from recsys.feedback.interleaving import FIRST, SECOND, InterleavingSettings
from recsys.home import Home
from recsys.installation.paths import SQL_FOLDER
from recsys.pipeline import nightly
from recsys.pipeline.inputs import Inputs
from recsys.pipeline.plan import (
    WAREHOUSE_INPUTS,
    removable_files,
    result_tables,
    results,
    step_outputs,
    steps,
    steps_after,
    steps_up_to,
)
from recsys.pipeline.results import Outcome, Result, Step, step
from recsys.pipeline.run import Run
from recsys.pipeline.steps import analytics, cleaning, lists, models, release
from recsys.pipeline.without_list import ALL_HEARD, NONE_AVAILABLE, NOTHING_LIKED
from recsys.recipe import Recipe, read_recipe
from recsys.recommenders.base import Recommender
from recsys.recommenders.item_knn import ItemKNNConfig
from recsys.releases.gate import COMPARED_TABLES, MIN_EVALUATED, CurrentRelease
from recsys.releases.registry import PUBLISHED
from recsys.warehouse.internal import internal_names
from recsys.warehouse.sqlfile import read_layers

AS_OF = date(2026, 6, 30)
SETTINGS = """
recommender = "popular"
compare = []
[export]
k = 2
candidates = 4
[exploration]
share = 0.0
[rerank]
"""
PLAYS = {"ann": "abc", "bob": "abd", "cyd": "ade"}  # all of them hear both artists


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run in an empty home that recommends the two most popular tracks per listener."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(SETTINGS)
    return Run.of(Home(tmp_path / "home"), AS_OF, read_recipe(recipe))


@pytest.fixture
def interactions() -> Interactions:
    """Three listeners and the tracks they play."""
    rows = [(user, track, 1.0, 1) for user, tracks in PLAYS.items() for track in tracks]
    pairs = pl.DataFrame(rows, ["user_id", "track_id", "strength", "age_days"], orient="row")
    catalogue = pl.DataFrame({"track_id": list("abcde"), "genre": [["pop"]] * 5, "artist": ["x", "y", "x", "y", "x"]})
    return Interactions.of(pairs, catalogue=catalogue)


def test_every_parameter_names_something_that_can_be_read(run: Run) -> None:
    """Every parameter is an earlier table or artefact, a table of the last release, a query or a property."""
    known: set[str] = set()
    made = step_outputs()
    for planned in steps().values():
        for name in planned.reads:
            of_last = name.removeprefix("last_")
            is_made = name in made or name.removesuffix("_file") in made or (of_last != name and of_last in results())
            assert is_made or hasattr(Inputs, name) or name in internal_names(), (planned.name, name)
            known.add(name)

    assert {"interactions", "last_community_members", "model_file", "catalogue"} <= known
    with pytest.raises(KeyError):
        Inputs(run)["nothing of that name"]


def test_steps_follow_those_that_make_what_they_read() -> None:
    """A step runs after the steps whose outputs it reads; publish runs after every step with a published result."""
    order = list(steps())

    assert order[0] == "build"
    assert order[-2:] == ["publish", "morning"]
    assert order.index("train") < order.index("evaluate") < order.index("refit") < order.index("recommend")
    assert {"forecast", "chart", "match", "group", "gate", "export"} <= {
        planned.name for planned in steps_up_to("publish")
    }


def test_only_what_a_step_needs_is_done_for_it() -> None:
    """Training does not need the communities; the lists do."""
    assert [planned.name for planned in steps_up_to("train")] == ["build", "train"]
    for_lists = {planned.name for planned in steps_up_to("recommend")}
    assert for_lists == {"build", "group", "train", "evaluate", "refit", "match", "clean", "recommend"}
    assert [planned.name for planned in steps_after("gate")] == ["gate", "export", "publish", "morning"]


def test_every_result_is_read_by_sql() -> None:
    """Every result is read by SQL and has a mart of its name."""
    read = {name for file in read_layers().values() for name in file.sources}

    assert {f"raw.{name}" for name in results()} <= read
    assert all((SQL_FOLDER / "marts" / f"{name}.sql").exists() for name in results())


def test_later_runs_find_every_column_of_a_result() -> None:
    """The mart of a result has its columns; without them, later runs read the file of the run."""
    layers = read_layers()
    lacking = {name for name, result in results().items() if set(result.schema) - set(layers[f"marts.{name}"].columns)}

    assert lacking == {name for name, result in results().items() if not result.has_mart}


def test_what_a_release_leaves_behind_follows_from_the_declarations() -> None:
    """Histories and the verdict stay; all other files of a run are removable."""
    stay = {f"{name}.parquet" for name in ("run_metrics", "group_metrics", "explorations")} | {"verdict*"}

    assert not stay & set(removable_files())
    assert {"forecasts.parquet", "chart_breakouts.parquet", "exposure_targets.parquet", "fingerprints*"} <= set(
        removable_files()
    )


def test_a_result_is_empty_before_its_step_and_read_in_todays_columns(tmp_path: Path) -> None:
    """A column that the file lacks is null; a column that is not declared is left out."""
    result = analytics.FORECASTS
    pl.DataFrame({"artist_id": ["x"], "n_plays": [4.0], "gone": [1]}).write_parquet(tmp_path / "old.parquet")

    assert result.read([]).schema == schema(result.columns)
    assert result.read([tmp_path / "old.parquet"]).rows() == [("x", None, 4.0, None, None)]
    assert result_tables()["forecasts"].paths == ()


def test_the_runner_writes_what_a_step_made_and_marks_it_whole(run: Run) -> None:
    """The run id is filled in, and the counts are stored in the marker."""
    result = Result("made_up", (RUN_ID, *RUN_METRICS_COLUMNS))

    @step(result)
    def count(*, as_of: date) -> Outcome:
        """Return one row."""
        row = {"recommender": "als", "metric": "ndcg", "k": 10, "value": 0.5, "low": 0.4, "high": 0.6, "n_users": 7}
        return Outcome({"made_up": pl.DataFrame([row])}, {"day": as_of.day})

    nightly.run_step(run, count, Inputs(run))

    assert pl.read_parquet(result.path(run)).rows() == [(run.run_id, "als", "ndcg", 10, 0.5, 0.4, 0.6, 7)]
    assert run.outcome("count") == {"day": 30}


def test_a_table_that_a_step_does_not_declare_is_refused(run: Run) -> None:
    """A step that returns an undeclared table raises TypeError and is not marked as complete."""

    @step()
    def careless() -> Outcome:
        """Return a table that is not declared."""
        return Outcome({"made_up": pl.DataFrame()})

    with pytest.raises(TypeError, match="careless returned made_up, which it does not declare"):
        nightly.run_step(run, careless, Inputs(run))

    assert run.outcome("careless") is None


def test_a_declared_table_that_a_step_does_not_return_is_refused(run: Run) -> None:
    """A missing result is reported when the step ends, not hours later when the release is published."""
    forgetful = Step(lambda: Outcome(counts={"n_rows": 0}), (analytics.FORECASTS,))

    with pytest.raises(TypeError, match="did not return forecasts"):
        nightly.run_step(run, forgetful, Inputs(run))

    assert run.outcome(forgetful.name) is None


def test_inputs_that_need_the_built_warehouse_are_known_to_the_plan(run: Run) -> None:
    """Before the warehouse is built, reading these inputs fails, and all other inputs can be read."""
    needing = set()
    for name in (name for name, value in vars(Inputs).items() if isinstance(value, property | cached_property)):
        try:
            Inputs(run)[name]
        except SetupError:
            needing.add(name)

    assert needing == WAREHOUSE_INPUTS


def test_the_published_history_of_a_table_is_its_file_in_each_run(run: Run) -> None:
    """Metrics have the files of all runs, explorations those of published runs and this one; no file is copied."""
    earlier, refused = run.home.runs / "2026-06-01-a", run.home.runs / "2026-06-02-b"
    for folder in (earlier, refused, run.folder):
        folder.mkdir(parents=True)
        for name in ("run_metrics", "explorations"):
            (folder / f"{name}.parquet").touch()
    (earlier / PUBLISHED).touch()
    before = sorted(run.home.path.rglob("*"))

    shown = Inputs(run)["published_results"]

    assert [path.parent for path in shown["run_metrics"]] == [earlier, refused, run.folder]
    assert [path.parent for path in shown["explorations"]] == [earlier, run.folder]
    assert shown["forecasts"] == [run.folder / "forecasts.parquet"]
    assert sorted(run.home.path.rglob("*")) == before


def test_a_refusal_is_written_and_stops_the_run_unmarked(run: Run) -> None:
    """The verdict is written, but the step is not marked as complete."""
    verdict = step_outputs()["verdict"]
    refusing = Step(lambda: Outcome({"verdict": {"passed": False}}, {}, "too few rows"), (verdict,))

    with pytest.raises(Refused, match="too few rows"):
        nightly.run_step(run, refusing, Inputs(run))

    assert Inputs(run)["verdict"] == {"passed": False}
    assert run.outcome(refusing.name) is None


def test_forecasts_are_those_of_each_artist() -> None:
    """An artist with ten plays on every day has a forecast of ten plays per day."""
    days = [AS_OF - timedelta(days=n) for n in range(120)]
    plays = pl.DataFrame({"artist_id": ["x"] * 120, "listen_date": days, "n_plays": [10] * 120})

    done = analytics.forecast(artist_days=plays, as_of=AS_OF)

    table = done.outputs["forecasts"]
    assert done.counts == {"n_artists": 1}
    assert table.height == 28
    assert table["n_plays"].to_list() == pytest.approx([10.0] * 28, abs=0.01)


def test_listeners_who_all_hear_every_artist_are_in_no_group(run: Run, interactions: Interactions) -> None:
    """If all listeners play the same tracks, there are no clusters, and the run continues."""
    artists = pl.DataFrame({"artist_id": ["x", "y"], "name": ["X", "Y"]})
    nobody = pl.DataFrame(schema=analytics.COMMUNITY_MEMBERS.schema)

    done = analytics.group(interactions=interactions, artists=artists, recipe=run.recipe, last_community_members=nobody)

    assert done.outputs["communities"].is_empty()
    assert done.outputs["community_members"].is_empty()


def test_groups_keep_their_numbers_from_the_last_release(run: Run) -> None:
    """Clustering the same listeners again, starting from the first result, keeps all cluster numbers."""
    rows = [(f"u{n}", f"{'ab'[n % 2]}{m}", 1.0, 1) for n in range(40) for m in range(n % 3, 6)]
    pairs = pl.DataFrame(rows, ["user_id", "track_id", "strength", "age_days"], orient="row")
    tracks = pairs["track_id"].unique().sort()
    catalogue = pl.DataFrame({"track_id": tracks, "artist": tracks.str.slice(0, 1).replace({"a": "x", "b": "y"})})
    interactions = Interactions.of(pairs, catalogue=catalogue)
    artists = pl.DataFrame({"artist_id": ["x", "y"], "name": ["X", "Y"]})
    nobody = pl.DataFrame(schema=analytics.COMMUNITY_MEMBERS.schema)
    given: dict[str, Any] = {"interactions": interactions, "artists": artists, "recipe": run.recipe}

    first = analytics.group(**given, last_community_members=nobody)
    again = analytics.group(**given, last_community_members=first.outputs["community_members"])

    assert again.outputs["community_members"].equals(first.outputs["community_members"])
    assert first.outputs["community_members"].filter(kind="listeners").height == 40
    assert first.counts["n_of_listeners"] == first.outputs["communities"].filter(kind="listeners").height >= 1


def catalogue_of(ids: str) -> pl.DataFrame:
    """Tracks available everywhere, by artists X and Y in turn."""
    return pl.DataFrame(
        [
            (name, name.upper(), "xy"[n % 2], "XY"[n % 2], date(2020, 1, 1), [], None, None, None)
            for n, name in enumerate(ids)
        ],
        {
            "track_id": pl.String,
            "title": pl.String,
            "artist_id": pl.String,
            "artist_name": pl.String,
            "release_date": pl.Date,
            "available_in": pl.List(pl.String),
            "withdrawn_at": pl.Date,
            "tempo_bpm": pl.Float64,
            "energy": pl.Float64,
        },
        orient="row",
    )


REPEATS = {"user_id": pl.String, "track_id": pl.String, "odds": pl.Float64, "n_days": pl.Int64, "age_days": pl.Float64}


def listed(run: Run, interactions: Interactions, **changes: Any) -> Outcome:
    """The outcome of `recommend` for the three listeners."""
    model = Recommender.named("popular", run.recipe.configs["popular"]).fit(interactions)
    listeners = pl.DataFrame({"user_id": list(PLAYS), "country": ["DE"] * 3, "age_band": ["25-34"] * 3})
    given: dict[str, Any] = {
        "model": model,
        "interactions": interactions,
        "listeners": listeners,
        "catalogue": catalogue_of("abcde"),
        "duplicate_links": pl.DataFrame(schema=cleaning.DUPLICATE_LINKS.schema),
        "playlists": pl.DataFrame(schema={"playlist_id": pl.String, "position": pl.Int64, "track_id": pl.String}),
        "communities": pl.DataFrame(schema=analytics.COMMUNITIES.schema),
        "community_members": pl.DataFrame(schema=analytics.COMMUNITY_MEMBERS.schema),
        "track_groups": pl.DataFrame(schema=schema(TRACK_GROUPS)),
        "feedback": pl.DataFrame(schema={"features": pl.List(pl.Float64), "reward": pl.Float64}),
        "repeats": pl.DataFrame(schema=REPEATS),
        "recipe": run.recipe,
        "as_of": AS_OF,
        "served_on": AS_OF + timedelta(days=1),
        "note": lambda **_event: None,
    }
    return lists.recommend(**(given | changes))


def test_lists_name_what_a_listener_never_played(run: Run, interactions: Interactions) -> None:
    """Ann played a, b, c: her list is d and e, with recommender and reason."""
    done = listed(run, interactions)

    table = done.outputs["recommendations"]
    chosen = {user: set(rows["track_id"]) for (user,), rows in table.group_by("user_id")}
    assert chosen == {user: set("abcde") - set(tracks) for user, tracks in PLAYS.items()}
    assert table["recommender"].unique().to_list() == ["popular"]
    assert table["reason"].str.starts_with("popular with").all()
    assert (done.counts["n_listeners"], done.counts["n_rows"], done.counts["n_explored"]) == (3, 6, 0)
    assert done.outputs["exposure_targets"].is_empty()


def test_a_track_that_nobody_may_be_shown_is_in_no_list(run: Run, interactions: Interactions) -> None:
    """Without e, Ann and Bob have one remaining track each, and Cyd has two."""
    done = listed(run, interactions, catalogue=catalogue_of("abcd"))

    assert "e" not in done.outputs["recommendations"]["track_id"].to_list()
    assert done.counts["n_short_lists"] == 2


def test_listeners_without_a_list_are_named_with_the_reason(run: Run, interactions: Interactions) -> None:
    """If only a, b and c may be recommended, Ann has heard all; if nothing may be, there is no track for anybody."""
    some, none = (listed(run, interactions, catalogue=catalogue_of(ids)) for ids in ("abc", ""))

    assert some.outputs["listeners_without_list"].rows() == [("ann", ALL_HEARD)]
    assert some.counts["n_without_list"] == 1
    assert none.outputs["listeners_without_list"].rows() == [(user, NONE_AVAILABLE) for user in PLAYS]


def test_without_a_liked_track_nobody_gets_a_list(run: Run) -> None:
    """A list of tracks that nobody likes would be arbitrary; a warning counts the listeners and says the reason."""
    skipped = pl.DataFrame({"user_id": list(PLAYS), "track_id": "a", "strength": 0.0, "age_days": 1})
    interactions, messages = Interactions.of(skipped, catalogue=pl.DataFrame({"track_id": list("abcde")})), list[str]()

    done = listed(run, interactions, note=lambda **event: messages.append(event["text"]))

    assert done.outputs["recommendations"].is_empty()
    assert done.outputs["listeners_without_list"].rows() == [(user, NOTHING_LIKED) for user in PLAYS]
    assert messages == [
        f"3 of 3 listeners get no list (3: {NOTHING_LIKED}). The export names them in listeners_without_list.parquet"
    ]


def gated(run: Run, **changes: Any) -> Outcome:
    """The outcome of the gate for a first release: three listeners, better than popularity, plays on every day."""
    days = [(AS_OF - timedelta(days=n), 500) for n in range(28)]
    given: dict[str, Any] = {
        "built_tables": pl.DataFrame({"name": ["marts.track_features"], "n_rows": [1_000]}),
        "daily_plays": pl.DataFrame(days, ["listen_date", "n_plays"], orient="row"),
        "metric_differences": differences(0.01),
        "recommendations": pl.DataFrame({"user_id": list(PLAYS)}),
        "listeners_without_list": pl.DataFrame(schema=lists.WITHOUT_LIST.schema),
        "interleaved_plays": interleaved_plays(0),
        "last_published": None,
        "recipe": run.recipe,
        "run_id": run.run_id,
        "as_of": AS_OF,
    }
    return release.gate(**(given | changes))


def challenged(run: Run) -> Recipe:
    """Return the recipe in which item_knn challenges popular in all lists."""
    settings = InterleavingSettings(challenger="item_knn", share=1)
    return replace(run.recipe, configs={**run.recipe.configs, "item_knn": ItemKNNConfig()}, interleaving=settings)


def interleaved_plays(n: int) -> pl.DataFrame:
    """Return plays of n listeners who played two tracks of item_knn in an interleaved list, and none of popular."""
    rows = [
        (f"u{listener}", "popular", "item_knn", team, True, reward)
        for listener in range(n)
        for team, reward in ((FIRST, 0), (SECOND, 1), (SECOND, 1))
    ]
    columns = ["user_id", "recommender", "challenger", "team", "is_contested", "reward"]
    types = [pl.String, pl.String, pl.String, pl.String, pl.Boolean, pl.Int64]
    return pl.DataFrame(rows, dict(zip(columns, types, strict=True)), orient="row")


def differences(low: float) -> pl.DataFrame:
    """Return the difference from popularity, with an interval that starts at `low`."""
    row = ("popular", low + 0.01, low, low + 0.02, MIN_EVALUATED, 0.01)
    return pl.DataFrame([row], models.DIFFERENCES.schema, orient="row")


def test_the_gate_passes_a_better_model_and_refuses_a_worse_one(run: Run) -> None:
    """The gate follows the interval of the difference; the verdict is returned either way."""
    passed, refused = gated(run), gated(run, metric_differences=differences(-0.05))

    assert passed.outputs["verdict"] == {"passed": True, "reasons": [], "failures": [], "interleaving": {}}
    assert not passed.refusal
    assert not refused.outputs["verdict"]["passed"]
    assert "compared with popular" in refused.refusal


def test_the_gate_reports_which_recommender_listeners_preferred(run: Run) -> None:
    """Thirty listeners played two tracks more of item_knn; plays of other pairs of recommenders do not count."""
    recipe = challenged(run)

    passed = gated(run, recipe=recipe, interleaved_plays=interleaved_plays(30))
    other = gated(run, recipe=recipe, interleaved_plays=interleaved_plays(30).with_columns(challenger=pl.lit("als")))

    found = passed.outputs["verdict"]["interleaving"]
    assert (found["winner"], found["mean"], found["n_users"]) == ("item_knn", -2, 30)
    assert found["p_value"] < 0.001
    assert passed.outputs["verdict"]["passed"]
    assert passed.counts["preference"] == "listeners preferred item_knn to popular"
    assert gated(run, recipe=recipe, interleaved_plays=interleaved_plays(1)).counts["preference"] == (
        "listeners preferred neither popular nor item_knn"
    )
    assert other.counts["preference"] == ""
    assert other.outputs["verdict"]["interleaving"] == {}


def test_a_challenger_takes_turns_in_the_lists(run: Run, interactions: Interactions) -> None:
    """Every list is interleaved; each track is named after the recommender whose turn it was, and logged."""
    done = listed(run, interactions, recipe=challenged(run))

    table, log = done.outputs["recommendations"], done.outputs["interleavings"]
    plain = listed(run, interactions).outputs["recommendations"]
    assert [set(rows["track_id"]) for rows in (table, plain)] == [set(plain["track_id"])] * 2
    assert table["user_id"].unique(maintain_order=True).to_list() == list(PLAYS)
    teams = {FIRST: "popular", SECOND: "item_knn"}
    assert table["recommender"].to_list() == [teams[team] for team in log["team"]]
    assert log["is_contested"].all()
    assert log["team"].value_counts(sort=True)["count"].to_list() == [3, 3]  # lists of two: one turn each
    assert log["until"].unique().to_list() == [AS_OF + timedelta(days=1)]
    assert not table["is_explored"].any()


def test_without_a_challenger_nothing_is_interleaved(run: Run, interactions: Interactions) -> None:
    """The log is empty."""
    assert listed(run, interactions).outputs["interleavings"].is_empty()


def test_listeners_who_have_heard_everything_are_not_missing(run: Run) -> None:
    """The last release had a list for 6 listeners, this run for 3; it passes if the others have heard everything."""
    current = CurrentRelease("last", AS_OF, {}, 6)
    without = pl.DataFrame([(user, ALL_HEARD) for user in "xyz"], lists.WITHOUT_LIST.schema, orient="row")

    rows = pl.DataFrame({"name": COMPARED_TABLES, "n_rows": 1_000})

    missing, heard = (
        gated(run, built_tables=rows, last_published=current, listeners_without_list=table)
        for table in (without.clear(), without)
    )

    assert "listeners with a list: found 3" in missing.refusal
    assert not heard.refusal


def test_the_gate_refuses_a_day_without_plays(run: Run) -> None:
    """A run whose last day has no plays is refused, since files are probably missing."""
    days = [(AS_OF - timedelta(days=n), 500) for n in range(1, 28)]

    done = gated(run, daily_plays=pl.DataFrame(days, ["listen_date", "n_plays"], orient="row"))

    assert done.refusal


def test_evaluation_compares_with_popularity_on_the_same_listeners(run: Run, interactions: Interactions) -> None:
    """A copy of the popularity model has a difference of 0 from it, over all evaluated listeners."""
    split = Split.hold_out_latest(interactions, seed=7)
    model = Recommender.named("popular", run.recipe.configs["popular"]).fit(split.train)
    recipe = replace(run.recipe, recommender="copy", configs={"copy": None, "popular": None})

    done = models.evaluate(
        split=split,
        trial_models={"copy": model, "popular": model},
        track_groups=pl.DataFrame(schema=schema(TRACK_GROUPS)),
        recipe=recipe,
    )

    n_judged = int((np.diff(split.test.indptr) > 0).sum())
    compared = done.outputs["metric_differences"]
    assert done.counts["n_judged"] == n_judged
    assert compared.select("baseline", "difference", "n_users").rows() == [("popular", 0.0, n_judged)]
    assert set(done.outputs["run_metrics"]["recommender"]) >= {"copy", "popular"}


def test_known_tracks_are_ranked_where_the_split_hides_none(run: Run, interactions: Interactions) -> None:
    """Ann hears a, which all like most, again: it is first in her list, and stays hidden from lists of new tracks."""
    model = Recommender.named("popular", run.recipe.configs["popular"]).fit(interactions)
    again = pl.DataFrame({"user_id": ["ann", "ann"], "track_id": ["a", "d"]})

    def ndcg(hidden: Csr | None) -> float:
        done = models.evaluate(
            split=Split.of(interactions, again, hidden=hidden),
            trial_models={"popular": model},
            track_groups=pl.DataFrame(schema=schema(TRACK_GROUPS)),
            recipe=run.recipe,
        )
        return float(done.outputs["run_metrics"].filter(recommender="popular", metric="ndcg")["value"].item())

    assert ndcg(None) == 1  # d is the most popular of the two that she does not know
    assert ndcg(no_pairs(interactions)) == pytest.approx((1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3)))  # a b d c e


def test_evaluation_by_popularity_does_not_know_the_test_days(run: Run, interactions: Interactions) -> None:
    """The published groups, which count them, do not matter: those of the training window are used."""
    split = Split.hold_out_latest(interactions, seed=7)
    model = Recommender.named("popular", run.recipe.configs["popular"]).fit(split.train)
    recipe = replace(run.recipe, recommender="popular", configs={"popular": run.recipe.configs["popular"]})
    ids = split.train.tracks.ids()
    exposures = []
    for name in ("head", "tail"):
        published = pl.DataFrame({"track_id": ids, "group_kind": "popularity", "group_name": name})
        done = models.evaluate(
            split=split, trial_models={"popular": model}, track_groups=published, recipe=recipe
        ).outputs["group_metrics"]
        exposures.append(done.filter(metric="exposure", group_kind="popularity").sort("group_name"))

    assert exposures[0].equals(exposures[1])
    assert exposures[0]["group_name"].to_list() == ["head", "middle", "tail"]
