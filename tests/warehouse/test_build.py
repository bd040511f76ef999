"""The published file, and the marts for other tools."""

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recsys.errors import InputError
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import STORAGE_VERSION, Sources, build, rebuild_results
from recsys.warehouse.publish import write_marts
from recsys.warehouse.sqlfile import read_layers, read_queries

from .conftest import AS_OF, Place, place_in, rows, with_world

MARTS = {name for name in read_layers() if name.startswith("marts.")}
LIST = pl.DataFrame(
    {
        "run_id": ["r1"], "user_id": ["u1"], "rank": [1], "track_id": ["t1"], "score": [0.5],
        "recommender": ["als"], "reason": ["because"], "reason_track_id": [None],
        "is_explored": [True], "propensity": [0.25],
    },
    schema=result_tables()["recommendations"].schema,
)  # fmt: skip


def test_the_file_holds_the_marts_and_the_dictionary_alone(built: Path) -> None:
    """Raw rows, staging and intermediate steps are gone, and so are the build's own files."""
    with duckdb.connect(built, read_only=True) as connection:
        found = {
            ".".join(row)
            for row in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        }
        views = connection.execute("select view_name from duckdb_views() where not internal").fetchall()

    assert found == MARTS | {"meta.tables", "meta.columns", "meta.batches", "meta.build"}
    assert views == []
    assert sorted(path.name for path in built.parent.glob("built*")) == ["built.duckdb"]


def test_the_file_opens_with_older_duckdb(built: Path) -> None:
    """Its storage is of the version that we promise."""
    with duckdb.connect(built, read_only=True) as connection:
        ((tags,),) = connection.execute("select tags from duckdb_databases() where database_name = 'built'").fetchall()

    assert tags["storage_version"].startswith(STORAGE_VERSION)


def test_a_build_tells_what_it_built(world: Place, tmp_path: Path) -> None:
    """Every table with its rows as it goes, the marts in the end; an unfinished file is replaced."""
    told: list[str] = []
    (tmp_path / "w.duckdb").write_text("half a file")
    tables = build(
        tmp_path / "w.duckdb",
        Sources(Lake(world.home), AS_OF, results=result_tables()),
        progress=lambda name, n_rows, seconds: told.append(name) if n_rows >= 0 <= seconds else None,
    )

    assert told == list(read_layers())
    assert {table.name for table in tables} == MARTS
    assert {table.name: table.n_rows for table in tables}["marts.track_features"] == 5


def test_only_some_tables_are_built(world: Place, built: Path, tmp_path: Path) -> None:
    """With the same rows as in a whole build."""
    path = Place(world.home, tmp_path).build("some", only=["marts.track_daily"])

    found = rows(path, "select name from meta.tables where name like 'marts.%' order by 1")
    assert ("marts.track_daily",) in found
    assert len(found) < 5
    ordered = "select * from marts.track_daily order by all"
    assert rows(path, ordered) == rows(built, ordered)


def test_a_lake_that_lost_rows_is_not_built(grown: Place, built: Path) -> None:
    """Neither from nothing nor on the last warehouse; the file of the last attempt stays."""
    next((grown.home.lake / "listens").rglob("*.parquet")).unlink()
    (grown.folder / "w.duckdb").write_text("the last attempt")

    for previous in (None, built):
        with pytest.raises(InputError, match=r"lake/listens: \d rows are missing in the batch .* of listens\.csv"):
            grown.build("w", previous=previous)
    assert (grown.folder / "w.duckdb").read_text() == "the last attempt"


def test_a_file_that_nobody_can_read_is_in_the_marts(grown: Place) -> None:
    """As one row of data quality, under no raw table; nothing else changes."""
    grown.take("stray.csv", "")
    path = grown.build("w")

    assert rows(
        path, "select source_table, source_file, n_rows from marts.data_quality where outcome = 'unreadable_file'"
    ) == [("unknown", "stray.csv", 1)]


def test_the_dictionary_covers_every_mart(built: Path) -> None:
    """Each column with type and meaning; each table with its rows."""
    undescribed = rows(
        built,
        "select table_schema, table_name, column_name from information_schema.columns "
        "where table_schema = 'marts' and (table_schema || '.' || table_name, column_name) not in "
        "(select (table_name, name) from meta.columns where meaning <> '' and type <> '')",
    )

    assert undescribed == []
    assert rows(built, "select n_rows from meta.tables where name = 'marts.track_features'") == [(5,)]


def test_two_builds_of_one_lake_hold_the_same_rows(world: Place, built: Path, tmp_path: Path) -> None:
    """Same inputs, same tables, in the same order of rows where an order is asked for; whatever a killed one left."""
    with duckdb.connect(tmp_path / "killed.duckdb") as killed:
        killed.execute("create schema marts; create table marts.track_daily (n integer)")
        shutil.copyfile(tmp_path / "killed.duckdb.wal", tmp_path / "again.duckdb.wal")
    again = Place(world.home, tmp_path).build("again")
    ordered = "select * from marts.interactions_daily order by all"

    assert rows(again, ordered) == rows(built, ordered)


def test_results_enter_a_file_that_is_not_yet_published(world: Place, tmp_path: Path) -> None:
    """The lists of a run take the place of the last run's, and nothing else changes."""
    LIST.write_parquet(tmp_path / "lists.parquet")
    path = Place(world.home, tmp_path).build("w")
    assert rows(path, "select * from marts.recommendations") == []
    before = rows(path, "select * from marts.track_daily order by all")

    rebuild_results(path, result_tables({"recommendations": tmp_path / "lists.parquet"}))

    assert rows(path, "select * from marts.recommendations") == LIST.rows()
    assert rows(path, "select n_rows from meta.tables where name = 'marts.recommendations'") == [(1,)]
    assert rows(path, "select * from marts.track_daily order by all") == before
    assert rows(path, "select count(*) from duckdb_tables() where schema_name = 'raw'") == [(0,)]


def test_results_of_an_older_version_are_read(world: Place, tmp_path: Path) -> None:
    """Lists from before places were drawn: nothing was explored."""
    LIST.drop("is_explored", "propensity").write_parquet(tmp_path / "lists.parquet")
    path = Place(world.home, tmp_path).build("w")

    rebuild_results(path, result_tables({"recommendations": tmp_path / "lists.parquet"}))

    assert rows(path, "select track_id, is_explored, propensity from marts.recommendations") == [("t1", False, 1.0)]


def test_the_marts_are_written_as_parquet(built: Path, tmp_path: Path) -> None:
    """Row for row; an unfinished earlier attempt leaves nothing."""
    (tmp_path / ".marts.partial").mkdir()
    (tmp_path / ".marts.partial" / "old.parquet").touch()

    assert write_marts(built, tmp_path / "marts") == len(MARTS)
    assert {f"marts.{path.stem}" for path in (tmp_path / "marts").iterdir()} == MARTS
    daily = pl.read_parquet(tmp_path / "marts" / "track_daily.parquet")
    assert daily.sort("track_id", "listen_date").rows() == rows(built, "select * from marts.track_daily order by 1, 2")


def test_a_home_may_have_an_odd_name(tmp_path: Path) -> None:
    """Apostrophes and brackets in a path are letters."""
    folder = tmp_path / "o'brien [1]*"
    folder.mkdir()
    place = with_world(place_in(folder))
    place.take("again.csv", "track_id,title,artist_id\nt1,One,ar1\n,Nameless,ar1\n")
    path = place.build("w")
    again = place.build("again", previous=path)

    assert rows(again, "select count(*) from marts.track_features") == [(5,)]
    assert write_marts(path, folder / "marts") == len(MARTS)


def test_queries_and_tables_have_names_of_their_own() -> None:
    """`recsys query top_tracks` and `recsys describe track_daily` cannot be mixed up."""
    assert not {name.partition(".")[2] for name in read_layers()} & read_queries().keys()
