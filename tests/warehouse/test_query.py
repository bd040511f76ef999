"""Queries on a warehouse, and what a read-only connection may not do."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recsys.errors import InputError, SetupError, UnknownIds
from recsys.warehouse.query import Warehouse, describe, find, is_stored, run_query, run_query_if_stored, tables
from recsys.warehouse.sqlfile import LAYERS, read_layers, read_queries

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
    """It can use no other file, network or setting, and change nothing; InputError has DuckDB's message."""
    before = warehouse.path.read_bytes()

    with pytest.raises(InputError, match="The query failed"):
        warehouse.query(statement.format(folder=tmp_path))
    assert warehouse.path.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_a_reader_does_not_see_the_frames_of_the_program(warehouse: Warehouse) -> None:
    """DuckDB's access to Python variables is off; otherwise one label's page could read another's data."""
    secret = pl.DataFrame({"a": [1]})
    assert secret.height == 1

    with pytest.raises(InputError, match="secret does not exist"):
        warehouse.query("select * from secret")


@pytest.mark.parametrize(
    "query", ["select 1 +", "select n_play from marts.track_daily", "select * from marts.track_dayly"]
)
def test_a_wrong_query_is_an_input_error(warehouse: Warehouse, query: str) -> None:
    """The message is DuckDB's, without its stack trace."""
    with pytest.raises(InputError, match="The query failed: "):
        warehouse.query(query)


def test_parameters_are_values_and_never_sql(warehouse: Warehouse) -> None:
    """Quotes in a value do not end the string."""
    nasty = "x' or 1 = 1; drop table marts.track_daily; --"

    assert warehouse.query("select $name as name, $n::integer + 1 as n", {"name": nasty, "n": 1}).rows() == [(nasty, 2)]


@pytest.mark.parametrize("params", [None, {}, {"n": 1, "more": 2}])
def test_parameters_must_match_those_of_the_query(warehouse: Warehouse, params: dict[str, object] | None) -> None:
    """A missing or unknown parameter is an error."""
    with pytest.raises(InputError):
        warehouse.query("select $n", params)


def test_several_readers_share_a_process(built: Path) -> None:
    """A file may be opened twice in a process; closing one connection does not affect the other."""
    with Warehouse.open(built) as one:
        with Warehouse.open(built) as other:
            assert other.query("select 1 as a").rows() == one.query("select 1 as a").rows()
        with pytest.raises(InputError):
            one.query("set threads = 1")


def test_a_day_is_in_utc_whatever_the_local_time_zone(built: Path) -> None:
    """Casting an instant to a day gives the UTC day, also in New York."""
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


def test_a_file_that_is_not_a_warehouse_is_refused(tmp_path: Path) -> None:
    """The file may be missing, or not a database."""
    with pytest.raises(SetupError, match=r"does not exist\. Run: recsys build"):
        Warehouse.open(tmp_path / "none.duckdb")
    (tmp_path / "text.duckdb").write_text("no database" * 1000)

    with pytest.raises(SetupError, match="cannot be opened as a warehouse"):
        Warehouse.open(tmp_path / "text.duckdb")


@pytest.mark.parametrize("name", sorted(read_queries()))
def test_every_query_runs_with_its_defaults(warehouse: Warehouse, name: str) -> None:
    """With its required parameters given, each query returns named columns."""
    needed = {param: "x" for param, doc in read_queries()[name].params.items() if doc.default is None}

    frame = run_query(warehouse, name, needed)
    assert frame.columns
    assert not any("(" in column for column in frame.columns)


def test_queries_read_only_the_tables_of_the_file() -> None:
    """Saved queries read only marts and the schema `meta`."""
    held = {name for name in read_layers() if name.startswith("marts.")} | {"meta.build", "meta.tables", "meta.columns"}

    assert {name for name, file in read_queries().items() if not file.sources <= held} == set()


def test_a_given_parameter_takes_the_place_of_the_default(warehouse: Warehouse) -> None:
    """Values are texts, as given on the command line."""
    assert run_query(warehouse, "top_tracks", {}).height == 4
    assert run_query(warehouse, "top_tracks", {"n": "1"})["title"].to_list() == ["One"]
    assert not run_query(warehouse, "catalogue_issues", {}).is_empty()
    assert run_query(warehouse, "catalogue_issues", {"label": "none"}).is_empty()


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
    """The message lists what exists and suggests the nearest."""
    with pytest.raises(InputError, match=message):
        run_query(warehouse, name, given)


def test_tables_are_listed_with_what_they_hold(warehouse: Warehouse) -> None:
    """Only marts are listed."""
    listed = tables(warehouse)

    assert listed["name"].to_list() == sorted(name for name in read_layers() if name.startswith("marts."))
    assert listed.filter(name="marts.track_features").select("grain", "n_rows").rows() == [("track_id", 5)]


@pytest.mark.parametrize("name", ["track_daily", "marts.track_daily"])
def test_a_table_is_described(warehouse: Warehouse, name: str) -> None:
    """The description has its columns in order, what it reads and what reads it."""
    facts, columns = describe(warehouse, name)

    assert facts["name"].item() == "marts.track_daily"
    assert facts["reads"].to_list() == [["marts.interactions_daily"]]
    assert "marts.catalogue_health" in facts["read_by"].item()
    assert columns["name"].to_list()[:3] == ["track_id", "listen_date", "n_listeners"]
    assert columns.row(2)[1:] == ("BIGINT", "count", "listeners with at least one play")


def test_an_unknown_table_is_refused_with_the_nearest(warehouse: Warehouse) -> None:
    """The suggestion is a name that exists."""
    with pytest.raises(UnknownIds, match=r"'track_dayly'.*Did you mean 'marts\.track_daily'"):
        describe(warehouse, "track_dayly")


def test_find_searches_tracks_artists_and_listeners(warehouse: Warehouse, world: Place) -> None:
    """It searches words of name and id, in any order and case; the most played come first."""
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


def test_names_are_compared_after_nfc_and_case_folding(place: Place) -> None:
    """In searches: composed and combining accents, capitals, sharp s and final sigma."""
    place.take("t.csv", "track_id,title,artist_id\nt1,Cafe\u0301 Straße,ar1\nt2,Οδός,ar1\nt3,Other,ar1\n")
    place.take("a.csv", "artist_id,name\nar1,Ada\n")
    place.take("l.csv", "user_id,track_id,listened_at\nann,t1,2026-01-02\nann,t2,2026-01-02\n")
    with Warehouse.open(
        place.build("w", only=["marts.track_features", "marts.artist_profile", "marts.track_daily"])
    ) as built:
        found = {
            words: run_query(built, name, {"words": words})["id"].to_list()
            for name in ("search_names", "search_catalogue")
            for words in ("café STRASSE", "CAFE\u0301 straße", "οδόσ", "ΟΔΌΣ", "cafe")
        }

    assert found == {"café STRASSE": ["t1"], "CAFE\u0301 straße": ["t1"], "οδόσ": ["t2"], "ΟΔΌΣ": ["t2"], "cafe": []}


def test_unknown_values_can_be_queried(place: Place) -> None:
    """By file, column and reason, with the first line."""
    place.take("u.csv", "user_id,country,age_band\nann,ZZ,7\nbob,UK,\ncem,Atlantis,\n")
    with Warehouse.open(place.build("w", only=["marts.invalid_values"])) as built:
        assert run_query(built, "unknown_values", {}).rows() == [
            ("users", "u.csv", "country", "not_allowed", 2, 2),
            ("users", "u.csv", "age_band", "not_allowed", 1, 2),
        ]


def test_tables_are_found_without_a_parser() -> None:
    """The names in the text of each saved query are those that a parser finds in it."""
    for name, file in read_queries().items():
        assert file.named_tables == {table for table in file.sources if table.partition(".")[0] in LAYERS}, name


def test_a_query_of_a_table_that_an_older_file_lacks_has_no_rows(tmp_path: Path) -> None:
    """Until the next run; it has rows as soon as the table is there."""
    path = tmp_path / "older.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts; create table marts.quality as select 1 as n")
    with Warehouse.open(path) as warehouse:
        assert run_query_if_stored(warehouse, "refused_rows", {}).shape == (0, 0)
        assert not is_stored(warehouse, "refused_rows")

    with duckdb.connect(path) as connection:
        connection.execute(
            "create table marts.data_quality as select 'listens' as source_table, 'a' as source_file, "
            "'in_future' as outcome, '' as column_name, 3 as n_rows"
        )
    with Warehouse.open(path) as warehouse:
        assert run_query_if_stored(warehouse, "refused_rows", {}).rows() == [("listens", "a", "in_future", "", 3)]
