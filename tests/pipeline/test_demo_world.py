"""The full-size demo world: planted breakouts, matches and errors are found; decoys are not."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.pipeline.run import Run
from recsys.search.by_sound import build_index
from recsys.warehouse.query import Warehouse

from ..nights import result_table
from .conftest import Demo

WATCH_DAYS = 21
pytestmark = pytest.mark.slow  # a whole night, with the recipe as shipped


def alarms(run: Run) -> pl.DataFrame:
    """The first day of each breakout in marts.breakouts: track_id, day."""
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        return warehouse.query(
            "select track_id, min(listen_date) as day from marts.breakouts group by track_id, started_on"
        )


def test_both_models_beat_the_floor_with_disjoint_intervals(demo: Demo) -> None:
    """The exported recommender beats popularity on two weeks after the training window."""
    metrics = result_table(demo.run, "run_metrics").filter(metric="ndcg")
    ndcg = metrics.rows_by_key("recommender", named=True, unique=True)

    assert ndcg["als"]["low"] > ndcg["popular"]["high"]
    assert ndcg["blend"]["low"] > ndcg["popular"]["high"]
    assert ndcg["blend"]["value"] > ndcg["als"]["value"]


def test_planted_breakouts_are_found_within_three_weeks(demo: Demo) -> None:
    """Every planted breakout appears in marts.breakouts soon after it began."""
    run, truth = demo.run, demo.truth
    planted = truth.filter(kind="breakout")

    begun = planted.select(track_id="id", planted=pl.col("date").str.to_date(strict=False)).join(
        alarms(run), on="track_id"
    )
    found = begun.filter((pl.col("day") - pl.col("planted")).dt.total_days().is_between(0, WATCH_DAYS))

    assert planted.height >= 8
    assert found["track_id"].n_unique() >= 0.9 * planted.height


def test_decoys_are_not_taken_for_breakouts(demo: Demo) -> None:
    """A listener on repeat, a new release and a day on which all plays rise are not reported as breakouts."""
    run, truth = demo.run, demo.truth
    decoys = truth.filter(kind="decoy").with_columns(pl.col("details").struct.field("why"))
    tracks = decoys.filter(pl.col("why") != "market_day")
    market_days = decoys.filter(why="market_day")["date"].cast(pl.String).str.to_date()
    real = truth.filter(pl.col("kind").is_in(["breakout", "unplanned_rise"]))["id"].to_list()

    wrong = alarms(run).filter(~pl.col("track_id").is_in(real))

    assert decoys.height >= 8
    assert set(wrong["track_id"]).isdisjoint(tracks["id"])
    for day in market_days:
        assert wrong.filter(pl.col("day").is_between(day, day + timedelta(days=6))).is_empty()


def test_the_listener_key_keeps_accounts_out_of_everything(demo: Demo) -> None:
    """No account name of the raw files appears in the export or the warehouse."""
    run = demo.run
    text = (run.export / "recommendations.csv").read_text() + (run.export / "manifest.json").read_text()
    published: Path = run.home.published_warehouse()

    assert "acct_" not in text
    assert b"acct_" not in published.read_bytes()


def test_recordings_measure_what_was_rendered(demo: Demo) -> None:
    """Tempo is right to 4 % for 90 %, key and mode for 75 %; a file without music and a truncated one are reported."""
    run, truth = demo.run, demo.truth
    planted = truth.filter(kind="sound").select(pl.col("id").alias("track_id"), "details").unnest("details")
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        columns = "track_id, tempo_bpm as tempo, key as tonic, mode as scale"
        measured = warehouse.query(f"select {columns} from marts.track_audio")
    joined = planted.join(measured, on="track_id")

    counts = run.outcome("scan")
    assert counts is not None
    assert (counts["n_failed"], counts["n_damaged"]) == (1, 1)
    assert joined.height == planted.height - 1
    assert ((joined["tempo"] / joined["tempo_bpm"] - 1).abs() < 0.04).mean() > 0.9  # type: ignore[operator]
    assert ((joined["key"] == joined["tonic"]) & (joined["mode"] == joined["scale"])).mean() > 0.75  # type: ignore[operator]


def test_a_reupload_sounds_like_its_original(demo: Demo) -> None:
    """A trimmed, quieter copy is among the three nearest tracks, whatever its title."""
    run, truth = demo.run, demo.truth
    planted = truth.filter(kind="reupload")
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        index = build_index(warehouse)
    known = set(index.ids)
    originals = planted["details"].struct.field("of")
    pairs = [pair for pair in zip(planted["id"], originals, strict=True) if set(pair) <= known]

    found = [set(index.ids[index.search(index.vectors_of([copy]), 4).rows[0]]) for copy, _ in pairs]

    assert len(pairs) >= 4
    assert np.mean([of in near for (_, of), near in zip(pairs, found, strict=True)]) > 0.8


def test_charted_songs_are_found_in_the_catalogue(demo: Demo) -> None:
    """Nearly all chart songs are linked to a recording of the same ISRC or names."""
    run, truth = demo.run, demo.truth
    charted = truth.filter(kind="charted").select("id", pl.col("details").struct.field("title"))
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        links = warehouse.query("select song_id, track_id, linked_by from marts.chart_songs")

    assert set(links["linked_by"]) == {"isrc", "name"}
    assert links.height > 0.9 * charted.height
    assert links["track_id"].is_in(charted["id"].implode()).mean() > 0.95  # type: ignore[operator]


def test_the_night_names_songs_that_could_reach_the_top_ten(demo: Demo) -> None:
    """Each song of the last edition outside the top ten has a probability, highest just below it."""
    with Warehouse.open(demo.run.home.published_warehouse()) as warehouse:
        found = warehouse.query("select rank, probability from marts.chart_breakouts order by probability desc")

    assert found.height == 90
    assert found["rank"].head(5).max() < found["rank"].tail(5).min()  # type: ignore[operator]
