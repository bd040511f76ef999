"""Questions to a warehouse, and what a reader may not do."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import InputError, SetupError, UnknownIds
from recsys.warehouse.query import Warehouse, describe, find, run_query, tables
from recsys.warehouse.sqlfile import read_layers, read_queries

from .conftest import Place

FORBIDDEN = [
    "select * from '/etc/hostname'",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from read_parquet('/tmp/*.parquet')",
    "select * from glob('/*')",
    "copy (select 1) to '{folder}/stolen.csv'",
    "copy marts.track_daily to '{folder}/stolen.parquet'",
    "export database '{folder}/stolen'",
    "attach '{folder}/other.duckdb'",
    "install spatial",
    "load spatial",
    "set threads = 1",
    "set enable_external_access = true",
    "set global TimeZone = 'Asia/Tokyo'",
    "reset lock_configuration",
    "pragma enable_profiling",
    "create table marts.mine as select 1 as a",
    "create schema mine",
    "insert into meta.build values (current_date)",
    "update marts.track_daily set n_plays = 0",
    "delete from marts.track_daily",
    "drop table marts.track_daily",
    "create secret mine (type s3)",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_reader_reads_its_file_and_does_nothing_else(warehouse: Warehouse, tmp_path: Path, statement: str) -> None:
    """No other file, no network, no setting, no change; the message is DuckDB's, the error ours."""
    before = warehouse.path.read_bytes()

    with pytest.raises(InputError, match="The query failed"):
        warehouse.query(statement.format(folder=tmp_path))
    assert warehouse.path.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_a_reader_does_not_see_the_frames_of_the_program(warehouse: Warehouse) -> None:
    """DuckDB can read the caller's variables; here it may not, or one label's page could read another's."""
    secret = pl.DataFrame({"a": [1]})
    assert secret.height == 1

    with pytest.raises(InputError, match="secret does not exist"):
        warehouse.query("select * from secret")


@pytest.mark.parametrize(
    "query", ["select 1 +", "select n_play from marts.track_daily", "select * from marts.track_dayly"]
)
def test_a_wrong_query_is_the_askers_error(warehouse: Warehouse, query: str) -> None:
    """Told in DuckDB's words, without its stack."""
    with pytest.raises(InputError, match="The query failed: "):
        warehouse.query(query)


def test_parameters_are_values_and_never_sql(warehouse: Warehouse) -> None:
    """Quotes in a value end no text."""
    nasty = "x' or 1 = 1; drop table marts.track_daily; --"

    assert warehouse.query("select $name as name, $n::integer + 1 as n", {"name": nasty, "n": 1}).rows() == [(nasty, 2)]


@pytest.mark.parametrize("params", [None, {}, {"n": 1, "more": 2}])
def test_parameters_are_neither_left_out_nor_made_up(warehouse: Warehouse, params: dict[str, object] | None) -> None:
    """A misspelt name is not silently nothing."""
    with pytest.raises(InputError):
        warehouse.query("select $n", params)


def test_several_readers_share_a_process(built: Path) -> None:
    """A page and a command in one program each open the file, and the first to close takes nothing from the other."""
    with Warehouse.open(built) as one:
        with Warehouse.open(built) as other:
            assert other.query("select 1 as a").rows() == one.query("select 1 as a").rows()
        with pytest.raises(InputError):
            one.query("set threads = 1")


def test_a_day_is_of_utc_wherever_the_reader_sits(built: Path) -> None:
    """A query that turns an instant into a day gives the same day in New York."""
    code = (
        "import sys; from pathlib import Path; from recsys.warehouse.query import Warehouse;"
        "w = Warehouse.open(Path(sys.argv[1]));"
        "print(w.query(\"select cast(timestamptz '2026-01-02 01:00:00+00' as date) as day\").item())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, str(built)],
        env=os.environ | {"TZ": "America/New_York"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout.strip() == "2026-01-02"


def test_a_file_that_is_no_warehouse_is_refused(tmp_path: Path) -> None:
    """Missing, or something else."""
    with pytest.raises(SetupError, match=r"does not exist\. Run: recsys build"):
        Warehouse.open(tmp_path / "none.duckdb")
    (tmp_path / "text.duckdb").write_text("no database" * 1000)

    with pytest.raises(SetupError, match="cannot be opened as a warehouse"):
        Warehouse.open(tmp_path / "text.duckdb")


@pytest.mark.parametrize("name", sorted(read_queries()))
def test_every_query_runs_with_its_defaults(warehouse: Warehouse, name: str) -> None:
    """Parameters without a default are given; the columns have names."""
    needed = {param: "x" for param, doc in read_queries()[name].params.items() if doc.default is None}

    frame = run_query(warehouse, name, needed)
    assert frame.columns
    assert not any("(" in column for column in frame.columns)


def test_no_query_is_a_step_behind_the_marts() -> None:
    """Queries read marts, and what the file says of itself: it holds nothing else."""
    held = {name for name in read_layers() if name.startswith("marts.")} | {"meta.build", "meta.tables", "meta.columns"}

    assert {name for name, file in read_queries().items() if not file.sources <= held} == set()


def test_a_given_parameter_takes_the_place_of_the_default(warehouse: Warehouse) -> None:
    """Values come as texts from the command line."""
    assert run_query(warehouse, "top_tracks", {}).height == 4
    assert run_query(warehouse, "top_tracks", {"n": "1"})["title"].to_list() == ["One"]
    assert run_query(warehouse, "catalogue_issues", {"label": "la1"}).is_empty()


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("top_track", {}, "'top_track'.*Did you mean 'top_tracks'"),
        ("top_tracks", {"dayz": "3"}, "has no parameter 'dayz'; it has: days, n. Did you mean 'days'"),
        ("refused_rows", {"n": "3"}, "it has: none"),
        ("recommended_to", {}, r"needs user_id \(listener .*--param user_id="),
        ("top_tracks", {"days": "many"}, "The query failed.*many"),
    ],
)
def test_a_wrong_name_or_value_is_refused_with_a_hint(
    warehouse: Warehouse, name: str, given: dict[str, str], message: str
) -> None:
    """What there is, and what comes nearest."""
    with pytest.raises(InputError, match=message):
        run_query(warehouse, name, given)


def test_tables_are_listed_with_what_they_hold(warehouse: Warehouse) -> None:
    """Marts alone: the steps below them are not in the file."""
    listed = tables(warehouse)

    assert listed["name"].to_list() == sorted(name for name in read_layers() if name.startswith("marts."))
    assert listed.filter(name="marts.track_features").select("grain", "n_rows").rows() == [("track_id", 5)]


@pytest.mark.parametrize("name", ["track_daily", "marts.track_daily"])
def test_a_table_is_described(warehouse: Warehouse, name: str) -> None:
    """Its columns in order, and its place between what it reads and what reads it."""
    about, columns = describe(warehouse, name)

    assert about["name"].item() == "marts.track_daily"
    assert about["reads"].to_list() == [["marts.interactions_daily"]]
    assert "marts.catalogue_health" in about["read_by"].item()
    assert columns["name"].to_list()[:3] == ["track_id", "listen_date", "n_listeners"]
    assert columns.row(2)[1:] == ("BIGINT", "count", "listeners with at least one play")


def test_an_unknown_table_is_refused_with_the_nearest(warehouse: Warehouse) -> None:
    """The hint is a name that works."""
    with pytest.raises(UnknownIds, match=r"'track_dayly'.*Did you mean 'marts\.track_daily'"):
        describe(warehouse, "track_dayly")


def test_find_knows_tracks_artists_and_listeners(warehouse: Warehouse, world: Place) -> None:
    """By words of the name or the id, in any order and case; the most played first."""
    assert find(warehouse, "ADA one", 10).select("kind", "id").rows() == [("track", "t1")]
    assert find(warehouse, "  ada ", 10).select("kind", "id", "n_plays").rows() == [
        ("artist", "ar1", 3),
        ("track", "t1", 3),
        ("track", "t2", 0),
    ]
    assert find(warehouse, world.listener("ann"), 10)["kind"].to_list() == ["listener"]
    assert find(warehouse, "stub", 10)["name"].to_list() == ["(unknown track)"]
    assert find(warehouse, "100%", 10).is_empty()
    assert find(warehouse, "", 2).height == 2
