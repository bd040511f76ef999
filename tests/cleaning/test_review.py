"""Decisions are rows in the lake: they survive every run, and taking one back restores the earlier state."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cleaning.review import decide, findings
from recsys.cli import main
from recsys.errors import UnknownIds
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline.inputs import Inputs
from recsys.pipeline.nightly import build_and_publish, run_step
from recsys.pipeline.plan import steps
from recsys.pipeline.run import Run
from recsys.warehouse.query import Warehouse, run_query

from ..nights import LAST_DAY, World, result_table

NOW = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)


def listed(home: Home, status: str = "") -> pl.DataFrame:
    """Return the review list of the published release."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        return findings(warehouse, Lake(home), status)


def cleaned(run: Run, home: Home) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Build the tables of a home again and clean them; return the findings and the links."""
    again = Run.of(home, run.as_of, run.recipe)
    build_and_publish(again)
    run_step(again, steps()["match"], Inputs(again))
    run_step(again, steps()["clean"], Inputs(again))
    return result_table(again, "review_findings"), result_table(again, "duplicate_links")


def plays_of_artists(home: Home) -> pl.DataFrame:
    """Return the plays of each artist in the published release."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        return warehouse.query(
            "select artist_id, sum(n_plays) as n_plays from marts.artist_daily group by 1 order by 1"
        )


def test_every_planted_duplicate_is_linked(finished: Run, world: World) -> None:
    """And no other recording is: each planted copy with its original, by its own kind of evidence."""
    planted = world.truth().filter(kind="duplicate").select("id", pl.col("details").struct.field("of", "same"))
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        links = warehouse.query("select track_id, same_as, evidence from marts.duplicate_links")

    found = {frozenset(row[:2]): row[2] for row in links.iter_rows()}
    assert found.keys() == {frozenset(pair) for pair in planted.select("id", "of").iter_rows()}
    assert all(("isrc" in found[frozenset((copy, of))]) == (same == "isrc") for copy, of, same in planted.iter_rows())


def test_no_listen_is_lost(finished: Run) -> None:
    """Plays of recordings add up to those of the log, and copies keep theirs."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        totals = warehouse.query(
            "select (select sum(n_plays) from marts.interactions_daily) as log, "
            "(select sum(n_plays) from marts.track_daily) as tracks, "
            "(select sum(n_plays) from marts.track_daily where track_id in "
            "(select track_id from marts.duplicate_links)) as copies"
        ).row(0, named=True)

    assert totals["log"] == totals["tracks"]
    assert totals["copies"] > 0


def test_no_list_has_two_copies(finished: Run, world: World) -> None:
    """Nor one that its listener has heard under the other id."""
    links = result_table(finished, "duplicate_links")
    recording = dict(links.select("track_id", "same_as").iter_rows())
    lists = result_table(finished, "recommendations").with_columns(
        recording=pl.col("track_id").replace(recording), own=pl.col("track_id")
    )
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        heard = warehouse.query("select distinct user_id, track_id as heard from marts.interactions_daily")
    linked = set(recording) | set(recording.values())
    of_linked = heard.filter(pl.col("heard").is_in(list(linked))).with_columns(
        recording=pl.col("heard").replace(recording)
    )

    assert world.truth().filter(kind="duplicate").height == len(recording)
    assert lists.select("user_id", "recording").is_duplicated().sum() == 0
    assert lists.join(of_linked, on=["user_id", "recording"]).is_empty()


@pytest.mark.slow
def test_a_rejected_link_is_gone_and_comes_back(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """Through every rebuild, and no artist loses a play; accepting it again restores the links."""
    home = copy_of(finished.home)
    first, second = listed(home, "linked")["finding_id"].sort()[:2]
    pair = listed(home).row(by_predicate=pl.col("finding_id") == first, named=True)
    before, plays = result_table(finished, "duplicate_links"), plays_of_artists(home)

    decide(home, [first], "rejected", decided_at=NOW, note="another take")
    waiting = listed(home, "rejected")
    rejected, links = cleaned(finished, home)
    again, same_links = cleaned(finished, home)

    assert waiting.select("finding_id", "is_applied").rows() == [(first, False)]
    assert rejected.filter(finding_id=first)["status"].to_list() == ["rejected"]
    assert rejected.filter(status="proposed").height == listed(home, "proposed").height
    assert {pair["track_id"], pair["other_track_id"]} & set(links["track_id"]) == set()
    assert links.height == before.height - 1
    assert again.equals(rejected)
    assert same_links.equals(links)
    assert plays_of_artists(home).equals(plays)

    decide(home, [first], "accepted", decided_at=NOW + timedelta(minutes=1))
    _, restored = cleaned(finished, home)

    assert restored.select("track_id", "same_as").equals(before.select("track_id", "same_as"))
    assert restored.filter(decided_by="review").height == 1
    assert second in set(listed(home, "linked")["finding_id"])


@pytest.mark.slow
def test_a_doubted_tempo_is_reviewed_like_all_findings(
    finished: Run, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """A delivered tempo of half the measured one is proposed, and stays decided; no tempo is changed."""
    home = copy_of(finished.home)
    with Warehouse.open(home.published_warehouse()) as warehouse:
        (track,) = warehouse.query("select min(track_id) from marts.track_features where is_known").row(0)
    sources = {
        "theirs.csv": f"track_id,tempo_bpm,analyser\n{track},60,theirs\n",
        "scan.csv": f"track_id,tempo_bpm,tempo_confidence,analyser\n{track},120,0.9,recsys-2-ab x y\n",
        "decided.csv": "kind,track_id,other_track_id,decision,decided_at\n"
        f"wrong_tempo,{track},{track},rejected,2026-06-30T12:00:00Z\n",
    }
    for name, content in sources.items():
        (tmp_path / name).write_text(content)

    ingest(home, [tmp_path / "theirs.csv", tmp_path / "scan.csv"], today=LAST_DAY)
    before, _ = cleaned(finished, home)
    ingest(home, [tmp_path / "decided.csv"], today=LAST_DAY)
    after, _ = cleaned(finished, home)

    (proposed,) = before.filter(kind="wrong_tempo").select("track_id", "score", "status").rows()
    assert proposed == (track, 0.9, "proposed")
    assert after.filter(kind="wrong_tempo")["status"].to_list() == ["rejected"]
    with Warehouse.open(home.published_warehouse()) as warehouse:
        tempo = warehouse.query("select tempo_bpm from marts.track_features where track_id = $id", {"id": track})
    assert tempo.rows() == [(120,)]


def test_decisions_that_alternate_are_all_kept(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """The latest counts, also if it is the same as an earlier one."""
    home = copy_of(finished.home)
    finding_id = listed(home)["finding_id"][0]

    for minute, decision in enumerate(("rejected", "accepted", "rejected")):
        decide(home, [finding_id], decision, decided_at=NOW + timedelta(minutes=minute))

    assert listed(home, "rejected")["finding_id"].to_list() == [finding_id]
    assert Lake(home).rows("review_decisions").collect()["decision"].to_list().count("rejected") == 2
    assert listed(home, "accepted").is_empty()


def test_the_command_line_lists_and_decides(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """By id; an unknown id changes nothing."""
    home = copy_of(finished.home)
    finding_id = listed(home, "linked")["finding_id"][0]
    run = ["--home", str(home.path), "review"]

    shown = CliRunner().invoke(main, [*run, "list", "--status", "linked", "--csv"])
    done = CliRunner().invoke(main, [*run, "reject", finding_id, "--by", "Ada", "--note", "two takes"])
    unknown = CliRunner().invoke(main, [*run, "accept", finding_id, "nothing"])

    assert finding_id in shown.output
    assert (done.exit_code, "1 rejected" in done.output) == (0, True)
    assert unknown.exit_code == 2
    assert Lake(home).rows("review_decisions").select("decision", "decided_by", "note").collect().rows() == [
        ("rejected", "Ada", "two takes")
    ]
    with pytest.raises(UnknownIds, match="the review list"):
        decide(home, ["nothing"], "accepted", decided_at=NOW)


def test_a_listener_is_given_the_reason(finished: Run) -> None:
    """`why_not` names the copy that is listed instead, and the copy that was heard."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        user_id, copy, same_as = warehouse.query(
            "select user_id, links.track_id, same_as from marts.duplicate_links as links "
            "inner join marts.interactions as heard on links.track_id = heard.track_id order by all"
        ).row(0)
        reasons = {
            track_id: run_query(warehouse, "why_not", {"user_id": user_id, "track_id": track_id})["reason"].to_list()
            for track_id in (copy, same_as)
        }

    assert f"a copy of {same_as}, which is listed where it is available" in reasons[copy]
    assert "a copy of it was played or skipped already" in reasons[same_as]
