"""The content of a built file, and the export of the marts."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recsys.errors import SetupError
from recsys.lake.contract import CONTRACTS
from recsys.lake.field import Field
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import STORAGE_VERSION, Sources, build, rebuild_results
from recsys.warehouse.publish import write_marts
from recsys.warehouse.sqlfile import read_layers, read_queries

from .conftest import AS_OF, TRACKS, Place, place_in, rows, with_world

MARTS = {name for name in read_layers() if name.startswith("marts.")}
LIST = pl.DataFrame(
    {
        "run_id": ["r1"], "user_id": ["u1"], "rank": [1], "track_id": ["t1"], "score": [0.5],
        "recommender": ["als"], "reason": ["because"], "reason_kind": ["exploration"], "reason_track_id": [None],
        "is_explored": [True], "propensity": [0.25],
    },
    schema=result_tables()["recommendations"].schema,
)  # fmt: skip


def test_the_file_has_only_the_marts_and_the_dictionary(built: Path) -> None:
    """Raw, staging and intermediate tables are dropped; no temporary file is left."""
    with duckdb.connect(built, read_only=True) as connection:
        found = {
            ".".join(row)
            for row in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        }
        views = connection.execute("select view_name from duckdb_views() where not internal").fetchall()

    assert found == MARTS | {"meta.tables", "meta.columns", "meta.batches", "meta.retention", "meta.build"}
    assert views == []
    assert sorted(path.name for path in built.parent.glob("built*")) == ["built.duckdb"]


def test_the_file_opens_with_older_duckdb(built: Path) -> None:
    """Its storage version is the promised one."""
    with duckdb.connect(built, read_only=True) as connection:
        ((tags,),) = connection.execute("select tags from duckdb_databases() where database_name = 'built'").fetchall()

    assert tags["storage_version"].startswith(STORAGE_VERSION)


def test_a_catalogue_alone_is_built(place: Place) -> None:
    """An archive without listens gets its tracks and all tables of plays, which are empty."""
    place.take("tracks.csv", TRACKS)
    target = place.build("archive")
    rebuild_results(target, result_tables())
    with duckdb.connect(target, read_only=True) as connection:
        n_rows = dict(connection.execute("select name, n_rows from meta.tables").fetchall())

    assert n_rows.keys() >= MARTS
    assert rows(target, "select track_id, artist_id from marts.track_features order by track_id") == [
        ("t1", "ar1"),
        ("t2", "ar1"),
        ("t3", "ar2"),
    ]
    assert {name for name, n in n_rows.items() if n and name.startswith("marts.interactions")} == set()


def test_a_build_reports_what_it_built(world: Place, tmp_path: Path) -> None:
    """It reports every table with its rows and returns the marts; an unfinished file is replaced."""
    built_names: list[str] = []
    (tmp_path / "w.duckdb").write_text("half a file")
    tables = build(
        tmp_path / "w.duckdb",
        Sources(Lake(world.home), AS_OF, results=result_tables()),
        progress=lambda name, n_rows, seconds: built_names.append(name) if n_rows >= 0 <= seconds else None,
    )

    assert built_names == list(read_layers())
    assert {table.name for table in tables} == MARTS
    assert {table.name: table.n_rows for table in tables}["marts.track_features"] == 5


def test_only_some_tables_are_built(world: Place, built: Path, tmp_path: Path) -> None:
    """They have the same rows as in a complete build."""
    path = Place(world.home, tmp_path).build("some", only=["marts.track_daily"])

    found = rows(path, "select name from meta.tables where name like 'marts.%' order by 1")
    assert ("marts.track_daily",) in found
    assert len(found) < 5
    ordered = "select * from marts.track_daily order by all"
    assert rows(path, ordered) == rows(built, ordered)


def test_a_lake_that_lost_rows_is_not_built(grown: Place, built: Path) -> None:
    """Neither completely nor incrementally; the file of the last attempt is kept."""
    next((grown.home.lake / "listens").rglob("*.parquet")).unlink()
    (grown.folder / "w.duckdb").write_text("the last attempt")

    for previous in (None, built):
        with pytest.raises(SetupError, match=r"lake/listens: \d rows are missing in the batch .* of listens\.csv"):
            grown.build("w", previous=previous)
    assert (grown.folder / "w.duckdb").read_text() == "the last attempt"


def test_an_unreadable_file_is_in_the_marts(grown: Place) -> None:
    """It is one row of `marts.data_quality`, of the table `unknown`."""
    grown.take("stray.csv", "")
    path = grown.build("w")

    assert rows(
        path, "select source_table, source_file, n_rows from marts.data_quality where outcome = 'unreadable_file'"
    ) == [("unknown", "stray.csv", 1)]


def test_the_dictionary_covers_every_mart(built: Path) -> None:
    """It has type and meaning of each column, and the number of rows of each table."""
    undescribed = rows(
        built,
        "select table_schema, table_name, column_name from information_schema.columns "
        "where table_schema = 'marts' and (table_schema || '.' || table_name, column_name) not in "
        "(select (table_name, name) from meta.columns where meaning <> '' and type <> '')",
    )

    assert undescribed == []
    assert rows(built, "select n_rows from meta.tables where name = 'marts.track_features'") == [(5,)]


def test_two_builds_of_one_lake_have_the_same_rows(world: Place, built: Path, tmp_path: Path) -> None:
    """Equal inputs give equal tables, also if a killed build left files behind."""
    with duckdb.connect(tmp_path / "killed.duckdb") as killed:
        killed.execute("create schema marts; create table marts.track_daily (n integer)")
        shutil.copyfile(tmp_path / "killed.duckdb.wal", tmp_path / "again.duckdb.wal")
    again = Place(world.home, tmp_path).build("again")
    ordered = "select * from marts.interactions_daily order by all"

    assert rows(again, ordered) == rows(built, ordered)


def test_results_enter_a_file_that_is_not_yet_published(world: Place, tmp_path: Path) -> None:
    """The lists of a run replace those of the last run; other tables do not change."""
    LIST.write_parquet(tmp_path / "lists.parquet")
    path = Place(world.home, tmp_path).build("w")
    assert rows(path, "select * from marts.recommendations") == []
    before = rows(path, "select * from marts.track_daily order by all")

    rebuild_results(path, result_tables({"recommendations": [tmp_path / "lists.parquet"]}))

    assert rows(path, "select * from marts.recommendations") == LIST.rows()
    assert rows(path, "select n_rows from meta.tables where name = 'marts.recommendations'") == [(1,)]
    assert rows(path, "select * from marts.track_daily order by all") == before
    assert rows(path, "select count(*) from duckdb_tables() where schema_name = 'raw'") == [(0,)]


def test_results_of_an_older_version_are_read(world: Place, tmp_path: Path) -> None:
    """Lists without the columns of exploration count as not explored."""
    LIST.drop("is_explored", "propensity").write_parquet(tmp_path / "lists.parquet")
    path = Place(world.home, tmp_path).build("w")

    rebuild_results(path, result_tables({"recommendations": [tmp_path / "lists.parquet"]}))

    assert rows(path, "select track_id, is_explored, propensity from marts.recommendations") == [("t1", False, 1.0)]


def test_the_marts_are_written_as_parquet(built: Path, tmp_path: Path) -> None:
    """They have the same rows; files of an unfinished earlier attempt are removed."""
    (tmp_path / ".marts.partial").mkdir()
    (tmp_path / ".marts.partial" / "old.parquet").touch()

    assert write_marts(built, tmp_path / "marts") == len(MARTS)
    assert {f"marts.{path.stem}" for path in (tmp_path / "marts").iterdir()} == MARTS
    daily = pl.read_parquet(tmp_path / "marts" / "track_daily.parquet")
    assert daily.sort("track_id", "listen_date").rows() == rows(built, "select * from marts.track_daily order by 1, 2")


def test_a_home_may_have_an_odd_name(tmp_path: Path) -> None:
    """Apostrophes and brackets in a path are taken literally."""
    folder = tmp_path / "o'brien [1]*"
    folder.mkdir()
    place = with_world(place_in(folder))
    place.take("again.csv", "track_id,title,artist_id\nt1,One,ar1\n,Nameless,ar1\n")
    path = place.build("w")
    again = place.build("again", previous=path)

    assert rows(again, "select count(*) from marts.track_features") == [(5,)]
    assert write_marts(path, folder / "marts") == len(MARTS)


def test_queries_and_tables_have_different_names() -> None:
    """No name is both a saved query and a table."""
    assert not {name.partition(".")[2] for name in read_layers()} & read_queries().keys()


OLDER = """-- Takedowns with a column that no delivered file has.
-- grain: track_id
-- columns:
--   track_id         recording
--   takedown_reason  reason as delivered
--   note             a column of a later version
select
    track_id,
    takedown_reason,
    note
from raw.takedowns
"""


def test_a_reference_table_of_an_older_version_has_null_in_new_columns(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home whose files were ingested before the contract had a column can still be built."""
    place.take("takedowns.csv", "track_id,taken_down_at,takedown_reason\nt1,2026-01-01,court order\n")
    today = CONTRACTS["takedowns"]
    monkeypatch.setitem(CONTRACTS, "takedowns", replace(today, fields=(*today.fields, Field("note"))))
    (tmp_path / "sql" / "marts").mkdir(parents=True)
    (tmp_path / "sql" / "marts" / "older.sql").write_text(OLDER)

    built = place.build("older", sql=tmp_path / "sql")

    assert rows(built, "select * from marts.older") == [("t1", "court order", None)]
