"""Marts of charts: weekly ranks, links to the catalogue, half-lives of hits; on charts that can be counted by hand."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build
from recsys.warehouse.labels import file_name, write_labels
from recsys.warehouse.query import Warehouse, run_query

from .conftest import AS_OF, Place, rows

FIRST = date(2026, 1, 3)
CHART = """chart,chart_date,rank,title,artist,track_id,isrc,value
House,2026-01-03,1,One,Ada,,,90
House,2026-01-03,2,Alien,Zed Featuring Ada,,,80
House,2026-01-03,3,Don\u2019t,Bix & Cyd,,,70
House,2026-01-10,1,ALIEN,Zed,,,60
House,2026-01-10,2,One,Ada & Friends,,,50
House,2026-01-17,1,Alien,Zed,,,40
House,2026-01-17,2,Alien,Zed Duet Bix,,,30
House,2026-01-17,3,Don't,Bix,,,20
House,2026-02-07,1,Later,Zed,,,10
"""
WEEKS_SQL = """
select chart_date, song_id, rank, rank_before, change, entry_rank, peak_rank, n_weeks, is_new, is_reentry
from marts.chart_weekly order by chart_date, rank
"""
ONE, ALIEN, DONT = "one / ada", "alien / zed", "don't / bix"


@pytest.fixture
def charted(grown: Place) -> Path:
    """Return a warehouse with the test data and one chart."""
    grown.take("chart.csv", CHART)
    return grown.build("charted")


def test_a_song_is_followed_from_week_to_week(charted: Path) -> None:
    """
    Guests, case and apostrophes are ignored; of two ranks the better counts; weeks after the run are ignored.

    In the first edition, which songs are new and where they entered is unknown.
    """
    first, second, third = (FIRST + timedelta(weeks=n) for n in range(3))

    assert rows(charted, WEEKS_SQL) == [
        (first, ONE, 1, None, None, None, 1, 1, False, False),
        (first, ALIEN, 2, None, None, None, 2, 1, False, False),
        (first, DONT, 3, None, None, None, 3, 1, False, False),
        (second, ALIEN, 1, 2, 1, None, 1, 2, False, False),
        (second, ONE, 2, 1, -1, None, 1, 2, False, False),
        (third, ALIEN, 1, 1, 0, None, 1, 3, False, False),
        (third, DONT, 3, None, None, None, 3, 2, False, True),
    ]


def test_a_song_is_new_in_an_edition_after_the_first(grown: Place) -> None:
    """The second edition lists a song that the first did not: it is new, and entered there."""
    grown.take("chart.csv", CHART + "House,2026-01-10,3,Fresh,Ada,,,\n")

    with Warehouse.open(grown.build("new", only=["marts.chart_weekly", "marts.chart_songs"])) as warehouse:
        entered = warehouse.query("select song_id, entry_rank from marts.chart_weekly where is_new").rows()
        days = ("2026-01-03", "2026-01-10")
        first, second = (run_query(warehouse, "chart_movers", {"to": day})["moved"] for day in days)

    assert entered == [("fresh / ada", 3)]
    assert first.to_list() == [None] * 3
    assert second.to_list() == ["+1", "-1", "new"]


@pytest.mark.parametrize(
    ("line", "track_id", "linked_by"),
    [
        ("House,2026-01-24,1,Other words,Somebody,t2,USRC17600001,", "t2", "track_id"),
        ("House,2026-01-24,1,Other words,Somebody,gone,us-rc1-76-00002,", "t2", "isrc"),
        ("House,2026-01-24,1,THREE,bix Featuring Ada,,,", "t3", "name"),
    ],
)
def test_a_charted_song_is_found_in_the_catalogue(grown: Place, line: str, track_id: str, linked_by: str) -> None:
    """By track id first, then by ISRC, then by title and artist."""
    grown.take("chart.csv", CHART + line + "\n")

    found = rows(
        grown.build("linked", only=["marts.chart_songs"]),
        "select song_id, track_id, artist_id, linked_by from marts.chart_songs",
    )

    artist_id = "ar2" if track_id == "t3" else "ar1"
    assert (ONE, "t1", "ar1", "name") in found
    assert [row[1:] for row in found if row[0] != ONE] == [(track_id, artist_id, linked_by)]


def test_a_label_sees_the_whole_chart_and_its_own_links(grown: Place, tmp_path: Path) -> None:
    """It sees the last 52 editions of the public chart, and links only to its own recordings."""
    weekly = "".join(
        f"Long,{FIRST - timedelta(weeks=n)},1,One,Ada,,,\nLong,{FIRST - timedelta(weeks=n)},2,Two,Zed,,,\n"
        for n in range(60)
    )
    grown.take("long.csv", CHART.splitlines(keepends=True)[0] + weekly)
    grown.take("other.csv", "track_id,title,artist_id,label_id\nt9,Two,ar9,la2\n")
    grown.take("artists.csv", "artist_id,name\nar9,Zed\n")
    built = grown.build("built")
    write_labels(built, tmp_path / "labels")

    own = tmp_path / "labels" / file_name("la1")
    assert rows(built, "select count(*) from marts.chart_weekly") == [(120,)]
    assert rows(own, "select count(*), count(distinct song_id) from marts.chart_weekly") == [(104, 2)]
    assert rows(own, "select song_id, track_id from marts.chart_songs") == [(ONE, "t1")]
    assert rows(own, "select n_rows from meta.tables where name = 'marts.chart_weekly'") == [(104,)]


def test_hits_that_halve_every_week_have_a_half_life_of_one(grown: Place) -> None:
    """Rank 1, 2, 4, 8 ...: half the points each week, a perfect fit; songs that are still in the chart are left out."""
    places = [("Fades", week, 2**week) for week in range(13)] + [("New", 12, 1)]
    lines = [f"House,{AS_OF - timedelta(weeks=12 - week)},{rank},{song},Zed,,," for song, week, rank in places]
    grown.take("chart.csv", "\n".join([CHART.splitlines()[0], *lines]) + "\n")

    found = rows(
        grown.build("built", only=["marts.chart_half_lives"]),
        "select decade, n_songs, n_weeks, half_life_weeks, r2, weeks_to_half from marts.chart_half_lives",
    )

    assert found == [(2020, 1, 13, pytest.approx(1), pytest.approx(1), 2)]


def test_a_breakout_of_an_edition_corrected_since_is_left_out(grown: Place) -> None:
    """Its song is now in the top ten or unlisted; results of an earlier run do not break the build."""
    lines = [f"House,2026-01-17,{rank},Song {rank},Zed,,," for rank in range(1, 14)]
    grown.take("chart.csv", "\n".join([CHART.splitlines()[0], *lines]) + "\n")
    foreseen = [
        ("House", f"song {song} / zed", date(2026, 1, 17), 0.5, 0.2, 0.8, "new", 9, 4, 20)
        for song in ("9", "11", "13", "14")
    ]
    kept = grown.folder / "chart_breakouts.parquet"
    pl.DataFrame(foreseen, result_tables()["chart_breakouts"].schema, orient="row").write_parquet(kept)
    target = grown.folder / "built.duckdb"

    sources = Sources(Lake(grown.home), AS_OF, results=result_tables({"chart_breakouts": [kept]}))
    build(target, sources, only=["marts.chart_breakouts"], memory="1GB")

    found = rows(target, "select song_id, rank from marts.chart_breakouts order by rank")
    assert found == [("song 11 / zed", 11), ("song 13 / zed", 13)]


def test_a_home_without_charts_has_empty_tables(built: Path) -> None:
    """The tables exist without rows."""
    for table in ("chart_weekly", "chart_songs", "chart_half_lives", "chart_breakouts"):
        assert rows(built, f"select count(*) from marts.{table}") == [(0,)]


def test_own_recordings_of_every_chart_of_the_last_weeks(grown: Place) -> None:
    """On the newest edition of each: up on one, first edition of another, new on a third; an old one is no news."""
    editions = [
        *("Pop,2026-01-24,2,One,Ada,,,", "Pop,2026-01-31,1,One,Ada,,,", "Pop,2026-01-31,2,Alien,Zed,,,"),
        *("Rock,2026-01-28,4,Two,Ada,t2,,", "Old,2025-06-01,1,One,Ada,,,"),
        "House,2026-01-17,5,Three,Bix,,,",
    ]
    grown.take("chart.csv", "\n".join([CHART.strip(), *editions]))
    columns = ["chart", "chart_date", "rank", "rank_before", "is_new", "track_id"]

    with Warehouse.open(grown.build("own")) as warehouse:
        found = run_query(warehouse, "own_chart_moves", {}).select(columns)
        of_one_week = run_query(warehouse, "own_chart_moves", {"days": "7", "n": "1"})

    assert found.rows() == [
        ("Pop", date(2026, 1, 31), 1, 2, False, "t1"),
        ("Rock", date(2026, 1, 28), 4, None, False, "t2"),
        ("House", date(2026, 1, 17), 5, None, True, "t3"),
    ]
    assert of_one_week["chart"].to_list() == ["Pop"]
