"""Label files: a label's own rows, and nothing that was computed from listening but its figures."""

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recsys.errors import InputError
from recsys.warehouse.labels import file_name, write_labels
from recsys.warehouse.query import Warehouse

from .conftest import Place, rows

FEATURES = """-- Recordings.
-- grain: track_id
-- labels: track_id
-- columns:
--   track_id    recording
--   artist_id   artist
--   label_id    label
--   label_name  its name
-- reconcile:
--   true
select track_id, artist_id, label_id, label_name from raw.tracks
"""
PROFILE = """-- Artists.
-- grain: artist_id
-- labels: artist_id
-- listening: n_plays, last_date
-- only: is_public
-- columns:
--   artist_id  artist
--   name       name
--   n_plays    plays [count]
--   last_date  day of the last play
--   is_public  whether labels may see it
-- reconcile:
--   true
select artist_id, name, n_plays, last_date, is_public from raw.artists
"""
FIGURES = """-- Figures.
-- grain: label_id, value
-- labels: label_id
-- columns:
--   label_id  label
--   value     figure
-- reconcile:
--   true
select label_id, value from raw.label_figures
"""


def world_of(folder: Path) -> Path:
    """Build a warehouse of two labels, lc with artist c, la with all others; return the folder of their files."""
    (folder / "sql" / "marts").mkdir(parents=True)
    for name, text in {"track_features": FEATURES, "artist_profile": PROFILE, "label_figures": FIGURES}.items():
        (folder / "sql" / "marts" / f"{name}.sql").write_text(text)
    tracks = pl.DataFrame(
        {
            "track_id": [f"t{n}" for n in range(1, 6)],
            "artist_id": ["a", "b", "c", "shared", "shared"],
            "label_id": ["la", "la", "lc", "la", "lc"],
            "label_name": ["Small Hours", "Small Hours", "Lodestar", "Small Hours", "Lodestar"],
        }
    )
    artists = pl.DataFrame({"artist_id": ["a", "b", "c", "shared"], "is_public": [True, False, True, True]})
    artists = artists.with_columns(name=pl.col("artist_id").str.to_uppercase(), n_plays=7, last_date=date(2026, 1, 5))
    figures = pl.DataFrame({"label_id": ["la", "lc", "former"], "value": [20, 30, 40]})
    with duckdb.connect(folder / "big.duckdb") as connection:
        connection.execute("create schema marts; create schema meta")
        for name, table in {"track_features": tracks, "artist_profile": artists, "label_figures": figures}.items():
            connection.register("incoming", table.to_arrow())
            connection.execute(f"create table marts.{name} as select * from incoming")
            connection.unregister("incoming")
        connection.execute("create table meta.tables as select 'marts.artist_profile' as name, 0::bigint as n_rows")
        connection.execute("create table meta.columns as select 'marts.artist_profile' as table_name")
        connection.execute("create table meta.build as select date '2026-02-01' as as_of")
    write_labels(folder / "big.duckdb", folder / "labels", sql=folder / "sql")
    return folder / "labels"


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the files of two labels."""
    return world_of(tmp_path_factory.mktemp("labels"))


def test_a_label_gets_its_own_rows(labels: Path) -> None:
    """Its figures, its recordings, its name."""
    file = labels / file_name("la")

    assert rows(file, "select value from marts.label_figures") == [(20,)]
    assert rows(file, "select track_id from marts.track_features") == [("t1",), ("t2",), ("t4",)]
    assert rows(file, "select label_id, name from meta.label") == [("la", "Small Hours")]
    assert rows(file, "select n_rows from meta.tables") == [(1,)]


def test_columns_from_listening_are_empty(labels: Path) -> None:
    """They keep their types, so that queries run; rows that a play alone explains are left out."""
    file = labels / file_name("la")

    assert rows(file, "select artist_id, name, n_plays, last_date from marts.artist_profile") == [
        ("a", "A", None, None)
    ]
    assert rows(file, "select typeof(n_plays), typeof(last_date) from marts.artist_profile") == [("INTEGER", "DATE")]


def test_an_artist_on_two_labels_is_in_neither_file(labels: Path) -> None:
    """Each label sees only its own recordings by the artist."""
    assert rows(labels / file_name("lc"), "select artist_id from marts.artist_profile") == [("c",)]
    assert rows(labels / file_name("lc"), "select track_id from marts.track_features") == [("t3",), ("t5",)]


def test_a_label_without_recordings_keeps_its_figures(labels: Path) -> None:
    """Its recordings have moved to other labels; the lines stay."""
    assert rows(labels / file_name("former"), "select value from marts.label_figures") == [(40,)]
    assert rows(labels / file_name("former"), "select name from meta.label") == [(None,)]


@pytest.mark.parametrize(
    "query",
    [
        "attach '{big}' as big",
        "select * from '{big}'",
        "select * from read_csv('/etc/hostname')",
        "select * from glob('*')",
        "copy (select 1) to '{big}.csv'",
        "set enable_external_access = true",
    ],
)
def test_sql_on_a_label_file_reaches_nothing_else(world: Place, built: Path, tmp_path: Path, query: str) -> None:
    """SQL on a label's file reaches neither the whole warehouse nor other files nor settings."""
    write_labels(built, tmp_path / "labels")

    with Warehouse.open(tmp_path / "labels" / file_name("la1")) as warehouse, pytest.raises(InputError):
        warehouse.query(query.format(big=built))
