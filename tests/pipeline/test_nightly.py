"""A nightly run on the demo world: what it publishes, and that repeating it changes nothing."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recsys import files
from recsys.dataset.interactions import Interactions
from recsys.errors import BadRecipe, Refused
from recsys.evaluate.exposure import cross_groups, exposure_shares
from recsys.evaluate.groups import track_groups
from recsys.home import Home
from recsys.pipeline import export
from recsys.pipeline.inputs import Inputs
from recsys.pipeline.plan import steps
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.warehouse.query import Warehouse, run_query

from ..nights import World, result_table


def digest(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of an export."""
    return {path.name: files.sha256_of(path) for path in sorted(folder.iterdir())}


def test_every_step_is_logged_with_its_seconds(finished: Run) -> None:
    """The JSON log has each step once, in order."""
    events = [json.loads(line) for line in (finished.folder / "log.jsonl").read_text().splitlines()]

    done = [event["step"] for event in events if event["event"] == "done"]

    assert done == ["ingest", *steps()]
    assert all(event["seconds"] >= 0 for event in events if event["event"] == "done")


def test_every_listener_gets_exactly_k_allowed_tracks(finished: Run) -> None:
    """Every listener has a list, without known, withdrawn or territorially unavailable tracks."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        lists = warehouse.query("select * from marts.recommendations")
        listeners = warehouse.query("select user_id, country from marts.listener_profile")
        tracks = warehouse.query(
            "select track_id, available_in, withdrawn_at, release_date, is_known from marts.track_features"
        )
        heard = warehouse.query("select user_id, track_id from marts.interactions")

    assert lists.group_by("user_id").len()["len"].unique().to_list() == [finished.recipe.export.k]
    assert set(lists["user_id"]) == set(listeners["user_id"])
    assert lists.join(heard, on=["user_id", "track_id"]).is_empty()
    shown = lists.join(tracks, on="track_id").join(listeners, on="user_id")
    assert shown.height == lists.height
    assert shown["is_known"].all()
    assert shown.filter(pl.col("withdrawn_at") <= finished.served_on).is_empty()
    assert shown.filter(pl.col("release_date") > finished.served_on).is_empty()
    restricted = shown.filter(pl.col("available_in").list.len() > 0)
    assert restricted.filter(~pl.col("available_in").list.contains(pl.col("country"))).is_empty()


def test_the_model_beats_the_popularity_floor(finished: Run) -> None:
    """The difference in nDCG on the test window is significant, paired by listener."""
    found = result_table(finished, "metric_differences").filter(baseline="popular")

    assert found["low"].item() > 0
    assert found["n_users"].item() > 100


def test_evaluation_counts_known_tracks_where_lists_have_them(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `new_only = false`, the plays that a split of new tracks leaves out are held out as well."""
    monkeypatch.setattr(Inputs, "_built", finished.home.published_warehouse())  # its own was removed at its end
    recipe = finished.recipe
    new = Inputs(finished).split
    known = Inputs(replace(finished, recipe=replace(recipe, export=replace(recipe.export, new_only=False)))).split

    assert new.n_repeat_plays > 0
    assert known.hidden.nnz == 0
    assert known.test.nnz == new.test.nnz + new.n_repeat_plays


def test_the_warehouse_carries_the_exported_rows(finished: Run) -> None:
    """marts.recommendations, Parquet, CSV and JSON Lines hold the same rows."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        mart = warehouse.query("select * from marts.recommendations order by user_id, rank")
    exported = pl.read_parquet(finished.export / "recommendations.parquet").sort("user_id", "rank")
    text = pl.read_csv(finished.export / "recommendations.csv", schema=exported.schema).sort("user_id", "rank")
    lines = pl.read_ndjson(finished.export / "recommendations.jsonl", schema=exported.schema).sort("user_id", "rank")

    assert mart.equals(exported)
    assert text.equals(exported)
    assert lines.equals(exported)
    assert exported["run_id"].unique().to_list() == [finished.run_id]
    assert exported["reason"].null_count() == 0


def test_lists_are_chosen_among_the_candidates(finished: Run) -> None:
    """Every listed track is a candidate of its listener; candidates are ranked by descending score."""
    lists, candidates = (
        pl.read_parquet(finished.export / f"{name}.parquet").sort("user_id", "rank")
        for name in ("recommendations", "candidates")
    )

    assert lists.join(candidates, on=["user_id", "track_id"], how="anti").is_empty()
    falls = candidates.select((pl.col("score") <= pl.col("score").shift().over("user_id")).fill_null(value=True))
    assert falls.to_series().all()
    assert candidates.group_by("user_id").len()["len"].max() == finished.recipe.export.candidates


def test_lists_keep_the_rules_and_the_metrics_say_their_price(finished: Run) -> None:
    """No list exceeds the artist cap; every rule is evaluated alone and all together."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        counted = warehouse.query(
            """
            select max(n_tracks) as most from (
                select count(*) as n_tracks
                from marts.recommendations inner join marts.track_features using (track_id)
                where artist_id is not null
                group by user_id, artist_id
            )
            """
        )
        prices = warehouse.query("select * from marts.run_metrics where metric = 'ndcg_price' order by recommender")

    assert finished.recipe.rerank["artist_cap"] == ArtistCap(counted.item())
    assert prices["recommender"].to_list() == [f"als+{rule}" for rule in sorted([*finished.recipe.rerank, "rerank"])]
    assert prices.select((pl.col("low") <= pl.col("value")) & (pl.col("value") <= pl.col("high"))).to_series().all()


@pytest.mark.slow
def test_a_misspelt_group_is_refused_before_training(world: World, tmp_path: Path) -> None:
    """The message names the known kinds of groups."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"{world.recipe.read_text()}\n[rerank.exposure.targets]\n'artist_gendre=female' = 0.3\n")

    with pytest.raises(BadRecipe, match="Did you mean 'artist_gender'"):
        world.run_nightly(Home(tmp_path / "home"), recipe=recipe)

    (run,) = (tmp_path / "home" / "runs").iterdir()
    assert (run / "build.done.json").exists()
    assert not (run / "trial").exists()


@pytest.mark.slow
def test_targets_of_the_recipe_are_published_and_met(world: World, tmp_path: Path) -> None:
    """The target share of exposure stands beside the actual share."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"{world.recipe.read_text()}\n[exploration]\nshare = 0\n"
        "[rerank.artist_cap]\n[rerank.exposure.targets]\n'artist_gender=female' = 0.5\n"
    )

    run = world.run_nightly(Home(tmp_path / "home"), recipe=recipe)

    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        targets = warehouse.query("select * from marts.exposure where target_share is not null")
    assert targets.select("group_kind", "group_name", "target_share").rows() == [("artist_gender", "female", 0.5)]
    assert targets["exposure_share"].item() == pytest.approx(0.5, abs=0.01)


def test_exposure_is_the_same_in_sql_and_python(finished: Run) -> None:
    """The shares of every group agree to 1e-9 with those computed from the published lists."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        lists = warehouse.query("select user_id, track_id, rank from marts.recommendations")
        groups = warehouse.query("select track_id, group_kind, group_name from marts.track_groups")
        plays = warehouse.query(
            "select track_id, sum(n_plays)::bigint as n_plays from marts.interactions group by track_id"
        )
        in_sql = warehouse.query("select * from marts.exposure order by group_kind, group_name")
    names = ["group_kind", "group_name", "n_tracks", "catalogue_share", "listening_share", "exposure_share"]

    in_python = exposure_shares(lists, groups, plays, seed=7).select(names)

    assert len(in_python) > 50
    assert_frame_equal(in_sql.select(names), in_python, abs_tol=1e-9, rel_tol=0)


def test_track_groups_are_the_same_in_sql_and_python(finished: Run) -> None:
    """Popularity tiers agree with evaluation, as do crossed groups with their small cells."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        groups = warehouse.query("select track_id, group_kind, group_name from marts.track_groups")
        interactions = Interactions.read(warehouse, until=finished.as_of)
    tiers = {
        group.name: set(interactions.tracks.ids(np.flatnonzero(group.members))) for group in track_groups(interactions)
    }
    both = groups.filter(group_kind="gender_and_country").sort("track_id")

    for name in ("head", "middle", "tail"):
        assert set(groups.filter(group_kind="popularity", group_name=name)["track_id"]) == tiers[name]
    crossing = cross_groups(groups, "artist_gender", "artist_country", "gender_and_country").sort("track_id")
    assert_frame_equal(both, crossing)
    assert both["group_name"].n_unique() > 3


def test_metrics_by_group_are_published(finished: Run) -> None:
    """Gaps between listener groups and exposure of tracks, before and after the rules; small groups have no value."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        table = warehouse.query("select * from marts.group_metrics")

    assert set(table["recommender"]) == {"als", "als+rerank"}
    assert {"ndcg", "ndcg_gap", "exposure", "awrf", "ee_loss"} <= set(table["metric"])
    assert {"gender", "age_band", "artist_gender", "popularity", "novelty"} <= set(table["group_kind"])
    assert "unknown" in set(table.filter(group_kind="gender")["group_name"])
    small = table.filter(pl.col("n_users") < 10)
    assert len(small)
    assert small["value"].null_count() == len(small)


def test_clusters_of_the_catalogue_find_its_genres(finished: Run) -> None:
    """Clusters come from listening only, yet most tracks of a cluster share a genre out of more than twenty."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        largest = warehouse.query(
            """
            with sizes as (
                select members.community, tracks.genre, count(*) as n_tracks
                from marts.community_members as members
                inner join marts.track_features as tracks on members.member_id = tracks.track_id
                where members.kind = 'tracks'
                group by all
            )
            select max(n_tracks) / sum(n_tracks) as share from sizes group by community
            """
        )
        groups = warehouse.query("select kind from marts.communities group by kind having count(*) > 1 order by kind")

    assert largest.select(pl.col("share").mean()).item() > 0.6
    assert groups["kind"].to_list() == ["listeners", "tracks"]


def test_the_manifest_holds_and_a_changed_byte_breaks_it(finished: Run, tmp_path: Path) -> None:
    """Validation passes on the export and fails after a byte was changed."""
    manifest = export.validate(finished.export)
    files.place_folder(_copied(finished.export, tmp_path / "beside"), tmp_path / "export")
    with (tmp_path / "export" / "recommendations.csv").open("a") as changed:
        changed.write("one,row,too,many\n")

    rows = {entry["path"]: entry["rows"] for entry in manifest["files"]}
    assert manifest["n_listeners"] * manifest["recipe"]["export"]["k"] == rows["recommendations.parquet"]
    assert rows["candidates.parquet"] > rows["recommendations.parquet"]
    with pytest.raises(ValueError, match="The file was changed"):
        export.validate(tmp_path / "export")


def _copied(folder: Path, to: Path) -> Path:
    to.mkdir()
    for path in folder.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def test_a_finished_night_done_again_changes_nothing(
    finished: Run, world: World, copy_of: Callable[[Home], Home]
) -> None:
    """The same inputs give the same run, and no file of the release changes."""
    home = copy_of(finished.home)
    before = {path: path.lstat().st_mtime_ns for path in home.path.rglob("*") if path.name != ".lock"}

    again = world.run_nightly(home)

    after = {path: path.lstat().st_mtime_ns for path in home.path.rglob("*") if path.name != ".lock"}
    assert again.run_id == finished.run_id
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} <= {home.path}


@pytest.mark.slow
def test_the_same_inputs_in_another_home_give_the_same_bytes(finished: Run, world: World, tmp_path: Path) -> None:
    """With the same listener key, two homes export the same bytes."""
    home = Home(tmp_path / "home")
    home.path.mkdir()
    home.key_file.write_bytes(finished.home.key_file.read_bytes())
    home.key_file.chmod(0o600)

    assert digest(world.run_nightly(home).export) == digest(finished.export)


@pytest.mark.slow
def test_a_worse_recommender_is_refused_and_the_last_release_stays(
    finished: Run, world: World, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """The gate refuses popularity in place of ALS; the run says why and the last export stays."""
    home = copy_of(finished.home)
    worse = tmp_path / "worse.toml"
    worse.write_text('recommender = "popular"\ncompare = []\n')

    with pytest.raises(Refused, match="nDCG compared with champion"):
        world.run_nightly(home, recipe=worse)

    assert registry.current_name(home) == finished.run_id
    assert digest(home.path / "exports" / "current") == digest(finished.export)


ISSUE_OF = {
    "wrong_release_date": "heard_before_release",
    "wrong_duration_ms": "odd_duration",
    "wrong_isrc": "odd_isrc",
    "wrong_label_id": "no_label",
    "stub_track": "unknown_track",
    "stub_artist": "unknown_artist",
}


@pytest.mark.parametrize("kind", ISSUE_OF)
def test_wrong_metadata_is_found(finished: Run, world: World, kind: str) -> None:
    """Every planted metadata error is in marts.catalogue_health under its issue."""
    planted = world.truth().filter(kind=kind)["id"]
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        found = warehouse.query(
            "select coalesce(detail, '') as detail, track_id from marts.catalogue_health where issue = $issue",
            {"issue": ISSUE_OF[kind]},
        )

    assert len(planted) > 0
    assert set(planted) <= set(found["track_id"]) | set(found["detail"])


def test_lyrics_that_contradict_the_catalogue_are_found(finished: Run, world: World) -> None:
    """The recordings listed for review are those with a planted wrong language, or a wrong flag on English lyrics."""
    truth = world.truth()
    sung = {row["id"]: row["details"]["language"] for row in truth.filter(kind="lyrics").iter_rows(named=True)}
    planted = {
        (row["id"], row["details"]["what"])
        for row in truth.filter(kind="lyrics_wrong").iter_rows(named=True)
        if row["details"]["what"] == "language" or sung[row["id"]] == "en"
    }
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        found = run_query(warehouse, "lyrics_to_review", {})

    what = {"wrong_language": "language", "unmarked": "explicit", "marked": "explicit"}
    assert {(track_id, what[finding]) for track_id, finding in found.select("track_id", "finding").rows()} == planted


def test_planted_copies_are_found(finished: Run, world: World) -> None:
    """Every recording that is twice in the catalogue is reported as a possible duplicate."""
    planted = world.truth().filter(kind="duplicate")["id"]
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        found = warehouse.query(
            "select track_id from marts.catalogue_health where issue in ('shared_isrc', 'same_recording')"
        )

    assert len(planted) > 0
    assert set(planted) <= set(found["track_id"])


def test_every_dirty_row_is_accounted_for(finished: Run, world: World) -> None:
    """Each file has exactly its planted invalid rows refused."""
    invalid = world.truth().filter(kind="dirt").with_columns(pl.col("details").struct.field("rows"))
    planted = invalid.group_by(source_file="id").agg(n_rows=pl.col("rows").sum()).sort("source_file")
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        lost = warehouse.query(
            "select source_file, sum(n_rows)::bigint as n_rows from marts.data_quality "
            "where outcome <> 'accepted' group by source_file order by source_file"
        )

    assert lost.rows() == planted.rows()


@pytest.mark.slow
def test_a_stray_file_in_the_inbox_is_loud_but_stops_nobody(world: World, tmp_path: Path) -> None:
    """The run continues without the file, logs a warning and counts it."""
    inbox = Path(shutil.copytree(world.raw, tmp_path / "inbox"))
    (inbox / "README.txt").write_text("not a table\n")

    run = replace(world, raw=inbox).run_nightly(Home(tmp_path / "home"))

    events = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert [event["text"] for event in events if event["event"] == "warning" and "README.txt" in event["text"]]
    assert (run.outcome("ingest") or {})["n_unreadable"] == 1
    assert run.outcome("publish") is not None
